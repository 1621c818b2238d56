//! What a node answers that stands by: that it lives, that another one serves, and whether it sees
//! the shared log.

use std::sync::Arc;

use actors::kernel::entropy::Entropy;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use tokio::sync::watch;

use super::accept_refusal::{refusal, refused_as};
use super::document_of;
use super::error::{ApiError, ErrorCode, Unwritten};
use super::problem::prefers_problem;
use super::request_id::request_id;
use super::route::health::{LIVE, live};
use super::route::pages::{self, Pages};
use crate::config::Webhooks;
use crate::node::Sight;
use crate::serve::{Reason, Refuse};

/// All that it answers, beside what describes the API and is the same on every node: whoever asks
/// for anything else is to ask the node that leads.
pub fn router(sight: watch::Receiver<Sight>, webhooks: &Webhooks) -> Router {
    Router::new()
        .route(LIVE, get(live))
        .merge(pages::router(Pages::of(&document_of(webhooks))))
        .fallback(elsewhere)
        .layer(from_fn(in_full))
        .with_state(sight)
}

/// Writes refusals out.
async fn in_full(request: Request, next: Next) -> Response {
    let as_problem = prefers_problem(request.headers());
    let response = next.run(request).await;
    match response.extensions().get::<Unwritten>() {
        Some(Unwritten(error)) => error.write(&request_id(&Entropy::System), as_problem),
        None => response,
    }
}

async fn elsewhere(State(sight): State<watch::Receiver<Sight>>) -> ApiError {
    refused_by(&sight.borrow())
}

/// Why it does not serve, and who does. What exactly is the matter with the shared log stands in
/// this node's own log: it may name a role and a database.
fn refused_by(sight: &Sight) -> ApiError {
    let text = match (&sight.trouble, sight.leader()) {
        (Some(trouble), _) => format!("This node stands by and {}.", trouble.in_short()),
        (None, Some(_)) => "This node stands by; the one that leads serves. Try again.".to_owned(),
        (None, None) => "This node stands by, and no other leads just now. Try again.".to_owned(),
    };
    let mut detail = json!({ "role": "standby", "follows": sight.trouble.is_none() });
    if let Some(trouble) = &sight.trouble {
        detail["trouble"] = json!(trouble.name());
    }
    if let Some(url) = sight.leader_url() {
        detail["leader"] = json!(url);
    }
    ApiError::new(ErrorCode::ProviderUnavailable, text).retry_after(1).with_detail(detail)
}

/// What the accept loop answers by itself.
pub fn refuse() -> Refuse {
    Arc::new(|reason: Reason, _| {
        refusal(reason.status(), &refused_as(reason), &request_id(&Entropy::System))
    })
}
