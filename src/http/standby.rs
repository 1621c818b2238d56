//! What a node answers that stands by: that it lives, and that another one serves.

use std::sync::Arc;

use actors::kernel::entropy::Entropy;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;

use super::accept_refusal::{refusal, refused_as};
use super::error::{ApiError, ErrorCode};
use super::problem::prefers_problem;
use super::request_id::request_id;
use super::route::health::{LIVE, live};
use crate::serve::{Reason, Refuse};

/// All that it answers: whoever asks for anything else is to ask the node that leads.
pub fn router() -> Router {
    Router::new().route(LIVE, get(live)).fallback(elsewhere)
}

async fn elsewhere(request: Request) -> Response {
    let text = "This node stands by; the one that leads serves. Try again.";
    let error = ApiError::new(ErrorCode::ProviderUnavailable, text).retry_after(1);
    error.write(&request_id(&Entropy::System), prefers_problem(request.headers()))
}

/// What the accept loop answers by itself.
pub fn refuse() -> Refuse {
    Arc::new(|reason: Reason, _| {
        refusal(reason.status(), &refused_as(reason), &request_id(&Entropy::System))
    })
}
