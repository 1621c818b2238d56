//! `POST /api/v1/agent`: an order in a sentence; understood exactly, or refused with suggestions.

use axum::extract::State;
use axum::http::StatusCode;
use events::account::MAX_BATCH;
use events::country::Country;
use events::id::OrderId;
use events::platform::Platform;
use natural_language::{MAX_QUERY, NotUnderstood, Reason, Understood};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::Dollars;
use crate::http::livemode::scenario_of;
use crate::http::openapi_types::ScenarioName;
use crate::http::order_reply::Links;
use crate::http::ordering::{self, OrderRequest, Placed};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentRequest)]
pub struct Request {
    /// What you want, in a sentence, in your language.
    #[schema(
        example = "I need a Google verification number for UK",
        min_length = 1,
        max_length = 1000,
        pattern = r"\S"
    )]
    query: String,
    /// Only say what was understood and what it would cost.
    #[serde(default)]
    dry_run: bool,
    /// The most you will pay, in dollars; a dry run above it is refused like an order.
    #[serde(default)]
    max_price: Option<Dollars>,
    /// With a test key: what the order does; `code` if absent.
    #[serde(default)]
    #[schema(value_type = Option<ScenarioName>)]
    scenario: Option<String>,
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

/// Order in natural language: one number for one platform in at most one country. Questions,
/// prices, status, cancelling, denials, quantities, several platforms, and places that are not
/// known or not supported: 422 with a `reason` and the right call in `suggestions`, and no order.
#[utoipa::path(
    post, path = "/agent", operation_id = "agent", tag = "orders", request_body = Request,
    responses((
        status = 200, description = "Understood, and ordered unless it was a dry run", body = Reply
    ))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Keyed { body, key }: Keyed<Request>,
) -> Result<Answer<Reply>, ApiError> {
    if body.query.trim().is_empty() || body.query.chars().count() > MAX_QUERY {
        return Err(ApiError::of_field("query", format!("query has 1 to {MAX_QUERY} characters.")));
    }
    let scenario = scenario_of(&caller, body.scenario.as_deref())?;
    let understood = match natural_language::understand(&body.query) {
        Ok(understood) => understood,
        Err(refused) => {
            let open: Vec<OrderId> = app
                .service
                .accounts
                .read(caller.account)
                .await?
                .state
                .open
                .keys()
                .copied()
                .collect();
            return Err(refusal(&refused, &open));
        }
    };
    let Understood { platform, country, country_named } = understood;
    let max_price = body.max_price.map(|dollars| dollars.0);
    let interpretation = Interpretation {
        platform: platform.slug(),
        country: country.code(),
        country_named,
        dry_run: body.dry_run,
    };
    if body.dry_run {
        let list_price = app.service.catalogue.list_price(platform, country);
        let price = Dollars(
            app.service.accounts.read(caller.account).await?.state.price(list_price, max_price)?,
        );
        return Ok(Answer {
            body: Reply::Priced(Priced { understood: true, interpretation, quote: price }),
            replayed: false,
        });
    }
    let wish = OrderRequest { platform, country, max_price, scenario };
    let (order, replayed) = ordering::place(&app, &caller, wish, key).await?;
    let order = Placed::of(&order)
        .map_err(|error| error.with("understood", json!(true)).replayed(replayed.0))?;
    Ok(Answer {
        body: Reply::Ordered(Box::new(Ordered { understood: true, interpretation, order })),
        replayed: replayed.0,
    })
}

/// The refusal, with the calls that do what the sentence may have asked for.
fn refusal(refused: &NotUnderstood, open: &[OrderId]) -> ApiError {
    let mut detail = json!({
        "reason": refused.reason.name(),
        "platforms": refused.platforms.iter().map(|platform| platform.slug()).collect::<Vec<_>>(),
        "countries": refused.countries,
    });
    match refused.reason {
        Reason::UnsupportedCountry | Reason::UnknownPlace => {
            detail["supported_countries"] = json!(Country::ALL.map(Country::code));
        }
        Reason::UnsupportedPlatform => {
            detail["supported_platforms"] = json!(Platform::ALL.map(Platform::slug).as_slice());
        }
        Reason::Quantity => detail["batch"] = batch(refused),
        Reason::Ambiguous if refused.platforms.len() > 1 => detail["batch"] = batch(refused),
        _ => {}
    }
    ApiError::invalid(explanation(refused.reason))
        .with_status(StatusCode::UNPROCESSABLE_ENTITY)
        .with_detail(detail)
        .with("understood", json!(false))
        .with("suggestions", json!(suggestions(refused, open)))
}

