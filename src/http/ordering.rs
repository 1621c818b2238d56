//! What every ordering call does: turns a wish into an order, waits for its number, and says what
//! the first answer was.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actors::account::Replayed;
use axum::http::StatusCode;
use events::account::PlaceOrder;
use events::account::idempotency::KeyUse;
use events::country::Country;
use events::id::OrderId;
use events::money::Money;
use events::order::{self, Event, FailureReason, Scenario, State, Status};
use events::phone::Phone;
use events::platform::Platform;
use events::policy::{Class, Judge};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::Shared;
use super::auth::Caller;
use super::erased;
use super::error::{ApiError, ErrorCode, value};
use super::json::{Dollars, Moment};
use super::order_reply::{Hints, Links, OrderReply, failure_name, find, kind_names};
use super::waiting::access_ended;

/// How long the reply may wait for a number; past it the order goes on without its caller.
const PATIENCE: Duration = Duration::from_secs(28);

/// A number as a caller wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRequest {
    /// For which platform.
    pub platform: Platform,
    /// In which country.
    pub country: Country,
    /// The most the caller will pay.
    pub max_price: Option<Money>,
    /// What a test order does; `None` for a real one.
    pub scenario: Option<Scenario>,
}

impl OrderRequest {
    /// The wish in a request's words.
    pub fn parse(
        platform: &str,
        country: Option<&str>,
        max_price: Option<Dollars>,
        scenario: Option<Scenario>,
    ) -> Result<Self, ApiError> {
        let (platform, country) = (platform_of(platform)?, country_of(country)?);
        Ok(Self { platform, country, max_price: max_price.map(|dollars| dollars.0), scenario })
    }

    /// The order that it asks for.
    pub fn order(self, app: &Shared) -> PlaceOrder {
        let service = &app.service;
        let at = service.clock.now();
        PlaceOrder {
            order: service.entropy.order_id(at),
            platform: self.platform,
            country: self.country,
            list_price: service.catalogue.list_price(self.platform, self.country),
            max_price: self.max_price,
            lifetime_seconds: service.config.orders.lifetime_seconds,
            seek_seconds: service.config.orders.seek_seconds,
            max_attempts: service.config.suppliers.max_attempts,
            listen_seconds: service.config.orders.listen_seconds(),
            max_concurrent: service.config.orders.max_concurrent_per_account,
            cancels: service.config.orders.cancels(),
            judge: service.judge(),
            scenario: self.scenario,
            first_answer: None,
            at,
        }
    }
}

/// An order that was accepted, with its number where one was found in time.
#[derive(Debug, ToSchema, Serialize)]
#[schema(as = OrderPlaced)]
pub struct Placed {
    /// `ok`; `pending` while a number is still being sought.
    status: &'static str,
    order_id: String,
    phone: Option<String>,
    platform: &'static str,
    country: &'static str,
    price: Dollars,
    /// Seconds from the number to expiry.
    expires_in: Option<u32>,
    expires_at: Option<Moment>,
    can_cancel: bool,
    platform_hints: Hints,
    check_status: String,
    stream: String,
    cancel: String,
}

impl Placed {
    /// The answer to the call that placed the order: made of its facts up to its first number, so
    /// that a retry gets the same.
    pub fn of(order: &State) -> Result<Self, ApiError> {
        let first = first_number(order);
        if let (None, Some(reason)) = (first, order.failure) {
            let text = "No number could be had for this order; nothing was charged. Try again, or \
                try another country.";
            let detail = json!({
                "order_id": order.id.to_string(), "reason": failure_name(reason),
                "refunded": Dollars(order.placed.price),
            });
            return Err(ApiError::new(ErrorCode::ProviderUnavailable, text).with_detail(detail));
        }
        let links = Links::of(order.id);
        Ok(Self {
            status: if first.is_some() { "ok" } else { order.status.name() },
            order_id: order.id.to_string(),
            phone: first.and_then(|(phone, _)| erased::number(phone)).map(ToOwned::to_owned),
            platform: order.placed.platform.slug(),
            country: order.placed.country.code(),
            price: Dollars(order.placed.price),
            expires_in: first.map(|_| order.placed.lifetime_seconds),
            expires_at: first.map(|(_, expires_at)| Moment(expires_at)),
            can_cancel: true,
            platform_hints: Hints::of(order.placed.platform),
            check_status: links.check_status,
            stream: links.stream,
            cancel: links.cancel,
        })
    }
}

/// What the policy says of orders of an account that nobody knows yet, where it refuses them: told
/// before anybody orders.
#[derive(Debug, ToSchema, Serialize)]
#[schema(as = PolicyNotice)]
pub struct PolicyNotice {
    /// The rule that speaks.
    rule: String,
    /// `deny` or `review`.
    verdict: &'static str,
    /// Why.
    reason: String,
}

