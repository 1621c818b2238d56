//! An order in the caller's words: its replies, its stream's messages, and where it is found.

use std::sync::Arc;

use events::code::Verdict;
use events::id::OrderId;
use events::order::{Event, FailureReason, Sms, State, Status};
use events::platform::Platform;
use events::time::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Shared;
use super::auth::Caller;
use super::error::ApiError;
use super::json::{Dollars, Moment, seconds_up};

/// What to expect of a platform's messages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlatformHints)]
pub struct Hints {
    code_format: &'static str,
    expect_code_length: u8,
    usual_delivery_seconds: u8,
}

impl Hints {
    /// The platform's.
    pub fn of(platform: Platform) -> Self {
        let hints = platform.hints();
        Self { code_format: hints.format.name(), expect_code_length: hints.length, usual_delivery_seconds: hints.usual_delivery_seconds }
    }
}

/// A message as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SmsMessage)]
struct Message {
    from: String,
    text: String,
    received_at: Moment,
    /// `code`, `unsure`, `nothing` or `other_brand`.
    verdict: &'static str,
    /// What could be the code, best first: for a caller to look at where the service is unsure.
    candidates: Vec<Candidate>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CodeCandidate)]
struct Candidate {
    code: String,
    score: i16,
    /// How sure it is that this is the code, from 0 to 1.
    confidence: f64,
    reasons: Vec<&'static str>,
}

impl Message {
    fn of(sms: &Sms) -> Self {
        let candidates = sms.extraction.candidates.iter().zip(sms.extraction.confidence()).map(|(candidate, confidence)| Candidate {
            code: candidate.code.clone(),
            score: candidate.score,
            confidence: f64::from(confidence) / 1_000.0,
            reasons: candidate.reasons.iter().map(|reason| reason.name()).collect(),
        });
        Self {
            from: sms.sender.clone(),
            text: sms.text.clone(),
            received_at: Moment(sms.received_at),
            verdict: sms.extraction.verdict.name(),
            candidates: candidates.collect(),
        }
    }
}

/// `GET /order/:id`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderReply {
    status: &'static str,
    order_id: String,
    platform: &'static str,
    country: &'static str,
    phone: Option<String>,
    code: Option<String>,
    /// Full text of the message with the code, or of the last one.
    sms: Option<String>,
    messages: Vec<Message>,
    price: Dollars,
    /// What came back, once the order has ended without a code.
    refunded: Option<Dollars>,
    attempts: u8,
    created_at: Moment,
    expires_at: Option<Moment>,
    expires_in: Option<u64>,
    ended_at: Option<Moment>,
    delivery_seconds: Option<u64>,
    failure: Option<&'static str>,
    can_cancel: bool,
    platform_hints: Hints,
    check_status: String,
    stream: String,
    cancel: Option<String>,
}

impl OrderReply {
    /// The order as it is at `now`.
    pub fn of(order: &State, now: Timestamp) -> Self {
        let is_open = !order.status.is_end();
        let with_code = order.messages().find(|sms| matches!(sms.extraction.verdict, Verdict::Code(_)));
        let shown = with_code.or_else(|| order.messages().next_back());
        let released = matches!(order.status, Status::Cancelled | Status::Expired | Status::Failed);
        let links = Links::of(order.id);
        Self {
            status: order.status.name(),
            order_id: order.id.to_string(),
            platform: order.placed.platform.slug(),
            country: order.placed.country.code(),
            phone: order.assignment.as_ref().map(|assignment| assignment.phone.as_str().to_owned()),
            code: order.code.clone(),
            sms: shown.map(|sms| sms.text.clone()),
            messages: order.messages().map(Message::of).collect(),
            price: Dollars(order.placed.price),
            refunded: released.then_some(Dollars(order.placed.price)),
            attempts: order.attempts,
            created_at: Moment(order.placed.at),
            expires_at: order.expires_at.map(Moment),
            expires_in: order.expires_at.filter(|_| is_open).map(|expires_at| seconds_up(expires_at.since(now))),
            ended_at: order.ended_at.map(Moment),
            delivery_seconds: order.delivery_millis().map(|millis| millis / 1_000),
            failure: order.failure.map(failure_name),
            can_cancel: is_open,
            platform_hints: Hints::of(order.placed.platform),
            check_status: links.check_status,
            stream: links.stream,
            cancel: is_open.then_some(links.cancel),
        }
    }
}

