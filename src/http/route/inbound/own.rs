//! Our own format, for gateways that can be told what to send: JSON, signed in either of the two
//! ways our own webhooks are.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::time::Timestamp;
use hmac::Mac;
use serde::Deserialize;

use suppliers::inbound::{
    InboundFormat, InboundMessage, InboundRequest, Rejected, TOLERANCE, header, hex_bytes,
    is_recent, mac, phone,
};

use crate::http::strict_json;
use suppliers::configuration::Secret;

#[derive(Debug, Deserialize)]
struct Message {
    id: String,
    to: String,
    from: String,
    text: String,
    #[serde(default)]
    received_at: Option<String>,
}

/// The message of a request.
fn read(
    headers: &HeaderMap,
    body: &[u8],
    secret: &Secret,
    now: Timestamp,
) -> Result<Vec<InboundMessage>, Rejected> {
    if !is_signed(headers, body, secret, now) {
        return Err(Rejected::NotSigned);
    }
    // A format of ours is read as strictly as every call: an object, each member once.
    let message: Message = strict_json::parse(body)
        .and_then(|body| strict_json::from_value(&body))
        .map_err(|problem| {
            let text = problem.to_string();
            Rejected::NotUnderstood(text.trim_end_matches('.').to_owned())
        })?;
    let received_at = message.received_at.as_deref().map(str::parse).transpose();
    Ok(vec![InboundMessage {
        id: message.id,
        to: phone("to", &message.to)?,
        from: message.from,
        text: message.text,
        received_at: received_at
            .map_err(|error| Rejected::NotUnderstood(format!("received_at is {error}")))?,
        part: None,
    }])
}

/// Whether the body is signed, in either of the two ways our own webhooks are.
fn is_signed(headers: &HeaderMap, body: &[u8], secret: &Secret, now: Timestamp) -> bool {
    let header = |name: &str| header(headers, name);
    if let Some(signature) = header("x-webhook-signature") {
        return hex_bytes(signature).is_some_and(|signature| {
            mac(secret.expose().as_bytes(), &[body]).verify_slice(&signature).is_ok()
        });
    }
    let (Some(id), Some(at), Some(signatures)) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
    else {
        return false;
    };
    let Ok(key) = STANDARD.decode(secret.expose().trim_start_matches("whsec_")) else {
        return false;
    };
    let signed = mac(&key, &[id.as_bytes(), b".", at.as_bytes(), b".", body]);
    let matches = |signature: &str| {
        let bytes = signature.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
        bytes.is_some_and(|bytes| signed.clone().verify_slice(&bytes).is_ok())
    };
    is_recent(at, now, TOLERANCE) && signatures.split(' ').any(matches)
}

/// Messages of a gateway that shares a secret with us.
pub struct Inbound {
    /// The secret.
    pub secret: Secret,
}

impl InboundFormat for Inbound {
    fn read(&self, request: &InboundRequest<'_>) -> Result<Vec<InboundMessage>, Rejected> {
        read(request.headers, request.body, &self.secret, request.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_512_345_600);

    fn signed(headers: &[(&'static str, String)], body: &[u8]) -> bool {
        let secret = Secret::new(format!("whsec_{}", STANDARD.encode([7; 24])));
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        is_signed(&headers, body, &secret, NOW)
    }

    fn standard(body: &[u8], at: i64) -> Vec<(&'static str, String)> {
        let bytes = mac(&[7; 24], &[b"msg_1", b".", at.to_string().as_bytes(), b".", body])
            .finalize()
            .into_bytes();
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
        let hex: String =
            bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
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
            assert!(
                !is_signed(&headers, b"{}", &Secret::new("whsec_AAAA".to_owned()), NOW),
                "{hostile}"
            );
        }
    }
}
