//! Accounts, for operators: all of them, one with its ledger and keys, and what an operator does to
//! it.

use std::sync::Arc;

use actors::account::{AccessError, Published};
use axum::Json;
use axum::extract::{Path as PathParameter, Query, State};
use axum::http::StatusCode;
use events::account::idempotency::{Effect, KeyUse};
use events::account::{Command, Standing};
use events::envelope::{Actor, Position};
use events::id::AccountId;
use events::money::Money;
use events::time::Timestamp;
use projections::{AccountFilter, ListedAccount};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::access::{self, Access};
use super::{
    AdminApi, Refusal, account, api_refused, failed, page_limit, reached, refused, undone,
};
use crate::http::LIVEMODE;
use crate::http::route::account_ledger;

/// What an operator wants of an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountAction)]
pub struct AccountAction {
    /// Dollars as text, for a credit or a debit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// For a debit: whether it may take more than can be spent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_overdraw: bool,
    /// For a credit or a debit: the same key moves money once, however often it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Only this account, by its id.
    account: Option<String>,
    /// Only those that are suspended.
    #[serde(default)]
    suspended: bool,
    /// Only those that wait for approval.
    #[serde(default)]
    waiting: bool,
    /// `live` or `test`: only accounts that pay, or only those for tests.
    mode: Option<Mode>,
    /// The page before's `next_before`.
    before: Option<u64>,
    /// How many at most, up to 500.
    limit: Option<u32>,
}

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Live,
    Test,
}

/// Which page of an account's deposits.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DepositPage {
    /// The page before's `next_before`.
    before: Option<u64>,
    /// How many at most, up to 500.
    limit: Option<u32>,
}

/// Which page of a ledger.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LedgerPage {
    /// The page before's `next_cursor`.
    cursor: Option<String>,
    /// How many at most, up to 500.
    limit: Option<u32>,
}

/// All accounts, the latest first.
#[utoipa::path(
    get, path = "/accounts", operation_id = "listAccounts", tag = "accounts", params(Asked),
    responses((
        status = 200, description = "A page of accounts; next_before is null on the last",
        body = Value
    ))
)]
pub async fn list(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let limit = page_limit(asked.limit);
    let wanted = asked.account.as_deref().map(account).transpose()?;
    let filter = AccountFilter {
        before: asked.before.map(Position),
        account: wanted,
        is_suspended: asked.suspended,
        is_waiting: asked.waiting,
        is_test: asked.mode.map(|mode| mode == Mode::Test),
    };
    let mut accounts = reached(&api.service)
        .await?
        .all_accounts(filter, limit + 1)
        .await
        .map_err(|error| failed(&error))?;
    let next_before = super::cut(&mut accounts, limit).map(|last| last.position.0);
    Ok(Json(json!({
        "accounts": accounts.iter().map(listed).collect::<Vec<_>>(), "next_before": next_before,
    })))
}

pub fn listed(account: &ListedAccount) -> Value {
    let sums = account.sums;
    json!({
        "account_id": account.account.to_string(), "position": account.position.0,
        "registered_at": account.registered_at.to_string(), LIVEMODE: !account.is_test,
        "standing": if account.suspended.is_some() { "suspended" } else { "good" },
        "suspended_because": account.suspended,
        "balance": sums.balance.to_string(), "held": sums.held.to_string(),
        "spent": sums.spent.to_string(), "tier": sums.tier().name(),
        "orders": sums.orders, "completed": sums.completed, "cancelled": sums.cancelled,
        "expired": sums.expired, "failed": sums.failed,
    })
}

/// Every movement of an account's money, newest first, with the balance before and after it.
#[utoipa::path(
    get, path = "/accounts/{id}/ledger", operation_id = "accountLedger", tag = "accounts",
    params(("id" = String, Path, description = "The account's id"), LedgerPage),
    responses((
        status = 200, description = "A page of the ledger; next_cursor is null on the last",
        body = Value
    ))
)]
pub async fn ledger(
    State(api): State<Arc<AdminApi>>,
    PathParameter(id): PathParameter<String>,
    Query(asked): Query<LedgerPage>,
) -> Result<Json<Value>, Refusal> {
    let id = account(&id)?;
    let page = account_ledger::page(
        &api.service.history,
        &api.service,
        id,
        page_limit(asked.limit),
        asked.cursor.as_deref(),
    )
    .await
    .map_err(api_refused)?;
    serde_json::to_value(page).map(Json).map_err(|error| failed(&error))
}

