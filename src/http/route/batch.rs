//! `POST /api/v1/batch`: up to twenty orders, each accepted or refused alone, run within the
//! account's concurrency.

use std::borrow::Cow;

use axum::Extension;
use axum::extract::State;
use events::account::{BatchItem, MAX_BATCH, PlaceBatch, PlaceOrder};
use events::money::Money;
use events::order::{Event, State as Order};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::erased;
use crate::http::error::ApiError;
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::{Dollars, Moment};
use crate::http::livemode::scenario_of;
use crate::http::openapi_types::ScenarioName;
use crate::http::order_reply::{Links, find};
use crate::http::ordering::OrderRequest;
use crate::http::request_id::RequestId;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchRequest)]
pub struct Request {
    /// The orders, in the order they are to run in.
    #[schema(min_items = 1, max_items = 20)]
    orders: Vec<ItemRequest>,
    /// With a test key: what the orders do that name no scenario of their own; `code` if absent.
    #[serde(default)]
    #[schema(value_type = Option<ScenarioName>)]
    scenario: Option<String>,
}

/// One order; a platform or a country that is not supported is refused alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchItemRequest)]
pub struct ItemRequest {
    /// One of the platforms of `/services`; case does not matter.
    #[schema(example = "google")]
    platform: String,
    /// ISO 3166 alpha-2, or `UK`; US if absent.
    #[serde(default)]
    country: Option<String>,
    /// The most you will pay, in dollars.
    #[serde(default)]
    max_price: Option<Dollars>,
    /// With a test key: what the order does.
    #[serde(default)]
    #[schema(value_type = Option<ScenarioName>)]
    scenario: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchPlaced)]
pub struct Reply {
    /// `ok`, also where single orders were refused.
    status: &'static str,
    accepted: usize,
    refused: usize,
    /// What all accepted orders hold together.
    held: Dollars,
    /// What became of each, in the order asked.
    orders: Vec<Item>,
}

/// An accepted order, or the error object; `status` is `refused` where it is the latter.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = BatchItem)]
enum Item {
    Accepted(Accepted),
    Refused(Refused),
}

/// The error object of an order that was refused alone.
#[derive(Debug, Serialize)]
struct Refused(Value);

impl PartialSchema for Refused {
    fn schema() -> RefOr<Schema> {
        let row = ObjectBuilder::new()
            .property(
                "index",
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .minimum(Some(0))
                    .description(Some("Its place in the request, from 0.")),
            )
            .property(
                "status",
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["refused"])),
            )
            .required("index")
            .required("status");
        AllOfBuilder::new().item(Ref::from_schema_name("Error")).item(row).into()
    }
}

impl ToSchema for Refused {
    fn name() -> Cow<'static, str> {
        "BatchRefused".into()
    }
}

/// An order of a batch that was accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchAccepted)]
struct Accepted {
    /// Its place in the request, from 0.
    index: usize,
    /// `active` with a number, `pending` while one is sought, `queued` until its turn.
    status: &'static str,
    order_id: String,
    platform: &'static str,
    country: &'static str,
    price: Dollars,
    hold: Dollars,
    phone: Option<String>,
    expires_at: Option<Moment>,
    can_cancel: bool,
    check_status: String,
    stream: String,
    cancel: String,
}

/// Place up to 20 orders at once. Those that cannot run yet wait as `queued`; each can be
/// cancelled. An order that cannot be accepted is refused alone.
#[utoipa::path(
    post, path = "/batch", operation_id = "batch", tag = "orders", request_body = Request,
    responses((
        status = 200, description = "What became of each order, in the order asked", body = Reply
    ))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    Keyed { body, key }: Keyed<Request>,
) -> Result<Answer<Reply>, ApiError> {
    if !(1..=MAX_BATCH).contains(&body.orders.len()) {
        return Err(ApiError::of_field("orders", format!("orders has 1 to {MAX_BATCH} elements.")));
    }
    let shared = body.scenario.as_deref();
    // A live key with a scenario is a mistake about the whole call.
    scenario_of(&caller, shared)?;
    let wishes: Vec<Result<PlaceOrder, ApiError>> = body
        .orders
        .iter()
        .map(|item| wish(&caller, item, shared).map(|wish| wish.order(&app)))
        .collect();
    let orders: Vec<PlaceOrder> =
        wishes.iter().filter_map(|wish| wish.as_ref().ok().cloned()).collect();
    let at = app.service.clock.now();
    let (items, replayed) = if orders.is_empty() {
        (Vec::new(), false)
    } else {
        let (items, replayed) =
            app.service.orders.place_batch(caller.account, PlaceBatch { orders, at }, key).await?;
        (items.to_vec(), replayed.0)
    };
    // The account answers for the orders it was asked about; the others were refused before. Both
    // stand in the order asked.
    let mut decided = items.into_iter();
    let mut reply = Reply {
        status: "ok",
        accepted: 0,
        refused: 0,
        held: Dollars(Money::ZERO),
        orders: Vec::new(),
    };
    for (index, wish) in wishes.into_iter().enumerate() {
        let outcome = match wish {
            Ok(_) => of_item(&app, &caller, decided.next()).await?,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(order) => {
                reply.accepted += 1;
                reply.held.0 = reply.held.0 + order.placed.price;
                reply.orders.push(Item::Accepted(accepted(index, &order)));
            }
            Err(error) => {
                reply.refused += 1;
                let mut object = error.object(&request_id.0);
                object["index"] = json!(index);
                object["status"] = json!("refused");
                reply.orders.push(Item::Refused(Refused(object)));
            }
        }
    }
    Ok(Answer { body: reply, replayed })
}

fn wish(
    caller: &Caller,
    item: &ItemRequest,
    shared: Option<&str>,
) -> Result<OrderRequest, ApiError> {
    let scenario = scenario_of(caller, item.scenario.as_deref().or(shared))?;
    OrderRequest::parse(&item.platform, item.country.as_deref(), item.max_price, scenario)
}

type Outcome = Result<std::sync::Arc<Order>, ApiError>;

async fn of_item(
    app: &Shared,
    caller: &Caller,
    item: Option<BatchItem>,
) -> Result<Outcome, ApiError> {
    let item = item.expect("the account answers for each order it was asked about");
    match item.refused {
        Some(refusal) => Ok(Err(events::account::Refusal::from(refusal).into())),
        None => find(app, caller, &item.order.to_string()).await.map(Ok),
    }
}

/// As it was accepted: made of the facts of that one append, so that a retry gets the same.
fn accepted(index: usize, order: &Order) -> Accepted {
    let at = order.placed.at;
    let first =
        order.history.iter().map(AsRef::as_ref).filter(|fact: &&Event| fact.at() == at).fold(
            ("pending", None),
            |known, fact| match fact {
                Event::Queued { .. } => ("queued", None),
                Event::NumberAssigned { attempt: 1, phone, expires_at, .. } => {
                    ("active", Some((erased::number(phone).map(ToOwned::to_owned), *expires_at)))
                }
                _ => known,
            },
        );
    let (status, number) = first;
    let links = Links::of(order.id);
    Accepted {
        index,
        status,
        order_id: order.id.to_string(),
        platform: order.placed.platform.slug(),
        country: order.placed.country.code(),
        price: Dollars(order.placed.price),
        hold: Dollars(order.placed.price),
        phone: number.as_ref().and_then(|(phone, _)| phone.clone()),
        expires_at: number.map(|(_, expires_at)| Moment(expires_at)),
        can_cancel: true,
        check_status: links.check_status,
        stream: links.stream,
        cancel: links.cancel,
    }
}
