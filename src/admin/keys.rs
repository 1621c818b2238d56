//! A fresh key in the place of all of an account's, for an owner who has lost them, or whose keys
//! somebody else has.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use events::account::Command;
use events::id::ApiKeyId;
use serde_json::{Value, json};

use super::access::{self, Access};
use super::{AccountAction, AdminApi, Refusal, account, undone};
use crate::http::ApiKey;

/// The key is in the answer, and nowhere else.
#[utoipa::path(
    post, path = "/accounts/{id}/rotate-key", operation_id = "rotateKey", tag = "accounts",
    request_body = AccountAction, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The key, shown this once", body = Value))
)]
pub async fn rotate(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Path(id): Path<String>,
    Json(order): Json<AccountAction>,
) -> Result<Json<Value>, Refusal> {
    let account = account(&id)?;
    access::reason(&order.reason)?;
    let operator = access.operator(&order.operator)?;
    let service = &api.service;
    let at = service.clock.now();
    let (id, key) =
        (ApiKeyId(service.entropy.order_id(at).0), ApiKey::fresh(account, &service.entropy));
    let command = Command::ReplaceApiKeys { id, hash: key.hash(), reason: order.reason, at };
    match service.accounts.transact(account, command, operator, at).await {
        Ok(_) => Ok(Json(json!({
            "account_id": account.to_string(), "key_id": id.to_string(),
            "api_key": key.expose(),
        }))),
        Err(error) => Err(undone(&error)),
    }
}
