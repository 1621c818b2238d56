//! An order in the caller's words: its replies, its stream's messages, and where it is found.

use std::sync::Arc;
use std::time::Duration;

use actors::Orders;
use events::code::Sensitive;
use events::id::OrderId;
use events::order::{FailureReason, Scenario, Sms, State, Status};
use events::platform::Platform;
use events::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::auth::Caller;
use super::erased;
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
        Self {
            code_format: hints.format.name(),
            expect_code_length: hints.length,
            usual_delivery_seconds: hints.usual_delivery_seconds,
        }
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
    /// When the same text was brought again within minutes, each time.
    repeated_at: Vec<Moment>,
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
    fn of(order: &State, sms: &Sms) -> Self {
        let candidates = sms.extraction.candidates.iter().zip(sms.extraction.confidence()).map(
            |(candidate, confidence)| Candidate {
                code: candidate.code.clone(),
                score: candidate.score,
                confidence: f64::from(confidence) / 1_000.0,
                reasons: candidate.reasons.iter().map(|reason| reason.name()).collect(),
            },
        );
        Self {
            from: sms.sender.clone(),
            text: sms.text.clone(),
            received_at: Moment(sms.received_at),
            verdict: sms.extraction.verdict.name(),
            candidates: candidates.collect(),
            repeated_at: order.repeats_of(sms).map(Moment).collect(),
        }
    }
}

/// A message that is held back: neither its text nor its sender is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeldMessage)]
pub struct HeldMessage {
    /// What is in it: `bank_transaction`, `password_reset`, `person_name`.
    kinds: Vec<&'static str>,
    received_at: Moment,
}

impl HeldMessage {
    fn of((kinds, received_at): (&[Sensitive], Timestamp)) -> Self {
        Self { kinds: kind_names(kinds), received_at: Moment(received_at) }
    }
}

/// The kinds in the caller's words.
pub fn kind_names(kinds: &[Sensitive]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.name()).collect()
}

/// A code that the order has, or had.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundCode)]
struct FoundCode {
    code: String,
    /// Since when it is, or was, the order's.
    at: Moment,
}

/// `GET /order/:id`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a member of a reply, and tells one thing"
)]
pub struct OrderReply {
    status: &'static str,
    order_id: String,
    platform: &'static str,
    country: &'static str,
    phone: Option<String>,
    /// The code to type: the last one, where a later or surer one has taken the place of the first.
    code: Option<String>,
    /// Every code the order has had, the one to type last.
    codes: Vec<FoundCode>,
    /// Full text of the message with the code, or of the last one.
    sms: Option<String>,
    messages: Vec<Message>,
    /// Messages that the operator holds back, by what is in them: nobody sees them here.
    held: Vec<HeldMessage>,
    /// Whether what messages said was erased since, the codes with it: `code` and `sms` are null,
    /// and `codes` and `messages` have nothing of it.
    messages_erased: bool,
    /// Whether its number was erased since: `phone` is null.
    phone_erased: bool,
    price: Dollars,
    /// What came back, once the order has ended without a code, or its code was a stranger's.
    refunded: Option<Dollars>,
    attempts: u8,
    created_at: Moment,
    expires_at: Option<Moment>,
    expires_in: Option<u64>,
    ended_at: Option<Moment>,
    /// Whether the order has its code, and keeps its number for what still comes.
    listening: bool,
    /// Until when it does, or did.
    listening_until: Option<Moment>,
    delivery_seconds: Option<u64>,
    failure: Option<&'static str>,
    /// What a test order does; null for a real one.
    scenario: Option<&'static str>,
    can_cancel: bool,
    platform_hints: Hints,
    check_status: String,
    stream: String,
    cancel: Option<String>,
    /// `POST` to give the number of a completed order back before its time.
    finish: Option<String>,
    /// `POST` to say what was wrong with the number or its code.
    report: Option<String>,
}

impl OrderReply {
    /// The order as it is now.
    pub fn now(orders: &Orders, order: &State, now: Timestamp) -> Self {
        let countdown = Countdown::of(orders, order, now);
        Self {
            expires_at: countdown.expires_at,
            expires_in: countdown.expires_in,
            ..Self::of(order, now)
        }
    }

