//! An event in JSON, as auditors, operators and other programs read it: one description for all of
//! them.

use std::borrow::Cow;

use actors::inbox::alphabet;
use actors::store::chain::Hash;
use actors::store::sqlite::AuditRecord;
use events::account::{self, Event as AccountEvent, RegistrationKind};
use events::id::CommandId;
use events::phone::Phone;
use events::{Event, address, deposit, lease, number, order, purchase, reveal, webhook};

use serde_json::{Value, json};

use crate::http::erased;

mod described;

pub use described::{policy as policy_of, scope, stated, verdict};

/// A record as JSON; what callers keep to themselves only if it is revealed.
pub fn record(record: &AuditRecord, reveal: bool) -> Value {
    let recorded = &record.recorded;
    json!({
        "position": recorded.position.0,
        "stream": stream(recorded.stream.as_str(), reveal),
        "revision": recorded.revision.0,
        "id": recorded.id.to_string(),
        "event": &*record.name,
        "version": record.version,
        "at": recorded.at.to_string(),
        "causation": CommandId(record.causation).to_string(),
        "correlation": recorded.correlation.map(|order| order.to_string()),
        "actor": &*record.actor,
        "data": data(&recorded.event, reveal),
    })
}

/// A stream's name. A number's own has the number in it.
fn stream(name: &str, reveal: bool) -> Cow<'_, str> {
    let number = name.strip_prefix("number-").and_then(|number| number.parse::<Phone>().ok());
    match number {
        Some(number) if !reveal => format!("number-{}", number.masked()).into(),
        _ => name.into(),
    }
}

/// An event's own values. Key hashes and webhook secrets are never shown.
pub fn data(event: &Event, reveal: bool) -> Value {
    let secret = |text: &str| if reveal { json!(text) } else { json!("hidden") };
    match event {
        Event::Account(AccountEvent::Order(_, event)) => order_data(event, reveal),
        Event::Account(event) => account_data(event),
        Event::Webhook(event) => webhook_data(event),
        Event::Deposit(event) => deposit_data(event),
        Event::Address(address::Event::Assigned(assigned)) => json!({
            "account": assigned.account.to_string(), "key": assigned.key.as_str(),
            "index": assigned.index, "address": assigned.address.text,
        }),
        Event::Chain(event) => {
            json!({ "height": event.block().height, "hash": event.block().hash })
        }
        Event::Lease(event) => lease_data(event, reveal),
        Event::Purchase(event) => purchase_data(event),
        Event::Reveal(reveal::Event::Revealed { subject, reason, .. }) => {
            json!({ "subject": subject, "reason": reason })
        }
        Event::Policy(event) => described::applied(event),
        Event::Provenance(event) => described::provenance(event),
        Event::Invite(event) => described::invite(event),
        Event::Export(event) => described::exported(event, reveal),
        Event::Leadership(event) => described::leadership(event),
        Event::Erasure(event) => described::erasure(event),
        Event::Number(number::Event::Listed { listing, .. }) => json!({
            "supplier": listing.supplier.as_str(), "country": listing.country.code(),
            "platforms": listing.platforms.as_ref().map(
                |platforms| platforms.iter().map(|platform| platform.slug()).collect::<Vec<_>>(),
            ),
        }),
        Event::Number(number::Event::Retired { reason, .. }) => json!({ "reason": reason }),
        Event::Number(number::Event::PartKept { part, .. }) => json!({
            "supplier": part.supplier.as_str(), "sender": secret(&part.sender),
            "reference": part.reference, "number": part.number, "total": part.total,
            "text": secret(&alphabet::decode(part.alphabet, &part.bytes)),
            "received_at": part.received_at.to_string(),
        }),
        Event::Number(number::Event::PartsJoined { set, is_whole, .. }) => {
            json!({
                "supplier": set.supplier.as_str(), "reference": set.reference, "total": set.total,
                "is_whole": is_whole,
            })
        }
        Event::Number(number::Event::SmsKept(sms)) => {
            json!({
                "message_id": sms.message_id, "supplier": sms.supplier.as_str(),
                "sender": secret(&sms.sender), "text": secret(&sms.text),
                "received_at": sms.received_at.to_string(), "why": sms.why.name(),
            })
        }
    }
}

