//! An order's facts as the messages of its stream.

use events::code::Verdict;
use events::order::{Event, Sms, State, Status};
use events::time::Timestamp;
use serde_json::{Value, json};

use super::erased;
use super::json::{Dollars, Moment};
use super::order_reply::{failure_name, kind_names};
use super::waiting::AccessEnd;

/// What messages of a stream tell of.
pub const EVENTS: [&str; 13] = [
    "status",
    "number",
    "code",
    "message",
    "held",
    "replaced",
    "refunded",
    "completed",
    "finished",
    "cancelled",
    "expired",
    "failed",
    "suspended",
];

/// The order's fact of this number as a message of its stream.
pub fn stream_message(order: &State, number: usize, fact: &Event) -> Value {
    let mut message = told_of(order, number, fact);
    debug_assert!(
        message["event"].as_str().is_some_and(|event| EVENTS.contains(&event)),
        "{message} is not documented"
    );
    message["order_id"] = json!(order.id.to_string());
    message["at"] = json!(Moment(fact.at()));
    if erased::of_fact(fact) {
        message["erased"] = json!(true);
    }
    message
}

/// What a fact tells that others do not.
fn told_of(order: &State, number: usize, fact: &Event) -> Value {
    let released = Dollars(order.placed.price);
    // What has ended stays so: a fact after the end is one of an order with that status.
    let before = order.history.get(..number.saturating_sub(1)).unwrap_or_default();
    let has_ended = before.iter().any(|earlier| earlier.is_end());
    let status = if has_ended { order.status } else { Status::Active };
    let seeking = |attempt: u8, reason: &str| {
        json!({
            "event": "status", "status": "pending", "attempt": attempt, "reason": reason,
        })
    };
    match fact {
        Event::Placed(placed) => {
            json!({
                "event": "status", "status": "pending", "platform": placed.platform.slug(),
                "country": placed.country.code(), "price": Dollars(placed.price),
            })
        }
        Event::ScenarioChosen { scenario, .. } => {
            json!({ "event": "status", "status": "pending", "scenario": scenario.name() })
        }
        Event::Queued { .. } => json!({ "event": "status", "status": "queued" }),
        Event::Started { .. } => json!({ "event": "status", "status": "pending" }),
        Event::AttemptFailed { attempt, .. } => seeking(*attempt, "no_number_from_source"),
        Event::NumberAssigned { attempt, phone, expires_at, .. } => {
            json!({
                "event": "number", "status": "active", "phone": erased::number(phone),
                "attempt": attempt, "expires_at": Moment(*expires_at),
            })
        }
        Event::NumberReportedDead { attempt, .. } => seeking(*attempt, "number_dead"),
        Event::SmsReceived(sms) => sms_message(sms, status, has_ended),
        Event::SmsRepeated { .. } => {
            json!({ "event": "status", "status": status.name(), "reason": "sms_repeated" })
        }
        Event::SmsHeld { kinds, .. } => {
            json!({ "event": "held", "status": status.name(), "kinds": kind_names(kinds) })
        }
        Event::CodeReplaced { code, .. } => {
            let replaced = before.iter().rev().find_map(|earlier| code_in(earlier));
            json!({
                "event": "replaced", "status": status.name(), "code": erased::told(code),
                "replaced": replaced.and_then(erased::told),
            })
        }
        Event::Reported { complaint, .. } => {
            json!({
                "event": "status", "status": status.name(), "reason": "reported",
                "report": complaint.name(),
            })
        }
        Event::Refunded { .. } => {
            json!({ "event": "refunded", "status": status.name(), "refunded": released })
        }
        Event::Finished { .. } => json!({ "event": "finished", "status": status.name() }),
        Event::Completed { code, .. } => {
            let code = erased::told(code);
            json!({ "event": "completed", "status": "completed", "code": code, "price": released })
        }
        Event::Cancelled { .. } => {
            json!({ "event": "cancelled", "status": "cancelled", "refunded": released })
        }
        Event::Expired { .. } => {
            json!({ "event": "expired", "status": "expired", "refunded": released })
        }
        Event::Failed { reason, .. } => {
            json!({
                "event": "failed", "status": "failed", "reason": failure_name(*reason),
                "refunded": released,
            })
        }
    }
}

/// A message on the order's number.
fn sms_message(sms: &Sms, status: Status, has_ended: bool) -> Value {
    match &sms.extraction.verdict {
        Verdict::Code(code) => {
            let (code, text) = (erased::told(code), erased::told(&sms.text));
            json!({ "event": "code", "code": code, "sms": text })
        }
        verdict @ (Verdict::Unsure | Verdict::Nothing | Verdict::OtherBrand(_)) => {
            let event = if has_ended { "message" } else { "status" };
            json!({
                "event": event, "status": status.name(), "reason": "sms_without_code",
                "verdict": verdict.name(), "sms": erased::told(&sms.text),
            })
        }
    }
}

/// The last message of a stream whose reader may not read on: the order goes on, and is not told of
/// any more.
pub fn access_end_message(order: &State, end: AccessEnd, at: Timestamp) -> Value {
    json!({
        "event": "suspended", "status": order.status.name(), "reason": end.reason(),
        "order_id": order.id.to_string(), "at": Moment(at),
    })
}

/// The code that a fact gives the order, if it gives one.
fn code_in(fact: &Event) -> Option<&str> {
    if let Event::Completed { code, .. } | Event::CodeReplaced { code, .. } = fact {
        Some(code)
    } else {
        None
    }
}
