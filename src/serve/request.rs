//! One request on its way through a service: its body in time, its answer watched to the end, a
//! panic contained.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderValue, Request, Response, Uri, Version, uri::Authority};
use futures_util::FutureExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::ServiceExt;

use super::Service;
use super::connections::{Connection, Phase};
use super::refused::{Reason, Refuse};

/// Bytes a second that a body has to bring once its time is over.
const LEAST_RATE: u32 = 8 * 1024;

/// A body, or the answer's, broke off.
#[derive(Debug, Error)]
pub enum BodyError {
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    Late,
    /// The connection failed.
    #[error("the body broke off")]
    Broken(#[source] hyper::Error),
}

/// Asks `service`; what it cannot answer, or did not because the body was late, is answered in the
/// listener's words.
pub(super) async fn answer<S: Service>(
    service: S,
    request: Request<Incoming>,
    connection: Arc<Connection>,
    refuse: Refuse,
    body_timeout: Duration,
) -> Result<Response<WatchedBody>, Infallible> {
    connection.is_asked();
    let refused = |reason| refuse(reason, connection.peer()).into_response();
    let response = if has_host(request.version(), request.headers(), request.uri()) {
        let (mut head, body) = request.into_parts();
        head.extensions.insert(Arc::clone(&connection));
        head.extensions.insert(SocketAddr::new(connection.peer(), 0));
        let request = Request::from_parts(
            head,
            Body::new(TimedBody::new(body, Arc::clone(&connection), body_timeout)),
        );
        match AssertUnwindSafe(service.oneshot(request)).catch_unwind().await {
            Ok(Ok(_)) if connection.is_body_late() => refused(Reason::LateBody),
            Ok(Ok(response)) => closing_if(connection.is_body_unread(), response),
            Ok(Err(never)) => match never {},
            Err(_) => {
                tracing::error!("a service panicked; the request is answered as failed");
                refused(Reason::Panicked)
            }
        }
    } else {
        refused(Reason::Host)
    };
    connection.acts();
    if response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
    {
        connection.streams();
    }
    Ok(response.map(|inner| WatchedBody { inner, connection }))
}

/// An answer to a request whose body was not read is the connection's last one: its client is told
/// so, and sends nothing more there.
fn closing_if<B>(is_unread: bool, mut response: Response<B>) -> Response<B> {
    if is_unread {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// HTTP/1.1 wants one `Host`, with a name; two of them, or a target that names another, are how one
/// service is made to see another name than the proxy in front of it. HTTP/1.0 has none: it is
/// served as whoever has no name.
fn has_host(version: Version, headers: &HeaderMap, target: &Uri) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
        (Some(host), None) => Authority::try_from(host.as_bytes()).is_ok_and(|host| {
            let is_name = !host.host().is_empty() && !host.as_str().contains('@');
            is_name
                && target.authority().is_none_or(|named| is_same(named, &host, target.scheme_str()))
        }),
    }
}

/// Whether two authorities are the same: case does not matter, and neither does the port that the
/// scheme has anyway.
fn is_same(one: &Authority, other: &Authority, scheme: Option<&str>) -> bool {
    let usual = match scheme {
        Some("http") => Some(80),
        Some("https") => Some(443),
        Some(_) | None => None,
    };
    let port = |authority: &Authority| authority.port_u16().filter(|port| Some(*port) != usual);
    !one.as_str().contains('@')
        && one.host().eq_ignore_ascii_case(other.host())
        && port(one) == port(other)
}

/// A request's body that has to arrive: all of it within a time, and from then on at a least rate.
struct TimedBody {
    inner: Incoming,
    connection: Arc<Connection>,
    /// By when the next byte has to be there.
    deadline: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    has_ended: bool,
}

impl TimedBody {
    fn new(inner: Incoming, connection: Arc<Connection>, timeout: Duration) -> Self {
        let has_ended = inner.is_end_stream();
        Self { inner, connection, deadline: Instant::now() + timeout, timer: None, has_ended }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.connection.enter(Phase::Answering);
            let bytes = frame
                .as_ref()
                .and_then(|frame| frame.as_ref().ok()?.data_ref())
                .map_or(0, Bytes::len);
            // Whole milliseconds only: a byte at a time earns nothing.
            self.deadline += Duration::from_millis(bytes as u64 * 1_000 / u64::from(LEAST_RATE));
            self.has_ended = frame.as_ref().is_none_or(|_| self.inner.is_end_stream());
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)));
        }
        self.connection.enter(Phase::Receiving);
        let deadline = self.deadline;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.connection.enter(Phase::Answering);
        self.connection.body_is_late();
        Poll::Ready(Some(Err(BodyError::Late)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.leaves_body_unread();
        }
    }
}

/// An answer's body: while it lasts, its connection is busy.
pub(super) struct WatchedBody {
    inner: Body,
    connection: Arc<Connection>,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if frame.is_ready() {
            self.connection.acts();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.connection.has_answered();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_one_host() {
        let check = |version, hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            has_host(version, &headers, &"/".parse().unwrap())
        };
        for good in ["example.com", "127.0.0.1:8080", "[::1]:8080", "sms-1.internal"] {
            assert!(check(Version::HTTP_11, &[good]), "{good}");
        }
        for bad in [
            &[][..],
            &[""],
            &[":80"],
            &["a", "a"],
            &["a", "b"],
            &["a b"],
            &["a,b/c"],
            &["user@host"],
            &["a/b"],
        ] {
            assert!(!check(Version::HTTP_11, bad), "{bad:?}");
        }
        let named = |target: &str, host: &str| {
            has_host(
                Version::HTTP_11,
                &[(HOST, host.parse().unwrap())].into_iter().collect(),
                &target.parse().unwrap(),
            )
        };
        for (target, host) in [
            ("http://a/x", "a"),
            ("http://A:80/x", "a"),
            ("http://a/x", "a:80"),
            ("https://a:443/", "A"),
            ("http://[::1]:8080/", "[::1]:8080"),
        ] {
            assert!(named(target, host), "{target} {host}");
        }
        for (target, host) in [
            ("http://a/x", "b"),
            ("http://a:81/x", "a"),
            ("http://a/x", "a:443"),
            ("http://u@a/x", "a"),
            ("a:443", "a"),
        ] {
            assert!(!named(target, host), "{target} {host}");
        }
        assert!(
            check(Version::HTTP_10, &[])
                && check(Version::HTTP_10, &["a"])
                && !check(Version::HTTP_10, &["a", "b"])
        );
    }
}
