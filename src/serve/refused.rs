//! Answers that the accept loop gives by itself: no service was asked, or the one that was asked
//! did not answer.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

/// Why a request, or a connection, is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is not HTTP/1, or it broke off.
    Malformed,
    /// No `Host` where there must be one, several, or one that is none.
    Host,
    /// The head did not arrive in time.
    LateHead,
    /// The body did not arrive in time.
    LateBody,
    /// The request's target is longer than any of ours.
    LongTarget,
    /// The head is too large, or has too many headers.
    LargeHead,
    /// The address has as many connections as it may have, and all are in use.
    TooManyOfAddress,
    /// There are as many connections as there may be, and all are in use.
    TooManyInAll,
    /// The service panicked.
    Panicked,
}

impl Reason {
    /// Of an answer's status line that the HTTP library wrote by itself.
    pub(super) fn of_library(status: &[u8], saw_line: bool) -> Self {
        match status {
            b"414" => Self::LongTarget,
            // A line that fills the whole buffer is a target: no header has come yet.
            b"431" if !saw_line => Self::LongTarget,
            b"431" => Self::LargeHead,
            _ => Self::Malformed,
        }
    }

    /// The status that says it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::Host => StatusCode::BAD_REQUEST,
            Self::LateHead | Self::LateBody => StatusCode::REQUEST_TIMEOUT,
            Self::LongTarget => StatusCode::URI_TOO_LONG,
            Self::LargeHead => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooManyOfAddress | Self::TooManyInAll => StatusCode::TOO_MANY_REQUESTS,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The words that say it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "The request is not HTTP/1.1, or it broke off.",
            Self::Host => {
                "The request needs one Host header that names this service, as its target does \
                 where that has a name."
            }
            Self::LateHead => "The request's head did not arrive in time.",
            Self::LateBody => "The body did not arrive in time.",
            Self::LongTarget => "The request's path and query are too long.",
            Self::LargeHead => "The request has too many headers, or too large ones.",
            Self::TooManyOfAddress => {
                "Too many open connections from this address; close some first."
            }
            Self::TooManyInAll => "Too many open connections; try again shortly.",
            Self::Panicked => {
                "Something failed on our side, and whether the call had an effect is not known: \
                 look, or repeat it with the same Idempotency-Key."
            }
        }
    }

    /// In metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Host => "host",
            Self::LateHead => "late_head",
            Self::LateBody => "late_body",
            Self::LongTarget => "long_target",
            Self::LargeHead => "large_head",
            Self::TooManyOfAddress => "too_many_of_address",
            Self::TooManyInAll => "too_many_in_all",
            Self::Panicked => "panicked",
        }
    }
}

/// An answer in the listener's own words.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, `Content-Type` among them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body.
    pub body: String,
}

/// What a listener answers for each reason; the address is the socket's.
pub type Refuse = Arc<dyn Fn(Reason, IpAddr) -> Refusal + Send + Sync>;

impl Refusal {
    /// As an answer to a request, after which the connection ends.
    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
            .headers_mut()
            .insert(axum::http::header::CONNECTION, HeaderValue::from_static("close"));
        response
    }

    /// As bytes on the wire, where the HTTP library has given up.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} {}\r\n",
            self.status.as_u16(),
            self.status.canonical_reason().unwrap_or("Refused")
        );
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
        let _ = write!(
            head,
            "content-length: {}\r\nconnection: close\r\n\r\n{}",
            self.body.len(),
            self.body
        );
        head.into_bytes()
    }
}
