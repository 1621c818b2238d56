//! Messages to a number that no order took: kept once each, for the operator's eyes.
//!
//! Holds: what arrived and why no order has it. Never holds: which order has a number (the order does).
//! Leans on: nothing. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use crate::decider::Decider;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// Message ids a number remembers to recognise repeats: more than any source resends, and a bound on memory.
pub const REMEMBERED_MESSAGES: usize = 1_024;

/// Why no order has a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclaimed {
    /// The number is none of ours.
    UnknownNumber,
    /// The number was on no order when the message was received.
    NotAssigned,
    /// The order it belongs to had already ended.
    OrderEnded,
    /// The order keeps no more messages.
    TooManyMessages,
}

impl Unclaimed {
    /// The word operators see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownNumber => "unknown_number",
            Self::NotAssigned => "not_assigned",
            Self::OrderEnded => "order_ended",
            Self::TooManyMessages => "too_many_messages",
        }
    }
}

/// A fact of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message arrived that no order took.
    SmsKept(KeptSms),
}

/// A message that no order took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSms {
    /// The source's id of the message.
    pub message_id: String,
    /// The source.
    pub supplier: SupplierName,
    /// Who sent it, as the network says.
    pub sender: String,
    /// The full text.
    pub text: String,
    /// When the source received it.
    pub received_at: Timestamp,
    /// Why no order has it.
    pub why: Unclaimed,
    /// When it was recorded.
    pub at: Timestamp,
}

/// Keep a message; one already kept makes nothing happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepSms(pub KeptSms);

/// A number's law never says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {}

/// The messages remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    known: BTreeSet<(SupplierName, String)>,
    oldest_first: VecDeque<(SupplierName, String)>,
}

impl Decider for State {
    type Command = KeepSms;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, KeepSms(sms): &KeepSms) -> Result<Vec<Event>, Refusal> {
        let known = self.known.contains(&(sms.supplier.clone(), sms.message_id.clone()));
        Ok(if known { Vec::new() } else { vec![Event::SmsKept(sms.clone())] })
    }

    fn evolve(mut self, Event::SmsKept(sms): &Event) -> Self {
        let key = (sms.supplier.clone(), sms.message_id.clone());
        self.oldest_first.push_back(key.clone());
        self.known.insert(key);
        if self.oldest_first.len() > REMEMBERED_MESSAGES {
            let oldest = self.oldest_first.pop_front().expect("a full queue has a first element");
            self.known.remove(&oldest);
        }
        self
    }

    fn is_terminal(&self) -> bool {
        false
    }
}
