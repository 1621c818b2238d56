//! Orders, for operators: all of them in pages, and one as it is or was, fact by fact.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path as PathParameter, Query, State};
use axum::http::StatusCode;
use events::id::{AccountId, OrderId};
use events::order::{State as Order, Status};
use events::phone::Phone;
use projections::{AnyOrderFilter, ListedOrder};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::access::Access;
use super::{AdminApi, Refusal, account, api_refused, failed, masks, page_limit, reached, refused};
use crate::description::data;
use crate::http::LIVEMODE;
use crate::http::as_of;
use crate::http::order_reply::OrderReply;
use crate::http::route::{order_events, order_id};

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// An order's id, an account's id or a phone number: whose orders are wanted.
    search: Option<String>,
    /// `queued`, `pending`, `active`, `completed`, `cancelled`, `expired` or `failed`.
    status: Option<String>,
    /// Only those that are not over.
    #[serde(default)]
    open: bool,
    /// A platform's slug.
    platform: Option<String>,
    /// A country's code.
    country: Option<String>,
    /// A source's name.
    supplier: Option<String>,
    /// The page before's `next_before`.
    before: Option<String>,
    /// How many at most, up to 500.
    limit: Option<u32>,
}

/// How an order was.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Past {
    /// A time, or the number of one of the order's events.
    as_of: Option<String>,
}

/// All orders, newest first. Phone numbers are masked.
#[utoipa::path(
    get, path = "/orders", operation_id = "listAllOrders", tag = "orders", params(Asked),
    responses((
        status = 200, description = "A page of orders; next_before is null on the last",
        body = Value
    ))
)]
pub async fn list(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let limit = page_limit(asked.limit);
    let filter = filter(&asked)?;
    let mut orders = reached(&api.service)
        .await?
        .all_orders(filter, limit + 1)
        .await
        .map_err(|error| failed(&error))?;
    let next_before = super::cut(&mut orders, limit).map(|last| last.order.to_string());
    let orders: Vec<Value> = orders.iter().map(|order| listed(&access, order)).collect();
    Ok(Json(json!({ "orders": orders, "next_before": next_before })))
}

fn filter(asked: &Asked) -> Result<AnyOrderFilter, Refusal> {
    let bad = |what: &str, text: &str| {
        refused(StatusCode::BAD_REQUEST, format!("{what}: {text:?} is none"))
    };
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut filter = AnyOrderFilter { is_open: asked.open, ..AnyOrderFilter::default() };
    if let Some(text) = given(&asked.search) {
        if let Ok(order) = text.parse::<OrderId>() {
            filter.order = Some(order);
        } else if text.starts_with("acc_") {
            filter.account = Some(account(&text)?);
        } else {
            let digits = if text.starts_with('+') { text.clone() } else { format!("+{text}") };
            filter.phone = Some(digits.parse().map_err(|_| bad("search", &text))?);
        }
    }
    filter.status = given(&asked.status)
        .map(|text| Status::named(&text).ok_or_else(|| bad("status", &text)))
        .transpose()?;
    filter.platform = given(&asked.platform)
        .map(|text| text.parse().map_err(|_| bad("platform", &text)))
        .transpose()?;
    filter.country = given(&asked.country)
        .map(|text| text.parse().map_err(|_| bad("country", &text)))
        .transpose()?;
    filter.supplier = given(&asked.supplier)
        .map(|text| text.parse().map_err(|_| bad("supplier", &text)))
        .transpose()?;
    filter.before = given(&asked.before)
        .map(|text| text.parse().map_err(|_| bad("before", &text)))
        .transpose()?;
    Ok(filter)
}

