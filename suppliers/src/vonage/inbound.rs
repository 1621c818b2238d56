//! Vonage's SMS format: a form or a JSON object, signed over its fields with the account's
//! signature secret; long messages come part by part.

use std::collections::BTreeMap;
use std::time::Duration;

use actors::kernel::foreign;
use events::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::HeaderMap;
use ring::hmac as ring_hmac;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use crate::inbound::{
    InboundFormat, InboundMessage, InboundRequest, PartOf, Rejected, header, hex_bytes, is_recent,
    mac, phone, understood,
};

/// Vonage repeats a request for a day. What its time cannot refuse, its message id does.
const TOLERANCE: Duration = Duration::from_hours(25);

type Fields = BTreeMap<String, String>;

/// The message of a request, or a part of one.
fn read(
    headers: &HeaderMap,
    body: &[u8],
    secret: &str,
    method: SignatureMethod,
    now: Timestamp,
) -> Result<Vec<InboundMessage>, Rejected> {
    let mut fields = fields(headers, body)?;
    // The signed text does not mark where a name ends: one with a separator in it could hide other
    // fields.
    if !fields.keys().all(|name| is_name(name)) {
        return Err(Rejected::NotSigned);
    }
    let signature = fields
        .remove("sig")
        .and_then(|signature| hex_bytes(&signature))
        .ok_or(Rejected::NotSigned)?;
    let is_recent = fields.get("timestamp").is_some_and(|at| is_recent(at, now, TOLERANCE));
    if !is_recent || !is_signed(&signature, &fields, secret, method) {
        return Err(Rejected::NotSigned);
    }
    // Receipts of messages sent come to the same address where they are set so.
    let Some(text) = fields.get("text") else { return Ok(Vec::new()) };
    let field = |name: &str| {
        fields.get(name).ok_or_else(|| Rejected::NotUnderstood(format!("{name} is missing")))
    };
    let to = phone("to", &format!("+{}", field("to")?.trim_start_matches('+')))?;
    Ok(vec![InboundMessage {
        id: field("messageId")?.clone(),
        to,
        from: field("msisdn")?.clone(),
        text: text.clone(),
        // Its `message-timestamp` is when Vonage began to bring the message, and says nothing of
        // when it came.
        received_at: None,
        part: part(&fields)?,
    }])
}

fn fields(headers: &HeaderMap, body: &[u8]) -> Result<Fields, Rejected> {
    let is_json = header(headers, CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    if !is_json {
        let mut fields = Fields::new();
        for (name, value) in form_urlencoded::parse(body).into_owned() {
            // Which of two values is signed, nothing says.
            if fields.insert(name, value).is_some() {
                return Err(Rejected::NotSigned);
            }
        }
        return Ok(fields);
    }
    let object: BTreeMap<String, serde_json::Value> = understood(foreign::read(body))?;
    let text = |value: serde_json::Value| {
        value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
    };
    Ok(object.into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte))
}

fn part(fields: &Fields) -> Result<Option<PartOf>, Rejected> {
    if fields.get("concat").is_none_or(|concat| concat != "true") {
        return Ok(None);
    }
    let number = |name: &str| {
        let text = fields
            .get(name)
            .ok_or_else(|| Rejected::NotUnderstood(format!("{name} is missing")))?;
        text.parse::<u8>()
            .map_err(|_| Rejected::NotUnderstood(format!("{name} is no small number")))
    };
    let (total, place) = (number("concat-total")?, number("concat-part")?);
    if total < 2 || !(1..=total).contains(&place) {
        return Ok(None);
    }
    // Any text will do as a reference; it becomes the same number for each part.
    let reference =
        Sha256::digest(fields.get("concat-ref").map(String::as_bytes).unwrap_or_default());
    Ok(Some(PartOf {
        reference: u32::from_be_bytes([reference[0], reference[1], reference[2], reference[3]]),
        number: place,
        total,
    }))
}

