//! `POST /api/v1/order/:id/cancel`: ends the order and gives its hold back; a second time, the same
//! answer.

use actors::account::Replayed;
use actors::kernel::entity::TransactError;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::account::{OrderRefusal, Refusal};
use events::order::{self, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::error::{ApiError, value};
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::Dollars;
use crate::http::order_reply::{OrderReply, find};
use crate::http::owner::Owner;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderCancelled)]
pub struct Reply {
    status: &'static str,
    order_id: String,
    refunded: Dollars,
}

/// Nothing is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelRequest)]
pub struct Request {}

/// Cancel an order any time before its end and get the whole hold back. A second time: the same
/// answer. If the code came first: 409 with the completed order.
#[utoipa::path(
    post, path = "/order/{id}/cancel", operation_id = "cancel", tag = "orders",
    request_body = Request, params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "Cancelled, and its hold is back", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    Owner(caller): Owner,
    Path(id): Path<String>,
    Keyed { body: Request {}, key }: Keyed<Request>,
) -> Result<Answer<Reply>, ApiError> {
    let service = &app.service;
    let order = find(&app, &caller, &id).await?;
    match service.orders.cancel(caller.account, &order, key).await {
        Ok(Replayed(replayed)) => {
            let body = Reply {
                status: "ok",
                order_id: order.id.to_string(),
                refunded: Dollars(order.placed.price),
            };
            Ok(Answer { body, replayed })
        }
        Err(TransactError::Refused(Refusal::Order(OrderRefusal::Order(
            order::Refusal::AlreadyEnded(status),
        )))) => {
            let order = find(&app, &caller, &id).await?;
            let text = match status {
                Status::Completed => "The code came first: the order is completed.".to_owned(),
                Status::Queued
                | Status::Pending
                | Status::Active
                | Status::Cancelled
                | Status::Expired
                | Status::Failed => {
                    format!("The order has already ended: {}. Its hold is back.", status.name())
                }
            };
            let shown = OrderReply::now(&service.orders, &order, service.clock.now());
            Err(ApiError::invalid(text)
                .with_status(StatusCode::CONFLICT)
                .with("order", value(&shown)))
        }
        Err(error) => Err(error.into()),
    }
}
