//! `GET /.well-known/security.txt` (RFC 9116): where faults and abuse are reported.

use std::fmt::Write;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::http::Shared;
use crate::http::error::ApiError;

/// How long what is said may be taken to be so: as long as the service runs it is said anew.
const HOLDS: Duration = Duration::from_hours(24 * 90);

/// The contacts of the configuration; nothing where there is none.
pub async fn handle(State(app): State<Shared>) -> Response {
    let operator = &app.service.config.operator;
    let Some(contact) = operator.security() else {
        return ApiError::invalid("The operator of this service has named no contact.")
            .with_status(StatusCode::NOT_FOUND)
            .into_response();
    };
    let mut text = format!("Contact: {contact}\n");
    if let Some(abuse) = operator.abuse().filter(|abuse| *abuse != contact) {
        let _ = writeln!(text, "# To report abuse:\nContact: {abuse}");
    }
    let _ = writeln!(text, "Expires: {}", app.service.clock.now().plus(HOLDS));
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
