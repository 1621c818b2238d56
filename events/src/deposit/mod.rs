//! One chain output, claimed by one account once: the stream is the claim's reservation.
//!
//! Holds: claim, confirmation, credit. Never holds: how a chain is asked (`actors/chain` does).
//! Leans on: nothing. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::decider::Decider;
use crate::id::{AccountId, DepositId};
use crate::money::Money;
use crate::time::Timestamp;

/// A transaction's hash: 64 hex digits, kept in lower case, so that every way to write it is one claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxHash(Box<str>);

/// The text is not a transaction hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a transaction hash is 64 hex digits, with or without 0x")]
pub struct ParseTxHashError;

impl TxHash {
    /// 64 lower-case hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for TxHash {
    type Err = ParseTxHashError;

    fn from_str(text: &str) -> Result<Self, ParseTxHashError> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let fits = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(digits.to_ascii_lowercase().into())).ok_or(ParseTxHashError)
    }
}

/// The id of an output: the same for every claim of it, on every account.
pub fn deposit_id(chain: &str, tx_hash: &TxHash, output: u32) -> DepositId {
    let digest = Sha256::digest(format!("{chain}:{}:{output}", tx_hash.as_str()));
    let (head, _) = digest.split_at(16);
    DepositId(u128::from_be_bytes(head.try_into().expect("a split at 16 leaves 16 bytes")))
}

/// A fact of a deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An account says the output is its own.
    Claimed {
        /// Which account.
        account: AccountId,
        /// On which chain.
        chain: String,
        /// The transaction.
        tx_hash: TxHash,
        /// The output's number in it.
        output: u32,
        /// When.
        at: Timestamp,
    },
    /// The chain says it is final; amount and rate are fixed here, so that replay asks nobody.
    Confirmed {
        /// What it is worth.
        amount: Money,
        /// What was paid, in the coin's own unit, as decimal text.
        paid: String,
        /// Dollars for one coin at that moment, as decimal text.
        rate: String,
        /// Where the rate is from.
        rate_source: String,
        /// When.
        at: Timestamp,
    },
    /// The account's ledger has it.
    Credited {
        /// When.
        at: Timestamp,
    },
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Claim the output for an account.
    Claim {
        /// Which account.
        account: AccountId,
        /// On which chain.
        chain: String,
        /// The transaction.
        tx_hash: TxHash,
        /// The output's number in it.
        output: u32,
        /// Now.
        at: Timestamp,
    },
    /// Record that it is final.
    Confirm {
        /// What it is worth.
        amount: Money,
        /// What was paid, as decimal text.
        paid: String,
        /// Dollars for one coin, as decimal text.
        rate: String,
        /// Where the rate is from.
        rate_source: String,
        /// Now.
        at: Timestamp,
    },
    /// Record that the account's ledger has it.
    MarkCredited {
        /// Now.
        at: Timestamp,
    },
}

/// Why the law says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Another account has claimed the output; to this caller it is unknown.
    #[error("the output is claimed by another account")]
    ClaimedByAnother,
    /// Nobody has claimed it.
    #[error("the output is not claimed")]
    NotClaimed,
    /// It is not final yet.
    #[error("the output is not confirmed")]
    NotConfirmed,
}

/// How far a deposit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has claimed it.
    Unclaimed,
    /// Claimed; the chain is being asked.
    Claimed,
    /// Final; the credit is due.
    Confirmed,
    /// In the account's ledger.
    Credited,
}

/// A deposit as its facts have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How far it has come.
    pub status: Status,
    /// Whose it is.
    pub account: Option<AccountId>,
    /// The transaction, once claimed.
    pub tx_hash: Option<TxHash>,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// What it is worth, once confirmed.
    pub amount: Money,
}

impl Default for State {
    fn default() -> Self {
        Self { status: Status::Unclaimed, account: None, tx_hash: None, claimed_at: Timestamp::default(), amount: Money::ZERO }
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (command, self.status) {
            (Command::Claim { account, chain, tx_hash, output, at }, Status::Unclaimed) => {
                Ok(vec![Event::Claimed { account: *account, chain: chain.clone(), tx_hash: tx_hash.clone(), output: *output, at: *at }])
            }
            (Command::Claim { account, .. }, _) if self.account == Some(*account) => Ok(Vec::new()),
            (Command::Claim { .. }, _) => Err(Refusal::ClaimedByAnother),
            (_, Status::Unclaimed) => Err(Refusal::NotClaimed),
            (Command::Confirm { amount, paid, rate, rate_source, at }, Status::Claimed) => {
                Ok(vec![Event::Confirmed { amount: *amount, paid: paid.clone(), rate: rate.clone(), rate_source: rate_source.clone(), at: *at }])
            }
            (Command::Confirm { .. }, Status::Confirmed | Status::Credited) | (Command::MarkCredited { .. }, Status::Credited) => Ok(Vec::new()),
            (Command::MarkCredited { .. }, Status::Claimed) => Err(Refusal::NotConfirmed),
            (Command::MarkCredited { at }, Status::Confirmed) => Ok(vec![Event::Credited { at: *at }]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Claimed { account, tx_hash, at, .. } => {
                self.status = Status::Claimed;
                self.account = Some(*account);
                self.tx_hash = Some(tx_hash.clone());
                self.claimed_at = *at;
            }
            Event::Confirmed { amount, .. } => {
                self.status = Status::Confirmed;
                self.amount = *amount;
            }
            Event::Credited { .. } => self.status = Status::Credited,
        }
        self
    }

    fn is_terminal(&self) -> bool {
        self.status == Status::Credited
    }
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Claimed { at, .. } | Self::Confirmed { at, .. } | Self::Credited { at } => *at,
        }
    }
}
