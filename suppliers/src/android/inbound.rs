//! The format of the SMS Gateway app on Android phones: JSON events, signed with its key over the
//! body and a time.

use std::collections::BTreeMap;

use actors::kernel::foreign;
use events::phone::Phone;
use events::time::Timestamp;
use hmac::Mac;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::inbound::{
    InboundFormat, InboundMessage, InboundRequest, Rejected, TOLERANCE, header, hex_bytes,
    is_recent, mac, time, understood,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    /// The same for every attempt of one delivery. The message's own id is made from its text: two
    /// alike would be one.
    id: String,
    event: String,
    #[serde(default)]
    device_id: Option<String>,
    payload: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(rename = "message")]
    text: String,
    // Older versions of the app call it phoneNumber; some send both.
    #[serde(default)]
    sender: Option<String>,
    #[serde(default)]
    phone_number: Option<String>,
    #[serde(default)]
    recipient: Option<String>,
    #[serde(default)]
    sim_number: Option<u32>,
    #[serde(default)]
    received_at: Option<String>,
}

/// The message of a request; none if it is another event.
fn read(
    headers: &HeaderMap,
    body: &[u8],
    phones: &Inbound,
    now: Timestamp,
) -> Result<Vec<InboundMessage>, Rejected> {
    if !is_signed(headers, body, &phones.signing_key, now) {
        return Err(Rejected::NotSigned);
    }
    let envelope: Envelope = understood(foreign::read(body))?;
    if envelope.event != "sms:received" {
        return Ok(Vec::new());
    }
    let message: Message = understood(foreign::read_value(envelope.payload))?;
    let to = number(&message, envelope.device_id.as_deref().unwrap_or_default(), &phones.sims)?;
    // The network's stamp, which is hours off on some: it counts only where the operator says so.
    let received_at = time(message.received_at.as_deref()).filter(|_| phones.trust_received_at);
    let from = message.sender.or(message.phone_number).unwrap_or_default();
    Ok(vec![InboundMessage {
        id: envelope.id,
        to,
        from,
        text: message.text,
        received_at,
        part: None,
    }])
}

/// The number of the SIM card: as the phone says, or as the configuration does.
fn number(
    message: &Message,
    device: &str,
    sims: &BTreeMap<String, Phone>,
) -> Result<Phone, Rejected> {
    if let Some(phone) = message.recipient.as_deref().and_then(|recipient| recipient.parse().ok()) {
        return Ok(phone);
    }
    let sim = message.sim_number.map_or_else(|| device.to_owned(), |sim| format!("{device}/{sim}"));
    let known = sims.get(&sim).or_else(|| sims.get(device));
    known.cloned().ok_or_else(|| {
        Rejected::NotUnderstood(
            "the phone does not know its number, and [suppliers.android.sims] \
            has none for its deviceId and simNumber"
                .to_owned(),
        )
    })
}

fn is_signed(headers: &HeaderMap, body: &[u8], key: &str, now: Timestamp) -> bool {
    let (Some(signature), Some(at)) =
        (header(headers, "x-signature"), header(headers, "x-timestamp"))
    else {
        return false;
    };
    let signed = mac(key.as_bytes(), &[body, at.as_bytes()]);
    is_recent(at, now, TOLERANCE)
        && hex_bytes(signature).is_some_and(|signature| signed.verify_slice(&signature).is_ok())
}

/// Messages of phones that share a signing key.
#[derive(Default)]
pub struct Inbound {
    /// The app's webhook signing key.
    pub signing_key: String,
    /// The numbers of SIM cards that do not know their own: `device id/SIM number`, or the device
    /// id alone.
    pub sims: BTreeMap<String, Phone>,
    /// Takes the time that phones say at its word.
    pub trust_received_at: bool,
}

impl InboundFormat for Inbound {
    fn read(&self, request: &InboundRequest<'_>) -> Result<Vec<InboundMessage>, Rejected> {
        read(request.headers, request.body, self, request.now)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_512_345_600);

