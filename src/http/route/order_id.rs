//! `GET /api/v1/order/:id`: how the order is, now, once its status changes, or as it was.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::as_of::AsOf;
use events::order::State as Order;
use serde::Deserialize;

use crate::http::Shared;
use crate::http::as_of;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Parameters, Whole};
use crate::http::openapi_types::{HowFar, PointInHistory};
use crate::http::order_reply::{OrderReply, find};
use crate::http::owner::Owner;
use crate::http::until::Until;
use crate::http::waiting::access_ended;

/// The contract: `?wait=<1-55>`.
const LONGEST_WAIT_SECONDS: u64 = 55;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Seconds to wait for another status.
    wait: Option<Whole<1, LONGEST_WAIT_SECONDS>>,
    /// What to wait for.
    #[serde(default)]
    until: Until,
    /// A time, or the number of one of the order's events.
    as_of: Option<String>,
}

/// How an order is; with `wait`, once its status changes, or with `until=expiry` once anything
/// does; with `as_of`, how it was.
#[utoipa::path(
    get, path = "/order/{id}", operation_id = "getOrder", tag = "orders",
    params(
        ("id" = String, Path, description = "The order's id"),
        (
            "wait" = Option<u32>, Query,
            description = "Seconds to wait for another status, 1 to 55", minimum = 1, maximum = 55,
            example = 1
        ),
        (
            "until" = Option<HowFar>, Query,
            description = "With `wait`: `expiry` waits for the next message too, as long as the order keeps its number",
            example = "expiry"
        ),
        (
            "as_of" = Option<PointInHistory>, Query,
            description = "A time, or the number of one of the order's events", example = "1"
        )
    ),
    responses((status = 200, description = "The order", body = OrderReply))
)]
pub async fn handle(
    State(app): State<Shared>,
    owner: Owner,
    Path(id): Path<String>,
    Parameters(query): Parameters<Query>,
) -> ApiResult<OrderReply> {
    // Its state may be read; waiting for another one is over.
    if query.wait.is_some() && owner.is_suspended() {
        return Err(ApiError::suspended());
    }
    let Owner(caller) = owner;
    let as_of = query.as_of.as_deref().map(as_of::parse).transpose()?;
    let mut order = find(&app, &caller, &id).await?;
    // What was does not change: there is nothing to wait for.
    if let Some(as_of) = as_of {
        let was = as_it_was(&order, as_of)?;
        let at = was.history.last().map_or(was.placed.at, |fact| fact.at());
        return Ok(Json(OrderReply::of(&was, at)));
    }
    if let Some(wait) = query.wait.filter(|_| !query.until.is_reached(&order)) {
        let _place = app.waiting.enter(caller.account)?;
        order =
            changed(&app, &caller, &id, order, query.until, Duration::from_secs(wait.0)).await?;
    }
    Ok(Json(OrderReply::now(&app.service.orders, &order, app.service.clock.now())))
}

async fn changed(
    app: &Shared,
    caller: &Caller,
    id: &str,
    order: Arc<Order>,
    until: Until,
    wait: Duration,
) -> Result<Arc<Order>, ApiError> {
    let (before, known) = (order.status, order.history.len());
    let is_news = move |order: &Order| {
        order.status != before || (until == Until::Expiry && order.history.len() > known)
    };
    let changed = app.service.orders.wait_until(caller.account, order.id, is_news);
    tokio::select! {
        biased;
        changed = changed => match changed? {
            Some(changed) => Ok(changed),
            None => find(app, caller, id).await,
        },
        end = access_ended(&app.service.accounts, caller) => Err(end.into()),
        () = tokio::time::sleep(wait) => find(app, caller, id).await,
        () = app.stopped() => Ok(order),
    }
}

/// The order as it was.
pub fn as_it_was(order: &Order, as_of: AsOf) -> Result<Order, ApiError> {
    order.as_of(as_of).ok_or_else(|| {
        ApiError::invalid("The order did not exist then.").with_status(StatusCode::NOT_FOUND)
    })
}
