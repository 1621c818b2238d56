//! `GET /api/v1/services`: the platforms, their list prices, the countries.

use axum::Json;
use axum::extract::State;
use events::country::Country;
use events::platform::Platform;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::error::ApiResult;
use crate::http::json::{Dollars, Parameters};
use crate::http::openapi_types::CountryCode;
use crate::http::order_reply::Hints;
use crate::http::ordering::{PolicyNotice, country_of};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Whose prices; the default country's, if absent.
    country: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceList)]
pub struct Reply {
    total_platforms: usize,
    country: &'static str,
    services: Vec<Service>,
    countries: Vec<&'static str>,
    default_country: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
struct Service {
    platform: &'static str,
    name: &'static str,
    price: Dollars,
    hints: Hints,
    /// Why an account that the operator does not know cannot order it here; null where it can.
    policy: Option<PolicyNotice>,
}

/// The platforms, their list prices, and the countries.
#[utoipa::path(
    get, path = "/services", operation_id = "listServices", tag = "catalogue",
    params((
        "country" = Option<CountryCode>, Query, description = "Whose prices; US if absent",
        example = "US"
    )),
    responses((status = 200, description = "Platforms, prices, countries", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let country = country_of(query.country.as_deref())?;
    let (catalogue, judge) = (&app.service.catalogue, app.service.judge());
    let services = Platform::ALL.map(|platform| Service {
        platform: platform.slug(),
        name: platform.name(),
        price: Dollars(catalogue.list_price(platform, country)),
        hints: Hints::of(platform),
        policy: PolicyNotice::of(&judge, platform, country),
    });
    Ok(Json(Reply {
        total_platforms: Platform::ALL.len(),
        country: country.code(),
        services: services.into(),
        countries: Country::ALL.map(Country::code).into(),
        default_country: Country::DEFAULT.code(),
    }))
}