fn is_signed(signature: &[u8], fields: &Fields, secret: &str, method: SignatureMethod) -> bool {
    let signed = fields.iter().fold(String::new(), |signed, (name, value)| {
        signed + "&" + name + "=" + &value.replace(['&', '='], "_")
    });
    let (message, key) = (signed.as_bytes(), secret.as_bytes());
    let expected: Vec<u8> = match method {
        SignatureMethod::Md5hash => Md5::digest([message, key].concat()).to_vec(),
        SignatureMethod::Md5 => Hmac::<Md5>::new_from_slice(key)
            .expect("HMAC takes keys of any length")
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec(),
        SignatureMethod::Sha1 => ring_hmac::sign(
            &ring_hmac::Key::new(ring_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key),
            message,
        )
        .as_ref()
        .to_vec(),
        SignatureMethod::Sha256 => mac(key, &[message]).finalize().into_bytes().to_vec(),
        SignatureMethod::Sha512 => Hmac::<Sha512>::new_from_slice(key)
            .expect("HMAC takes keys of any length")
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec(),
    };
    expected.ct_eq(signature).into()
}

/// How an account's messages are signed, by the names of its settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureMethod {
    /// MD5 of the text and the secret.
    Md5hash,
    /// HMAC with MD5.
    Md5,
    /// HMAC with SHA-1.
    Sha1,
    /// HMAC with SHA-256.
    #[default]
    Sha256,
    /// HMAC with SHA-512.
    Sha512,
}

/// Messages of an account, as its signature secret signs them.
pub struct Inbound {
    /// The account's signature secret.
    pub signature_secret: String,
    /// How it signs.
    pub signature_method: SignatureMethod,
}

