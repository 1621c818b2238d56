//! Erasures and legal holds, for operators: who wanted them and why stands in the log first.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path as PathParameter, State};
use axum::http::StatusCode;
use events::id::OrderId;
use events::phone::Phone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::access::Access;
use super::{AdminApi, Refusal, Said, account, failed, refused};
use crate::erasure::ErasureError;

/// Erases what the messages of an order say, its codes and its number. It cannot be undone.
#[utoipa::path(post, path = "/orders/{id}/erase", operation_id = "eraseOrder", tag = "orders",
    request_body = Said, params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "How many keys were erased", body = Value)))]
pub async fn erase_order(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(said): Json<Said>,
) -> Result<Json<Value>, Refusal> {
    let order: OrderId = id.parse().map_err(|_| {
        refused(StatusCode::BAD_REQUEST, format!("{id} is not an order's id (ord_ and 22 more)"))
    })?;
    let who = access.operator(&said.operator)?;
    let erased = api.service.erase_order(order, &said.reason, who).await.map_err(undone)?;
    Ok(Json(json!({ "order_id": id, "keys_erased": erased })))
}

/// The same of all orders of an account that are over, and the target and secrets of its webhook,
/// which is off until it is set again.
#[utoipa::path(post, path = "/accounts/{id}/erase", operation_id = "eraseAccount",
    tag = "accounts", request_body = Said,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "How many orders were, and how many are left",
        body = Value)))]
pub async fn erase_account(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(said): Json<Said>,
) -> Result<Json<Value>, Refusal> {
    let (account, who) = (account(&id)?, access.operator(&said.operator)?);
    let erased = api.service.erase_account(account, &said.reason, who).await.map_err(undone)?;
    Ok(Json(json!({
        "account_id": id, "orders_erased": erased.orders, "orders_left": erased.left,
        "webhook_erased": erased.is_webhook, "webhook_left": erased.has_rest,
    })))
}

/// A number of which is erased.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseNumber {
    /// In E.164, with its plus.
    pub number: String,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// The same of all orders that were on a number and are over, whosever they are. What the log has
/// of the number itself stays: that it was listed, and messages that no order took.
#[utoipa::path(post, path = "/numbers/erase", operation_id = "eraseNumber", tag = "numbers",
    request_body = EraseNumber,
    responses((status = 200, description = "How many orders were, how many are left, and whether \
        the log has the number for itself", body = Value)))]
pub async fn erase_number(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(wanted): Json<EraseNumber>,
) -> Result<Json<Value>, Refusal> {
    let phone: Phone = wanted.number.trim().parse().map_err(|_| {
        refused(StatusCode::BAD_REQUEST, "number: none in E.164, such as +12025550123".to_owned())
    })?;
    let who = access.operator(&wanted.operator)?;
    let erased = api.service.erase_number(phone, &wanted.reason, who).await.map_err(undone)?;
    Ok(Json(json!({
        "orders_erased": erased.orders, "orders_left": erased.left,
        "number_left": erased.has_rest,
    })))
}

/// Has nothing of an account erased until the hold is lifted.
#[utoipa::path(post, path = "/accounts/{id}/hold", operation_id = "placeHold", tag = "accounts",
    request_body = Said, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account's id", body = Value)))]
pub async fn place_hold(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(said): Json<Said>,
) -> Result<Json<Value>, Refusal> {
    hold(&api, &access, &id, true, &said).await
}

/// Ends an account's hold.
#[utoipa::path(post, path = "/accounts/{id}/release", operation_id = "liftHold",
    tag = "accounts", request_body = Said,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account's id", body = Value)))]
pub async fn lift_hold(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(said): Json<Said>,
) -> Result<Json<Value>, Refusal> {
    hold(&api, &access, &id, false, &said).await
}

async fn hold(
    api: &AdminApi,
    access: &Access,
    id: &str,
    is_placed: bool,
    said: &Said,
) -> Result<Json<Value>, Refusal> {
    let (account, who) = (account(id)?, access.operator(&said.operator)?);
    let known = api.service.accounts.find(account).await.map_err(|fault| failed(&fault))?;
    if known.is_none() {
        return Err(refused(StatusCode::NOT_FOUND, "there is no such account".to_owned()));
    }
    api.service.hold(account, is_placed, &said.reason, who).await.map_err(undone)?;
    Ok(Json(json!({ "account_id": id, "held": is_placed })))
}

fn undone(error: ErasureError) -> Refusal {
    match error {
        ErasureError::NoOrder => refused(StatusCode::NOT_FOUND, error.to_string()),
        ErasureError::NoVault
        | ErasureError::Refused(_)
        | ErasureError::NotOver(_)
        | ErasureError::Unsealed(_)
        | ErasureError::Left(_) => refused(StatusCode::CONFLICT, error.to_string()),
        ErasureError::Fault(_)
        | ErasureError::Read(_)
        | ErasureError::Undecodable(_)
        | ErasureError::View(_)
        | ErasureError::Vault(_) => failed(&error),
    }
}
