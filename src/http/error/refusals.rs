//! What an account refuses, as the error object that the guide promises for it.

use actors::kernel::entity::TransactError;
use actors::order::PlaceError;
use axum::http::StatusCode;
use events::account::{
    Admission, ApiKeyRefusal, IdempotencyRefusal, ItemRefusal, OrderRefusal, PlacingRefusal,
    PolicyRefusal, Refusal, StandingRefusal, WebhookRefusal,
};
use events::deposit::MINIMUM;
use events::money::Money;
use events::order;
use events::policy::Mode;
use serde_json::json;

use super::{ApiError, ErrorCode};
use crate::http::json::Dollars;
use crate::http::registration::not_admitted;

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::Standing(StandingRefusal::NotRegistered) => {
                Self::new(ErrorCode::InvalidApiKey, "The API key is not valid.")
            }
            Refusal::Standing(StandingRefusal::Suspended) => Self::suspended(),
            Refusal::Standing(StandingRefusal::Removed) => Self::removed(),
            Refusal::Standing(StandingRefusal::NeverFunded) => {
                Self::new(ErrorCode::InsufficientBalance, sentence(&text)).with_detail(json!({
                    "needed": Dollars(MINIMUM), "balance": Dollars(Money::ZERO),
                    "deposit": "/api/v1/deposit/addresses",
                }))
            }
            Refusal::Standing(StandingRefusal::AwaitsApproval) => {
                not_admitted(Admission::Awaited.name(), &sentence(&text))
            }
            Refusal::Standing(StandingRefusal::Declined { reason }) => {
                not_admitted(Admission::Declined(reason).name(), &sentence(&text))
            }
            Refusal::Standing(StandingRefusal::WrongMode) => Self::invalid(format!("{text}.")),
            Refusal::Standing(StandingRefusal::AlreadyRegistered)
            | Refusal::Removal(_)
            | Refusal::Operator(_) => Self::invalid(text),
            Refusal::Item(refusal) => refusal.into(),
            Refusal::Placing(refusal) => refusal.into(),
            Refusal::Idempotency(IdempotencyRefusal::KeyReused) => Self::invalid(
                "The idempotency key was used with another call or body; take a fresh key.",
            )
            .with_status(StatusCode::UNPROCESSABLE_ENTITY),
            // Keys are forgotten one by one as their seven days end.
            Refusal::Idempotency(IdempotencyRefusal::TooManyKeys) => Self::new(
                ErrorCode::RateLimited,
                "This account has too many idempotency keys in use.",
            )
            .retry_after(60),
            Refusal::ApiKey(ApiKeyRefusal::ApiKeyNotFound) => {
                Self::invalid("There is no such key.").with_status(StatusCode::NOT_FOUND)
            }
            Refusal::ApiKey(ApiKeyRefusal::TooManyApiKeys | ApiKeyRefusal::LastApiKey) => {
                Self::invalid(format!("{text}.")).with_status(StatusCode::CONFLICT)
            }
            Refusal::Webhook(WebhookRefusal::NoWebhook) => {
                Self::invalid("The account has no webhook: PUT /api/v1/webhook sets one.")
                    .with_status(StatusCode::CONFLICT)
            }
            Refusal::Webhook(WebhookRefusal::TooManyTests { retry_after_seconds }) => {
                Self::new(ErrorCode::RateLimited, format!("{text}."))
                    .retry_after(retry_after_seconds)
            }
            Refusal::Order(refusal) => refusal.into(),
        }
    }
}

/// A refusal's words as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.", first.map_or_else(String::new, String::from), letters.as_str())
}

impl From<ItemRefusal> for ApiError {
    fn from(refusal: ItemRefusal) -> Self {
        match refusal {
            ItemRefusal::InsufficientBalance { needed, available } => Self::new(
                ErrorCode::InsufficientBalance,
                format!(
                    "Not enough balance: the order \
                    costs ${needed}, ${available} can be spent."
                ),
            )
            .with_detail(json!({
                "needed": Dollars(needed), "balance": Dollars(available),
                "deposit": "/api/v1/deposit/addresses",
            })),
            ItemRefusal::PriceAboveMaximum { price, max_price } => {
                Self::invalid(format!("The price is ${price}, more than max_price (${max_price})."))
                    .with_detail(
                        json!({ "price": Dollars(price), "max_price": Dollars(max_price) }),
                    )
            }
            ItemRefusal::Policy(refusal) => of_policy(&refusal),
        }
    }
}

/// The policy's word on an order. A day's limit is over by itself; everything else is not until
/// somebody does something.
fn of_policy(refusal: &PolicyRefusal) -> ApiError {
    let text = format!("The order is not allowed here: {}.", refusal.reason);
    let detail = json!({ "policy": words_of(refusal) });
    match refusal.retry_after_seconds {
        Some(seconds) => ApiError::new(ErrorCode::RateLimited, text).retry_after(seconds),
        None => ApiError::invalid(text),
    }
    .with_detail(detail)
}

fn words_of(PolicyRefusal { verdict, reason, .. }: &PolicyRefusal) -> serde_json::Value {
    json!({
        "rule": verdict.decided_by(), "verdict": verdict.outcome().name(), "reason": reason,
        "mode": Mode::Enforce.name(), "version": verdict.version,
    })
}

impl From<PlacingRefusal> for ApiError {
    fn from(refusal: PlacingRefusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            PlacingRefusal::OrderInProgress { open, allowed } => {
                let open: Vec<String> = open.iter().map(ToString::to_string).collect();
                Self::new(
                    ErrorCode::OrderInProgress,
                    "Another order is in progress; wait for it or cancel it.",
                )
                .with_detail(json!({ "open_orders": open, "max_concurrent_orders": allowed }))
            }
            PlacingRefusal::TooManyCancels { retry_after_seconds } => {
                Self::new(ErrorCode::RateLimited, format!("{text}."))
                    .retry_after(retry_after_seconds)
            }
            PlacingRefusal::BatchSize => Self::invalid(text),
        }
    }
}

impl From<OrderRefusal> for ApiError {
    fn from(refusal: OrderRefusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            OrderRefusal::NotFound => Self::order_not_found(),
            OrderRefusal::TooManyReports => Self::new(
                ErrorCode::RateLimited,
                "This account has reported as many orders as it may in a day.",
            )
            .retry_after(3_600),
            OrderRefusal::Order(order::Refusal::AlreadyEnded(status)) => {
                Self::invalid(format!("The order has already ended: {}.", status.name()))
                    .with_status(StatusCode::CONFLICT)
            }
            OrderRefusal::Order(
                order::Refusal::StaleAttempt
                | order::Refusal::NotThisAssignment
                | order::Refusal::TooManyMessages
                | order::Refusal::NotCompleted(_)
                | order::Refusal::NothingToReport,
            ) => Self::invalid(text).with_status(StatusCode::CONFLICT),
        }
    }
}

impl<R: Into<Refusal>> From<TransactError<R>> for ApiError {
    fn from(error: TransactError<R>) -> Self {
        match error {
            TransactError::Refused(refusal) => refusal.into().into(),
            TransactError::Fault(fault) => fault.into(),
        }
    }
}

impl From<PlaceError> for ApiError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Refused(refusal) => refusal.into(),
            PlaceError::Fault(fault) => fault.into(),
        }
    }
}