impl InboundFormat for Inbound {
    fn read(&self, request: &InboundRequest<'_>) -> Result<Vec<InboundMessage>, Rejected> {
        read(
            request.headers,
            request.body,
            &self.signature_secret,
            self.signature_method,
            request.now,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_512_345_000);

    fn signed(fields: &[(&str, &str)], method: SignatureMethod) -> Vec<(String, String)> {
        let mut all: Fields =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.entry("timestamp".to_owned()).or_insert_with(|| "1795512345".to_owned());
        let text = all.iter().fold(String::new(), |text, (name, value)| {
            text + "&" + name + "=" + &value.replace(['&', '='], "_")
        });
        let hash: Vec<u8> = match method {
            SignatureMethod::Md5hash => {
                Md5::digest([text.as_bytes(), b"signature secret"].concat()).to_vec()
            }
            _ => Hmac::<Sha256>::new_from_slice(b"signature secret")
                .unwrap()
                .chain_update(text)
                .finalize()
                .into_bytes()
                .to_vec(),
        };
        let hex = hash.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
        all.into_iter().chain([("sig".to_owned(), hex)]).collect()
    }

    fn sent(
        fields: &[(String, String)],
        method: SignatureMethod,
        json: bool,
    ) -> Result<Vec<InboundMessage>, Rejected> {
        let secret = "signature secret";
        let (kind, body) = if json {
            (
                "application/json",
                serde_json::to_string(&fields.iter().cloned().collect::<Fields>()).unwrap(),
            )
        } else {
            (
                "application/x-www-form-urlencoded",
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish(),
            )
        };
        let headers = [(CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect();
        read(&headers, body.as_bytes(), secret, method, NOW)
    }

    const MESSAGE: [(&str, &str); 5] = [
        ("msisdn", "Google"),
        ("to", "12025550123"),
        ("messageId", "0A000000012345"),
        ("text", "a&b=c 482913 ✓"),
        ("message-timestamp", "2026-11-24 12:00:00"),
    ];

    #[test]
    fn a_message_is_read_from_a_form_and_from_json() {
        for json in [false, true] {
            for method in [SignatureMethod::Md5hash, SignatureMethod::Sha256] {
                let read = sent(&signed(&MESSAGE, method), method, json).unwrap().remove(0);
                assert_eq!(
                    (read.id.as_str(), read.to.as_str(), read.from.as_str()),
                    ("0A000000012345", "+12025550123", "Google")
                );
                assert_eq!((read.text.as_str(), read.part), ("a&b=c 482913 ✓", None));
                assert_eq!(
                    read.received_at, None,
                    "when it is brought is not when it was received"
                );
            }
        }
    }

    #[test]
    fn one_field_is_never_taken_for_several_nor_several_for_one() {
        let parts =
            [("concat", "true"), ("concat-part", "2"), ("concat-ref", "7"), ("concat-total", "3")];
        let good = signed(
            &[&MESSAGE[..3], &[("text", "half of 482913")], &parts].concat(),
            SignatureMethod::Sha256,
        );
        assert!(sent(&good, SignatureMethod::Sha256, false).unwrap()[0].part.is_some());
        // The same signed text, cut otherwise: a part would become a message of its own.
        let hidden =
            ("concat=true&concat-part=2&concat-ref=7&concat-total".to_owned(), "3".to_owned());
        let recut: Vec<_> = good
            .iter()
            .filter(|(name, _)| !name.starts_with("concat"))
            .cloned()
            .chain([hidden])
            .collect();
        let twice: Vec<_> = [("text".to_owned(), "482913".to_owned())]
            .into_iter()
            .chain(good.iter().cloned())
            .collect();
        for json in [false, true] {
            assert_eq!(
                sent(&recut, SignatureMethod::Sha256, json),
                Err(Rejected::NotSigned),
                "{json}"
            );
        }
        assert_eq!(sent(&twice, SignatureMethod::Sha256, false), Err(Rejected::NotSigned));
    }

    #[test]
    fn parts_are_parts() {
        let concat = |total, number| {
            [
                ("concat", "true"),
                ("concat-ref", "7"),
                ("concat-total", total),
                ("concat-part", number),
            ]
        };
        let read = |more: &[(&str, &str)]| {
            sent(
                &signed(&[&MESSAGE, more].concat(), SignatureMethod::Sha256),
                SignatureMethod::Sha256,
                false,
            )
        };
        let part = read(&concat("3", "2")).unwrap()[0].part.unwrap();
        assert_eq!((part.number, part.total), (2, 3));
        assert_eq!(read(&concat("3", "1")).unwrap()[0].part.unwrap().reference, part.reference);
        // What is no part of several is a message.
        for (total, number) in [("1", "1"), ("2", "3"), ("2", "0"), ("0", "0")] {
            assert_eq!(read(&concat(total, number)).unwrap()[0].part, None);
        }
        assert!(matches!(read(&concat("many", "1")), Err(Rejected::NotUnderstood(_))));
    }

    #[test]
    fn what_is_not_signed_so_or_too_long_ago_is_refused() {
        let good = signed(&MESSAGE, SignatureMethod::Sha256);
        assert_eq!(sent(&good, SignatureMethod::Sha512, false), Err(Rejected::NotSigned));
        for place in 0..good.len() {
            let mut changed = good.clone();
            changed[place].1.push('0');
            assert_eq!(
                sent(&changed, SignatureMethod::Sha256, false),
                Err(Rejected::NotSigned),
                "{}",
                changed[place].0
            );
        }
        let without: Vec<_> = good.iter().filter(|(name, _)| name != "sig").cloned().collect();
        assert_eq!(sent(&without, SignatureMethod::Sha256, false), Err(Rejected::NotSigned));
        for at in ["1795400000", "1795700000", "soon", ""] {
            let old =
                signed(&[&MESSAGE[..], &[("timestamp", at)]].concat(), SignatureMethod::Sha256);
            assert_eq!(
                sent(&old, SignatureMethod::Sha256, false),
                Err(Rejected::NotSigned),
                "{at}"
            );
        }
    }

    #[test]
    fn what_is_signed_and_no_message_is_told_from_what_is_one() {
        let receipt =
            signed(&[("messageId", "1"), ("status", "delivered")], SignatureMethod::Sha256);
        assert_eq!(sent(&receipt, SignatureMethod::Sha256, true), Ok(vec![]));
        let nowhere = signed(
            &[("messageId", "1"), ("text", "x"), ("to", "Google"), ("msisdn", "x")],
            SignatureMethod::Sha256,
        );
        assert!(matches!(
            sent(&nowhere, SignatureMethod::Sha256, false),
            Err(Rejected::NotUnderstood(_))
        ));
        let headers = [(CONTENT_TYPE, "application/json".parse().unwrap())].into_iter().collect();
        let secret = "signature secret";
        for body in ["", "[]", "{", "\u{0}"] {
            assert!(
                matches!(
                    read(&headers, body.as_bytes(), secret, SignatureMethod::Sha256, NOW),
                    Err(Rejected::NotUnderstood(_))
                ),
                "{body}"
            );
        }
    }
}