/// An account's deposits, the latest first.
#[utoipa::path(
    get, path = "/accounts/{id}/deposits", operation_id = "accountDeposits", tag = "accounts",
    params(("id" = String, Path, description = "The account's id"), DepositPage),
    responses((
        status = 200, description = "A page of deposits; next_before is null on the last",
        body = Value
    ))
)]
pub async fn deposits(
    State(api): State<Arc<AdminApi>>,
    PathParameter(id): PathParameter<String>,
    Query(asked): Query<DepositPage>,
) -> Result<Json<Value>, Refusal> {
    let (id, limit) = (account(&id)?, page_limit(asked.limit));
    let views = reached(&api.service).await?;
    let mut rows =
        views.deposits(id, asked.before, limit + 1).await.map_err(|error| failed(&error))?;
    let next_before = super::cut(&mut rows, limit).map(|last| last.position.0);
    let rows: Vec<Value> = rows.iter().map(super::deposits::shown).collect();
    Ok(Json(json!({ "deposits": rows, "next_before": next_before })))
}

/// An account's keys: names and ages, never the keys themselves.
#[utoipa::path(get, path = "/accounts/{id}/keys", operation_id = "accountKeys", tag = "accounts",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The keys, oldest first", body = Value)))]
pub async fn keys(
    State(api): State<Arc<AdminApi>>,
    PathParameter(id): PathParameter<String>,
) -> Result<Json<Value>, Refusal> {
    let published = read(&api, account(&id)?).await?;
    let keys = published.state.api_keys.iter();
    let keys: Vec<Value> = keys
        .map(|key| {
            json!({
                "key_id": key.id.to_string(), "name": key.name.to_string(),
                "created_at": key.since.to_string(),
            })
        })
        .collect();
    Ok(Json(json!({ "keys": keys })))
}

async fn read(api: &AdminApi, account: AccountId) -> Result<Arc<Published>, Refusal> {
    match api.service.accounts.read(account).await {
        Ok(published) => Ok(published),
        Err(AccessError::NotFound) => {
            Err(refused(StatusCode::NOT_FOUND, "there is no such account".to_owned()))
        }
        Err(AccessError::Fault(fault)) => Err(failed(&fault)),
    }
}

/// An account: money, standing, open orders, where its pushes go.
#[utoipa::path(get, path = "/accounts/{id}", operation_id = "showAccount", tag = "accounts",
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value)))]
pub async fn show(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
) -> Result<Json<Value>, Refusal> {
    shown(&api, &access, account(&id)?).await
}

/// Gives an account money.
#[utoipa::path(
    post, path = "/accounts/{id}/credit", operation_id = "credit", tag = "accounts",
    request_body = AccountAction, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value))
)]
pub async fn credit(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(order): Json<AccountAction>,
) -> Result<Json<Value>, Refusal> {
    let (amount, at, reason) = (amount(&order)?, api.service.clock.now(), order.reason.clone());
    transact(&api, &access, &id, order, Command::Credit { amount, reason, at }).await
}

/// Takes money back from an account.
#[utoipa::path(
    post, path = "/accounts/{id}/debit", operation_id = "debit", tag = "accounts",
    request_body = AccountAction, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value))
)]
pub async fn debit(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(order): Json<AccountAction>,
) -> Result<Json<Value>, Refusal> {
    let (amount, at, reason, may_overdraw) =
        (amount(&order)?, api.service.clock.now(), order.reason.clone(), order.may_overdraw);
    transact(&api, &access, &id, order, Command::Debit { amount, reason, may_overdraw, at }).await
}

fn amount(order: &AccountAction) -> Result<Money, Refusal> {
    let text = order.amount.as_deref().unwrap_or_default();
    text.parse().map_err(|error| refused(StatusCode::BAD_REQUEST, format!("amount: {error}")))
}

