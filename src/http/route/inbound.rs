//! `POST /inbound/v1/{supplier}`: the generic door for messages. 2xx means durable, and never before.

use std::time::Duration;

use actors::inbox::{Delivery, InboundSms};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::http::Shared;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::gate::{ClientAddress, count_stranger};
use crate::http::json::read_body;
use crate::secret::Secret;

/// How far a signature's time may be from ours: what the Standard Webhooks libraries allow.
const TOLERANCE: Duration = Duration::from_mins(5);
/// Longest texts taken; a concatenated SMS ends far below.
const MAX_ID: usize = 200;
const MAX_SENDER: usize = 100;

#[derive(Debug, Deserialize)]
struct Message {
    id: String,
    to: String,
    from: String,
    text: String,
    #[serde(default)]
    received_at: Option<String>,
}

pub async fn handle(State(app): State<Shared>, Path(supplier): Path<String>, request: Request) -> ApiResult<Value> {
    let client = request.extensions().get::<ClientAddress>().copied().expect("the gate has put it there");
    let headers = request.headers().clone();
    let body = read_body(request, &app).await?;
    let secret = (supplier == "own").then_some(app.service.config.suppliers.own.inbound_secret.as_ref()).flatten();
    let Some(secret) = secret else {
        count_stranger(&app, client)?;
        return Err(ApiError::invalid("There is no such supplier.").with_status(StatusCode::NOT_FOUND));
    };
    if !is_signed(&headers, &body, secret, app.service.clock.now()) {
        count_stranger(&app, client)?;
        return Err(ApiError::new(ErrorCode::InvalidApiKey, "The message is not signed with this supplier's secret."));
    }
    let message: Message = serde_json::from_slice(&body).map_err(|error| ApiError::invalid(format!("The message is not understood: {error}.")))?;
    let delivery = app.service.inbox.deliver(inbound(&supplier, message)?).await?;
    metrics::counter!("inbound_messages_total", "supplier" => supplier, "outcome" => outcome(delivery)).increment(1);
    Ok(Json(json!({ "status": "ok", "outcome": outcome(delivery) })))
}

fn inbound(supplier: &str, message: Message) -> Result<InboundSms, ApiError> {
    if message.id.is_empty() || message.id.len() > MAX_ID || message.from.len() > MAX_SENDER {
        return Err(ApiError::invalid(format!("id has 1 to {MAX_ID} bytes, from at most {MAX_SENDER}.")));
    }
    let received_at = message.received_at.as_deref().map(str::parse::<Timestamp>).transpose();
    Ok(InboundSms {
        supplier: supplier.parse().map_err(|error| ApiError::invalid(format!("{error}.")))?,
        message_id: message.id,
        to: message.to.parse().map_err(|error| ApiError::invalid(format!("to is {error}.")))?,
        sender: message.from,
        text: message.text,
        received_at: received_at.map_err(|error| ApiError::invalid(format!("received_at is {error}.")))?,
    })
}

fn outcome(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Taken(_) => "taken",
        Delivery::Repeated => "repeated",
        Delivery::Kept(why) => why.name(),
    }
}

/// Whether the body is signed, in either of the two ways our own webhooks are.
fn is_signed(headers: &HeaderMap, body: &[u8], secret: &Secret, now: Timestamp) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(signature) = header("x-webhook-signature") {
        return hex_bytes(signature).is_some_and(|signature| mac(secret.expose().as_bytes(), &[body]).verify_slice(&signature).is_ok());
    }
    let (Some(id), Some(at), Some(signatures)) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")) else {
        return false;
    };
    let in_time = at.parse::<i64>().is_ok_and(|seconds| {
        let millis = i128::from(seconds) * 1_000 - i128::from(now.millis());
        millis.unsigned_abs() <= TOLERANCE.as_millis()
    });
    let Ok(key) = STANDARD.decode(secret.expose().trim_start_matches("whsec_")) else { return false };
    let signed = mac(&key, &[id.as_bytes(), b".", at.as_bytes(), b".", body]);
    let matches = |signature: &str| {
        let bytes = signature.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
        bytes.is_some_and(|bytes| signed.clone().verify_slice(&bytes).is_ok())
    };
    in_time && signatures.split(' ').any(matches)
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_512_345_600);

    fn signed(headers: &[(&'static str, String)], body: &[u8]) -> bool {
        let secret = Secret::new(format!("whsec_{}", STANDARD.encode([7; 24])));
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        is_signed(&headers, body, &secret, NOW)
    }

    fn standard(body: &[u8], at: i64) -> Vec<(&'static str, String)> {
        let bytes = mac(&[7; 24], &[b"msg_1", b".", at.to_string().as_bytes(), b".", body]).finalize().into_bytes();
        vec![
            ("webhook-id", "msg_1".to_owned()),
            ("webhook-timestamp", at.to_string()),
            ("webhook-signature", format!("v1,AAAA v1,{}", STANDARD.encode(bytes))),
        ]
    }

    #[test]
    fn both_ways_to_sign_are_understood() {
        let secret = format!("whsec_{}", STANDARD.encode([7; 24]));
        let bytes = mac(secret.as_bytes(), &[b"{}"]).finalize().into_bytes();
        let hex: String = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert!(signed(&[("x-webhook-signature", hex.clone())], b"{}"));
        assert!(!signed(&[("x-webhook-signature", hex)], b"{} "));
        assert!(signed(&standard(b"{}", NOW.millis() / 1_000), b"{}"));
    }

    #[test]
    fn what_is_not_signed_or_old_is_refused() {
        assert!(!signed(&[], b"{}"));
        assert!(!signed(&standard(b"{}", NOW.millis() / 1_000), b"{ }"));
        assert!(!signed(&standard(b"{}", NOW.millis() / 1_000 - 301), b"{}"));
        assert!(!signed(&standard(b"{}", i64::MAX), b"{}"));
        for hostile in ["", "zz", "é", "0", "00"] {
            let value = axum::http::HeaderValue::from_bytes(hostile.as_bytes()).unwrap();
            let headers = [("x-webhook-signature".parse().unwrap(), value)].into_iter().collect();
            assert!(!is_signed(&headers, b"{}", &Secret::new("whsec_AAAA".to_owned()), NOW), "{hostile}");
        }
    }
}
