//! `POST /api/v1/order/:id/cancel`: ends the order and gives its hold back; a second time, the same answer.

use actors::entity::TransactError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::account::Refusal;
use events::decider::Decider;
use events::order::{self, Command, Status};
use serde::Serialize;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, value};
use crate::http::json::Dollars;
use crate::http::order_reply::{OrderReply, find};

#[derive(Debug, Serialize)]
pub struct Reply {
    status: &'static str,
    order_id: String,
    refunded: Dollars,
}

pub async fn handle(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> ApiResult<Reply> {
    let service = &app.service;
    let order = find(&app, &caller, &id).await?;
    let decided = match service.orders.cancel(caller.account, order.id).await {
        // The account no longer remembers the order, so it has ended: the same law, over what the log says.
        Err(TransactError::Refused(Refusal::OrderNotFound)) => {
            let refused = order.decide(&Command::Cancel { at: service.clock.now() }).err();
            refused.map_or(Ok(()), |refusal| Err(TransactError::Refused(Refusal::Order(refusal))))
        }
        decided => decided,
    };
    match decided {
        Ok(()) => Ok(Json(Reply { status: "ok", order_id: order.id.to_string(), refunded: Dollars(order.placed.price) })),
        Err(TransactError::Refused(Refusal::Order(order::Refusal::AlreadyEnded(status)))) => {
            let order = find(&app, &caller, &id).await?;
            let text = match status {
                Status::Completed => "The code came first: the order is completed.".to_owned(),
                Status::Pending | Status::Active | Status::Cancelled | Status::Expired | Status::Failed => {
                    format!("The order has already ended: {}. Its hold is back.", status.name())
                }
            };
            let shown = OrderReply::of(&order, service.clock.now());
            Err(ApiError::invalid(text).with_status(StatusCode::CONFLICT).with("order", value(&shown)))
        }
        Err(error) => Err(error.into()),
    }
}
