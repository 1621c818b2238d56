//! `GET /api/v1/availability`: success rates of the last 24 hours, stock and prices in one country.

use std::time::Duration;

use actors::numbers::NumberRequest;
use axum::Json;
use axum::extract::State;
use events::platform::Platform;
use projections::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::error::ApiResult;
use crate::http::json::{Dollars, Parameters};
use crate::http::openapi_types::{CountryCode, PlatformName};
use crate::http::order_reply::Hints;
use crate::http::ordering::{PolicyNotice, country_of, platform_of};

/// The contract: rates are of the last 24 hours.
const WINDOW: Duration = Duration::from_hours(24);
/// The guide: null with "fewer than 5 recent orders".
const ENOUGH: u64 = 5;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    country: Option<String>,
    /// One platform only.
    platform: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Availability)]
pub struct Reply {
    country: &'static str,
    platforms: Vec<Row>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlatformAvailability)]
struct Row {
    platform: &'static str,
    name: &'static str,
    success_rate: Option<f64>,
    sample_size: u64,
    stock: &'static str,
    avg_delivery_seconds: u64,
    price: Dollars,
    hints: Hints,
    /// Why an account that the operator does not know cannot order it here; null where it can.
    policy: Option<PolicyNotice>,
}

/// Success rates of the last 24 hours, stock and prices in one country. A rate is null under five
/// ended orders.
#[utoipa::path(
    get, path = "/availability", operation_id = "availability", tag = "catalogue",
    params(
        ("country" = Option<CountryCode>, Query, description = "US if absent", example = "US"),
        (
            "platform" = Option<PlatformName>, Query, description = "One platform only",
            example = "google"
        )
    ),
    responses((status = 200, description = "Every platform, or the one asked for", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let service = &app.service;
    let country = country_of(query.country.as_deref())?;
    let only = query.platform.as_deref().map(platform_of).transpose()?;
    let (at, judge) = (service.clock.now(), service.judge());
    let outcomes = service.views.outcomes(country, at.minus(WINDOW)).await?;
    let row = |platform: Platform| {
        let outcome = outcomes.get(&platform).copied().unwrap_or_default();
        Row {
            platform: platform.slug(),
            name: platform.name(),
            success_rate: success_rate(outcome),
            sample_size: outcome.ended,
            stock: service
                .router
                .stock(NumberRequest { platform, country, at, is_unproven: false, scenario: None })
                .name(),
            avg_delivery_seconds: average_seconds(outcome)
                .unwrap_or_else(|| platform.hints().usual_delivery_seconds.into()),
            price: Dollars(service.catalogue.list_price(platform, country)),
            hints: Hints::of(platform),
            policy: PolicyNotice::of(&judge, platform, country),
        }
    };
    let platforms = Platform::ALL
        .into_iter()
        .filter(|platform| only.is_none_or(|only| only == *platform))
        .map(row)
        .collect();
    Ok(Json(Reply { country: country.code(), platforms }))
}

/// In hundredths, as the guide shows it.
fn success_rate(outcome: Outcome) -> Option<f64> {
    let hundredths =
        (outcome.completed * 100).checked_div(outcome.ended).filter(|_| outcome.ended >= ENOUGH)?;
    u8::try_from(hundredths).ok().map(|hundredths| f64::from(hundredths) / 100.0)
}

fn average_seconds(outcome: Outcome) -> Option<u64> {
    Some(outcome.delivery_millis.checked_div(outcome.completed)?.div_ceil(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_five_ended_orders() {
        assert_eq!(success_rate(Outcome { completed: 4, ended: 4, delivery_millis: 0 }), None);
        assert_eq!(success_rate(Outcome { completed: 4, ended: 5, delivery_millis: 0 }), Some(0.8));
        assert_eq!(success_rate(Outcome::default()), None);
        assert_eq!(
            average_seconds(Outcome { completed: 2, ended: 3, delivery_millis: 15_001 }),
            Some(8)
        );
    }
}