/// Where an order is read, followed and cancelled.
pub struct Links {
    /// `GET` it.
    pub check_status: String,
    /// Its stream.
    pub stream: String,
    /// `POST` to cancel it.
    pub cancel: String,
}

impl Links {
    /// The order's.
    pub fn of(order: OrderId) -> Self {
        let check_status = format!("/api/v1/order/{order}");
        Self { stream: format!("{check_status}/stream"), cancel: format!("{check_status}/cancel"), check_status }
    }
}

/// Why an order failed, as callers see it.
pub fn failure_name(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::NoSourceLeft => "no_number_available",
        FailureReason::AttemptsExhausted => "attempts_exhausted",
        FailureReason::SeekingTimedOut => "no_number_in_time",
    }
}

/// One fact of an order as a message of its stream.
pub fn stream_message(order: &State, fact: &Event) -> Value {
    let released = Dollars(order.placed.price);
    let mut message = match fact {
        Event::Placed(placed) => {
            json!({ "event": "status", "status": "pending", "platform": placed.platform.slug(), "country": placed.country.code(), "price": Dollars(placed.price) })
        }
        Event::Queued { .. } => json!({ "event": "status", "status": "queued" }),
        Event::Started { .. } => json!({ "event": "status", "status": "pending" }),
        Event::AttemptFailed { attempt, .. } => {
            json!({ "event": "status", "status": "pending", "attempt": attempt, "reason": "no_number_from_source" })
        }
        Event::NumberAssigned { attempt, phone, expires_at, .. } => {
            json!({ "event": "number", "status": "active", "phone": phone.as_str(), "attempt": attempt, "expires_at": Moment(*expires_at) })
        }
        Event::NumberReportedDead { attempt, .. } => json!({ "event": "status", "status": "pending", "attempt": attempt, "reason": "number_dead" }),
        Event::SmsReceived(sms) => match &sms.extraction.verdict {
            Verdict::Code(code) => json!({ "event": "code", "code": code, "sms": sms.text }),
            verdict @ (Verdict::Unsure | Verdict::Nothing | Verdict::OtherBrand(_)) => {
                json!({ "event": "status", "status": "active", "reason": "sms_without_code", "verdict": verdict.name(), "sms": sms.text })
            }
        },
        Event::Completed { code, .. } => json!({ "event": "completed", "status": "completed", "code": code, "price": released }),
        Event::Cancelled { .. } => json!({ "event": "cancelled", "status": "cancelled", "refunded": released }),
        Event::Expired { .. } => json!({ "event": "expired", "status": "expired", "refunded": released }),
        Event::Failed { reason, .. } => json!({ "event": "failed", "status": "failed", "reason": failure_name(*reason), "refunded": released }),
    };
    message["order_id"] = json!(order.id.to_string());
    message["at"] = json!(Moment(fact.at()));
    message
}

/// The caller's order: from its account's memory, or else from the log. Somebody else's is not found, like one that does not exist.
pub async fn find(app: &Shared, caller: &Caller, text: &str) -> Result<Arc<State>, ApiError> {
    let id: OrderId = text.parse().map_err(|_| ApiError::order_not_found())?;
    if let Some(order) = caller.published.state.order(id) {
        return Ok(Arc::clone(order));
    }
    let service = &app.service;
    // What the account has written last may not be in the views yet.
    let published = service.accounts.read(caller.account).await?;
    if let Some(order) = published.state.order(id) {
        return Ok(Arc::clone(order));
    }
    service.views.reach(published.position).await?;
    let place = service.views.order(id).await?.filter(|place| place.account == caller.account).ok_or_else(ApiError::order_not_found)?;
    let _permit = app.replays.enter(caller.account).await?;
    metrics::counter!("replayed_events_total").increment(place.last.0 + 1 - place.first.0);
    let order = service.orders.from_log(place.account, id, place.first, place.last).await?;
    order.map(Arc::new).ok_or_else(ApiError::order_not_found)
}