const fn explanation(reason: Reason) -> &'static str {
    match reason {
        Reason::Question => "This asks a question, so nothing was ordered.",
        Reason::Price => "This asks about prices or payment, so nothing was ordered.",
        Reason::Status => {
            "This speaks of an order or a code that there already is, so nothing was ordered."
        }
        Reason::Cancel => {
            "This asks to end an order or for money back; nothing was ordered, and nothing was \
             cancelled."
        }
        Reason::Negated => "This says what is not wanted, so nothing was ordered; say what is.",
        Reason::Quantity => {
            "This asks for more than one number, and one sentence orders one; use POST \
             /api/v1/batch."
        }
        Reason::Ambiguous => {
            "This is not clearly an order of one number for one platform in one country, so \
             nothing was ordered."
        }
        Reason::UnsupportedCountry => "The country is not supported.",
        Reason::UnknownPlace => {
            "The place is not known; name the country, or leave it out for the United States."
        }
        Reason::UnsupportedPlatform => "No supported platform was understood; name exactly one.",
    }
}

/// The right calls, ready to be made.
fn suggestions(refused: &NotUnderstood, open: &[OrderId]) -> Vec<String> {
    let platforms = if refused.platforms.is_empty() {
        vec![Platform::Google]
    } else {
        refused.platforms.clone()
    };
    let country = supported(refused).next().unwrap_or(Country::DEFAULT);
    let orders = |country: Country| {
        platforms
            .iter()
            .map(move |platform| format!("Get a {} number in {country}", platform.name()))
    };
    let links: Vec<Links> = open.iter().take(3).map(|order| Links::of(*order)).collect();
    match refused.reason {
        Reason::Price => vec![
            format!("GET /api/v1/services?country={country}"),
            format!(
                r#"POST /api/v1/agent {{"query": "Get a {} number in {country}", "dry_run": true}}"#,
                platforms[0].name()
            ),
            "GET /api/v1/deposit/addresses".to_owned(),
        ],
        Reason::Question => vec![
            format!("GET /api/v1/services?country={country}"),
            format!("GET /api/v1/availability?country={country}&platform={}", platforms[0].slug()),
            "GET /llms-full.txt".to_owned(),
        ],
        Reason::Status if links.is_empty() => {
            vec!["GET /api/v1/orders".to_owned(), "GET /api/v1/account".to_owned()]
        }
        Reason::Status => links
            .iter()
            .map(|links| format!("GET {}", links.check_status))
            .chain(["GET /api/v1/orders".to_owned()])
            .collect(),
        Reason::Cancel if links.is_empty() => vec![
            "GET /api/v1/orders?status=active".to_owned(),
            "POST /api/v1/order/{order_id}/cancel".to_owned(),
        ],
        Reason::Cancel => links.iter().map(|links| format!("POST {}", links.cancel)).collect(),
        Reason::Quantity => vec![format!("POST /api/v1/batch {}", batch(refused))],
        Reason::Ambiguous if platforms.len() > 1 => {
            std::iter::once(format!("POST /api/v1/batch {}", batch(refused)))
                .chain(orders(country))
                .collect()
        }
        Reason::Ambiguous if supported(refused).count() > 1 => {
            supported(refused).flat_map(orders).collect()
        }
        Reason::UnsupportedCountry | Reason::UnknownPlace | Reason::Negated => {
            Country::ALL.into_iter().take(5).flat_map(orders).collect()
        }
        Reason::Ambiguous => orders(country).chain(["GET /api/v1/services".to_owned()]).collect(),
        Reason::UnsupportedPlatform => [Platform::Google, Platform::WhatsApp, Platform::Telegram]
            .map(|platform| format!("Get a {} number in {country}", platform.name()))
            .into(),
    }
}

fn supported(refused: &NotUnderstood) -> impl Iterator<Item = Country> + '_ {
    refused.countries.iter().filter_map(|code| code.parse().ok())
}

/// A body for `/batch`: of several platforms one each, of one as many as are asked for, within what
/// a batch takes.
fn batch(refused: &NotUnderstood) -> Value {
    let platforms =
        if refused.platforms.is_empty() { &[Platform::Google][..] } else { &refused.platforms };
    let country = supported(refused).next().unwrap_or(Country::DEFAULT);
    let each = if platforms.len() > 1 { 1 } else { refused.quantity.unwrap_or(2).max(2) };
    let rows = platforms.iter().flat_map(|platform| {
        (0..each).map(move |_| json!({ "platform": platform.slug(), "country": country.code() }))
    });
    json!({ "orders": rows.take(MAX_BATCH).collect::<Vec<_>>() })
}