    /// The order as it was at `now`, by the log alone.
    pub fn of(order: &State, now: Timestamp) -> Self {
        let is_open = !order.status.is_end();
        let shown = order.code_message().or_else(|| order.messages().next_back());
        let released = order.is_refunded
            || matches!(order.status, Status::Cancelled | Status::Expired | Status::Failed);
        let links = Links::of(order.id);
        Self {
            status: order.status.name(),
            order_id: order.id.to_string(),
            platform: order.placed.platform.slug(),
            country: order.placed.country.code(),
            phone: number_of(order),
            code: order.code.as_deref().and_then(erased::told).map(ToOwned::to_owned),
            codes: order
                .codes()
                .filter(|found| erased::told(found.code).is_some())
                .map(|found| FoundCode { code: found.code.to_owned(), at: Moment(found.at) })
                .collect(),
            sms: shown.and_then(|sms| erased::told(&sms.text)).map(ToOwned::to_owned),
            messages: order
                .messages()
                .filter(|sms| erased::told(&sms.text).is_some())
                .map(|sms| Message::of(order, sms))
                .collect(),
            held: held_of(order),
            messages_erased: erased::messages_of(order),
            phone_erased: erased::number_of(order),
            price: Dollars(order.placed.price),
            refunded: released.then_some(Dollars(order.placed.price)),
            attempts: order.attempts,
            created_at: Moment(order.placed.at),
            expires_at: order.expires_at.map(Moment),
            expires_in: order
                .expires_at
                .filter(|_| is_open)
                .map(|expires_at| seconds_up(expires_at.since(now))),
            ended_at: order.ended_at.map(Moment),
            listening: order.is_listening(),
            listening_until: order.finished_at.or(order.listens_until).map(Moment),
            delivery_seconds: order.delivery_millis().map(|millis| millis / 1_000),
            failure: order.failure.map(failure_name),
            scenario: order.scenario.map(Scenario::name),
            can_cancel: is_open,
            platform_hints: Hints::of(order.placed.platform),
            check_status: links.check_status,
            stream: links.stream,
            cancel: is_open.then_some(links.cancel),
            finish: order.is_listening().then_some(links.finish),
            report: order.expires_at.map(|_| links.report),
        }
    }
}

/// The order's messages that are held back.
pub fn held_of(order: &State) -> Vec<HeldMessage> {
    order.held_messages().map(HeldMessage::of).collect()
}

/// The order's number, for its owner; `None` where it has none, or none any more.
pub fn number_of(order: &State) -> Option<String> {
    let assignment = order.assignment.as_ref()?;
    erased::number(&assignment.phone).map(ToOwned::to_owned)
}

/// When an order expires, twice: the two agree.
pub struct Countdown {
    /// At which time.
    pub expires_at: Option<Moment>,
    /// In how many seconds; null once it has ended.
    pub expires_in: Option<u64>,
}

/// By how much a clock differs from itself without having been set.
const SLACK: Duration = Duration::from_secs(2);

impl Countdown {
    /// Of an order at `now`. Its deadline runs in elapsed time: where the wall clock was set since,
    /// the time it was to expire at is no longer the one at which it will.
    pub fn of(orders: &Orders, order: &State, now: Timestamp) -> Self {
        let Some(written) = order.expires_at.filter(|_| !order.status.is_end()) else {
            return Self { expires_at: order.expires_at.map(Moment), expires_in: None };
        };
        let left = orders.remaining(order);
        let due = now.plus(left);
        let is_as_written = due.since(written) <= SLACK && written.since(due) <= SLACK;
        Self {
            expires_at: Some(Moment(if is_as_written { written } else { due })),
            expires_in: Some(seconds_up(left)),
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
    /// `POST` to finish it.
    pub finish: String,
    /// `POST` to report it.
    pub report: String,
}

impl Links {
    /// The order's.
    pub fn of(order: OrderId) -> Self {
        let check_status = format!("/api/v1/order/{order}");
        let link = |what: &str| format!("{check_status}/{what}");
        Self {
            stream: link("stream"),
            cancel: link("cancel"),
            finish: link("finish"),
            report: link("report"),
            check_status,
        }
    }
}

/// Why an order failed, as callers see it.
pub fn failure_name(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::NoSourceLeft => "no_number_available",
        FailureReason::AttemptsExhausted => "attempts_exhausted",
        FailureReason::SeekingTimedOut => "no_number_in_time",
        FailureReason::MessageHeld => "message_held",
    }
}

/// The caller's order as it is now, never as it was when the call arrived: at least as new as
/// whatever the caller was told before. From its account's memory, or else from the log. Somebody
/// else's is not found, like one that does not exist.
pub async fn find(app: &Shared, caller: &Caller, text: &str) -> Result<Arc<State>, ApiError> {
    let id: OrderId = text.parse().map_err(|_| ApiError::order_not_found())?;
    let service = &app.service;
    let published = service.accounts.read(caller.account).await?;
    if let Some(order) = published.state.order(id) {
        return Ok(Arc::clone(order));
    }
    // What the account has written last may not be in the views yet.
    service.views.reach(published.position).await?;
    let place = service
        .views
        .order(id)
        .await?
        .filter(|place| place.account == caller.account)
        .ok_or_else(ApiError::order_not_found)?;
    let _permit = app.history.enter(caller.account).await?;
    app.history.has_read(place.last.0 + 1 - place.first.0);
    let order = service.orders.from_log(place.account, id, place.first, place.last).await?;
    order.map(Arc::new).ok_or_else(ApiError::order_not_found)
}
