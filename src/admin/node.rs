//! This node of several over one log, for operators: it stops leading.

use std::sync::Arc;

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
