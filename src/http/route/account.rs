//! `GET /api/v1/account`: balance, tier, statistics; now, or as they were.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::account::portrait::Portrait;
use events::as_of::AsOf;
use events::id::AccountId;
use events::tier::Tier;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::as_of;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Moment, Parameters, SignedDollars};
use crate::http::openapi_types::PointInHistory;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    as_of: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct Reply {
    account_id: String,
    created_at: Moment,
    /// What can be spent.
    balance: SignedDollars,
    /// What open orders have set aside.
    held: SignedDollars,
    tier: &'static str,
    /// A part of one: 0.05 is 5 %.
    discount: f64,
    next_tier: Option<&'static str>,
    orders_to_next_tier: Option<u64>,
    stats: Stats,
    /// The order that has its turn, if one has; the oldest, if several have.
    active_order: Option<String>,
    active_orders: Vec<String>,
    /// Completed orders that keep their numbers for what still comes.
    listening_orders: Vec<String>,
    /// Where pushes go; null while none are set.
    webhook: Option<String>,
    /// The number of the last event in this answer, as `as_of` takes it.
    event: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountStats)]
struct Stats {
    total_orders: u64,
    completed: u64,
    cancelled: u64,
    expired: u64,
    failed: u64,
    active: u64,
    /// Completed among those that ended other than by the caller's own cancelling.
    success_rate: Option<f64>,
    total_spent: SignedDollars,
}

/// Your balance, what is held, your tier and your orders in numbers; with `as_of`, as they were.
#[utoipa::path(
    get, path = "/account", operation_id = "account", tag = "account",
    params((
        "as_of" = Option<PointInHistory>, Query,
        description = "A time, or the number of an event of the account's history", example = "1"
    )),
    responses((status = 200, description = "The account", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let service = &app.service;
    if let Some(text) = query.as_of {
        return as_it_was(&app, caller.account, as_of::parse(&text)?).await.map(Json);
    }
    let published = service.accounts.read(caller.account).await?;
    // The account's own last append is in the answer.
    service.views.reach(published.position).await?;
    let view = service.views.account(caller.account).await?;
    let event = published.revision.map_or(0, |revision| revision.0 + 1);
    let state = &published.state;
    let portrait = Portrait {
        id: state.id,
        registered_at: state.registered_at,
        sums: view,
        open: state.open.keys().copied().collect(),
        queued: state.queue.iter().copied().collect(),
        listening: state.listening.keys().copied().collect(),
        webhook: state.webhook.as_ref().map(|webhook| Arc::clone(&webhook.url)),
    };
    Ok(Json(reply(&portrait, event)))
}

/// The account folded from its facts up to then: nothing else knows what was.
async fn as_it_was(app: &Shared, id: AccountId, as_of: AsOf) -> Result<Reply, ApiError> {
    let found = app.history.portrait(id, as_of).await?;
    let (portrait, event) = found.ok_or_else(|| {
        ApiError::invalid("The account did not exist then.").with_status(StatusCode::NOT_FOUND)
    })?;
    Ok(reply(&portrait, event))
}

fn reply(portrait: &Portrait, event: u64) -> Reply {
    let sums = portrait.sums;
    let tier = sums.tier();
    let tried = sums.completed + sums.expired + sums.failed;
    let active_orders: Vec<String> = portrait.open.iter().map(ToString::to_string).collect();
    Reply {
        account_id: portrait.id.to_string(),
        created_at: Moment(portrait.registered_at),
        balance: SignedDollars(sums.balance),
        held: SignedDollars(sums.held),
        tier: tier.name(),
        discount: f64::from(tier.discount_basis_points()) / 10_000.0,
        next_tier: tier.next().map(Tier::name),
        orders_to_next_tier: tier
            .next()
            .map(|next| next.threshold().saturating_sub(sums.completed - sums.refunded)),
        stats: Stats {
            total_orders: sums.orders,
            completed: sums.completed,
            cancelled: sums.cancelled,
            expired: sums.expired,
            failed: sums.failed,
            active: sums.orders.saturating_sub(tried + sums.cancelled),
            success_rate: ratio(sums.completed, tried),
            total_spent: SignedDollars(sums.spent),
        },
        active_order: portrait
            .open
            .iter()
            .find(|order| !portrait.queued.contains(order))
            .map(ToString::to_string),
        active_orders,
        listening_orders: portrait.listening.iter().map(ToString::to_string).collect(),
        webhook: portrait.webhook.as_deref().map(ToOwned::to_owned),
        event,
    }
}

/// `part` of `whole` to four digits, or `None` of nothing.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    let parts = u32::try_from((part * 10_000).checked_div(whole)?).ok()?;
    Some(f64::from(parts) / 10_000.0)
}
