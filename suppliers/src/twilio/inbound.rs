//! Twilio's format: a form, signed with the account's auth token over the address that it calls and
//! every field.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use ring::hmac;
use url::form_urlencoded;

use crate::inbound::{InboundFormat, InboundMessage, InboundRequest, Rejected, header, phone};

/// Parameters of what is read, as they begin in the signed text; a name as short as `To` counts
/// with the sign of its number.
const READ: [&str; 6] = ["AccountSid", "ApiVersion", "Body", "From", "MessageSid", "To+"];
/// Parameters that Twilio's documentation of incoming messages names.
const KNOWN: [&str; 52] = [
    "AccountSid",
    "AddOns",
    "Address",
    "ApiVersion",
    "Body",
    "ButtonPayload",
    "ButtonText",
    "ChannelInstallSid",
    "ChannelMetadata",
    "ChannelPrefix",
    "ChannelToAddress",
    "DateCreated",
    "DateSent",
    "ErrorCode",
    "ErrorMessage",
    "Forwarded",
    "FrequentlyForwarded",
    "From",
    "FromCity",
    "FromCountry",
    "FromState",
    "FromZip",
    "Label",
    "Latitude",
    "ListId",
    "ListTitle",
    "Longitude",
    "MessageSid",
    "MessageStatus",
    "MessageType",
    "MessagingServiceSid",
    "NumMedia",
    "NumSegments",
    "OptOutType",
    "OriginalRepliedMessageSender",
    "OriginalRepliedMessageSid",
    "ProfileName",
    "RawDlrDoneDate",
    "ReferralNumMedia",
    "ReferralBody",
    "ReferralHeadline",
    "ReferralSourceId",
    "ReferralSourceType",
    "SmsMessageSid",
    "SmsSid",
    "SmsStatus",
    "To",
    "ToCity",
    "ToCountry",
    "ToState",
    "ToZip",
    "WaId",
];
/// Those that are numbered, from 0.
const NUMBERED: [&str; 3] = ["MediaContentType", "MediaSid", "MediaUrl"];

/// A field's values; Twilio signs each value of a repeated field once, in order.
type Fields = BTreeMap<String, BTreeSet<String>>;

/// The message of a request to `address`, which is written as in Twilio's console.
fn read(
    headers: &HeaderMap,
    body: &[u8],
    address: &str,
    token: &str,
) -> Result<Vec<InboundMessage>, Rejected> {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        fields.entry(name).or_default().insert(value);
    }
    let signature =
        header(headers, "x-twilio-signature").and_then(|signature| STANDARD.decode(signature).ok());
    let Some(signature) = signature else { return Err(Rejected::NotSigned) };
    if !is_signed(&signature, address, &fields, token) {
        let other = other_addresses(headers, address)
            .into_iter()
            .find(|other| is_signed(&signature, other, &fields, token));
        return Err(other.map_or(Rejected::NotSigned, Rejected::SignedFor));
    }
    shaped(address, &fields)?;
    let field = |name: &str| {
        let value = fields.get(name).and_then(BTreeSet::first);
        value.ok_or_else(|| Rejected::NotUnderstood(format!("{name} is missing")))
    };
    let id = field("MessageSid")?;
    if !is_sid(id, &["SM", "MM"]) {
        return Err(Rejected::NotUnderstood(
            "MessageSid is not SM or MM and 32 hexadecimal digits".to_owned(),
        ));
    }
    Ok(vec![InboundMessage {
        id: id.clone(),
        to: phone("To", field("To")?)?,
        from: field("From")?.clone(),
        text: field("Body")?.clone(),
        received_at: None,
        part: None,
    }])
}

/// What is signed has no separators: the same text can be cut into other names and values. It
/// counts only where there is one way to cut it: names that Twilio sends, one value each, and no
/// name of what is read inside another's value or in the address.
fn shaped(address: &str, fields: &Fields) -> Result<(), Rejected> {
    let wrong = |what: &str| Err(Rejected::NotUnderstood(what.to_owned()));
    if fields.values().any(|values| values.len() != 1) {
        return wrong("a parameter stands more than once");
    }
    if !fields.keys().all(|name| is_known(name)) {
        return wrong("a parameter that Twilio does not send");
    }
    let hides = |text: &str| READ.iter().any(|name| text.contains(name));
    let others = fields.iter().filter(|(name, _)| *name != "Body").flat_map(|(_, values)| values);
    if hides(address) || others.into_iter().any(|value| hides(value)) {
        return wrong("a parameter inside another one's value");
    }
    let account = fields.get("AccountSid").and_then(BTreeSet::first);
    if account.is_some_and(|account| !is_sid(account, &["AC"])) {
        return wrong("AccountSid is not AC and 32 hexadecimal digits");
    }
    Ok(())
}

fn is_known(name: &str) -> bool {
    let numbered = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    KNOWN.contains(&name)
        || (numbered.len() < name.len()
            && name.len() <= numbered.len() + 2
            && NUMBERED.contains(&numbered))
}

/// One of these letters and 32 digits, as Twilio names what it has.
fn is_sid(text: &str, kinds: &[&str]) -> bool {
    let digits = kinds.iter().find_map(|kind| text.strip_prefix(kind));
    digits.is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// What an operator may have taken `address` for: another scheme, the host that was called, a port
/// that is said or left out, or an end.
fn other_addresses(headers: &HeaderMap, address: &str) -> Vec<String> {
    let Some((_, rest)) = address.split_once("://") else { return Vec::new() };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
    let mut hosts =
        vec![host.to_owned(), bare.to_owned(), format!("{bare}:443"), format!("{bare}:80")];
    hosts.extend(
        ["host", "x-forwarded-host"]
            .iter()
            .filter_map(|name| header(headers, name))
            .map(str::to_owned),
    );
    let under_public_path = path.find("/inbound/").map_or(path, |at| &path[at..]);
    let mut others = Vec::new();
    for (scheme, host) in
        ["https", "http"].iter().flat_map(|scheme| hosts.iter().map(move |host| (scheme, host)))
    {
        for path in [path, under_public_path] {
            others.push(format!("{scheme}://{host}{path}"));
            others.push(format!("{scheme}://{host}{path}/"));
        }
    }
    others.retain(|other| other != address);
    others
}

fn is_signed(signature: &[u8], address: &str, fields: &Fields, token: &str) -> bool {
    let mut signed = address.to_owned();
    for (name, values) in fields {
        for value in values {
            signed.push_str(name);
            signed.push_str(value);
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    hmac::verify(&key, signed.as_bytes(), signature).is_ok()
}

/// Messages of an account, as its auth token signs them.
pub struct Inbound {
    /// The account's auth token.
    pub auth_token: String,
}

impl InboundFormat for Inbound {
    fn read(&self, request: &InboundRequest<'_>) -> Result<Vec<InboundMessage>, Rejected> {
        read(request.headers, request.body, request.address, &self.auth_token)
    }

    fn not_signed(&self) -> &'static str {
        "The message is not signed with this supplier's secret. Twilio signs the address that it \
         calls: http.public_url must be the beginning of it, \
        letter by letter, and suppliers.twilio.auth_token the account's."
    }

    /// Twilio would send our own answer to the sender.
    fn answer(&self) -> Option<(&'static str, &'static str)> {
        Some(("text/xml", "<Response></Response>"))
    }
}

#[cfg(test)]
mod tests;
