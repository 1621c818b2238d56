//! What orders are judged by, for operators: shown, tried on the orders there were, applied; and
//! what waits for a person.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path as PathParameter, Query, State};
use axum::http::StatusCode;
use events::account::Command as OfAccount;
use events::envelope::Position;
use events::policy::{Class, Command, InForce, Mode, State as Known};
use projections::{AccountFilter, RefusedOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::access::{self, Access};
use super::{
    AdminApi, Refusal, account, accounts, cut, failed, page_limit, reached, refused, undone,
};
use crate::description;
use crate::policy::{Document, replay, told};

/// The longest time that is looked back.
const MOST_DAYS: u32 = 366;

/// A policy to apply.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyToApply)]
pub struct Apply {
    pub policy: Document,
    /// On what basis; it stands in the log.
    pub basis: String,
    /// The version that it was made from: another one in force refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<u32>,
    /// Who; it stands in the log.
    pub operator: String,
}

/// A policy to try on the orders of the last days.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyToTry)]
pub struct Try {
    pub policy: Document,
    /// So many days back.
    pub days: u32,
}

/// How well an account is known.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountClass)]
pub struct Classify {
    /// `new`, `verified` or `trusted`.
    pub class: String,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// Which refusals.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Also those that wait for nobody.
    #[serde(default)]
    all: bool,
    /// The page before's `next_before`.
    before: Option<u64>,
    /// How many at most, up to 500.
    limit: Option<u32>,
}

/// What orders are judged by now.
#[utoipa::path(get, path = "/policy", operation_id = "showPolicy", tag = "policy",
    responses((status = 200, description = "The policy in force; version 0 is the built-in one",
        body = Value)))]
pub async fn show(State(api): State<Arc<AdminApi>>) -> Json<Value> {
    Json(shown(&api, &api.service.policies.state()))
}

fn shown(api: &AdminApi, known: &Known) -> Value {
    let mut shown = policy_shown(known);
    shown["real_numbers"] = json!(api.service.judge().real_numbers);
    shown
}

/// A policy as operators see it, whether a service runs or not.
pub fn policy_shown(known: &Known) -> Value {
    let applied = known.applied.as_ref().map(
        |applied| json!({ "by": applied.by, "basis": applied.basis, "at": applied.at.to_string() }),
    );
    json!({
        "version": known.in_force.version, "applied": applied,
        "policy": description::policy_of(&known.in_force.policy),
        "denied_unless_allowed":
            events::policy::SENSITIVE.map(events::platform::Platform::slug),
    })
}

/// Judges orders by another policy from here on.
#[utoipa::path(post, path = "/policy", operation_id = "applyPolicy", tag = "policy",
    request_body = Apply,
    responses((status = 200, description = "The policy in force then", body = Value)))]
pub async fn apply(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(wanted): Json<Apply>,
) -> Result<Json<Value>, Refusal> {
    let policy = wanted.policy.policy().map_err(bad)?;
    let (who, policies) = (access.operator(&wanted.operator)?, &api.service.policies);
    let (replaces, basis, at) = (wanted.replaces, wanted.basis, policies.now());
    let by = wanted.operator;
    let command = Command::Apply { policy, replaces, by, basis, at };
    let known = policies.transact(&command, who).await.map_err(|error| undone(&error))?;
    Ok(Json(shown(&api, &known)))
}

/// Judges the orders of the last days by another policy: who would have been refused, were all of
/// it enforced. Nothing is changed.
#[utoipa::path(post, path = "/policy/diff", operation_id = "tryPolicy", tag = "policy",
    request_body = Try,
    responses((status = 200, description = "Orders that it decides in another way", body = Value)))]
pub async fn diff(
    State(api): State<Arc<AdminApi>>,
    _access: Access,
    Json(wanted): Json<Try>,
) -> Result<Json<Value>, Refusal> {
    if !(1..=MOST_DAYS).contains(&wanted.days) {
        return Err(bad(format!("days is 1 to {MOST_DAYS}")));
    }
    let policy = wanted.policy.policy().map_err(bad)?;
    // Each walks the whole log: one is enough.
    let busy = || refused(StatusCode::CONFLICT, "another replay is under way".to_owned());
    let alone = Arc::clone(&api.replaying).try_lock_owned().map_err(|_| busy())?;
    let since = api.service.clock.now().minus(Duration::from_hours(24) * wanted.days);
    let directory = api.data_dir.clone();
    let walked = tokio::task::spawn_blocking(move || {
        let _alone = alone;
        replay(&directory, InForce::new(0, policy), since).map(|replay| told(&replay))
    });
    let unreadable = |text: String| refused(StatusCode::INTERNAL_SERVER_ERROR, text);
    let found = walked.await.map_err(|error| unreadable(error.to_string()))?;
    found.map(Json).map_err(unreadable)
}

/// Orders that were refused, or went on under a policy that is tried (`mode` is `shadow`), and wait
/// for a person, the latest first; setting the account's class decides. `accounts` are those that
/// wait for approval.
#[utoipa::path(get, path = "/reviews", operation_id = "listReviews", tag = "policy", params(Asked),
    responses((status = 200,
        description = "A page of refused orders; next_before is null on the last", body = Value)))]
pub async fn reviews(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let limit = page_limit(asked.limit);
    let mut found = reached(&api.service)
        .await?
        .refusals(!asked.all, asked.before.map(Position), limit + 1)
        .await
        .map_err(|error| failed(&error))?;
    let next_before = cut(&mut found, limit).map(|last| last.position.0);
    let mut rows = Vec::with_capacity(found.len());
    for refused in &found {
        let class = match api.service.accounts.read(refused.account).await {
            Ok(published) => published.state.conduct.class.name(),
            Err(_) => "unknown",
        };
        rows.push(row(refused, class));
    }
    let waiting = AccountFilter { is_waiting: true, ..AccountFilter::default() };
    let waiting = reached(&api.service).await?.all_accounts(waiting, limit).await;
    let waiting: Vec<Value> =
        waiting.map_err(|error| failed(&error))?.iter().map(accounts::listed).collect();
    Ok(Json(json!({ "accounts": waiting, "reviews": rows, "next_before": next_before })))
}

fn row(refused: &RefusedOrder, class: &str) -> Value {
    json!({
        "position": refused.position.0, "at": refused.at.to_string(),
        "account_id": refused.account.to_string(), "class": class,
        "order_id": refused.order.to_string(), "platform": refused.platform.slug(),
        "country": refused.country.code(),
        "version": refused.version, "rule": refused.rule, "verdict": refused.verdict,
        "reason": refused.reason,
        "decided": refused.is_decided,
        "mode": if refused.is_shadow { Mode::Shadow.name() } else { Mode::Enforce.name() },
    })
}

/// Says how well an account is known; that decides what waited for a review.
#[utoipa::path(post, path = "/accounts/{id}/class", operation_id = "classify", tag = "accounts",
    request_body = Classify,
    params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value)))]
pub async fn classify(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(wanted): Json<Classify>,
) -> Result<Json<Value>, Refusal> {
    let account = account(&id)?;
    access::reason(&wanted.reason)?;
    let class = Class::named(&wanted.class)
        .ok_or_else(|| bad("class is new, verified or trusted".to_owned()))?;
    let (who, at) = (access.operator(&wanted.operator)?, api.service.clock.now());
    let command = OfAccount::SetClass { class, reason: wanted.reason, at };
    accounts::decided(&api, &access, account, (command, at), who).await
}

fn bad(text: String) -> Refusal {
    refused(StatusCode::BAD_REQUEST, text)
}
