//! `GET /api/v1/order/:id/events`: the order's own history, fact by fact.

use axum::Json;
use axum::extract::{Path, State};
use events::account::ledger::{Entry, entry_of_order};
use events::order::{Event, State as Order};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;
use crate::http::json::{Moment, SignedDollars};
use crate::http::order_reply::find;

/// What facts of an order are called.
pub const TYPES: [&str; 18] = [
    "placed",
    "scenario_chosen",
    "queued",
    "started",
    "attempt_failed",
    "number_assigned",
    "number_dead",
    "sms_received",
    "sms_repeated",
    "sms_held",
    "completed",
    "code_replaced",
    "reported",
    "refunded",
    "finished",
    "cancelled",
    "expired",
    "failed",
];

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderHistory)]
pub struct Reply {
    order_id: String,
    status: &'static str,
    events: Vec<Fact>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderEvent)]
pub struct Fact {
    /// From 1; the id of the same event in the order's stream.
    number: usize,
    /// `placed`, `scenario_chosen`, `queued`, `started`, `attempt_failed`, `number_assigned`,
    /// `number_dead`, `sms_received`, `sms_repeated`, `sms_held`, `completed`, `code_replaced`,
    /// `reported`, `refunded`, `finished`, `cancelled`, `expired` or `failed`.
    #[serde(rename = "type")]
    kind: &'static str,
    at: Moment,
    /// Of which source asked, from 1; null for what concerns none.
    attempt: Option<u8>,
    /// What it did to your money; null where it did nothing.
    money: Option<Effect>,
}

/// What a fact did to the account's money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MoneyEffect)]
struct Effect {
    /// `hold`, `capture`, `release` or `refund`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Change of the spendable balance.
    balance: SignedDollars,
    /// Change of what is held.
    held: SignedDollars,
}

/// The history of an order: every fact with its number, time, attempt and what it did to your
/// money.
#[utoipa::path(get, path = "/order/{id}/events", operation_id = "orderEvents", tag = "orders",
    params(("id" = String, Path, description = "The order's id")),
    responses((status = 200, description = "The order's facts, oldest first", body = Reply)))]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Reply> {
    let order = find(&app, &caller, &id).await?;
    let events = facts(&order);
    Ok(Json(Reply { order_id: order.id.to_string(), status: order.status.name(), events }))
}

/// The order's facts, oldest first.
pub fn facts(order: &Order) -> Vec<Fact> {
    order.history.iter().enumerate().map(|(index, fact)| told(order, index + 1, fact)).collect()
}

fn told(order: &Order, number: usize, fact: &Event) -> Fact {
    let (kind, attempt) = match fact {
        Event::Placed(_) => ("placed", None),
        Event::ScenarioChosen { .. } => ("scenario_chosen", None),
        Event::Queued { .. } => ("queued", None),
        Event::Started { .. } => ("started", None),
        Event::AttemptFailed { attempt, .. } => ("attempt_failed", Some(*attempt)),
        Event::NumberAssigned { attempt, .. } => ("number_assigned", Some(*attempt)),
        Event::NumberReportedDead { attempt, .. } => ("number_dead", Some(*attempt)),
        Event::SmsReceived(_) => ("sms_received", None),
        Event::SmsRepeated { .. } => ("sms_repeated", None),
        Event::SmsHeld { .. } => ("sms_held", None),
        Event::Completed { .. } => ("completed", None),
        Event::CodeReplaced { .. } => ("code_replaced", None),
        Event::Reported { .. } => ("reported", None),
        Event::Refunded { .. } => ("refunded", None),
        Event::Finished { .. } => ("finished", None),
        Event::Cancelled { .. } => ("cancelled", None),
        Event::Expired { .. } => ("expired", None),
        Event::Failed { .. } => ("failed", None),
    };
    let effect = |entry: Entry| Effect {
        kind: entry.kind.name(),
        balance: SignedDollars(entry.balance),
        held: SignedDollars(entry.held),
    };
    let money = entry_of_order(order.id, order.placed.price, fact).map(effect);
    debug_assert!(TYPES.contains(&kind), "{kind} is not documented");
    Fact { number, kind, at: Moment(fact.at()), attempt, money }
}
