//! `GET /api/v1/order/:id/stream`: the order's facts as they become durable, without gap or repeat.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actors::account::Published;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use events::order;
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::json::Parameters;
use crate::http::openapi_types::HowFar;
use crate::http::order_message::{access_end_message, stream_message};
use crate::http::order_reply::find;
use crate::http::until::Until;
use crate::http::waiting::{AccessEnd, Place, live_account_ended};
use crate::http::{LIVEMODE, Shared};

/// The contract: `retry: 3000`, a heartbeat every 15 s.
const RETRY: Duration = Duration::from_secs(3);
const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// How far.
    #[serde(default)]
    until: Until,
}

/// The order as server-sent events, until it ends; with `until=expiry` further messages and codes
/// too, until its number goes back. `Last-Event-ID` resumes without gap or repeat.
#[utoipa::path(
    get, path = "/order/{id}/stream", operation_id = "streamOrder", tag = "orders",
    params(
        ("id" = String, Path, description = "The order's id"),
        (
            "until" = Option<HowFar>, Query, description = "To its code if absent",
            example = "expiry"
        ),
        (
            "Last-Event-ID" = Option<String>, Header,
            description = "Number of the last event seen, as the stream gave it; an empty one is the beginning, one beyond the end counts as the last",
            pattern = "^[0-9]{0,20}$"
        )
    ),
    responses(
        (status = 200, description = "Server-sent events: one JSON object a message"),
        (status = 204, description = "The stream is over, and Last-Event-ID is its last event")
    )
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Parameters(Query { until }): Parameters<Query>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let order = find(&app, &caller, &id).await?;
    // An id beyond the end, from before a backup was restored perhaps, is that of the last event
    // there is.
    let sent = last_event(&headers)?.min(order.history.len());
    if until.is_reached(&order) && sent >= until.facts(&order) {
        // What EventSource takes as: do not come again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = app.waiting.enter(caller.account)?;
    let watch = app.service.accounts.watch(caller.account).await?;
    let order_stream = OrderStream {
        app,
        caller,
        id,
        order,
        until,
        watch,
        sent,
        hinted: false,
        ended: false,
        _place: place,
    };
    let sse = Sse::new(messages(order_stream))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat"));
    let mut response = sse.into_response();
    let headers = response.headers_mut();
    headers
        .insert("cache-control", "no-store, no-transform".parse().expect("a plain header value"));
    // Proxies that buffer would hold a code back.
    headers.insert("x-accel-buffering", "no".parse().expect("a plain header value"));
    Ok(response)
}

/// The number of the last event that the client has; none, or an empty one, is the beginning.
fn last_event(headers: &HeaderMap) -> Result<usize, ApiError> {
    let Some(value) = headers.get("last-event-id") else { return Ok(0) };
    let text = value
        .to_str()
        .map(str::trim)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    // However large: what is beyond the end is no other mistake than the end's successor.
    let number =
        text.map(|text| if text.is_empty() { 0 } else { text.parse().unwrap_or(usize::MAX) });
    number.ok_or_else(|| {
        ApiError::invalid("Last-Event-ID is the id of an event of this stream: a number.")
    })
}

/// What came of waiting.
enum News {
    /// The order may have further facts.
    Facts,
    /// The stream has to end: its client may come again.
    Over,
    /// The reader may not read on.
    NoAccess(AccessEnd),
}

struct OrderStream {
    app: Shared,
    caller: Caller,
    id: String,
    order: Arc<order::State>,
    until: Until,
    watch: watch::Receiver<Arc<Published>>,
    /// The number of the last fact sent.
    sent: usize,
    /// Whether the reconnection time was told.
    hinted: bool,
    ended: bool,
    /// Held as long as the stream is open.
    _place: Place,
}

fn messages(order_stream: OrderStream) -> impl Stream<Item = Result<Message, Infallible>> {
    stream::unfold(order_stream, |mut order_stream| async move {
        let message = order_stream.next().await?;
        Some((Ok(message), order_stream))
    })
}

impl OrderStream {
    /// The next message; `None` once the stream is over.
    async fn next(&mut self) -> Option<Message> {
        if self.ended {
            return None;
        }
        loop {
            let shown = self.until.facts(&self.order);
            if let Some(fact) = self.order.history.get(self.sent).filter(|_| self.sent < shown) {
                self.sent += 1;
                self.ended = self.until.is_reached(&self.order) && self.sent == shown;
                let text = self.marked(stream_message(&self.order, self.sent, fact));
                let message = Message::default().id(self.sent.to_string()).data(text);
                // With the first message and not alone: some clients take a hint alone for a
                // message without data.
                let is_hinted = std::mem::replace(&mut self.hinted, true);
                return Some(if is_hinted { message } else { message.retry(RETRY) });
            }
            // Everything was sent before, by the caller's own account.
            if self.until.is_reached(&self.order) {
                return None;
            }
            match self.news().await {
                News::Facts => {}
                News::Over => {
                    self.ended = true;
                    return Some(Message::default().retry(RETRY));
                }
                News::NoAccess(end) => {
                    self.ended = true;
                    let text = self.marked(access_end_message(
                        &self.order,
                        end,
                        self.app.service.clock.now(),
                    ));
                    // Without an id of its own: the client has the facts up to the one before.
                    return Some(Message::default().data(text));
                }
            }
        }
    }

    /// The message's text, with the account's mode.
    fn marked(&self, mut message: Value) -> String {
        message[LIVEMODE] = Value::Bool(!self.caller.is_test());
        message.to_string()
    }

    /// Waits for facts.
    async fn news(&mut self) -> News {
        let known = self.order.history.len();
        let id = self.order.id;
        let is_news = |published: &Arc<Published>| {
            AccessEnd::of(&self.caller, &published.state).is_some()
                || published.state.order(id).is_none_or(|order| order.history.len() > known)
        };
        let seen = tokio::select! {
            seen = self.watch.wait_for(is_news) => seen.map(|published| Arc::clone(&published)),
            end = live_account_ended(&self.app.service.accounts, &self.caller) => {
                return News::NoAccess(end);
            }
            () = self.app.stopped() => return News::Over,
        };
        match seen {
            Ok(published) => {
                match (AccessEnd::of(&self.caller, &published.state), published.state.order(id)) {
                    (Some(end), _) => News::NoAccess(end),
                    (None, Some(order)) => {
                        self.order = Arc::clone(order);
                        News::Facts
                    }
                    (None, None) => self.look_up().await,
                }
            }
            // The account has left memory; its next book-keeper publishes elsewhere.
            Err(_) => match self.app.service.accounts.watch(self.caller.account).await {
                Ok(watch) => {
                    self.watch = watch;
                    News::Facts
                }
                Err(_) => News::Over,
            },
        }
    }

    /// The order has ended and the account has forgotten it: the rest is in the log.
    async fn look_up(&mut self) -> News {
        match find(&self.app, &self.caller, &self.id).await {
            Ok(order) => {
                self.order = order;
                News::Facts
            }
            Err(_) => News::Over,
        }
    }
}
