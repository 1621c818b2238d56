//! `/api/v1/keys`: the account's keys; more of them, so that each program has its own and one can
//! be taken away alone.

use std::sync::Arc;

use actors::account::Published;
use axum::Json;
use axum::extract::{Path, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::account::keyring::HeldKey;
use events::account::{
    ApiKeyRefusal, Command, Event, Refusal, StandingRefusal, State as Account, TestKey,
};
use events::envelope::Actor as Who;
use events::id::ApiKeyId;
use events::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Body, Moment, NoBody};
use crate::http::livemode::{ModeWanted, check_offered};
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
    /// `test` for a key whose orders are free and follow scenarios; that of this key if absent.
    #[serde(default)]
    mode: Option<ModeWanted>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyCreated)]
pub struct Fresh {
    status: &'static str,
    key_id: String,
    name: String,
    /// `live` or `test`.
    mode: &'static str,
    /// Shown this once.
    api_key: String,
    /// Of a test key: the account for tests that it opens.
    account_id: String,
    /// Of a test key: what signs the webhooks of that account. Null for a live key, whose secret is
    /// the one of registration.
    webhook_secret: Option<String>,
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
    /// `live` or `test`.
    mode: &'static str,
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
#[utoipa::path(
    post, path = "/keys", operation_id = "createKey", tag = "account", request_body = Request,
    responses((status = 200, description = "The key", body = Fresh))
)]
pub async fn create(
    State(app): State<Shared>,
    caller: Caller,
    Body(request): Body<Request>,
) -> ApiResult<Fresh> {
    let name = request.name.trim().to_owned();
    if name.is_empty()
        || name.len() > MAX_NAME
        || !name.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    {
        return Err(ApiError::of_field("name", "name is 1 to 64 printable ASCII characters."));
    }
    match (caller.is_test(), request.mode) {
        (false, Some(ModeWanted::Test)) => return create_for_tests(&app, &caller, name).await,
        (true, Some(ModeWanted::Live)) => {
            return Err(ApiError::of_field(
                "mode",
                "A test key makes test keys only; use a live key.",
            ));
        }
        (true | false, _) => {}
    }
    let service = &app.service;
    let at = service.clock.now();
    let id = ApiKeyId(service.entropy.order_id(at).0);
    let key = ApiKey::fresh(caller.account, &service.entropy);
    let command = Command::AddApiKey { id, name: name.clone(), hash: key.hash(), at };
    service.accounts.transact(caller.account, command, Who::Owner, at).await?;
    let published = service.accounts.read(caller.account).await?;
    Ok(Json(fresh(&published.state, id, name, &key, at)))
}

/// A key of the caller's test account, which stands beside the live one: no movement of the one's
/// money, no order of it, is the other's.
async fn create_for_tests(app: &Shared, caller: &Caller, name: String) -> ApiResult<Fresh> {
    check_offered(app)?;
    let service = &app.service;
    let at = service.clock.now();
    // Noted before it is opened: however often this is interrupted and repeated, there is one.
    let open = Command::OpenTestAccount { id: service.entropy.account_id(at), at };
    service.accounts.transact(caller.account, open, Who::Owner, at).await?;
    let account = service.accounts.read(caller.account).await?.state.test_account;
    let account =
        account.ok_or_else(|| ApiError::from(Refusal::from(StandingRefusal::WrongMode)))?;
    let (id, key) =
        (ApiKeyId(service.entropy.order_id(at).0), ApiKey::fresh(account, &service.entropy));
    let webhook_secret = format!("whsec_{}", STANDARD.encode(service.entropy.bytes::<32>()));
    let wanted = TestKey {
        account,
        live: caller.account,
        id,
        name: name.clone(),
        hash: key.hash(),
        webhook_secret,
        at,
    };
    service.accounts.add_test_key(wanted).await?;
    let published = service.accounts.read(account).await?;
    Ok(Json(fresh(&published.state, id, name, &key, at)))
}

fn fresh(account: &Account, id: ApiKeyId, name: String, key: &ApiKey, at: Timestamp) -> Fresh {
    Fresh {
        status: "ok",
        key_id: id.to_string(),
        name,
        mode: mode_of(account),
        api_key: key.expose(),
        account_id: account.id.to_string(),
        webhook_secret: account.is_test().then(|| account.webhook_secret.to_string()),
        created_at: Moment(at),
    }
}

fn mode_of(account: &Account) -> &'static str {
    if account.is_test() { "test" } else { "live" }
}

/// The account's test account, where it has one that was opened.
async fn test_account(app: &Shared, account: &Account) -> Result<Option<Arc<Published>>, ApiError> {
    let Some(id) = account.test_account else { return Ok(None) };
    Ok(app.service.accounts.find(id).await?)
}

/// The account's keys: names and when they were used, never the keys themselves.
#[utoipa::path(get, path = "/keys", operation_id = "listKeys", tag = "account",
    responses((status = 200, description = "The keys, oldest first", body = Reply)))]
pub async fn list(State(app): State<Shared>, caller: Caller) -> ApiResult<Reply> {
    let published = app.service.accounts.read(caller.account).await?;
    let test = test_account(&app, &published.state).await?;
    let row = |account: &Account, key: &HeldKey| Row {
        key_id: key.id.to_string(),
        name: key.name.to_string(),
        mode: mode_of(account),
        created_at: Moment(key.since),
        last_used_at: app.key_uses.last(account.id, key.id).map(Moment),
        current: key.id == caller.key,
    };
    let accounts = [Some(&published), test.as_ref()].into_iter().flatten();
    let keys = accounts.flat_map(|published| {
        published.state.api_keys.iter().map(|key| row(&published.state, key))
    });
    Ok(Json(Reply { keys: keys.collect() }))
}

/// Take a key away: from the next call on it opens nothing. The last one of an account stays.
#[utoipa::path(delete, path = "/keys/{id}", operation_id = "removeKey", tag = "account",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "It opens nothing any more", body = Removed)))]
pub async fn remove(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    NoBody: NoBody,
) -> ApiResult<Removed> {
    let id: ApiKeyId =
        id.parse().map_err(|_| ApiError::from(Refusal::from(ApiKeyRefusal::ApiKeyNotFound)))?;
    let at = app.service.clock.now();
    let published = app.service.accounts.read(caller.account).await?;
    let test = test_account(&app, &published.state)
        .await?
        .filter(|test| test.state.api_keys.get(id).is_some());
    let account = test.map_or(caller.account, |test| test.state.id);
    let committed = app
        .service
        .accounts
        .transact(account, Command::RemoveApiKey { id, at }, Who::Owner, at)
        .await?;
    assert!(
        matches!(committed.events.as_slice(), [Event::ApiKeyRemoved { .. }]),
        "a removal that is not refused happens"
    );
    app.key_uses.forget(account, id);
    Ok(Json(Removed { status: "ok", key_id: id.to_string() }))
}
