//! This node of several over one log, for operators: how it is, and that it is to stop leading.

use std::sync::Arc;

use actors::store::EventStore;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::access::Access;
use super::{AdminApi, Refusal, refused};

/// Who wants this node to lead no longer, and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDown {
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// What this node is among those that share its log; one that stands by says what it sees, and
/// answers nothing else but this and `/metrics`.
#[utoipa::path(get, path = "/node", operation_id = "node", tag = "service",
    responses((
        status = 200, description = "Its role (`alone`, `leader` or `standby`), and how it sees \
            the shared log", body = Value
    )))]
pub async fn show(State(api): State<Arc<AdminApi>>, _: Access) -> Json<Value> {
    let service = &api.service;
    let position = service.store.head().borrow().0;
    let Some(leading) = service.leading() else {
        return Json(json!({ "role": "alone", "position": position }));
    };
    Json(json!({
        "role": "leader", "node": leading.name(), "term": leading.term().to_string(),
        "position": position, "follows": leading.is_reached(),
    }))
}

/// Stops this node in order, so that another leads; its supervisor starts it again, and it stands
/// by.
#[utoipa::path(post, path = "/node/step-down", operation_id = "stepDown", tag = "service",
    request_body = StepDown,
    responses((status = 200, description = "It stops now", body = Value)))]
pub async fn step_down(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(wanted): Json<StepDown>,
) -> Result<Json<Value>, Refusal> {
    let who = access.operator(&wanted.operator)?;
    let Some(leading) = api.service.leading() else {
        let text = "this node's log is its own (store.shared names no other): nobody would lead";
        return Err(refused(StatusCode::CONFLICT, text.to_owned()));
    };
    leading.step_down(who, wanted.reason);
    Ok(Json(json!({ "stops": true })))
}
