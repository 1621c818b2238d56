//! Messages and codes: a message that was taken from its source is kept, a code stood in a message
//! to its order's number, and no order has what was another's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use actors::inbox::Delivery;
use events::id::OrderId;
use events::order::{Event as Fact, Sms};
use events::{Event, number};

use super::Log;
use crate::life::{REST, Span, spans};
use crate::marks::Mark;
use crate::network::{Acknowledged, Letter, Stamp};
use crate::run::Remains;

pub fn judge(log: &Log, remains: &Remains<'_>, findings: &mut Vec<String>) {
    let sent: BTreeMap<String, Letter> = remains
        .network
        .sent()
        .into_iter()
        .map(|letter| (letter.message_id.clone(), letter))
        .collect();
    for acknowledged in remains.network.acknowledged() {
        kept(log, &acknowledged, findings);
        races(log, &acknowledged, remains);
        if remains.script.has_true_clock() && remains.script.has_true_disk() {
            withheld(log, &acknowledged, findings);
        }
    }
    let spans: BTreeMap<OrderId, Vec<Span>> =
        log.orders.iter().map(|(id, told)| (*id, spans(&told.state))).collect();
    for (id, told) in &log.orders {
        for found in told.state.codes() {
            let letter = sent.get(found.message_id);
            if letter.is_none_or(|letter| letter.code.as_deref() != Some(found.code)) {
                findings.push(format!("S2: {id} has the code {found:?} of {letter:?}"));
            }
        }
        for sms in told.state.messages() {
            match sent.get(&sms.message_id) {
                None => findings.push(format!("S2: {id} has a message nobody sent: {sms:?}")),
                Some(letter) => whose(*id, sms, letter, &spans, remains, findings),
            }
        }
    }
    // A whole second may be of two orders: a message that was kept for the one before can be taken
    // by the next when it is brought again.
    let is_whole = |message_id: &String| {
        sent.get(message_id).is_some_and(|letter| {
            letter.stamp == Stamp::WholeSeconds || letter.sent.millis() % 1_000 == 0
        })
    };
    twice(log, is_whole, findings);
}

/// What was acknowledged is in the log: on an order, or with its number.
fn kept(log: &Log, acknowledged: &Acknowledged, findings: &mut Vec<String>) {
    let letter = &acknowledged.letter;
    let by_then = log.records.iter().take(acknowledged.records);
    let on_order = |event: &Event, of: Option<OrderId>| {
        let Event::Account(events::account::Event::Order(order, fact)) = event else {
            return false;
        };
        let is_it = match fact {
            Fact::SmsReceived(sms) => sms.message_id == letter.message_id,
            Fact::SmsRepeated { message_id, .. } | Fact::SmsHeld { message_id, .. } => {
                *message_id == letter.message_id
            }
            _ => false,
        };
        is_it && of.is_none_or(|of| of == *order)
    };
    let on_number = |event: &Event| {
        matches!(
            event,
            Event::Number(number::Event::SmsKept(sms))
                if sms.message_id == letter.message_id || sms.text == letter.text
        )
    };
    let mut by_then = by_then.map(|record| &record.event);
    let is_kept = match acknowledged.delivery {
        Delivery::Taken(order) => by_then.any(|event| on_order(event, Some(order))),
        Delivery::Kept(_) => by_then.any(on_number),
        Delivery::Repeated => by_then.any(|event| on_order(event, None) || on_number(event)),
    };
    if !is_kept {
        findings.push(format!("S4: {acknowledged:?} is not in the log"));
    }
}

/// A message that came while its number was on an order, and says so, is that order's.
fn withheld(log: &Log, acknowledged: &Acknowledged, findings: &mut Vec<String>) {
    let letter = &acknowledged.letter;
    if !matches!(acknowledged.delivery, Delivery::Kept(_)) || letter.stamp != Stamp::Honest {
        return;
    }
    for (id, told) in &log.orders {
        let had = |span: &Span| {
            span.phone == letter.to
                && span.supplier == letter.supplier
                && span.since < letter.sent
                && span.until.is_none_or(|until| letter.arrives < until && acknowledged.at < until)
        };
        if spans(&told.state).iter().any(had) {
            findings.push(format!("S2: {id} was not given {acknowledged:?}"));
        }
    }
}

/// A message that came too late, and for what.
fn races(log: &Log, acknowledged: &Acknowledged, remains: &Remains<'_>) {
    let letter = &acknowledged.letter;
    if !matches!(acknowledged.delivery, Delivery::Kept(_)) || letter.code.is_none() {
        return;
    }
    for told in log.orders.values() {
        let has_been = spans(&told.state).iter().any(|span| {
            let end = span.until.unwrap_or(span.since);
            span.phone == letter.to
                && span.since <= letter.sent
                && letter.arrives.since(end) < Duration::from_secs(15)
        });
        if has_been {
            match told.state.status {
                events::order::Status::Cancelled => remains.marks.see(Mark::CancelBeatCode),
                events::order::Status::Expired => remains.marks.see(Mark::ExpiryBeatCode),
                events::order::Status::Completed => remains.marks.see(Mark::FinishBeatCode),
                _ => {}
            }
        }
    }
}

/// The message was sent to a number of the order, and not while that was another's.
fn whose(
    id: OrderId,
    sms: &Sms,
    letter: &Letter,
    spans: &BTreeMap<OrderId, Vec<Span>>,
    remains: &Remains<'_>,
    findings: &mut Vec<String>,
) {
    let is_to = |span: &&Span| span.phone == letter.to && span.supplier == letter.supplier;
    let own: Vec<&Span> = spans[&id].iter().filter(is_to).collect();
    let Some(since) = own.iter().map(|span| span.since).filter(|since| *since <= sms.at).max()
    else {
        findings.push(format!("S2: {id} has {sms:?}, which was sent to {}", letter.to.as_str()));
        return;
    };
    let contains = |span: &Span| {
        span.since <= letter.sent && span.until.is_none_or(|until| letter.sent < until)
    };
    if !remains.script.has_true_clock() || own.iter().any(|span| contains(span)) {
        return;
    }
    for (other, others) in spans.iter().filter(|(other, _)| **other != id) {
        for span in others.iter().filter(is_to).filter(|span| contains(span)) {
            let rested = span.until.map_or(Duration::ZERO, |until| since.since(until));
            let can_be_told = match letter.stamp {
                Stamp::Honest | Stamp::WholeSeconds => true,
                // Nobody can tell but by how long the number rested.
                Stamp::None | Stamp::Of1970 | Stamp::Future => rested < REST,
            };
            if can_be_told {
                findings.push(format!("S2: {id} has {sms:?}, which was sent to {other}"));
            }
        }
    }
}

/// The same message is on one order, once, or with its number.
fn twice(log: &Log, is_whole: impl Fn(&String) -> bool, findings: &mut Vec<String>) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (id, told) in &log.orders {
        for fact in &told.state.history {
            let message_id = match &**fact {
                Fact::SmsReceived(sms) => &sms.message_id,
                Fact::SmsRepeated { message_id, .. } | Fact::SmsHeld { message_id, .. } => {
                    message_id
                }
                _ => continue,
            };
            if !seen.insert(message_id) {
                findings.push(format!("S3: {message_id} is on {id} again"));
            }
        }
    }
    for record in &log.records {
        if let Event::Number(number::Event::SmsKept(sms)) = &record.event
            && !seen.insert(&sms.message_id)
            && !is_whole(&sms.message_id)
        {
            findings.push(format!("S3: {} is kept again", sms.message_id));
        }
    }
}
