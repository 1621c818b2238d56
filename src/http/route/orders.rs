//! `GET /api/v1/orders`: the account's orders, newest first.

use axum::Json;
use axum::extract::State;
use events::id::OrderId;
use events::order::Status;
use events::phone::Phone;
use projections::{OrderFilter, OrderSummary};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::cursor::{self, Limit};
use crate::http::erased;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Dollars, Moment, Parameters, moment};
use crate::http::openapi_types::{CursorText, DateOrTime, OrderStatus, PlatformName};
use crate::http::order_reply::Links;
use crate::http::ordering::platform_of;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    status: Option<String>,
    platform: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderList)]
pub struct Reply {
    orders: Vec<Row>,
    /// Give it as `cursor` to get the next page; null on the last one.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderSummary)]
pub struct Row {
    order_id: String,
    status: &'static str,
    platform: &'static str,
    country: &'static str,
    phone: Option<String>,
    price: Dollars,
    created_at: Moment,
    ended_at: Option<Moment>,
    can_cancel: bool,
    /// Whether it has its code, and keeps its number for what still comes.
    listening: bool,
    /// Whether its number was erased since: `phone` is null.
    phone_erased: bool,
    check_status: String,
}

impl From<OrderSummary> for Row {
    fn from(order: OrderSummary) -> Self {
        let phone = order.phone.as_deref().and_then(|phone| Phone::of_log(phone).ok());
        let phone = phone.as_ref();
        Self {
            order_id: order.order.to_string(),
            status: order.status.name(),
            platform: order.platform.slug(),
            country: order.country.code(),
            phone_erased: phone.is_some_and(Phone::is_erased),
            phone: phone.and_then(erased::number).map(ToOwned::to_owned),
            price: Dollars(order.price),
            created_at: Moment(order.placed_at),
            ended_at: order.ended_at.map(Moment),
            can_cancel: !order.status.is_end(),
            listening: order.listens,
            check_status: Links::of(order.order).check_status,
        }
    }
}

/// Your orders, newest first, with filters that must all fit.
#[utoipa::path(
    get, path = "/orders", operation_id = "listOrders", tag = "orders",
    params(
        (
            "status" = Option<OrderStatus>, Query, description = "How they are",
            example = "completed"
        ),
        (
            "platform" = Option<PlatformName>, Query, description = "For which platform",
            example = "google"
        ),
        (
            "from" = Option<DateOrTime>, Query,
            description = "Placed at or after this date or time", example = "2026-11-01"
        ),
        (
            "to" = Option<DateOrTime>, Query,
            description = "Placed before this time, or on or before this date",
            example = "2026-11-24"
        ),
        (
            "limit" = Option<u32>, Query, description = "Length of a page, 1 to 200", minimum = 1,
            maximum = 200
        ),
        ("cursor" = Option<CursorText>, Query, description = "The page before's next_cursor")
    ),
    responses((status = 200, description = "A page of orders", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let limit = Limit::of(query.limit);
    let filter = OrderFilter {
        before: query
            .cursor
            .as_deref()
            .map(|text| text.parse::<OrderId>().map_err(|_| cursor::invalid()))
            .transpose()?,
        status: query.status.as_deref().map(status_of).transpose()?,
        platform: query.platform.as_deref().map(platform_of).transpose()?,
        from: query.from.as_deref().map(|text| moment("from", text, false)).transpose()?,
        to: query.to.as_deref().map(|text| moment("to", text, true)).transpose()?,
    };
    let service = &app.service;
    let published = service.accounts.read(caller.account).await?;
    service.views.reach(published.position).await?;
    let orders = service.views.orders(caller.account, filter, limit + 1).await?;
    let (orders, last) = cursor::page(orders, limit);
    let next_cursor = last.map(|order| order.order.to_string());
    Ok(Json(Reply { orders: orders.into_iter().map(Row::from).collect(), next_cursor }))
}

fn status_of(text: &str) -> Result<Status, ApiError> {
    let known: Vec<&str> = Status::ALL.map(Status::name).into();
    Status::named(text).ok_or_else(|| {
        ApiError::of_field("status", format!("status is one of {}.", known.join(", ")))
    })
}
