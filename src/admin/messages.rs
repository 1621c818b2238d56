//! Messages that gave no order its code, for operators: late, for numbers on no order or of nobody, of another brand, or without a code.

use std::sync::Arc;

use actors::store::EventStore;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use events::account;
use events::code::Verdict;
use events::envelope::Position;
use events::number::Unclaimed;
use events::phone::Phone;
use events::{Event, number, order};
use projections::{REPEATED, StrayFilter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Door, Refusal, failed, reached, refused};

/// Messages in one answer.
const MOST: u32 = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Only of this number.
    number: Option<String>,
    /// Only for this reason.
    why: Option<String>,
    /// Only those before this place in the log.
    before: Option<u64>,
    /// How many at most.
    #[serde(default = "usual")]
    limit: u32,
    /// Texts and senders too.
    #[serde(default)]
    reveal: bool,
}

const fn usual() -> u32 {
    50
}

/// The latest first.
pub async fn strays(State(door): State<Arc<Door>>, Query(asked): Query<Asked>) -> Result<Json<Value>, Refusal> {
    let service = &door.service;
    let phone = asked.number.as_deref().map(str::parse::<Phone>).transpose();
    let phone = phone.map_err(|error| refused(StatusCode::BAD_REQUEST, format!("number is {error}")))?;
    if let Some(why) = asked.why.as_deref().filter(|why| !reasons().contains(why)) {
        return Err(refused(StatusCode::BAD_REQUEST, format!("{why:?} is no reason; {} are", reasons().join(", "))));
    }
    let filter = StrayFilter { phone, why: asked.why, before: asked.before.map(Position) };
    let strays = reached(service).await?.strays(filter, asked.limit.min(MOST)).await.map_err(|error| failed(&error))?;
    let mut messages = Vec::with_capacity(strays.len());
    for stray in strays {
        let mut message = json!({
            "position": stray.position.0, "at": stray.at.to_string(), "number": stray.phone.as_str(), "supplier": stray.supplier.as_str(), "why": stray.why,
        });
        if asked.reveal {
            let records = service.store.read_all(Position(stray.position.0 - 1), 1).await.map_err(|error| failed(&error))?;
            if let Some(said) = records.first().and_then(|record| said(&record.event)) {
                (message["sender"], message["text"], message["message_id"]) = said;
            }
        }
        messages.push(message);
    }
    Ok(Json(json!({ "messages": messages })))
}

/// Why a message gives no order its code.
fn reasons() -> [&'static str; 8] {
    let [unsure, nothing, other] = [Verdict::Unsure, Verdict::Nothing, Verdict::OtherBrand(String::new())].map(|verdict| verdict.name());
    let [unknown, free, ended, many] =
        [Unclaimed::UnknownNumber, Unclaimed::NotAssigned, Unclaimed::OrderEnded, Unclaimed::TooManyMessages].map(Unclaimed::name);
    [unknown, free, ended, many, unsure, nothing, other, REPEATED]
}

/// Sender, text and id of a recorded message.
fn said(event: &Event) -> Option<(Value, Value, Value)> {
    match event {
        Event::Number(number::Event::SmsKept(sms)) => Some((json!(sms.sender), json!(sms.text), json!(sms.message_id))),
        Event::Account(account::Event::Order(_, order::Event::SmsReceived(sms))) => Some((json!(sms.sender), json!(sms.text), json!(sms.message_id))),
        // The text is that of the message it repeats.
        Event::Account(account::Event::Order(_, order::Event::SmsRepeated { message_id, .. })) => Some((Value::Null, Value::Null, json!(message_id))),
        _ => None,
    }
}
