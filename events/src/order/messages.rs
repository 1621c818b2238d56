//! An order's messages: which are its own, which say something new, and which code is its code.

use std::time::Duration;

use super::command::IncomingSms;
use super::event::{Event, FailureReason, Sms};
use super::refusal::Refusal;
use super::state::{State, Status};
use crate::code::{self, Sensitive, Verdict};
use crate::time::Timestamp;

/// Messages one order keeps, repeated ones included: a flood on a number must not grow its
/// account's stream without bound.
pub const MAX_MESSAGES: usize = 32;

/// A message that says the same so soon after is the same one, brought twice: networks and phones
/// repeat within seconds, platforms at a caller's wish.
pub const REPEATED_WITHIN: Duration = Duration::from_mins(2);

/// A code that an order has or had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The code.
    pub code: &'a str,
    /// The message it stood in.
    pub message_id: &'a str,
    /// Since when it is, or was, the order's.
    pub at: Timestamp,
}

impl State {
    /// The codes the order has had, the one it has last.
    pub fn codes(&self) -> impl DoubleEndedIterator<Item = Found<'_>> {
        self.history.iter().filter_map(|fact| {
            let (Event::Completed { code, message_id, at, .. }
            | Event::CodeReplaced { code, message_id, at }) = fact.as_ref()
            else {
                return None;
            };
            Some(Found { code, message_id, at: *at })
        })
    }

    /// The message in which its code stood.
    pub fn code_message(&self) -> Option<&Sms> {
        let found = self.codes().next_back()?;
        let has_it = |sms: &&Sms| {
            sms.message_id == found.message_id
                && matches!(&sms.extraction.verdict, Verdict::Code(code) if code == found.code)
        };
        self.messages().rev().find(has_it)
    }

    /// When a message was brought again, each time.
    pub fn repeats_of(&self, message: &Sms) -> impl Iterator<Item = Timestamp> {
        self.history.iter().filter_map(move |fact| {
            let Event::SmsRepeated { supplier, repeats, at, .. } = fact.as_ref() else {
                return None;
            };
            (*supplier == message.supplier && *repeats == message.message_id).then_some(*at)
        })
    }

    /// Messages that were held back: what is sensitive in each, and when it was received.
    pub fn held_messages(&self) -> impl Iterator<Item = (&[Sensitive], Timestamp)> {
        self.history.iter().filter_map(|fact| {
            let Event::SmsHeld { kinds, received_at, .. } = fact.as_ref() else { return None };
            Some((kinds.as_slice(), *received_at))
        })
    }

    pub(super) fn knows_message(&self, incoming: &IncomingSms) -> bool {
        self.history.iter().any(|fact| {
            let (Event::SmsReceived(Sms { supplier, message_id, .. })
            | Event::SmsRepeated { supplier, message_id, .. }
            | Event::SmsHeld { supplier, message_id, .. }) = fact.as_ref()
            else {
                return false;
            };
            *message_id == incoming.message_id && *supplier == incoming.supplier
        })
    }

    fn kept_messages(&self) -> usize {
        self.history
            .iter()
            .filter(|fact| {
                matches!(
                    fact.as_ref(),
                    Event::SmsReceived(_) | Event::SmsRepeated { .. } | Event::SmsHeld { .. }
                )
            })
            .count()
    }

    pub(super) fn receive(&self, sms: &IncomingSms) -> Result<Vec<Event>, Refusal> {
        let assignment = self
            .assignment
            .as_ref()
            .filter(|assignment| assignment.phone == sms.to && assignment.supplier == sms.supplier);
        let assignment = assignment.ok_or(Refusal::NotThisAssignment)?;
        if !sms.receipt.is_within(assignment.assigned_at, sms.freed_at) {
            return Err(Refusal::NotThisAssignment);
        }
        if self.kept_messages() >= MAX_MESSAGES {
            return Err(Refusal::TooManyMessages);
        }
        let received_at = sms.receipt.moment(sms.at);
        if let Some(first) = self.said_before(sms, assignment.assigned_at) {
            let (message_id, supplier, repeats) =
                (sms.message_id.clone(), sms.supplier.clone(), first.message_id.clone());
            return Ok(vec![Event::SmsRepeated {
                message_id,
                supplier,
                repeats,
                received_at,
                at: sms.at,
            }]);
        }
        let message = code::Message::new(&sms.text).sent_by(&sms.sender).sent_to(sms.to.as_str());
        let received = Sms {
            message_id: sms.message_id.clone(),
            supplier: sms.supplier.clone(),
            sender: sms.sender.clone(),
            text: sms.text.clone(),
            received_at,
            extraction: code::extract(&message, Some(self.placed.platform.service())),
            at: sms.at,
        };
        if let Some(facts) = self.hold_back(sms, &received) {
            return Ok(facts);
        }
        let consequence = self.consequence(&received);
        Ok(std::iter::once(Event::SmsReceived(received)).chain(consequence).collect())
    }

    /// What becomes of a message of a kind that is held back. With the code, which nobody will
    /// see, the order has nothing more to wait for, and its hold goes back.
    fn hold_back(&self, sms: &IncomingSms, received: &Sms) -> Option<Vec<Event>> {
        if sms.hold.is_empty() {
            return None;
        }
        let kinds = kinds_of(sms);
        if kinds.is_empty() {
            return None;
        }
        let has_code = matches!(received.extraction.verdict, Verdict::Code(_));
        let fails = has_code && self.status != Status::Completed;
        if !fails && self.held_before(sms, &kinds) {
            return Some(Vec::new());
        }
        let failed = Event::Failed { reason: FailureReason::MessageHeld, at: sms.at };
        let held = Event::SmsHeld {
            message_id: sms.message_id.clone(),
            supplier: sms.supplier.clone(),
            kinds,
            received_at: received.received_at,
            at: sms.at,
        };
        Some(std::iter::once(held).chain(fails.then_some(failed)).collect())
    }

    /// Whether one of the same kinds was held minutes before. Texts are not kept, so that a
    /// repeated one is known by its kinds alone, and tells the order's owner nothing more.
    fn held_before(&self, sms: &IncomingSms, found: &[Sensitive]) -> bool {
        self.history.iter().any(|fact| {
            matches!(fact.as_ref(), Event::SmsHeld { supplier, kinds, at, .. }
                if *supplier == sms.supplier && *kinds == found
                    && sms.at.since(*at) <= REPEATED_WITHIN)
        })
    }

    /// The message of minutes before that says word for word the same.
    fn said_before(&self, sms: &IncomingSms, assigned_at: Timestamp) -> Option<&Sms> {
        let is_recent =
            |known: &&Sms| known.at >= assigned_at && sms.at.since(known.at) <= REPEATED_WITHIN;
        let recent = self.messages().rev().take_while(is_recent);
        recent
            .filter(|known| {
                known.text == sms.text
                    && known.sender == sms.sender
                    && known.supplier == sms.supplier
            })
            .last()
    }

    /// What a message's code makes of the order, if it has one.
    fn consequence(&self, sms: &Sms) -> Option<Event> {
        let Verdict::Code(code) = &sms.extraction.verdict else { return None };
        let (code, message_id, at) = (code.clone(), sms.message_id.clone(), sms.at);
        if self.status != Status::Completed {
            let listens = at.plus(Duration::from_secs(self.placed.listen_seconds.into()));
            let listens_until = listens.min(self.deadline()).max(at);
            return Some(Event::Completed { code, message_id, listens_until, at });
        }
        self.takes_place(sms, &code).then_some(Event::CodeReplaced { code, message_id, at })
    }

    /// Whether a code takes the place of the order's. One that was received later does, for a
    /// platform takes the last that it has sent; one that was received earlier and brought later
    /// only if it is the surer.
    fn takes_place(&self, sms: &Sms, code: &str) -> bool {
        let is_later_or_surer = |current: &Sms| {
            sms.received_at >= current.received_at || sureness(sms) > sureness(current)
        };
        self.code.as_deref() != Some(code) && self.code_message().is_none_or(is_later_or_surer)
    }
}

/// What is sensitive in a message, of what is held back; a person's name may stand in its sender
/// alone.
fn kinds_of(sms: &IncomingSms) -> Vec<Sensitive> {
    let mut kinds = code::sensitive(&sms.text);
    let is_name = |kind: &Sensitive| *kind == Sensitive::PersonName;
    if !kinds.iter().any(is_name) && code::sensitive(&sms.sender).iter().any(is_name) {
        kinds.push(Sensitive::PersonName);
    }
    kinds.retain(|kind| sms.hold.contains(kind));
    kinds
}

/// How sure the message's code is.
fn sureness(sms: &Sms) -> Option<i16> {
    let Verdict::Code(code) = &sms.extraction.verdict else { return None };
    sms.extraction
        .candidates
        .iter()
        .find(|candidate| candidate.code == *code)
        .map(|candidate| candidate.score)
}