/// The command under the operator's key, if there is one. Keys of operators and of the owner are
/// told apart by what they begin with.
fn keyed(
    order: &AccountAction,
    account: AccountId,
    command: Command,
    at: Timestamp,
) -> Result<Command, Refusal> {
    let Some(key) = &order.idempotency_key else { return Ok(command) };
    let moves = match &command {
        Command::Credit { amount, reason, .. } => format!("credit {amount} {reason}"),
        Command::Debit { amount, reason, may_overdraw, .. } => {
            format!("debit {amount} {may_overdraw} {reason}")
        }
        _ => {
            return Err(refused(
                StatusCode::BAD_REQUEST,
                "an idempotency key goes with a credit or a debit".to_owned(),
            ));
        }
    };
    let key = format!("operator:{key}").parse();
    let key = key.map_err(|error| {
        refused(
            StatusCode::BAD_REQUEST,
            format!("idempotency_key: {error}, less the 9 of \"operator:\""),
        )
    })?;
    let fingerprint = Sha256::digest(format!("{account} {moves}")).into();
    Ok(Command::Keyed {
        used: KeyUse { key, fingerprint, at },
        effect: Effect::Operator,
        command: Some(Box::new(command)),
    })
}

/// Stops an account from ordering; its open orders end as usual, refunds included.
#[utoipa::path(
    post, path = "/accounts/{id}/suspend", operation_id = "suspend", tag = "accounts",
    request_body = AccountAction, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value))
)]
pub async fn suspend(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(order): Json<AccountAction>,
) -> Result<Json<Value>, Refusal> {
    let command = Command::Suspend { reason: order.reason.clone(), at: api.service.clock.now() };
    transact(&api, &access, &id, order, command).await
}

/// Lets an account order again.
#[utoipa::path(
    post, path = "/accounts/{id}/reinstate", operation_id = "reinstate", tag = "accounts",
    request_body = AccountAction, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value))
)]
pub async fn reinstate(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(order): Json<AccountAction>,
) -> Result<Json<Value>, Refusal> {
    let command = Command::Reinstate { reason: order.reason.clone(), at: api.service.clock.now() };
    transact(&api, &access, &id, order, command).await
}

async fn transact(
    api: &AdminApi,
    access: &Access,
    id: &str,
    order: AccountAction,
    command: Command,
) -> Result<Json<Value>, Refusal> {
    let account = account(id)?;
    access::reason(&order.reason)?;
    let operator = access.operator(&order.operator)?;
    let at = api.service.clock.now();
    let command = keyed(&order, account, command, at)?;
    decided(api, access, account, (command, at), operator).await
}

/// Has an account decide what an operator wants of it, and shows it as it is then.
pub async fn decided(
    api: &AdminApi,
    access: &Access,
    account: AccountId,
    (command, at): (Command, Timestamp),
    operator: Actor,
) -> Result<Json<Value>, Refusal> {
    let decided = api.service.accounts.transact(account, command, operator, at).await;
    decided.map_err(|error| undone(&error))?;
    shown(api, access, account).await
}

/// An account as operators see it.
pub async fn shown(
    api: &AdminApi,
    access: &Access,
    account: AccountId,
) -> Result<Json<Value>, Refusal> {
    let published = read(api, account).await?;
    let state = &published.state;
    let suspended =
        if let Standing::Suspended(reason) = &state.standing { Some(reason) } else { None };
    let open: Vec<Value> = state
        .open
        .values()
        .map(|order| {
            json!({
                "order_id": order.id.to_string(), "status": order.status.name(),
                "platform": order.placed.platform.slug(), "price": order.placed.price.to_string(),
            })
        })
        .collect();
    Ok(Json(json!({
        "account_id": account.to_string(),
        "standing": standing(&state.standing),
        "suspended_because": suspended,
        "registered_at": state.registered_at.to_string(),
        "registration": state.admission.name(),
        "accepted_terms": state.terms.as_deref(),
        LIVEMODE: !state.is_test(),
        "balance": state.balance.to_string(),
        "held": state.held.to_string(),
        "tier": state.tier().name(),
        "class": state.conduct.class.name(),
        "completed_orders": state.completed,
        "open_orders": open,
        "webhook": state.webhook.as_ref().map(|webhook| target(access, &webhook.url)),
        "api_keys": state.api_keys.iter().count(),
    })))
}

const fn standing(standing: &Standing) -> &'static str {
    match standing {
        Standing::Suspended(_) => "suspended",
        Standing::Removed => "removed",
        Standing::Good | Standing::Unregistered => "good",
    }
}

/// Where pushes go; a viewer sees whose server it is: paths may hold secrets.
fn target(access: &Access, url: &str) -> String {
    if access.numbers || access.reveals {
        url.to_owned()
    } else {
        url.split('/').take(3).collect::<Vec<_>>().join("/")
    }
}
