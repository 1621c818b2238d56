//! `POST /api/v1/order`: a number, or why not.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use events::account::PlaceOrder;
use events::country::Country;
use events::order;
use events::platform::Platform;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::json::{Body, Dollars, Moment};
use crate::http::order_reply::{Hints, Links, failure_name};

/// How long the reply may wait for a number; past it the order goes on without its caller.
const PATIENCE: Duration = Duration::from_secs(28);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    platform: String,
    #[serde(default)]
    country: Option<String>,
    /// The most the caller will pay, in dollars.
    #[serde(default)]
    max_price: Option<Dollars>,
}

#[derive(Debug, Serialize)]
pub struct Reply {
    /// `ok`; `pending` while a number is still being sought.
    status: &'static str,
    order_id: String,
    phone: Option<String>,
    platform: &'static str,
    country: &'static str,
    price: Dollars,
    expires_in: Option<u32>,
    expires_at: Option<Moment>,
    platform_hints: Hints,
    check_status: String,
    stream: String,
    cancel: String,
}

pub async fn handle(State(app): State<Shared>, caller: Caller, Body(request): Body<Request>) -> ApiResult<Reply> {
    let platform = platform_of(&request.platform)?;
    let country = country_of(request.country.as_deref())?;
    let service = &app.service;
    let at = service.clock.now();
    let wanted = PlaceOrder {
        order: service.entropy.order_id(at),
        platform,
        country,
        list_price: service.catalogue.list_price(platform, country),
        max_price: request.max_price.map(|dollars| dollars.0),
        lifetime_seconds: service.config.orders.lifetime_seconds,
        seek_seconds: service.config.orders.seek_seconds,
        max_attempts: service.config.suppliers.max_attempts,
        max_concurrent: service.config.orders.max_concurrent_per_account,
        first_answer: None,
        at,
    };
    let id = wanted.order;
    service.orders.place(caller.account, wanted).await?;
    let with_number = service.orders.wait_until(caller.account, id, |order| order.status != order::Status::Pending);
    let order = match tokio::time::timeout(PATIENCE, with_number).await {
        Ok(order) => order?,
        Err(_) => service.accounts.order(caller.account, id).await?,
    };
    let order = order.ok_or_else(ApiError::order_not_found)?;
    if let Some(reason) = order.failure {
        let text = "No number could be had for this order; nothing was charged. Try again, or try another country.";
        return Err(
            ApiError::new(ErrorCode::ProviderUnavailable, text).with_detail(json!({ "order_id": id.to_string(), "reason": failure_name(reason) }))
        );
    }
    Ok(Json(reply(&order)))
}

fn reply(order: &order::State) -> Reply {
    let links = Links::of(order.id);
    let assignment = order.assignment.as_ref();
    Reply {
        status: if assignment.is_some() { "ok" } else { order.status.name() },
        order_id: order.id.to_string(),
        phone: assignment.map(|assignment| assignment.phone.as_str().to_owned()),
        platform: order.placed.platform.slug(),
        country: order.placed.country.code(),
        price: Dollars(order.placed.price),
        expires_in: assignment.map(|_| order.placed.lifetime_seconds),
        expires_at: order.expires_at.map(Moment),
        platform_hints: Hints::of(order.placed.platform),
        check_status: links.check_status,
        stream: links.stream,
        cancel: links.cancel,
    }
}

/// A platform by its name in a request.
pub fn platform_of(text: &str) -> Result<Platform, ApiError> {
    text.parse().map_err(|_| {
        let known: Vec<&str> = Platform::ALL.map(Platform::slug).into();
        ApiError::new(ErrorCode::UnknownPlatform, "The platform is not supported.").with_detail(json!({ "supported_platforms": known }))
    })
}

/// A country by its code in a request; the default one if there is none.
pub fn country_of(text: Option<&str>) -> Result<Country, ApiError> {
    text.map_or(Ok(Country::DEFAULT), |text| {
        text.parse().map_err(|_| {
            let known: Vec<&str> = Country::ALL.map(Country::code).into();
            ApiError::invalid("The country is not supported.").with_detail(json!({ "supported_countries": known }))
        })
    })
}
