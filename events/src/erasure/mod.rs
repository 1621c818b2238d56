//! What was erased of the log's secrets, why and by whom; and accounts of which nothing may be
//! erased, because the law wants it kept.
//!
//! Holds: one decision a fact; the secrets' keys are erased because of it. Never holds: a secret, a
//! key, who may erase (the admin API does). Leans on: `codec`, which knows the kinds of secrets.
//! Proved by: `tests.rs` here and `tests/it/erasure.rs`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::codec::SecretKind;
use crate::decider::Decider;
use crate::id::{AccountId, OrderId};
use crate::text::{LONGEST_REASON, is_said_within};
use crate::time::Timestamp;

/// The most that one fact erases.
pub const MOST: usize = 500;

/// Whose secrets are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The account.
    pub account: AccountId,
    /// Its order; `None` for what is the account's own.
    pub order: Option<OrderId>,
}

impl Subject {
    /// Whether it can have secrets of the kind: webhooks are an account's, all others an order's.
    pub fn has(&self, kind: SecretKind) -> bool {
        self.order.is_none() == (kind == SecretKind::Webhook)
    }
}

/// A fact of erasures; its metadata says who wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The keys of these secrets are erased from here on.
    Erased {
        /// Whose.
        of: Vec<Subject>,
        /// Which.
        kinds: Vec<SecretKind>,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Nothing of the account is erased until the hold is lifted.
    HoldPlaced {
        /// Whose.
        account: AccountId,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// The log was rewritten with its secrets under keys: every record before this one stands in
    /// another log, at the same place, and only the bytes of secrets differ.
    Rewritten {
        /// Where the other log ended.
        position: u64,
        /// Its hash chain there.
        chain: [u8; 32],
        /// How many of its records had secrets that nothing encrypted.
        sealed: u64,
        /// When.
        at: Timestamp,
    },
    /// The account's secrets may be erased again.
    HoldLifted {
        /// Whose.
        account: AccountId,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Erased { at, .. }
            | Self::HoldPlaced { at, .. }
            | Self::HoldLifted { at, .. }
            | Self::Rewritten { at, .. } => *at,
        }
    }
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Erase these secrets.
    Erase {
        /// Whose.
        of: Vec<Subject>,
        /// Which.
        kinds: Vec<SecretKind>,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Keep all of an account's.
    PlaceHold {
        /// Whose.
        account: AccountId,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Keep them no longer.
    LiftHold {
        /// Whose.
        account: AccountId,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
}

/// Nothing is erased, and no hold changes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Whoever decides says why.
    #[error("a reason is needed, of at most {LONGEST_REASON} characters, none of them hidden")]
    NoReason,
    /// There is nothing to erase.
    #[error("there is nothing to erase")]
    Nothing,
    /// More than one fact takes.
    #[error("at most {MOST} orders are erased at once")]
    TooMany,
    /// The law wants it kept.
    #[error("{account} is under a legal hold ({reason}): nothing of it is erased")]
    Held {
        /// Whose.
        account: AccountId,
        /// Why.
        reason: String,
    },
    /// It is under a hold already.
    #[error("{0} is under a legal hold already")]
    HeldAlready(AccountId),
    /// It is not under a hold.
    #[error("{0} is under no legal hold")]
    NotHeld(AccountId),
}

/// A hold that was placed and not lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why, in the operator's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// The place of its fact among the facts of erasures, from 0.
    pub fact: u64,
}

/// Who is under a hold, and how much was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    held: BTreeMap<AccountId, Hold>,
    erased: u64,
    facts: u64,
}

impl State {
    /// Accounts under a hold.
    pub fn held(&self) -> &BTreeMap<AccountId, Hold> {
        &self.held
    }

    /// How many secrets' keys were erased, counted by whose and which.
    pub fn erased(&self) -> u64 {
        self.erased
    }

    fn erase(&self, of: &[Subject], kinds: &[SecretKind]) -> Result<(), Refusal> {
        if of.is_empty() || kinds.is_empty() {
            return Err(Refusal::Nothing);
        }
        if of.len() > MOST {
            return Err(Refusal::TooMany);
        }
        let held = of.iter().find_map(|subject| self.held.get_key_value(&subject.account));
        held.map_or(Ok(()), |(account, hold)| {
            Err(Refusal::Held { account: *account, reason: hold.reason.clone() })
        })
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let (Command::Erase { reason, .. }
        | Command::PlaceHold { reason, .. }
        | Command::LiftHold { reason, .. }) = command;
        if !is_said_within(reason, LONGEST_REASON) {
            return Err(Refusal::NoReason);
        }
        let reason = reason.clone();
        Ok(vec![match command {
            Command::Erase { of, kinds, at, .. } => {
                self.erase(of, kinds)?;
                Event::Erased { of: of.clone(), kinds: kinds.clone(), reason, at: *at }
            }
            Command::PlaceHold { account, .. } if self.held.contains_key(account) => {
                return Err(Refusal::HeldAlready(*account));
            }
            Command::PlaceHold { account, at, .. } => {
                Event::HoldPlaced { account: *account, reason, at: *at }
            }
            Command::LiftHold { account, .. } if !self.held.contains_key(account) => {
                return Err(Refusal::NotHeld(*account));
            }
            Command::LiftHold { account, at, .. } => {
                Event::HoldLifted { account: *account, reason, at: *at }
            }
        }])
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Erased { of, kinds, .. } => {
                let count = kinds
                    .iter()
                    .map(|kind| of.iter().filter(|subject| subject.has(*kind)).count())
                    .sum::<usize>();
                self.erased = self.erased.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            }
            Event::HoldPlaced { account, reason, at } => {
                let hold = Hold { reason: reason.clone(), since: *at, fact: self.facts };
                self.held.insert(*account, hold);
            }
            Event::HoldLifted { account, .. } => {
                self.held.remove(account);
            }
            Event::Rewritten { .. } => {}
        }
        self.facts += 1;
        self
    }
}
