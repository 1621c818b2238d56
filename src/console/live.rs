//! Pages that are told anew: server-sent events that each carry the whole of what may have changed,
//! so that one that was missed is missed by nobody.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::stream;
use parking_lot::Mutex;

use actors::kernel::clock::Stopwatch;

/// Through proxies that end what is silent.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Pages rendered for all who look at the same.
const SHARED: usize = 256;

/// What a page shows now; `None` once there is nobody any more to show it to.
pub type Render = Box<dyn Fn() -> BoxFuture<'static, Option<Arc<str>>> + Send + Sync>;
/// Returns when it may have changed.
pub type Changed = Box<dyn FnMut() -> BoxFuture<'static, bool> + Send + Sync>;

/// A stream of a page: now, and whenever it is another one. `changed` says false once the stream is
/// to end.
pub fn stream(render: Render, changed: Changed) -> Response {
    let start = (render, changed, None::<Arc<str>>, true);
    let messages =
        stream::unfold(start, |(render, mut changed, mut last, mut is_first)| async move {
            loop {
                if !is_first && !changed().await {
                    return None;
                }
                is_first = false;
                let now = render().await?;
                if last.as_ref() != Some(&now) {
                    last = Some(Arc::clone(&now));
                    // Lines end in one way in this format.
                    let message = Event::default().data(now.replace('\r', " "));
                    return Some((Ok::<_, Infallible>(message), (render, changed, last, is_first)));
                }
            }
        });
    let mut response =
        Sse::new(messages).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Pages rendered a moment ago, for all who look at the same: twenty consoles ask no more than one.
#[derive(Default)]
pub struct Shared(Mutex<HashMap<String, (Duration, Arc<str>)>>);

impl Shared {
    /// What was rendered under `key` less than `age` ago.
    pub fn get(&self, key: &str, age: Duration, since_start: &Stopwatch) -> Option<Arc<str>> {
        let now = since_start.elapsed();
        self.0
            .lock()
            .get(key)
            .filter(|(at, _)| now.saturating_sub(*at) < age)
            .map(|(_, page)| Arc::clone(page))
    }

    /// Keeps a page for others.
    pub fn put(&self, key: String, page: &Arc<str>, since_start: &Stopwatch) {
        let mut pages = self.0.lock();
        if pages.len() >= SHARED {
            pages.clear();
        }
        pages.insert(key, (since_start.elapsed(), Arc::clone(page)));
    }
}
