//! What is counted and written down of a request.

use std::net::IpAddr;

use axum::http::{Method, StatusCode};
use events::id::AccountId;

use super::Shared;
use super::error::ErrorCode;

/// What is written down of a request. The route, never the path: paths hold order ids, queries may
/// hold what nobody should have sent.
pub(super) struct RequestRecord {
    pub(super) method: &'static str,
    pub(super) route: String,
    pub(super) status: StatusCode,
    pub(super) code: Option<ErrorCode>,
    pub(super) millis: f64,
    pub(super) client: IpAddr,
    pub(super) account: Option<AccountId>,
    pub(super) request_id: String,
}

impl RequestRecord {
    pub(super) fn write(self, app: &Shared) {
        let Self { method, route, status, code, millis, client, account, request_id } = self;
        let status = status.as_u16();
        metrics::counter!("http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string()).increment(1);
        if app.service.config.log.access {
            let account = account.map(|account| account.to_string()).unwrap_or_default();
            let code = code.map_or("", ErrorCode::name);
            tracing::info!(target: "access", %method, %route, status, code, millis, %client, account, request_id, "request");
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
