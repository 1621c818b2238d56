//! How a supplier's request brings messages: what every format reads of it, and what it answers.

use std::time::Duration;

use actors::kernel::foreign::Unreadable;
use events::phone::Phone;
use events::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::HeaderMap;
use sha2::Sha256;

/// How far a signature's time may be from ours: what the Standard Webhooks libraries allow, and
/// Telnyx's.
pub const TOLERANCE: Duration = Duration::from_mins(5);
/// Longest id and sender that are taken; a concatenated SMS ends far below.
const MAX_ID: usize = 200;
const MAX_SENDER: usize = 100;

/// A request of a supplier.
#[derive(Debug, Clone, Copy)]
pub struct InboundRequest<'a> {
    /// The address that was called, as the public knows this service.
    pub address: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
    /// What this machine's clock says: the supplier's was asked when it signed.
    pub now: Timestamp,
}

/// A message, or a part of one, as a format has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// The supplier's id of it.
    pub id: String,
    /// The number it was sent to.
    pub to: Phone,
    /// Who sent it, as the network says.
    pub from: String,
    /// The text.
    pub text: String,
    /// When the supplier received it, if it says so.
    pub received_at: Option<Timestamp>,
    /// Which part of which message it is, where parts arrive apart.
    pub part: Option<PartOf>,
}

/// Which part a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOf {
    /// What the parts of one message have in common.
    pub reference: u32,
    /// Its number among them, from 1.
    pub number: u8,
    /// How many there are.
    pub total: u8,
}

/// A request that brings no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// Whoever sent it does not prove to be the supplier; it counts for its address.
    NotSigned,
    /// It is the supplier's, and signed for another address than the one that is configured.
    SignedFor(String),
    /// It is the supplier's, and says something else than such messages do; the text says what,
    /// never with a value.
    NotUnderstood(String),
}

/// A supplier's format.
pub trait InboundFormat: Send + Sync + 'static {
    /// The messages of a request; none if it tells of something else.
    fn read(&self, request: &InboundRequest<'_>) -> Result<Vec<InboundMessage>, Rejected>;

    /// What is said to whoever does not prove to be the supplier.
    fn not_signed(&self) -> &'static str {
        "The message is not signed with this supplier's secret, or was not signed within the last \
         five minutes."
    }

    /// Type and body of the answer, for a supplier that would misread our own.
    fn answer(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}

/// The messages of a request, of which each has an id and a sender that can be kept.
pub fn read(
    format: &dyn InboundFormat,
    request: &InboundRequest<'_>,
) -> Result<Vec<InboundMessage>, Rejected> {
    let messages = format.read(request)?;
    match messages.iter().find(|message| {
        message.id.is_empty() || message.id.len() > MAX_ID || message.from.len() > MAX_SENDER
    }) {
        Some(_) => Err(Rejected::NotUnderstood(format!(
            "its id has 1 to {MAX_ID} bytes, its sender at most {MAX_SENDER}"
        ))),
        None => Ok(messages),
    }
}

/// A header's text.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a time in seconds since 1970 is close enough to now for a signature over it to count.
pub fn is_recent(seconds: &str, now: Timestamp, tolerance: Duration) -> bool {
    seconds.parse::<i64>().is_ok_and(|seconds| {
        let millis = i128::from(seconds) * 1_000 - i128::from(now.millis());
        millis.unsigned_abs() <= tolerance.as_millis()
    })
}

/// What is read of a body; the error names the place and the kind, never the value: it is logged,
/// and values are codes and numbers.
pub fn understood<T>(read: Result<T, Unreadable>) -> Result<T, Rejected> {
    read.map_err(|error| Rejected::NotUnderstood(error.to_string()))
}

/// When a telecom or a phone received it. A time that is not understood is no reason to lose a
/// code: it counts as received now.
pub fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|at| at.parse().ok())
}

/// A field's number.
pub fn phone(field: &str, text: &str) -> Result<Phone, Rejected> {
    text.parse().map_err(|error| Rejected::NotUnderstood(format!("{field} is {error}")))
}

/// HMAC-SHA256 over these, one after the other.
pub fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

/// The bytes of a text of hexadecimal digits.
pub fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
