//! Where a real supplier's numbers come from, and what entitles it to lend them: stated by the
//! operator, with an end.
//!
//! Holds: one record a supplier, what it must say. Never holds: whether orders need one (the
//! configuration says so), whether it is true. Leans on: `supplier`. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::decider::Decider;
use crate::supplier::SupplierName;
use crate::text::is_said_within;
use crate::time::Timestamp;

/// Longest text of a record, in characters.
pub const LONGEST_TEXT: usize = 1_000;

/// What is stated of a supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who it is, as in its contract.
    pub legal_name: String,
    /// Where its numbers come from.
    pub source: String,
    /// On what basis their holders have agreed.
    pub consent: String,
    /// Who answers questions about them.
    pub contact: String,
    /// When it has to be looked at again: nothing is had of the supplier from then on.
    pub valid_until: Timestamp,
}

/// A fact of a supplier's provenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The operator has stated it.
    Stated {
        /// Whose.
        supplier: SupplierName,
        /// What.
        record: Record,
        /// Who did.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// It holds no more.
    Withdrawn {
        /// Whose.
        supplier: SupplierName,
        /// Why, in the operator's words.
        reason: String,
        /// Who did.
        by: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Stated { at, .. } | Self::Withdrawn { at, .. } => *at,
        }
    }

    /// Whose it is.
    pub fn supplier(&self) -> &SupplierName {
        match self {
            Self::Stated { supplier, .. } | Self::Withdrawn { supplier, .. } => supplier,
        }
    }
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// State where the numbers come from.
    State {
        /// Whose.
        supplier: SupplierName,
        /// What.
        record: Record,
        /// Who does.
        by: String,
        /// Now.
        at: Timestamp,
    },
    /// Take it back.
    Withdraw {
        /// Whose.
        supplier: SupplierName,
        /// Why.
        reason: String,
        /// Who does.
        by: String,
        /// Now.
        at: Timestamp,
    },
}

/// Why nothing is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A part is missing or too long; say it in few words.
    #[error("{0} is needed, in at most {LONGEST_TEXT} characters, none of them hidden")]
    Text(&'static str),
    /// It would be over already; name a later day.
    #[error("valid_until is over already")]
    Over,
    /// Nothing was stated of the supplier.
    #[error("nothing is stated of this supplier")]
    NotStated,
}

/// What is stated of one supplier now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The record, who stated it and when.
    pub stated: Option<(Record, String, Timestamp)>,
}

impl State {
    /// Whether orders may have its numbers at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.stated.as_ref().is_some_and(|(record, ..)| now < record.valid_until)
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::State { supplier, record, by, at } => {
                record.check(*at)?;
                if self.stated.as_ref().is_some_and(|(known, ..)| known == record) {
                    return Ok(Vec::new());
                }
                let (supplier, record, by) = (supplier.clone(), record.clone(), by.clone());
                Ok(vec![Event::Stated { supplier, record, by, at: *at }])
            }
            Command::Withdraw { supplier, reason, by, at } => {
                if self.stated.is_none() {
                    return Err(Refusal::NotStated);
                }
                needed("reason", reason)?;
                let (supplier, reason, by) = (supplier.clone(), reason.clone(), by.clone());
                Ok(vec![Event::Withdrawn { supplier, reason, by, at: *at }])
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        self.stated = match event {
            Event::Stated { record, by, at, .. } => Some((record.clone(), by.clone(), *at)),
            Event::Withdrawn { .. } => None,
        };
        self
    }
}

impl Record {
    fn check(&self, at: Timestamp) -> Result<(), Refusal> {
        needed("legal_name", &self.legal_name)?;
        needed("source", &self.source)?;
        needed("consent", &self.consent)?;
        needed("contact", &self.contact)?;
        if self.valid_until <= at { Err(Refusal::Over) } else { Ok(()) }
    }
}

fn needed(what: &'static str, text: &str) -> Result<(), Refusal> {
    if is_said_within(text, LONGEST_TEXT) { Ok(()) } else { Err(Refusal::Text(what)) }
}