    fn sent(body: &str, at: i64, signed: &str) -> Result<Vec<InboundMessage>, Rejected> {
        let bytes = mac(b"phone-key", &[signed.as_bytes(), at.to_string().as_bytes()])
            .finalize()
            .into_bytes();
        let hex: String =
            bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let headers = [
            ("x-signature".parse().unwrap(), hex.parse().unwrap()),
            ("x-timestamp".parse().unwrap(), at.to_string().parse().unwrap()),
        ];
        let sims = [("phone-1/2", "+12025550123"), ("phone-3", "+12025550124")];
        let sims = sims
            .map(|(sim, number)| (sim.to_owned(), number.parse().unwrap()))
            .into_iter()
            .collect();
        let phones = Inbound {
            signing_key: "phone-key".to_owned(),
            sims,
            trust_received_at: body.contains("+07:00"),
        };
        read(&headers.into_iter().collect(), body.as_bytes(), &phones, NOW)
    }

    fn received(device: &str, payload: Value) -> String {
        json!({
            "deviceId": device, "event": "sms:received", "id": "e1", "webhookId": "w1",
            "payload": payload,
        })
        .to_string()
    }

    fn number_of(device: &str, payload: Value) -> Result<String, Rejected> {
        let body = received(device, payload);
        sent(&body, NOW.millis() / 1_000, &body).map(|messages| messages[0].to.as_str().to_owned())
    }

    #[test]
    fn a_message_is_known_by_its_delivery_and_keeps_its_time() {
        let payload = json!({
            "messageId": "abc", "message": "G-482913", "sender": "Google",
            "recipient": "+12025550125", "simNumber": 1,
            "receivedAt": "2026-11-24T16:25:44.000+07:00"
        });
        let body = received("phone-1", payload);
        let sms = InboundMessage {
            id: "e1".to_owned(),
            to: "+12025550125".parse().unwrap(),
            from: "Google".to_owned(),
            text: "G-482913".to_owned(),
            received_at: Some(Timestamp::from_millis(1_795_512_344_000)),
            part: None,
        };
        assert_eq!(sent(&body, NOW.millis() / 1_000, &body), Ok(vec![sms]));
    }

    #[test]
    fn the_network_s_stamp_says_nothing_unless_it_is_trusted() {
        let payload = json!({
            "message": "x", "recipient": "+12025550125", "receivedAt": "2026-11-24T16:25:44.000Z",
        });
        let body = received("phone-1", payload);
        assert_eq!(sent(&body, NOW.millis() / 1_000, &body).unwrap()[0].received_at, None);
    }

    #[test]
    fn a_phone_that_does_not_know_its_number_is_looked_up() {
        let from = |sim: Value, recipient: Value| {
            json!({
                "message": "x", "phoneNumber": "y", "simNumber": sim, "recipient": recipient,
            })
        };
        assert_eq!(number_of("phone-1", from(json!(2), Value::Null)).unwrap(), "+12025550123");
        assert_eq!(
            number_of("phone-3", from(Value::Null, json!("020 2555"))).unwrap(),
            "+12025550124"
        );
        assert_eq!(number_of("phone-3", from(json!(1), json!(""))).unwrap(), "+12025550124");
        let unknown = number_of("phone-1", from(json!(1), Value::Null));
        assert!(matches!(
            unknown,
            Err(Rejected::NotUnderstood(what))
                if what.contains("[suppliers.android.sims]") && !what.contains("phone-1")
        ));
    }

    #[test]
    fn other_events_bring_no_message() {
        let body =
            json!({ "deviceId": "phone-1", "event": "system:ping", "id": "e2", "payload": {} })
                .to_string();
        assert_eq!(sent(&body, NOW.millis() / 1_000, &body), Ok(Vec::new()));
    }

    #[test]
    fn what_is_forged_old_or_no_message_is_refused() {
        let body = received("phone-3", json!({ "message": "x", "sender": "y" }));
        let now = NOW.millis() / 1_000;
        assert!(sent(&body, now, &body).is_ok());
        assert_eq!(sent(&body, now, "{}"), Err(Rejected::NotSigned));
        assert_eq!(sent(&body, now - 301, &body), Err(Rejected::NotSigned));
        assert_eq!(sent(&body, i64::MAX, &body), Err(Rejected::NotSigned));
        for wrong in [
            "",
            "{}",
            "[]",
            "null",
            &received("phone-3", json!({})),
            &received("phone-3", json!({ "message": 7 })),
        ] {
            assert!(matches!(sent(wrong, now, wrong), Err(Rejected::NotUnderstood(_))), "{wrong}");
        }
    }
}
