//! Messages as suppliers bring them to inbound webhooks, each signed as its supplier signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::time::Timestamp;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;

/// Where the service says that Twilio calls it.
pub const PUBLIC_URL: &str = "https://sms.example.com";
/// `suppliers.own.inbound_secret`.
pub const OWN_SECRET: &str = "whsec_0123456789abcdef";
/// `suppliers.twilio.auth_token`.
pub const TWILIO_TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// `suppliers.vonage.signature_secret`.
pub const VONAGE_SECRET: &str = "a signature secret";
/// `suppliers.android.signing_key`.
pub const ANDROID_KEY: &str = "phone-key";

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The supplier's id of it.
    pub id: &'a str,
    /// The number it was sent to.
    pub to: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Now, in milliseconds since 1970.
    pub now: i64,
    /// When it was received, as the supplier says it; Twilio has no word for it.
    pub received_at: Option<&'a str>,
}

/// A request to a door.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Where to.
    pub path: &'static str,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

fn telnyx_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed")
}

/// `suppliers.telnyx.public_key`.
pub fn telnyx_public_key() -> String {
    STANDARD.encode(telnyx_key().public_key())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn sha256(key: &str, text: &str) -> String {
    hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), text.as_bytes()).as_ref())
}

/// Any body, signed as our own format is.
pub fn own_body(body: String) -> Letter {
    Letter {
        path: "/inbound/v1/own",
        headers: vec![("x-webhook-signature", sha256(OWN_SECRET, &body))],
        body,
    }
}

/// From the operator's own gateway.
pub fn own(message: &Message) -> Letter {
    let Message { id, to, text, received_at, .. } = message;
    own_body(
        json!({ "id": id, "to": to, "from": "Google", "text": text, "received_at": received_at })
            .to_string(),
    )
}

/// Any id, in Twilio's form.
fn sid(id: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    format!("SM{}", &hex(digest.as_ref())[..32])
}

/// From Twilio.
pub fn twilio(message: &Message) -> Letter {
    let id = sid(message.id);
    twilio_form(&[
        ("Body", message.text),
        ("From", "Google"),
        ("MessageSid", id.as_str()),
        ("To", message.to),
    ])
}

/// Any parameters, in the order of their names, signed as Twilio does.
pub fn twilio_form(fields: &[(&str, &str)]) -> Letter {
    let path = "/inbound/v1/twilio?from=console";
    let signed = fields
        .iter()
        .fold(format!("{PUBLIC_URL}{path}"), |signed, (name, value)| signed + name + value);
    let signature = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TWILIO_TOKEN.as_bytes()),
        signed.as_bytes(),
    );
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let headers = vec![
        ("x-twilio-signature", STANDARD.encode(signature)),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
    ];
    Letter { path, headers, body: form }
}

/// From Telnyx.
pub fn telnyx(message: &Message) -> Letter {
    let Message { id, to, text, now, received_at } = message;
    let payload = json!({
        "id": id, "from": { "phone_number": "Google" }, "to": [{ "phone_number": to }],
        "text": text, "received_at": received_at,
    });
    telnyx_body(
        json!({ "data": { "event_type": "message.received", "payload": payload } }).to_string(),
        *now,
    )
}

/// Any body, signed as Telnyx does.
pub fn telnyx_body(body: String, now: i64) -> Letter {
    let at = (now / 1_000).to_string();
    let signature = STANDARD.encode(telnyx_key().sign(format!("{at}|{body}").as_bytes()));
    Letter {
        path: "/inbound/v1/telnyx",
        headers: vec![("telnyx-signature-ed25519", signature), ("telnyx-timestamp", at)],
        body,
    }
}

/// From Vonage, signed with HMAC-SHA256.
pub fn vonage(message: &Message) -> Letter {
    let at = (message.now / 1_000).to_string();
    let to = message.to.trim_start_matches('+');
    // As in `2026-11-24 12:00:00`, in UTC.
    // When it is brought, not when it was received.
    let brought_at = Timestamp::from_millis(message.now)
        .to_string()
        .chars()
        .take(19)
        .collect::<String>()
        .replacen('T', " ", 1);
    let (id, text) = (message.id, message.text);
    let fields = [
        ("message-timestamp", brought_at.as_str()),
        ("messageId", id),
        ("msisdn", "Google"),
        ("text", text),
        ("timestamp", &at),
        ("to", to),
        ("type", "text"),
    ];
    vonage_fields(&fields)
}

/// Any fields, in the order of their names, signed as Vonage does.
pub fn vonage_fields(fields: &[(&str, &str)]) -> Letter {
    let clean = |value: &str| value.replace(['&', '='], "_");
    let signed = fields
        .iter()
        .fold(String::new(), |signed, (name, value)| format!("{signed}&{name}={}", clean(value)));
    let mut body: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    body.insert("sig".to_owned(), json!(sha256(VONAGE_SECRET, &signed)));
    let headers = vec![("content-type", "application/json".to_owned())];
    Letter {
        path: "/inbound/v1/vonage",
        headers,
        body: serde_json::Value::Object(body).to_string(),
    }
}

/// From a phone that does not know its number, only its device and SIM.
pub fn android(message: &Message, device: &str, sim: u8) -> Letter {
    let Message { id, text, now, received_at, .. } = message;
    let payload = json!({
        "message": text, "sender": "Google", "recipient": null, "simNumber": sim,
        "messageId": "same", "receivedAt": received_at,
    });
    android_body(
        json!({ "deviceId": device, "event": "sms:received", "id": id, "payload": payload })
            .to_string(),
        *now,
    )
}

/// Any body, signed as a phone does.
pub fn android_body(body: String, now: i64) -> Letter {
    let at = (now / 1_000).to_string();
    let headers =
        vec![("x-signature", sha256(ANDROID_KEY, &format!("{body}{at}"))), ("x-timestamp", at)];
    Letter { path: "/inbound/v1/android", headers, body }
}
