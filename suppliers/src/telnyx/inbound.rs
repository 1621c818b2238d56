//! Telnyx's format: JSON events, signed with the account's Ed25519 key over `timestamp|body`.

use actors::kernel::foreign;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::time::Timestamp;
use reqwest::header::HeaderMap;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;
use std::str::FromStr;
use thiserror::Error;

use crate::inbound::{
    InboundFormat, InboundMessage, InboundRequest, Rejected, TOLERANCE, header, is_recent, phone,
    time, understood,
};

#[derive(Debug, Deserialize)]
struct Envelope {
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    event_type: String,
    payload: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Message {
    id: String,
    from: Party,
    to: Vec<Party>,
    text: String,
    #[serde(default)]
    received_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Party {
    phone_number: String,
}

/// The message of a request, once for each number it was sent to; none if it is another event.
fn read(
    headers: &HeaderMap,
    body: &[u8],
    key: &PublicKey,
    now: Timestamp,
) -> Result<Vec<InboundMessage>, Rejected> {
    if !is_signed(headers, body, key, now) {
        return Err(Rejected::NotSigned);
    }
    let Envelope { data } = understood(foreign::read(body))?;
    if data.event_type != "message.received" {
        return Ok(Vec::new());
    }
    let message: Message = understood(foreign::read_value(data.payload))?;
    if message.to.is_empty() {
        return Err(Rejected::NotUnderstood("to names no number".to_owned()));
    }
    let received_at = time(message.received_at.as_deref());
    let sms = |to: &Party| {
        let to = phone("to", &to.phone_number)?;
        Ok(InboundMessage {
            id: message.id.clone(),
            to,
            from: message.from.phone_number.clone(),
            text: message.text.clone(),
            received_at,
            part: None,
        })
    };
    message.to.iter().map(sms).collect()
}

fn is_signed(headers: &HeaderMap, body: &[u8], key: &PublicKey, now: Timestamp) -> bool {
    let (Some(signature), Some(at)) =
        (header(headers, "telnyx-signature-ed25519"), header(headers, "telnyx-timestamp"))
    else {
        return false;
    };
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let signed = [at.as_bytes(), b"|", body].concat();
    is_recent(at, now, TOLERANCE)
        && UnparsedPublicKey::new(&ED25519, key.0).verify(&signed, &signature).is_ok()
}

/// An account's Ed25519 public key, as Telnyx shows it: base64 of 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

/// The text is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a public key, which is base64 of 32 bytes")]
pub struct ParsePublicKeyError;

impl FromStr for PublicKey {
    type Err = ParsePublicKeyError;

    fn from_str(text: &str) -> Result<Self, ParsePublicKeyError> {
        let bytes = STANDARD.decode(text).map_err(|_| ParsePublicKeyError)?;
        bytes.try_into().map(Self).map_err(|_| ParsePublicKeyError)
    }
}

/// Messages of an account, as its key proves them.
pub struct Inbound {
    /// The account's public key.
    pub key: PublicKey,
}

impl InboundFormat for Inbound {
    fn read(&self, request: &InboundRequest<'_>) -> Result<Vec<InboundMessage>, Rejected> {
        read(request.headers, request.body, &self.key, request.now)
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_512_345_600);

    fn sent(
        body: &str,
        at: i64,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Vec<InboundMessage>, Rejected> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let key = PublicKey(pair.public_key().as_ref().try_into().unwrap());
        let mut signature = pair.sign(format!("{at}|{body}").as_bytes()).as_ref().to_vec();
        change(&mut signature);
        let headers = [
            (
                "telnyx-signature-ed25519".parse().unwrap(),
                STANDARD.encode(signature).parse().unwrap(),
            ),
            ("telnyx-timestamp".parse().unwrap(), at.to_string().parse().unwrap()),
        ];
        read(&headers.into_iter().collect(), body.as_bytes(), &key, NOW)
    }

    fn received(to: &str) -> String {
        let payload = format!(
            r#"{{"id":"m1","from":{{"phone_number":"+12025550100"}},"to":{to},"text":"G-482913","received_at":"2026-11-24T09:25:44.000+00:00"}}"#
        );
        format!(r#"{{"data":{{"event_type":"message.received","id":"e1","payload":{payload}}}}}"#)
    }

    #[test]
    fn a_message_goes_to_every_number_it_was_sent_to() {
        let body = received(r#"[{"phone_number":"+12025550123"},{"phone_number":"+12025550124"}]"#);
        let messages = sent(&body, NOW.millis() / 1_000, |_| ()).unwrap();
        let numbers: Vec<&str> = messages.iter().map(|sms| sms.to.as_str()).collect();
        assert_eq!(numbers, ["+12025550123", "+12025550124"]);
        assert_eq!(messages[0].received_at, Some(Timestamp::from_millis(1_795_512_344_000)));
    }

    #[test]
    fn other_events_bring_no_message() {
        let body = r#"{"data":{"event_type":"message.finalized","payload":{"id":"m1"}}}"#;
        assert_eq!(sent(body, NOW.millis() / 1_000, |_| ()), Ok(Vec::new()));
    }

    #[test]
    fn forged_and_old_signatures_are_refused() {
        let body = received(r#"[{"phone_number":"+12025550123"}]"#);
        let now = NOW.millis() / 1_000;
        assert_eq!(sent(&body, now, |signature| signature[3] ^= 1), Err(Rejected::NotSigned));
        assert_eq!(sent(&body, now, Vec::clear), Err(Rejected::NotSigned));
        assert_eq!(sent(&body, now - 301, |_| ()), Err(Rejected::NotSigned));
        assert_eq!(sent(&body, now + 301, |_| ()), Err(Rejected::NotSigned));
        assert_eq!(sent(&body, i64::MIN, |_| ()), Err(Rejected::NotSigned));
        let key = PublicKey([0; 32]);
        assert_eq!(read(&HeaderMap::new(), body.as_bytes(), &key, NOW), Err(Rejected::NotSigned));
    }

    #[test]
    fn what_is_signed_and_no_message_is_named() {
        let now = NOW.millis() / 1_000;
        for wrong in [
            "",
            "[]",
            "{}",
            "null",
            &received("[]"),
            &received(r#"[{"phone_number":"32665"}]"#),
            &received("7"),
        ] {
            assert!(matches!(sent(wrong, now, |_| ()), Err(Rejected::NotUnderstood(_))), "{wrong}");
        }
    }
}
