//! `GET /api/v1/order/:id`: how the order is, now or once its status changes.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use events::order::State as Order;
use serde::Deserialize;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::Parameters;
use crate::http::order_reply::{OrderReply, find};

/// The contract: `?wait=<1-55>`.
const LONGEST_WAIT_SECONDS: u64 = 55;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Seconds to wait for another status.
    wait: Option<u64>,
}

pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Parameters(query): Parameters<Query>,
) -> ApiResult<OrderReply> {
    if query.wait.is_some_and(|wait| !(1..=LONGEST_WAIT_SECONDS).contains(&wait)) {
        return Err(ApiError::invalid(format!("wait is from 1 to {LONGEST_WAIT_SECONDS} seconds.")));
    }
    let mut order = find(&app, &caller, &id).await?;
    if let Some(wait) = query.wait.filter(|_| !order.status.is_end()) {
        let _place = app.waiting.enter(caller.account)?;
        let before = order.status;
        let changed = app.service.orders.wait_until(caller.account, order.id, |order: &Order| order.status != before);
        tokio::select! {
            changed = changed => match changed? {
                Some(changed) => order = changed,
                None => order = find(&app, &caller, &id).await?,
            },
            () = tokio::time::sleep(Duration::from_secs(wait)) => order = find(&app, &caller, &id).await?,
            () = app.stopped() => {}
        }
    }
    Ok(Json(OrderReply::of(&order, app.service.clock.now())))
}
