//! `POST /api/v1/order`: a number, or why not.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::Dollars;
use crate::http::livemode::scenario_of;
use crate::http::openapi_types::{CountryCode, PlatformName, ScenarioName};
use crate::http::ordering::{self, OrderRequest, Placed};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderRequest)]
pub struct Request {
    /// One of the platforms of `/services`; case does not matter.
    #[schema(value_type = PlatformName, example = "google")]
    platform: String,
    /// ISO 3166 alpha-2, or `UK`; US if absent.
    #[serde(default)]
    #[schema(value_type = Option<CountryCode>, example = "US")]
    country: Option<String>,
    /// The most you will pay, in dollars; a dearer price is refused.
    #[serde(default)]
    max_price: Option<Dollars>,
    /// With a test key: what the order does; `code` if absent.
    #[serde(default)]
    #[schema(value_type = Option<ScenarioName>)]
    scenario: Option<String>,
}

/// Get a phone number for a platform. Its price is held, spent when the code comes, and given back
/// otherwise.
#[utoipa::path(
    post, path = "/order", operation_id = "order", tag = "orders", request_body = Request,
    responses((
        status = 200, description = "A number to use, or an order for which one is still sought",
        body = Placed
    ))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Keyed { body, key }: Keyed<Request>,
) -> Result<Answer<Placed>, ApiError> {
    let wish = OrderRequest::parse(
        &body.platform,
        body.country.as_deref(),
        body.max_price,
        scenario_of(&caller, body.scenario.as_deref())?,
    )?;
    let (order, replayed) = ordering::place(&app, &caller, wish, key).await?;
    let body = Placed::of(&order).map_err(|error| error.replayed(replayed.0))?;
    Ok(Answer { body, replayed: replayed.0 })
}
