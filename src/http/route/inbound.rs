//! `POST /inbound/v1/{supplier}`: the doors for messages, one format each. 2xx means durable, and never before.

mod android;
mod own;
mod telnyx;
mod twilio;
mod vonage;

use std::time::Duration;

use actors::inbox::InboundPart;
use actors::inbox::InboundSms;
use actors::kernel::foreign::Unreadable;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use events::number::Alphabet;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::config::Config;
use crate::http::Shared;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::gate::Proven;
use crate::http::json::read_body;

/// How far a signature's time may be from ours: what the Standard Webhooks libraries allow, and Telnyx's.
const TOLERANCE: Duration = Duration::from_mins(5);
/// Longest texts taken; a concatenated SMS ends far below.
const MAX_ID: usize = 200;
const MAX_SENDER: usize = 100;

/// A message as a door has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sms {
    id: String,
    to: Phone,
    from: String,
    text: String,
    received_at: Option<Timestamp>,
    /// Which part of which message it is, where parts arrive apart.
    part: Option<PartOf>,
}

/// Which part a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PartOf {
    /// What the parts of one message have in common.
    reference: u32,
    /// Its number among them, from 1.
    number: u8,
    /// How many there are.
    total: u8,
}

/// A request that brings no message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rejected {
    /// The supplier is not configured.
    NoSuchDoor,
    /// Whoever sent it does not prove to be the supplier.
    NotSigned,
    /// It is the supplier's, and signed for another address than the one that is configured.
    SignedFor(String),
    /// It is the supplier's, and says something else than such messages do; the text says what.
    NotUnderstood(String),
}

pub async fn handle(State(app): State<Shared>, Path(supplier): Path<String>, request: Request) -> Result<Response, ApiError> {
    let called = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let headers = request.headers().clone();
    let body = read_body(request, &app).await?;
    let messages = match read(&app.service.config, &supplier, &called, &headers, &body, app.service.clock.now()) {
        Ok(messages) => messages,
        Err(Rejected::NoSuchDoor) => {
            return Err(ApiError::invalid("There is no such supplier.").with_status(StatusCode::NOT_FOUND));
        }
        Err(Rejected::SignedFor(address)) => {
            let public = app.service.config.http.public_url.as_deref().unwrap_or_default();
            tracing::warn!(
                supplier,
                address,
                http.public_url = public,
                "a message was refused: it is signed for another address than http.public_url"
            );
            let text = format!("The message is signed for {address}, and this service's http.public_url is {public}: they must begin alike.");
            return Err(ApiError::new(ErrorCode::InvalidApiKey, text));
        }
        Err(Rejected::NotSigned) if supplier == "twilio" => {
            let text = "The message is not signed with this supplier's secret. Twilio signs the address that it calls: http.public_url must be the \
                beginning of it, letter by letter, and suppliers.twilio.auth_token the account's.";
            return Err(ApiError::new(ErrorCode::InvalidApiKey, text));
        }
        Err(Rejected::NotSigned) => {
            return Err(ApiError::new(ErrorCode::InvalidApiKey, "The message is not signed with this supplier's secret."));
        }
        Err(Rejected::NotUnderstood(what)) => {
            tracing::warn!(supplier, what, "a message was refused; it is lost if the supplier does not send it again");
            let mut refused = ApiError::invalid(format!("The message is not understood: {what}.")).into_response();
            refused.extensions_mut().insert(Proven);
            return Ok(refused);
        }
    };
    let name: SupplierName = supplier.parse().expect("configured suppliers have proper names");
    let mut last = "ignored";
    for message in messages {
        last = match message.part {
            None => app.service.inbox.deliver(inbound(&name, message)).await?.name(),
            Some(part) => app.service.parts.deliver(inbound_part(&name, message, part)).await?.name(),
        };
        metrics::counter!("inbound_messages_total", "supplier" => supplier.clone(), "outcome" => last).increment(1);
    }
    // Twilio would send our JSON to the sender as an answer.
    let twilio = [(CONTENT_TYPE, "text/xml")];
    Ok(if supplier == "twilio" {
        (twilio, "<Response></Response>").into_response()
    } else {
        Json(json!({ "status": "ok", "outcome": last })).into_response()
    })
}

/// The messages in a supplier's request: none if it tells of something else.
fn read(config: &Config, supplier: &str, called: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<Sms>, Rejected> {
    let suppliers = &config.suppliers;
    let messages = match supplier {
        "own" => own::read(headers, body, suppliers.own.inbound_secret.as_ref().ok_or(Rejected::NoSuchDoor)?, now),
        "twilio" => {
            let public = config.http.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
            let token = suppliers.twilio.auth_token.as_ref().ok_or(Rejected::NoSuchDoor)?;
            twilio::read(headers, body, &format!("{public}{called}"), token)
        }
        "telnyx" => telnyx::read(headers, body, &suppliers.telnyx.public_key.as_ref().ok_or(Rejected::NoSuchDoor)?.0, now),
        "vonage" => {
            let secret = suppliers.vonage.signature_secret.as_ref().ok_or(Rejected::NoSuchDoor)?;
            vonage::read(headers, body, secret, suppliers.vonage.signature_method, now)
        }
        "android" => {
            let key = suppliers.android.signing_key.as_ref().ok_or(Rejected::NoSuchDoor)?;
            android::read(headers, body, key, &suppliers.android, now)
        }
        name => {
            let source = suppliers.http.iter().find(|source| source.name.0.as_str() == name);
            own::read(headers, body, source.and_then(|source| source.inbound_secret.as_ref()).ok_or(Rejected::NoSuchDoor)?, now)
        }
    }?;
    match messages.iter().find(|message| message.id.is_empty() || message.id.len() > MAX_ID || message.from.len() > MAX_SENDER) {
        Some(_) => Err(Rejected::NotUnderstood(format!("its id has 1 to {MAX_ID} bytes, its sender at most {MAX_SENDER}"))),
        None => Ok(messages),
    }
}

fn inbound(supplier: &SupplierName, message: Sms) -> InboundSms {
    InboundSms {
        supplier: supplier.clone(),
        message_id: message.id,
        to: message.to,
        sender: message.from,
        text: message.text,
        received_at: message.received_at,
    }
}

fn inbound_part(supplier: &SupplierName, message: Sms, part: PartOf) -> InboundPart {
    InboundPart {
        supplier: supplier.clone(),
        to: message.to,
        sender: message.from,
        reference: part.reference,
        number: part.number,
        total: part.total,
        alphabet: Alphabet::Utf8,
        bytes: message.text.into_bytes(),
        received_at: message.received_at,
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a time in seconds since 1970 is close enough to now for a signature over it to count.
fn is_recent(seconds: &str, now: Timestamp, tolerance: Duration) -> bool {
    seconds.parse::<i64>().is_ok_and(|seconds| {
        let millis = i128::from(seconds) * 1_000 - i128::from(now.millis());
        millis.unsigned_abs() <= tolerance.as_millis()
    })
}

/// What is read of a body; the error names the place and the kind, never the value: it is logged, and values are codes and numbers.
fn understood<T>(read: Result<T, Unreadable>) -> Result<T, Rejected> {
    read.map_err(|error| Rejected::NotUnderstood(error.to_string()))
}

/// When a telecom or a phone received it. A time that is not understood is no reason to lose a code: it counts as received now.
fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|at| at.parse().ok())
}

fn phone(field: &str, text: &str) -> Result<Phone, Rejected> {
    text.parse().map_err(|error| Rejected::NotUnderstood(format!("{field} is {error}")))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
