//! `/api/v1/keys`: the account's keys; more of them, so that each program has its own and one can be taken away alone.

use axum::Json;
use axum::extract::{Path, State};
use events::account::{ApiKeyRefusal, Refusal};
use events::account::{Command, Event};
use events::envelope::Actor as Who;
use events::id::ApiKeyId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Body, Moment, NoBody};
use crate::http::{ApiKey, Shared};

/// Longest name, in characters.
const MAX_NAME: usize = 64;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRequest)]
pub struct Request {
    /// What you call it: 1 to 64 characters.
    #[schema(min_length = 1, max_length = 64, pattern = "^[ -~]+$", example = "ci runner")]
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyCreated)]
pub struct Fresh {
    status: &'static str,
    key_id: String,
    name: String,
    /// Shown this once.
    api_key: String,
    created_at: Moment,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeys)]
pub struct Reply {
    keys: Vec<Row>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyRow)]
struct Row {
    key_id: String,
    /// `first` is the one that registration gave.
    name: String,
    created_at: Moment,
    /// The last call with it since the service started; null if there was none.
    last_used_at: Option<Moment>,
    /// Whether this call was made with it.
    current: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyRemoved)]
pub struct Removed {
    status: &'static str,
    key_id: String,
}

/// Get a further key of this account. It is shown this once.
#[utoipa::path(post, path = "/keys", operation_id = "createKey", tag = "account", request_body = Request,
    responses((status = 200, description = "The key", body = Fresh)))]
pub async fn create(State(app): State<Shared>, caller: Caller, Body(request): Body<Request>) -> ApiResult<Fresh> {
    let name = request.name.trim().to_owned();
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(ApiError::of_field("name", "name is 1 to 64 printable ASCII characters."));
    }
    let service = &app.service;
    let at = service.clock.now();
    let id = ApiKeyId(service.entropy.order_id(at).0);
    let key = ApiKey::fresh(caller.account, &service.entropy);
    let command = Command::AddApiKey { id, name: name.clone(), hash: key.hash(), at };
    service.accounts.transact(caller.account, command, Who::Owner, at).await?;
    Ok(Json(Fresh { status: "ok", key_id: id.to_string(), name, api_key: key.expose(), created_at: Moment(at) }))
}

/// The account's keys: names and when they were used, never the keys themselves.
#[utoipa::path(get, path = "/keys", operation_id = "listKeys", tag = "account",
    responses((status = 200, description = "The keys, oldest first", body = Reply)))]
pub async fn list(State(app): State<Shared>, caller: Caller) -> ApiResult<Reply> {
    let published = app.service.accounts.read(caller.account).await?;
    let row = |key: &events::account::keyring::HeldKey| Row {
        key_id: key.id.to_string(),
        name: key.name.to_string(),
        created_at: Moment(key.since),
        last_used_at: app.key_uses.last(caller.account, key.id).map(Moment),
        current: key.id == caller.key,
    };
    Ok(Json(Reply { keys: published.state.api_keys.iter().map(row).collect() }))
}

/// Take a key away: from the next call on it opens nothing. The last one of an account stays.
#[utoipa::path(delete, path = "/keys/{id}", operation_id = "removeKey", tag = "account",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "It opens nothing any more", body = Removed)))]
pub async fn remove(State(app): State<Shared>, caller: Caller, Path(id): Path<String>, NoBody: NoBody) -> ApiResult<Removed> {
    let id: ApiKeyId = id.parse().map_err(|_| ApiError::from(Refusal::from(ApiKeyRefusal::ApiKeyNotFound)))?;
    let at = app.service.clock.now();
    let committed = app.service.accounts.transact(caller.account, Command::RemoveApiKey { id, at }, Who::Owner, at).await?;
    assert!(matches!(committed.events.as_slice(), [Event::ApiKeyRemoved { .. }]), "a removal that is not refused happens");
    app.key_uses.forget(caller.account, id);
    Ok(Json(Removed { status: "ok", key_id: id.to_string() }))
}
