//! What operators have looked at that is hidden otherwise: who did, and why, stands in the log
//! before it is shown.
//!
//! Holds: one reveal a fact. Never holds: what was revealed, who may reveal (the admin API does).
//! Leans on: nothing. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::decider::Decider;
use crate::text::{LONGEST_REASON, is_said_within};
use crate::time::Timestamp;

/// A fact of a reveal; its stream names what was revealed, its metadata who wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Phone numbers, texts or codes were shown to an operator.
    Revealed {
        /// What: an order's id, say.
        subject: String,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        let Self::Revealed { at, .. } = self;
        *at
    }
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Show what is hidden.
    Reveal {
        /// What.
        subject: String,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
}

/// Nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Whoever looks says why.
    #[error("a reason is needed, of at most {LONGEST_REASON} characters, none of them hidden")]
    NoReason,
    /// There is nothing of that name.
    #[error("what is to be revealed has no name")]
    NoSubject,
}

/// How often the subject was revealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    reveals: u64,
}

impl State {
    /// How often.
    pub fn reveals(&self) -> u64 {
        self.reveals
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let Command::Reveal { subject, reason, at } = command;
        if subject.trim().is_empty() {
            return Err(Refusal::NoSubject);
        }
        if !is_said_within(reason, LONGEST_REASON) {
            return Err(Refusal::NoReason);
        }
        Ok(vec![Event::Revealed { subject: subject.clone(), reason: reason.clone(), at: *at }])
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Event::Revealed { .. } = event;
        self.reveals += 1;
        self
    }
}
