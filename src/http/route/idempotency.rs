//! `GET /api/v1/idempotency/:key`: what became of a call whose reply was lost.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::account::idempotency::{Effect, Key};
use events::id::OrderId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::Moment;
use crate::http::openapi_types::KeyText;
use crate::http::order_reply::Links;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IdempotencyKey)]
pub struct Reply {
    key: String,
    /// What the key's call has made happen: `order`, `batch`, `cancel`, `deposit`, or `operator`:
    /// the operator gave or took money under it.
    effect: &'static str,
    used_at: Moment,
    /// Until then the key gives the same answer.
    expires_at: Moment,
    /// The orders it placed, or the one it cancelled.
    orders: Vec<Placed>,
    transaction_id: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IdempotencyOrder)]
struct Placed {
    order_id: String,
    check_status: String,
}

/// What became of a call whose reply was lost: the orders that the key placed or cancelled, or the
/// deposit it claimed.
#[utoipa::path(get, path = "/idempotency/{key}", operation_id = "idempotencyKey", tag = "account",
    params(("key" = KeyText, Path, description = "The idempotency key")),
    responses((status = 200, description = "What the key names", body = Reply)))]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Path(key): Path<String>,
) -> ApiResult<Reply> {
    let key: Key = key.parse().map_err(|error| ApiError::invalid(format!("{error}.")))?;
    let published = app.service.accounts.read(caller.account).await?;
    let unknown = || {
        ApiError::invalid(
            "This key has made nothing happen that lasts, or more than seven days ago.",
        )
        .with_status(StatusCode::NOT_FOUND)
    };
    let known = published.state.keys.get(&key, app.service.clock.now()).ok_or_else(unknown)?;
    let (effect, transaction_id) = match known.effect {
        Effect::Order(_) => ("order", None),
        Effect::Cancel(_) => ("cancel", None),
        Effect::Batch => ("batch", None),
        Effect::Operator => ("operator", None),
        Effect::Deposit(deposit) => ("deposit", Some(deposit.to_string())),
    };
    let orders: Vec<OrderId> = known.orders().collect();
    let placed = |order: OrderId| Placed {
        order_id: order.to_string(),
        check_status: Links::of(order).check_status,
    };
    Ok(Json(Reply {
        key: key.as_str().to_owned(),
        effect,
        used_at: Moment(known.at),
        expires_at: Moment(known.until()),
        orders: orders.into_iter().map(placed).collect(),
        transaction_id,
    }))
}
