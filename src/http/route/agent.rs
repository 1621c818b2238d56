//! `POST /api/v1/agent`: an order in a sentence; understood exactly, or refused with suggestions.

use axum::extract::State;
use axum::http::StatusCode;
use events::country::Country;
use events::platform::Platform;
use events::price::quote;
use natural_language::{MAX_QUERY, NotUnderstood, Understood};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::Dollars;
use crate::http::ordering::{self, Placed, Wish};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentRequest)]
pub struct Request {
    /// What you want, in a sentence, in your language.
    #[schema(example = "I need a Google verification number for UK", min_length = 1, max_length = 1000, pattern = r"\S")]
    query: String,
    /// Only say what was understood and what it would cost.
    #[serde(default)]
    dry_run: bool,
    /// The most you will pay, in dollars.
    #[serde(default)]
    max_price: Option<Dollars>,
}

/// The order, or for a dry run what it would cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AgentReply)]
pub enum Reply {
    /// It was ordered.
    Ordered(Box<Ordered>),
    /// It was only priced.
    Priced(Priced),
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentOrdered)]
pub struct Ordered {
    understood: bool,
    interpretation: Interpretation,
    #[serde(flatten)]
    order: Placed,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentPriced)]
pub struct Priced {
    understood: bool,
    interpretation: Interpretation,
    /// What it would cost you.
    quote: Dollars,
}

/// What the sentence was taken for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentInterpretation)]
struct Interpretation {
    platform: &'static str,
    country: &'static str,
    /// False where the default country was taken.
    country_named: bool,
    dry_run: bool,
}

/// Order in natural language. Exactly one platform understood: it orders. None, several, or an unsupported country: 422 with suggestions, and no order.
#[utoipa::path(post, path = "/agent", operation_id = "agent", tag = "orders", request_body = Request,
    responses((status = 200, description = "Understood, and ordered unless it was a dry run", body = Reply)))]
pub async fn handle(State(app): State<Shared>, caller: Caller, Keyed { body, key }: Keyed<Request>) -> Result<Answer<Reply>, ApiError> {
    if body.query.trim().is_empty() || body.query.chars().count() > MAX_QUERY {
        return Err(ApiError::invalid(format!("query has 1 to {MAX_QUERY} characters.")));
    }
    let understood = natural_language::understand(&body.query).map_err(|reason| refusal(&reason))?;
    let Understood { platform, country, country_named } = understood;
    let interpretation = Interpretation { platform: platform.slug(), country: country.code(), country_named, dry_run: body.dry_run };
    if body.dry_run {
        let tier = app.service.accounts.read(caller.account).await?.state.tier();
        let price = Dollars(quote(app.service.catalogue.list_price(platform, country), tier));
        return Ok(Answer { body: Reply::Priced(Priced { understood: true, interpretation, quote: price }), replayed: false });
    }
    let wish = Wish { platform, country, max_price: body.max_price.map(|dollars| dollars.0) };
    let (order, replayed) = ordering::place(&app, &caller, wish, key).await?;
    let order = Placed::of(&order).map_err(|error| error.with("understood", json!(true)).replayed(replayed.0))?;
    Ok(Answer { body: Reply::Ordered(Box::new(Ordered { understood: true, interpretation, order })), replayed: replayed.0 })
}

fn refusal(reason: &NotUnderstood) -> ApiError {
    let example = |platform: Platform, country: &str| format!("Get a {} number in {country}", platform.name());
    let known: Vec<&str> = Platform::ALL.map(Platform::slug).into();
    let countries: Vec<&str> = Country::ALL.map(Country::code).into();
    let (text, suggestions, detail) = match reason {
        NotUnderstood::NotAnOrder => (
            "This does not ask for a new number, so nothing was ordered.".to_owned(),
            vec![
                "To order: Get a Google number in US".to_owned(),
                "Prices: GET /api/v1/services".to_owned(),
                "Orders and their status: GET /api/v1/orders".to_owned(),
                "To cancel: POST /api/v1/order/{order_id}/cancel".to_owned(),
            ],
            json!({ "reason": "not_an_order" }),
        ),
        NotUnderstood::NoPlatform => (
            "No supported platform was understood; name exactly one.".to_owned(),
            vec![example(Platform::Google, "US"), example(Platform::WhatsApp, "GB"), example(Platform::Telegram, "DE")],
            json!({ "reason": "no_platform", "supported_platforms": known }),
        ),
        NotUnderstood::SeveralPlatforms(platforms) => (
            "Several platforms were understood, and one number serves one; name exactly one, or use POST /api/v1/batch.".to_owned(),
            platforms.iter().map(|platform| example(*platform, "US")).collect(),
            json!({ "reason": "several_platforms", "platforms": platforms.iter().map(|platform| platform.slug()).collect::<Vec<_>>() }),
        ),
        NotUnderstood::UnsupportedCountry(code) => (
            "The country is not supported.".to_owned(),
            countries.iter().take(5).map(|country| format!("… in {country}")).collect(),
            json!({ "reason": "unsupported_country", "country": code, "supported_countries": countries }),
        ),
        NotUnderstood::SeveralCountries(codes) => (
            "Several countries were understood; name exactly one.".to_owned(),
            codes.iter().map(|code| format!("… in {code}")).collect(),
            json!({ "reason": "several_countries", "countries": codes }),
        ),
    };
    ApiError::invalid(text)
        .with_status(StatusCode::UNPROCESSABLE_ENTITY)
        .with_detail(detail)
        .with("understood", json!(false))
        .with("suggestions", json!(suggestions))
}
