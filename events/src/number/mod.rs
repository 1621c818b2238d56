//! What a number keeps: whose it is, messages that no order took, for the operator's eyes, and
//! parts of messages until they are whole.
//!
//! Holds: its listing, what arrived and why no order has it. Never holds: which order has a number
//! (the order does). Leans on: nothing. Proved by: `tests.rs` here.

mod parts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

pub use parts::{Alphabet, MAX_SETS, Part, Parts, Set, SetId};

use crate::country::Country;
use crate::decider::Decider;
use crate::order::REPEATED_WITHIN;
use crate::phone::{Phone, Unfit};
use crate::platform::Platform;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// Message ids a number remembers to recognise repeats: more than any source resends, and a bound
/// on memory.
pub const REMEMBERED_MESSAGES: usize = 1_024;

/// Messages whose texts a number remembers for so long as the same text is the same message.
const REMEMBERED_TEXTS: usize = 16;

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
    /// A source's pool has the number from here on.
    Listed {
        /// Whose it is and what it may serve.
        listing: Listing,
        /// When.
        at: Timestamp,
    },
    /// No pool has the number any more: it serves no further order.
    Retired {
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A message arrived that no order took.
    SmsKept(KeptSms),
    /// A part of a message arrived.
    PartKept {
        /// The part.
        part: Part,
        /// When the first part of its message was recorded.
        opened_at: Timestamp,
    },
    /// A message in parts was handed on: whole, or as it was when it had been waited for long
    /// enough.
    PartsJoined {
        /// Which.
        set: SetId,
        /// Whether every part was there.
        is_whole: bool,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::SmsKept(sms) => sms.at,
            Self::PartKept { part, .. } => part.at,
            Self::Listed { at, .. } | Self::Retired { at, .. } | Self::PartsJoined { at, .. } => {
                *at
            }
        }
    }
}

/// Whose a number is and what it may serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whose pool has it.
    pub supplier: SupplierName,
    /// Where it is from.
    pub country: Country,
    /// What it may be used for, in the platforms' own order; `None` for everything.
    pub platforms: Option<Vec<Platform>>,
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

/// What can be wanted of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Have it in a source's pool.
    List {
        /// The number itself: its country shows in its digits.
        phone: Phone,
        /// Whose it is and what it may serve.
        listing: Listing,
        /// Now.
        at: Timestamp,
    },
    /// Have it in no pool.
    Retire {
        /// Why, in the operator's words.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Keep a message; one already kept makes nothing happen.
    KeepSms(KeptSms),
    /// Keep a part; one already kept makes nothing happen.
    KeepPart(Part),
    /// Record that a message in parts was handed on.
    Join {
        /// Which.
        set: SetId,
        /// Now.
        at: Timestamp,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The number waits for too many messages in parts; hand this part on as it is.
    #[error("the number waits for too many messages in parts")]
    TooManyParts,
    /// Another source's pool has the number; retire it there first.
    #[error("the number is one of another source's")]
    OtherSuppliers,
    /// The number's digits are another country's.
    #[error("the number is not one of {0}")]
    NotOfCountry(Country),
    /// No telephone can have the number, or none that services send codes to.
    #[error(transparent)]
    Unfit(Unfit),
    /// No pool has the number; there is nothing to retire.
    #[error("no pool has the number")]
    NotListed,
}

/// The messages remembered, and the parts waited with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Whose pool has it, if one has.
    listing: Option<Listing>,
    known: BTreeSet<(SupplierName, String)>,
    oldest_first: VecDeque<(SupplierName, String)>,
    /// The latest messages, to know one that is brought again under another id.
    latest: VecDeque<KeptSms>,
    parts: Parts,
}

impl State {
    /// Whose pool has it, if one has.
    pub fn listing(&self) -> Option<&Listing> {
        self.listing.as_ref()
    }

    /// Whether it keeps the message, or kept it of late.
    pub fn keeps(&self, supplier: &SupplierName, message_id: &str) -> bool {
        self.known.contains(&(supplier.clone(), message_id.to_owned()))
    }

    /// Whether it has kept the same text by the same sender so shortly before that it is the same
    /// message, as with an order's.
    fn has_just_kept(&self, sms: &KeptSms) -> bool {
        let says_the_same = |known: &&KeptSms| {
            (&known.supplier, &known.sender, &known.text) == (&sms.supplier, &sms.sender, &sms.text)
        };
        self.latest
            .iter()
            .filter(says_the_same)
            .any(|known| sms.at.since(known.at) <= REPEATED_WITHIN)
    }

    /// Messages in parts.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    fn list(&self, phone: &Phone, listing: &Listing, at: Timestamp) -> Result<Vec<Event>, Refusal> {
        // What was listed under milder rules stays.
        if self.listing.is_none() {
            phone.fit().map_err(Refusal::Unfit)?;
        }
        if !listing.country.has(phone) {
            return Err(Refusal::NotOfCountry(listing.country));
        }
        match &self.listing {
            Some(known) if known.supplier != listing.supplier => Err(Refusal::OtherSuppliers),
            Some(known) if known == listing => Ok(Vec::new()),
            Some(_) | None => Ok(vec![Event::Listed { listing: listing.clone(), at }]),
        }
    }

    fn evolve_kept(&mut self, sms: &KeptSms) {
        if self.latest.len() == REMEMBERED_TEXTS {
            self.latest.pop_front();
        }
        self.latest.push_back(sms.clone());
        let key = (sms.supplier.clone(), sms.message_id.clone());
        self.oldest_first.push_back(key.clone());
        self.known.insert(key);
        if self.oldest_first.len() > REMEMBERED_MESSAGES {
            let oldest = self.oldest_first.pop_front().expect("a full queue has a first element");
            self.known.remove(&oldest);
        }
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::List { phone, listing, at } => self.list(phone, listing, *at),
            Command::Retire { reason, at } => match self.listing {
                Some(_) => Ok(vec![Event::Retired { reason: reason.clone(), at: *at }]),
                None => Err(Refusal::NotListed),
            },
            Command::KeepSms(sms) => {
                let is_known =
                    self.keeps(&sms.supplier, &sms.message_id) || self.has_just_kept(sms);
                Ok(if is_known { Vec::new() } else { vec![Event::SmsKept(sms.clone())] })
            }
            Command::KeepPart(part) => self.parts.keep(part).ok_or(Refusal::TooManyParts),
            Command::Join { set, at } => Ok(self.parts.join(set, *at)),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Listed { listing, .. } => self.listing = Some(listing.clone()),
            Event::Retired { .. } => self.listing = None,
            Event::SmsKept(sms) => self.evolve_kept(sms),
            Event::PartKept { part, opened_at } => self.parts.evolve_kept(part, *opened_at),
            Event::PartsJoined { set, .. } => self.parts.evolve_joined(set),
        }
        self
    }
}
