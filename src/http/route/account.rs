//! `GET /api/v1/account`: balance, tier, statistics.

use axum::Json;
use axum::extract::State;
use events::tier::Tier;
use serde::Serialize;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Dollars, Moment};

#[derive(Debug, Serialize)]
pub struct Reply {
    account_id: String,
    created_at: Moment,
    balance: Dollars,
    held: Dollars,
    tier: &'static str,
    /// A part of one: 0.05 is 5 %.
    discount: f64,
    next_tier: Option<&'static str>,
    orders_to_next_tier: Option<u64>,
    stats: Stats,
    /// The open order, if there is one; the oldest, if there are several.
    active_order: Option<String>,
    active_orders: Vec<String>,
    /// Where pushes go; `null` while none are set.
    webhook: Option<String>,
}

#[derive(Debug, Serialize)]
struct Stats {
    total_orders: u64,
    completed: u64,
    cancelled: u64,
    expired: u64,
    failed: u64,
    active: u64,
    /// Completed among those that ended other than by the caller's own cancelling.
    success_rate: Option<f64>,
    total_spent: Dollars,
}

pub async fn handle(State(app): State<Shared>, caller: Caller) -> ApiResult<Reply> {
    let service = &app.service;
    let published = service.accounts.read(caller.account).await?;
    // The account's own last append is in the answer.
    service.views.reach(published.position).await.map_err(ApiError::from)?;
    let view = service.views.account(caller.account).await.map_err(ApiError::from)?;
    let tier = Tier::of(view.completed);
    let tried = view.completed + view.expired + view.failed;
    let active_orders: Vec<String> = published.state.open.keys().map(ToString::to_string).collect();
    Ok(Json(Reply {
        account_id: caller.account.to_string(),
        created_at: Moment(published.state.registered_at),
        balance: Dollars(view.balance),
        held: Dollars(view.held),
        tier: tier.name(),
        discount: f64::from(tier.discount_basis_points()) / 10_000.0,
        next_tier: tier.next().map(Tier::name),
        orders_to_next_tier: tier.next().map(|next| next.threshold().saturating_sub(view.completed)),
        stats: Stats {
            total_orders: view.orders,
            completed: view.completed,
            cancelled: view.cancelled,
            expired: view.expired,
            failed: view.failed,
            active: view.orders.saturating_sub(tried + view.cancelled),
            success_rate: ratio(view.completed, tried),
            total_spent: Dollars(view.spent),
        },
        active_order: active_orders.first().cloned(),
        active_orders,
        webhook: None,
    }))
}

/// `part` of `whole` to four digits, or `None` of nothing.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    let parts = u32::try_from((part * 10_000).checked_div(whole)?).ok()?;
    Some(f64::from(parts) / 10_000.0)
}
