//! What the accept loop answers by itself, as this API says it: connections and requests that no
//! route sees.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};

use super::Shared;
use super::error::{ApiError, ErrorCode};
use super::limit::{Subject, within};
use super::request_id::{REQUEST_ID, request_id};
use super::request_log::RequestRecord;
use crate::serve::{Reason, Refusal, Refuse, is_in};

/// An error as the accept loop of a listener answers it.
pub fn refusal(status: StatusCode, error: &ApiError, request_id: &str) -> Refusal {
    let value =
        |text: &str| HeaderValue::from_str(text).expect("base62 and numbers are header values");
    let mut headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REQUEST_ID, value(request_id)),
    ];
    headers.extend(
        error.retry_after_seconds().map(|seconds| (RETRY_AFTER, value(&seconds.to_string()))),
    );
    Refusal { status, headers, body: error.object(request_id).to_string() }
}

/// What the accept loop answers by itself, as this API says it.
pub fn refuse(app: &Shared) -> Refuse {
    let app = Arc::clone(app);
    Arc::new(move |reason: Reason, peer| {
        let request_id = request_id(&app.service.entropy);
        let limited = counted_refusal(&app, reason, peer);
        let status =
            if limited.is_some() { StatusCode::TOO_MANY_REQUESTS } else { reason.status() };
        let error = limited.unwrap_or_else(|| refused_as(reason));
        let code = Some(error.code());
        let refusal = refusal(status, &error, &request_id);
        metrics::counter!("http_refusals_total", "reason" => reason.name()).increment(1);
        let record = RequestRecord {
            method: "other",
            route: "refused",
            status,
            code,
            seconds: None,
            client: peer,
            account: None,
            request_id: &request_id,
        };
        record.write(&app);
        refusal
    })
}

/// What is malformed counts for its address like any other call of a stranger; the error is what is
/// said once that has no more of them.
fn counted_refusal(app: &Shared, reason: Reason, peer: IpAddr) -> Option<ApiError> {
    let is_malformed =
        matches!(reason, Reason::Malformed | Reason::Host | Reason::LongTarget | Reason::LargeHead);
    // Behind a proxy nobody knows whose it was.
    if !is_malformed || is_in(&app.service.config.http.trusted_proxies, peer) {
        return None;
    }
    within(app.per_ip.take(Subject::address(peer), app.now())).err()
}

pub(super) fn refused_as(reason: Reason) -> ApiError {
    let code = match reason {
        Reason::Panicked => ErrorCode::InternalError,
        Reason::TooManyOfAddress | Reason::TooManyInAll => ErrorCode::RateLimited,
        Reason::Malformed
        | Reason::Host
        | Reason::LateHead
        | Reason::LateBody
        | Reason::LongTarget
        | Reason::LargeHead => ErrorCode::InvalidRequest,
    };
    ApiError::new(code, reason.text()).with_status(reason.status())
}