fn listed(access: &Access, order: &ListedOrder) -> Value {
    let known = order.phone.as_deref().and_then(|phone| Phone::of_log(phone).ok());
    let is_erased = known.is_some_and(|phone| phone.is_erased());
    let phone = order
        .phone
        .as_deref()
        .filter(|_| !is_erased)
        .map(|phone| if access.reveals { phone.to_owned() } else { masks::number(phone) });
    json!({
        "order_id": order.order.to_string(), "account_id": order.account.to_string(),
        "platform": order.platform.slug(), "country": order.country.code(),
        "price": order.price.to_string(), "status": order.status.name(),
        "supplier": (!order.supplier.is_empty()).then_some(&order.supplier),
        "phone": phone, "phone_erased": is_erased, "placed_at": order.placed_at.to_string(),
        "assigned_at": order.assigned_at.map(|at| at.to_string()),
        "ended_at": order.ended_at.map(|at| at.to_string()), "listening": order.listens,
        "position": order.position.0, LIVEMODE: !order.is_test,
        "delivery_millis": order.assigned_at.zip(order.ended_at).filter(
            |_| order.status == Status::Completed,
        )
            .map(|(from, to)| u64::try_from(to.since(from).as_millis()).unwrap_or(0)),
    })
}

/// An order with every fact of it, as it is or as it was. Phone numbers, texts and codes are
/// masked; a reveal shows them.
#[utoipa::path(
    get, path = "/orders/{id}", operation_id = "showOrder", tag = "orders",
    params(("id" = String, Path, description = "The order's id"), Past),
    responses((
        status = 200, description = "`order` is what its owner is told, `events` are its facts",
        body = Value
    ))
)]
pub async fn show(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Query(past): Query<Past>,
) -> Result<Json<Value>, Refusal> {
    shown(&api, &access, &id, past.as_of.as_deref()).await.map(Json)
}

/// The same, for whoever may see it.
pub async fn shown(
    api: &AdminApi,
    access: &Access,
    id: &str,
    as_of: Option<&str>,
) -> Result<Value, Refusal> {
    let as_of =
        as_of.filter(|text| !text.is_empty()).map(as_of::parse).transpose().map_err(api_refused)?;
    let id: OrderId = id.parse().map_err(|_| no_such_order())?;
    let (owner, order) = find(api, id).await?;
    let now = api.service.clock.now();
    let (was, reply) = match as_of {
        Some(as_of) => {
            let was = order_id::as_it_was(&order, as_of).map_err(api_refused)?;
            let at = was.history.last().map_or(was.placed.at, |fact| fact.at());
            let reply = OrderReply::of(&was, at);
            (was, reply)
        }
        None => (Order::clone(&order), OrderReply::now(&api.service.orders, &order, now)),
    };
    let mut events =
        serde_json::to_value(order_events::facts(&was)).map_err(|error| failed(&error))?;
    for (event, fact) in events.as_array_mut().into_iter().flatten().zip(&was.history) {
        event["data"] =
            data(&events::account::Event::Order(id, fact.as_ref().clone()).into(), access.reveals);
    }
    let mut reply = serde_json::to_value(reply).map_err(|error| failed(&error))?;
    if !access.reveals {
        masks::cover(&mut reply);
    }
    let supplier = was.assignment.as_ref().map(|assignment| assignment.supplier.to_string());
    Ok(json!({
        "account_id": owner.to_string(), "order": reply, "events": events,
        "event": was.history.len(), "events_in_all": order.history.len(), "supplier": supplier,
    }))
}

fn no_such_order() -> Refusal {
    refused(StatusCode::NOT_FOUND, "there is no such order".to_owned())
}

async fn find(api: &AdminApi, id: OrderId) -> Result<(AccountId, Arc<Order>), Refusal> {
    let service = &api.service;
    let place = reached(service)
        .await?
        .order(id)
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(no_such_order)?;
    if let Some(order) =
        service.accounts.order(place.account, id).await.map_err(|fault| failed(&fault))?
    {
        return Ok((place.account, order));
    }
    let order = service
        .orders
        .from_log(place.account, id, place.first, place.last)
        .await
        .map_err(|fault| failed(&fault))?;
    Ok((place.account, Arc::new(order.ok_or_else(no_such_order)?)))
}