impl PolicyNotice {
    /// The notice of a platform in a country; `None` where orders may be placed.
    pub fn of(judge: &Judge, platform: Platform, country: Country) -> Option<Self> {
        let verdict = judge.policy.verdict(platform, country, Class::New, judge.real_numbers);
        verdict.refuses().then(|| Self {
            rule: verdict.decided_by().to_owned(),
            verdict: verdict.outcome().name(),
            reason: judge.policy.reason(&verdict),
        })
    }
}

/// The order's first number, and when the order expires.
pub fn first_number(order: &State) -> Option<(&Phone, events::time::Timestamp)> {
    order.history.iter().find_map(|fact| match fact.as_ref() {
        Event::NumberAssigned { phone, expires_at, .. } => Some((phone, *expires_at)),
        _ => None,
    })
}

/// Places what is wished, or finds what was placed under the same key; waits until it has a number
/// or none is to be had.
pub async fn place(
    app: &Shared,
    caller: &Caller,
    wish: OrderRequest,
    key: Option<KeyUse>,
) -> Result<(Arc<State>, Replayed), ApiError> {
    let (id, replayed) = app.service.orders.place(caller.account, wish.order(app), key).await?;
    let order = until(app, caller, id, PATIENCE, |order| order.status != Status::Pending).await?;
    Ok((order, replayed))
}

/// Waits until the order ends, at most so long; then as it is.
pub async fn until_end(
    app: &Shared,
    caller: &Caller,
    id: OrderId,
    longest: Duration,
) -> Result<Arc<State>, ApiError> {
    until(app, caller, id, longest, |order| order.status.is_end()).await
}

async fn until(
    app: &Shared,
    caller: &Caller,
    id: OrderId,
    longest: Duration,
    is_reached: impl Fn(&State) -> bool + Send,
) -> Result<Arc<State>, ApiError> {
    let reached = tokio::select! {
        // What has come is answered, also where the suspension came with it.
        biased;
        order = app.service.orders.wait_until(caller.account, id, is_reached) => order?,
        end = access_ended(&app.service.accounts, caller) => {
            return Err(ApiError::from(end).with_detail(json!({ "order_id": id.to_string() })));
        }
        () = tokio::time::sleep(longest) => None,
        () = app.stopped() => None,
    };
    match reached {
        Some(order) => Ok(order),
        None => find(app, caller, &id.to_string()).await,
    }
}

/// The answer to a call that wanted a code from an order that ended without one.
pub fn ended_without_code(app: &Shared, order: &State) -> ApiError {
    let shown = value(&OrderReply::now(&app.service.orders, order, app.service.clock.now()));
    let refunded = format!("Its hold of ${} is back.", order.placed.price);
    if order.status == Status::Cancelled {
        return ApiError::invalid(format!("The order was cancelled. {refunded}"))
            .with_status(StatusCode::CONFLICT)
            .with("order", shown);
    }
    if order.failure == Some(FailureReason::MessageHeld) {
        return ApiError::invalid(format!(
            "The message with the code is of a kind that this service holds back ({}). {refunded}",
            held_kinds(order)
        ))
        .with_status(StatusCode::CONFLICT)
        .with("order", shown);
    }
    let text = match order.failure {
        Some(_) => format!(
            "No number could be had for this order. {refunded} Try again, or try another country."
        ),
        None if order.held_messages().next().is_some() => format!(
            "No code came in time, and messages of kinds that this service holds back ({}). \
             {refunded} Try again.",
            held_kinds(order)
        ),
        None => format!("No code came in time. {refunded} Try again."),
    };
    ApiError::new(ErrorCode::ProviderUnavailable, text).with("order", shown)
}

/// What is in the order's messages that are held back.
fn held_kinds(order: &State) -> String {
    let kinds: BTreeSet<&str> =
        order.held_messages().flat_map(|(kinds, _)| kind_names(kinds)).collect();
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}

/// The order with a code.
pub fn code_of(order: &State) -> Option<&str> {
    order.code.as_deref().filter(|_| order.status == order::Status::Completed)
}

/// A platform by its name in a request.
pub fn platform_of(text: &str) -> Result<Platform, ApiError> {
    text.parse().map_err(|_| {
        let known: Vec<&str> = Platform::ALL.map(Platform::slug).into();
        ApiError::new(ErrorCode::UnknownPlatform, "The platform is not supported.")
            .with_detail(json!({ "field": "platform", "supported_platforms": known }))
    })
}

/// A country by its code in a request; the default one if there is none.
pub fn country_of(text: Option<&str>) -> Result<Country, ApiError> {
    text.map_or(Ok(Country::DEFAULT), |text| {
        text.parse().map_err(|_| {
            let known: Vec<&str> = Country::ALL.map(Country::code).into();
            ApiError::invalid("The country is not supported.")
                .with_detail(json!({ "field": "country", "supported_countries": known }))
        })
    })
}
