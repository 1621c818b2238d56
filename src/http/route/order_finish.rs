//! `POST /api/v1/order/:id/finish`: gives a completed order's number back before its time; a second
//! time, the same answer.

use actors::kernel::entity::TransactError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::account::OrderRefusal;
use events::envelope::Actor;
use events::order;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::erased;
use crate::http::error::{ApiError, ApiResult, value};
use crate::http::idempotency::Keyed;
use crate::http::json::Moment;
use crate::http::order_reply::{OrderReply, find};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderFinished)]
pub struct Reply {
    status: &'static str,
    order_id: String,
    /// The code it has; null once it was erased.
    code: Option<String>,
    /// When its number went back.
    finished_at: Option<Moment>,
}

/// Nothing is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FinishRequest)]
pub struct Request {}

/// Say that you want nothing more of a completed order: its number goes back, and no further
/// message reaches it. A second time: the same answer. An order without a code cannot be finished:
/// cancel it.
#[utoipa::path(
    post, path = "/order/{id}/finish", operation_id = "finish", tag = "orders",
    request_body = Request, params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "Its number is back", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Keyed { body: Request {}, .. }: Keyed<Request>,
) -> ApiResult<Reply> {
    let service = &app.service;
    let order = find(&app, &caller, &id).await?;
    let decided = service.orders.finish(caller.account, &order, Actor::Owner).await;
    let order = find(&app, &caller, &id).await?;
    match decided {
        Ok(()) => {
            let code = order.code.as_deref().and_then(erased::told).map(ToOwned::to_owned);
            let finished_at = order.finished_at.map(Moment);
            Ok(Json(Reply { status: "ok", order_id: order.id.to_string(), code, finished_at }))
        }
        Err(TransactError::Refused(OrderRefusal::Order(
            order::Refusal::NotCompleted(_) | order::Refusal::AlreadyEnded(_),
        ))) => {
            let text = if order.status.is_end() {
                format!(
                    "The order has ended without a code: {}. Its number is back.",
                    order.status.name()
                )
            } else {
                "The order has no code yet; cancel it to give its number back.".to_owned()
            };
            let shown = OrderReply::now(&service.orders, &order, service.clock.now());
            Err(ApiError::invalid(text)
                .with_status(StatusCode::CONFLICT)
                .with("order", value(&shown)))
        }
        Err(error) => Err(error.into()),
    }
}
