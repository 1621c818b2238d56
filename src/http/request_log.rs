//! What is counted and written down of a request.

use std::net::IpAddr;

use axum::http::{Method, StatusCode};
use events::id::AccountId;

use super::Shared;
use super::error::ErrorCode;
use crate::telemetry::access::Line;

/// What is written down of a request. The route, never the path: paths hold order ids, queries may
/// hold what nobody should have sent.
pub(super) struct RequestRecord<'a> {
    pub(super) method: &'static str,
    pub(super) route: &'a str,
    pub(super) status: StatusCode,
    pub(super) code: Option<ErrorCode>,
    /// How long it took, where that is known.
    pub(super) seconds: Option<f64>,
    pub(super) client: IpAddr,
    pub(super) account: Option<AccountId>,
    pub(super) request_id: &'a str,
}

impl RequestRecord<'_> {
    pub(super) fn write(&self, app: &Shared) {
        let Self { method, route, status, code, seconds, client, account, request_id } = *self;
        app.measured.answered(method, route, status, seconds);
        if app.service.config.log.access {
            let line = Line {
                method,
                route,
                status: status.as_u16(),
                code: code.map_or("", ErrorCode::name),
                millis: (seconds.unwrap_or(0.0) * 1_000_000.0).round() / 1_000.0,
                client,
                account,
                request_id,
            };
            line.write_down(app.service.clock.now());
        }
    }
}

/// A caller may send any word as a method; the metrics must not grow with them.
pub(super) fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
