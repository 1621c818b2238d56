//! What operators have taken out of the log to hand it on: of whom, why, and which bytes, before
//! they are given out.
//!
//! Holds: one export a fact. Never holds: what was exported, who may export (the admin API does).
//! Leans on: nothing. Proved by: `tests.rs` here and `tests/it/export.rs`.

mod selection;
#[cfg(test)]
mod tests;

pub use selection::Selection;

use thiserror::Error;

use crate::decider::Decider;
use crate::id::AccountId;
use crate::phone::Phone;
use crate::text::{LONGEST_REASON, is_said_within};
use crate::time::Timestamp;

/// Whose events an export has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// An account's, in full.
    Account(AccountId),
    /// A number's, in full: of each order what concerns the number.
    Number(Phone),
    /// Of everybody, with what callers keep to themselves hidden.
    Period {
        /// From this moment on.
        from: Timestamp,
        /// Before this one.
        until: Timestamp,
    },
}

impl Scope {
    /// The kind's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Number(_) => "number",
            Self::Period { .. } => "period",
        }
    }
}

/// What was made, before it is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Whose events are in it.
    pub scope: Scope,
    /// How many.
    pub records: u64,
    /// SHA-256 of its lines before the last one.
    pub digest: [u8; 32],
    /// Up to where in the log it was looked for them.
    pub head: u64,
}

/// A fact of an export; its metadata says who wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Events were taken out of the log.
    Exported {
        /// What was made.
        made: Made,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        let Self::Exported { at, .. } = self;
        *at
    }
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Give an export out.
    Export {
        /// What was made.
        made: Made,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
}

/// Nothing is given out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Whoever exports says why.
    #[error("a reason is needed, of at most {LONGEST_REASON} characters, none of them hidden")]
    NoReason,
    /// An account has at least its registration.
    #[error("no such account")]
    NoAccount,
    /// The period ends before it begins.
    #[error("the period ends where it begins, or before")]
    NoPeriod,
}

/// How much was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    exports: u64,
}

impl State {
    /// How often.
    pub fn exports(&self) -> u64 {
        self.exports
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let Command::Export { made, reason, at } = command;
        if !is_said_within(reason, LONGEST_REASON) {
            return Err(Refusal::NoReason);
        }
        match &made.scope {
            Scope::Account(_) if made.records == 0 => return Err(Refusal::NoAccount),
            Scope::Period { from, until } if until <= from => return Err(Refusal::NoPeriod),
            // That there is nothing of a number, or of a period, is an answer too.
            Scope::Account(_) | Scope::Number(_) | Scope::Period { .. } => {}
        }
        Ok(vec![Event::Exported { made: made.clone(), reason: reason.clone(), at: *at }])
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Event::Exported { .. } = event;
        self.exports += 1;
        self
    }
}