fn account_data(event: &account::Event) -> Value {
    match event {
        AccountEvent::Registered { id, .. } => json!({ "account": id.to_string() }),
        AccountEvent::OpenedForTests { of, .. } => {
            json!({ "live_account": of.map(|account| account.to_string()) })
        }
        AccountEvent::TestAccountOpened { id, .. } => json!({ "test_account": id.to_string() }),
        AccountEvent::Admitted { kind, terms, .. } => {
            let by =
                if let RegistrationKind::Invite(id) = kind { Some(id.to_string()) } else { None };
            json!({ "kind": kind.name(), "terms": terms, "invite": by })
        }
        AccountEvent::Credited { amount, reason, .. } => {
            json!({ "amount": amount.to_string(), "reason": reason })
        }
        AccountEvent::ApiKeyAdded { id, name, .. } => {
            json!({ "key": id.to_string(), "name": name })
        }
        AccountEvent::ApiKeyRemoved { id, .. } => json!({ "key": id.to_string() }),
        AccountEvent::ApiKeysReplaced { id, reason, .. } => {
            json!({ "key": id.to_string(), "reason": reason })
        }
        AccountEvent::Debited { amount, reason, overdraws, .. } => {
            json!({ "amount": amount.to_string(), "reason": reason, "overdraws": overdraws })
        }
        AccountEvent::DepositCredited { deposit, amount, .. }
        | AccountEvent::DepositReversed { deposit, amount, .. }
        | AccountEvent::DustKept { deposit, amount, .. }
        | AccountEvent::DustDropped { deposit, amount, .. } => {
            json!({ "deposit": deposit.to_string(), "amount": amount.to_string() })
        }
        AccountEvent::ClassSet { class, reason, .. } => {
            json!({ "class": class.name(), "reason": reason })
        }
        AccountEvent::OrderRefused(refused) => json!({
            "order": refused.order.to_string(), "platform": refused.platform.slug(),
            "country": refused.country.code(),
            "verdict": described::verdict(&refused.verdict), "reason": refused.reason,
        }),
        AccountEvent::Suspended { reason, .. }
        | AccountEvent::Approved { reason, .. }
        | AccountEvent::Declined { reason, .. }
        | AccountEvent::Reinstated { reason, .. } => json!({ "reason": reason }),
        AccountEvent::Removed { unused_days, .. } => json!({ "unused_days": unused_days }),
        AccountEvent::HoldTaken { order, amount, .. }
        | AccountEvent::HoldCaptured { order, amount, .. }
        | AccountEvent::HoldReleased { order, amount, .. }
        | AccountEvent::CaptureRefunded { order, amount, .. } => {
            json!({ "order": order.to_string(), "amount": amount.to_string() })
        }
        AccountEvent::BatchPlaced { items, .. } => {
            json!({ "items": items.iter().map(batch_item).collect::<Vec<_>>() })
        }
        AccountEvent::KeyUsed { key, effect, .. } => {
            json!({ "key": key.as_str(), "effect": format!("{effect:?}") })
        }
        AccountEvent::WebhookSet { url, threshold, .. } => {
            json!({
                "origin": described::origin(url),
                "threshold": threshold.to_string(),
            })
        }
        AccountEvent::Reopened { .. }
        | AccountEvent::WebhookRemoved { .. }
        | AccountEvent::WebhookSecretRotated { .. } => json!({}),
        AccountEvent::WebhookDue { sequence, notice, .. } => {
            json!({ "sequence": sequence, "event": notice.name() })
        }
        AccountEvent::Order(order, _) => json!({ "order": order.to_string() }),
    }
}

fn batch_item(item: &account::BatchItem) -> Value {
    let refused = item.refused.as_ref().map(ToString::to_string);
    json!({ "order": item.order.to_string(), "refused": refused })
}

fn deposit_data(event: &deposit::Event) -> Value {
    match event {
        deposit::Event::Claimed { account, chain, tx_hash, output, .. } => {
            json!({
                "account": account.to_string(), "chain": chain, "tx_hash": tx_hash.as_str(),
                "output": output,
            })
        }
        deposit::Event::Seen { sight, .. } => json!({
            "account": sight.account.map(|account| account.to_string()), "chain": sight.chain,
            "tx_hash": sight.tx_hash.as_str(),
            "output": sight.output, "paid": sight.paid, "block_height": sight.block.height,
            "block_hash": sight.block.hash,
        }),
        deposit::Event::Confirmed { amount, paid, rate, rate_source, rate_at, .. } => json!({
            "amount": amount.to_string(), "paid": paid, "rate": rate, "rate_source": rate_source,
            "rate_at": rate_at.to_string(),
        }),
        deposit::Event::Orphaned { .. }
        | deposit::Event::Credited { .. }
        | deposit::Event::Reversed { .. }
        | deposit::Event::Settled { .. } => {
            json!({})
        }
    }
}

fn lease_data(event: &lease::Event, reveal: bool) -> Value {
    match event {
        lease::Event::Sought { request, .. } => json!({
            "supplier": request.id.supplier.as_str(), "order": request.id.order.to_string(),
            "attempt": request.id.attempt,
            "account": request.account.to_string(), "platform": request.platform.slug(),
            "country": request.country.code(),
        }),
        lease::Event::Obtained { phone, cost, .. } => {
            json!({
                "phone": if reveal { phone.as_str().to_owned() } else { phone.masked() },
                "cost": cost.to_string(),
            })
        }
        lease::Event::Declined { .. } => json!({}),
        lease::Event::ReleaseSought { outcome, .. } => json!({ "outcome": outcome.name() }),
        lease::Event::Released { charged, .. } => json!({ "charged": charged.to_string() }),
    }
}

