//! Twilio's format: a form, signed with the account's auth token over the address that it calls and every field.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use url::form_urlencoded;

use super::{Rejected, Sms, header, phone};
use crate::secret::Secret;

/// A field's values; Twilio signs each value of a repeated field once, in order.
type Fields = BTreeMap<String, BTreeSet<String>>;

/// The message of a request to `address`, which is written as in Twilio's console.
pub fn read(headers: &HeaderMap, body: &[u8], address: &str, token: &Secret) -> Result<Vec<Sms>, Rejected> {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        fields.entry(name).or_default().insert(value);
    }
    let signature = header(headers, "x-twilio-signature").and_then(|signature| STANDARD.decode(signature).ok());
    if !signature.is_some_and(|signature| is_signed(&signature, address, &fields, token)) {
        return Err(Rejected::NotSigned);
    }
    let field = |name: &str| {
        let value = fields.get(name).and_then(BTreeSet::first);
        value.ok_or_else(|| Rejected::NotUnderstood(format!("{name} is missing")))
    };
    Ok(vec![Sms {
        id: field("MessageSid")?.clone(),
        to: phone("To", field("To")?)?,
        from: field("From")?.clone(),
        text: field("Body")?.clone(),
        received_at: None,
        part: None,
    }])
}

fn is_signed(signature: &[u8], address: &str, fields: &Fields, token: &Secret) -> bool {
    let mut signed = address.to_owned();
    for (name, values) in fields {
        for value in values {
            signed.push_str(name);
            signed.push_str(value);
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose().as_bytes());
    hmac::verify(&key, signed.as_bytes(), signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://sms.example.com/inbound/v1/twilio";
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn sent(body: &str, signed: &str) -> Result<Vec<Sms>, Rejected> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let headers = [("x-twilio-signature".parse().unwrap(), signature.parse().unwrap())].into_iter().collect();
        read(&headers, body.as_bytes(), ADDRESS, &Secret::new(TOKEN.to_owned()))
    }

    #[test]
    fn the_address_and_every_field_are_signed_in_the_order_of_their_names() {
        let body = "To=%2B12025550123&From=Google&Body=G-482913+caf%C3%A9&MessageSid=SM1&NumSegments=1";
        let signed = format!("{ADDRESS}BodyG-482913 caféFromGoogleMessageSidSM1NumSegments1To+12025550123");
        let sms = &sent(body, &signed).unwrap()[0];
        assert_eq!((sms.id.as_str(), sms.to.as_str(), sms.text.as_str()), ("SM1", "+12025550123", "G-482913 café"));
        assert_eq!(sent(&format!("{body}&Extra=1"), &signed), Err(Rejected::NotSigned));
        assert_eq!(sent(body, &signed.replace("https", "http")), Err(Rejected::NotSigned));
    }

    #[test]
    fn what_is_signed_and_no_message_is_named() {
        assert_eq!(sent("", ADDRESS), Err(Rejected::NotUnderstood("MessageSid is missing".to_owned())));
        let missing = sent("MessageSid=SM1&To=32665&From=x&Body=x", &format!("{ADDRESS}BodyxFromxMessageSidSM1To32665"));
        assert!(matches!(missing, Err(Rejected::NotUnderstood(what)) if what.starts_with("To is")));
    }

    #[test]
    fn hostile_signatures_and_forms_are_refused() {
        for signature in ["", "=", "AAAA", "%%%", &"A".repeat(10_000)] {
            let headers = [("x-twilio-signature".parse().unwrap(), signature.parse().unwrap())].into_iter().collect();
            for body in [&b""[..], b"%", b"\xff\xfe", b"=&=&=", b"a=%ff&b"] {
                assert_eq!(read(&headers, body, ADDRESS, &Secret::new(TOKEN.to_owned())), Err(Rejected::NotSigned), "{signature}");
            }
        }
        assert_eq!(read(&HeaderMap::new(), b"", ADDRESS, &Secret::new(TOKEN.to_owned())), Err(Rejected::NotSigned));
    }
}
