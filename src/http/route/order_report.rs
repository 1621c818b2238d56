//! `POST /api/v1/order/:id/report`: the caller's word on a number and its code.

use actors::kernel::entity::TransactError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use events::account::OrderRefusal;
use events::order::{self, Complaint};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, value};
use crate::http::idempotency::Keyed;
use crate::http::json::Dollars;
use crate::http::openapi_types;
use crate::http::order_reply::{OrderReply, find};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportRequest)]
pub struct Request {
    /// `wrong_code`: the code is not the platform's. `no_code`: none came. `number_used`: the
    /// platform says that the number has been used before.
    #[schema(value_type = openapi_types::Complaint, example = "wrong_code")]
    reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderReported)]
pub struct Reply {
    status: &'static str,
    order_id: String,
    /// As it was given.
    reason: &'static str,
    /// What came back for a code that was a stranger's; null where nothing did.
    refunded: Option<Dollars>,
}

/// Say what was wrong with an order's number or its code. Once for each reason; it counts against
/// the number's source, and the operator sees it. A `wrong_code` gives the price back, and the
/// number with it, while the order keeps its number and no message of its platform has come: once,
/// and once more for every ten completed orders.
#[utoipa::path(
    post, path = "/order/{id}/report", operation_id = "report", tag = "orders",
    request_body = Request, params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "It is recorded", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Keyed { body, .. }: Keyed<Request>,
) -> ApiResult<Reply> {
    let complaint = Complaint::ALL
        .into_iter()
        .find(|complaint| complaint.name() == body.reason)
        .ok_or_else(|| {
            let known = Complaint::ALL.map(Complaint::name).join(", ");
            ApiError::of_field("reason", format!("reason is one of {known}."))
        })?;
    let order = find(&app, &caller, &id).await?;
    let decided = app.service.orders.report(caller.account, order.id, complaint).await;
    let order = find(&app, &caller, &id).await?;
    match decided {
        Ok(()) => {
            metrics::counter!(
                "order_reports_total", "reason" => complaint.name(),
                "refunded" => if order.is_refunded { "yes" } else { "no" }
            )
            .increment(1);
            let refunded = (complaint == Complaint::WrongCode && order.is_refunded)
                .then_some(Dollars(order.placed.price));
            Ok(Json(Reply {
                status: "ok",
                order_id: order.id.to_string(),
                reason: complaint.name(),
                refunded,
            }))
        }
        Err(TransactError::Refused(
            OrderRefusal::NotFound | OrderRefusal::Order(order::Refusal::NothingToReport),
        )) => {
            let text = match complaint {
                Complaint::WrongCode => {
                    "Only an order with a code has a wrong one, and only soon after."
                }
                Complaint::NoCode => {
                    "Only an order that had a number and got no code lacks one, and only soon after."
                }
                Complaint::NumberUsed => {
                    "Only an order that had a number can have had a used one, and only soon after."
                }
            };
            let shown = OrderReply::now(&app.service.orders, &order, app.service.clock.now());
            Err(ApiError::invalid(text)
                .with_status(StatusCode::CONFLICT)
                .with("order", value(&shown)))
        }
        Err(error) => Err(error.into()),
    }
}