/// The operator's own numbers are no secret of a caller's.
fn purchase_data(event: &purchase::Event) -> Value {
    let phone = event.phone().as_str();
    match event {
        purchase::Event::Intended { country, monthly, .. } => {
            json!({ "phone": phone, "country": country.code(), "monthly": monthly.to_string() })
        }
        purchase::Event::Failed { why, .. } => json!({ "phone": phone, "why": why }),
        purchase::Event::Made { .. }
        | purchase::Event::EndIntended { .. }
        | purchase::Event::Ended { .. } => json!({ "phone": phone }),
    }
}

fn webhook_data(event: &webhook::Event) -> Value {
    match event {
        webhook::Event::Attempted { sequence, attempt, outcome, millis, next_at, .. } => json!({
            "sequence": sequence, "attempt": attempt, "outcome": outcome.name(),
            "http_status": outcome.status(), "millis": millis,
            "next_at": next_at.map(|next_at| next_at.to_string()),
        }),
        webhook::Event::Delivered { sequence, .. }
        | webhook::Event::Exhausted { sequence, .. }
        | webhook::Event::RedeliveryRequested { sequence, .. } => {
            json!({ "sequence": sequence })
        }
    }
}

fn order_data(event: &order::Event, reveal: bool) -> Value {
    let mut data = order_values(event, reveal);
    if erased::of_fact(event) {
        described::leave_out_erased(&mut data);
        data["erased"] = json!(true);
    }
    data
}

fn order_values(event: &order::Event, reveal: bool) -> Value {
    let secret = |text: &str| if reveal { json!(text) } else { json!("hidden") };
    match event {
        order::Event::Placed(placed) => json!({
            "platform": placed.platform.slug(), "country": placed.country.code(),
            "list_price": placed.list_price.to_string(), "price": placed.price.to_string(),
            "lifetime_seconds": placed.lifetime_seconds, "seek_seconds": placed.seek_seconds,
            "max_attempts": placed.max_attempts,
            "listen_seconds": placed.listen_seconds,
            "verdict": placed.verdict.as_ref().map(described::verdict),
        }),
        order::Event::AttemptFailed { attempt, supplier, reason, .. } => {
            json!({
                "attempt": attempt, "supplier": supplier.as_str(), "reason": format!("{reason:?}"),
            })
        }
        order::Event::NumberAssigned { attempt, supplier, phone, expires_at, .. } => {
            let phone = if reveal { phone.as_str().to_owned() } else { phone.masked() };
            json!({
                "attempt": attempt, "supplier": supplier.as_str(), "phone": phone,
                "expires_at": expires_at.to_string(),
            })
        }
        order::Event::NumberReportedDead { attempt, supplier, .. } => {
            json!({ "attempt": attempt, "supplier": supplier.as_str() })
        }
        order::Event::SmsReceived(sms) => sms_data(sms, reveal),
        order::Event::SmsHeld { message_id, supplier, kinds, received_at, .. } => {
            json!({
                "message_id": message_id, "supplier": supplier.as_str(),
                "kinds": kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
                "received_at": received_at.to_string(),
            })
        }
        order::Event::SmsRepeated { message_id, supplier, repeats, received_at, .. } => {
            json!({
                "message_id": message_id, "supplier": supplier.as_str(), "repeats": repeats,
                "received_at": received_at.to_string(),
            })
        }
        order::Event::Completed { code, message_id, listens_until, .. } => {
            json!({
                "code": secret(code), "message_id": message_id,
                "listens_until": listens_until.to_string(),
            })
        }
        order::Event::CodeReplaced { code, message_id, .. } => {
            json!({ "code": secret(code), "message_id": message_id })
        }
        order::Event::Reported { complaint, .. } => json!({ "complaint": complaint.name() }),
        order::Event::ScenarioChosen { scenario, .. } => json!({ "scenario": scenario.name() }),
        order::Event::Queued { .. }
        | order::Event::Started { .. }
        | order::Event::Refunded { .. }
        | order::Event::Finished { .. }
        | order::Event::Cancelled { .. }
        | order::Event::Expired { .. } => json!({}),
        order::Event::Failed { reason, .. } => json!({ "reason": format!("{reason:?}") }),
    }
}

fn sms_data(sms: &order::Sms, reveal: bool) -> Value {
    let secret = |text: &str| if reveal { json!(text) } else { json!("hidden") };
    let candidate = |candidate: &events::code::Candidate| {
        let reasons: Vec<&str> = candidate.reasons.iter().map(|reason| reason.name()).collect();
        json!({ "code": secret(&candidate.code), "score": candidate.score, "reasons": reasons })
    };
    let candidates: Vec<Value> = sms.extraction.candidates.iter().map(candidate).collect();
    json!({
        "message_id": sms.message_id, "supplier": sms.supplier.as_str(),
        "sender": secret(&sms.sender), "text": secret(&sms.text),
        "received_at": sms.received_at.to_string(),
        "verdict": sms.extraction.verdict.name(), "candidates": candidates,
    })
}

/// Bytes as text.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A hash again; `None` if the text is none.
pub fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}
