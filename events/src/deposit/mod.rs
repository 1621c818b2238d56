//! One chain output, one account, one credit: the stream is the output's reservation.
//!
//! Holds: claim, sight, confirmation, credit, reversal; how many blocks an amount needs, what a
//! coin is worth. Never holds: how a chain or a rate is asked (`chains/src` does). Leans on:
//! `chain::Block`. Proved by: `tests.rs` here.

mod currency;
mod decide;
mod finality;
mod output;
mod rate;
#[cfg(test)]
mod tests;

use crate::chain::Block;
use crate::id::AccountId;
use crate::money::Money;
use crate::time::Timestamp;

pub use currency::{Currency, ParseCurrencyError};
pub use decide::{Refusal, State, Status};
pub use finality::{COINBASE_MATURITY, Ends, Finality, Policy, Step};
pub use output::{ParseTxHashError, TxHash, deposit_id, transaction_id};
pub use rate::{
    Agreement, Disagreement, ParseRateError, Quote, Rate, agreed_rate, coins, units, worth,
};

/// The guide: `"minimum_deposit_usd": 1.00`. Smaller ones are credited together, once they come to
/// it.
pub const MINIMUM: Money = Money::from_cents(100);

/// The chain whose every hash is a payment, by its name in events.
pub const SIMULATED: &str = "simulated";

/// A payment as its chain has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Whose address it pays; `None` for a shared one.
    pub account: Option<AccountId>,
    /// On which chain: a currency's name.
    pub chain: String,
    /// The transaction.
    pub tx_hash: TxHash,
    /// The output's number in it; on EVM chains the log's number in the block.
    pub output: u32,
    /// What was paid, in the coin's own unit, as decimal text.
    pub paid: String,
    /// The block that has it.
    pub block: Block,
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
    /// The chain has the payment in this block.
    Seen {
        /// The payment.
        sight: Sight,
        /// When.
        at: Timestamp,
    },
    /// The chain has left the block that had it. What was credited for it goes back.
    Orphaned {
        /// When.
        at: Timestamp,
    },
    /// It is final; amount and rate are fixed here, so that replay asks nobody.
    Confirmed {
        /// What it is worth.
        amount: Money,
        /// What was paid, in the coin's own unit, as decimal text.
        paid: String,
        /// Dollars for one coin, as decimal text.
        rate: String,
        /// Where the rate is from.
        rate_source: String,
        /// When the rate was asked.
        rate_at: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// The account's ledger has it.
    Credited {
        /// When.
        at: Timestamp,
    },
    /// The account's ledger has given it back.
    Reversed {
        /// When.
        at: Timestamp,
    },
    /// So many blocks stand on it that it is not looked at any more.
    Settled {
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
    /// Record the block that has it.
    See {
        /// The payment.
        sight: Sight,
        /// Now.
        at: Timestamp,
    },
    /// Record that its block is not the chain's any more.
    Orphan {
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
        /// When the rate was asked.
        rate_at: Timestamp,
        /// Now.
        at: Timestamp,
    },
    /// Record that the account's ledger has it.
    MarkCredited {
        /// Now.
        at: Timestamp,
    },
    /// Record that the account's ledger has given it back.
    MarkReversed {
        /// Now.
        at: Timestamp,
    },
    /// Stop looking at it.
    Settle {
        /// Now.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Claimed { at, .. }
            | Self::Seen { at, .. }
            | Self::Orphaned { at }
            | Self::Confirmed { at, .. }
            | Self::Credited { at }
            | Self::Reversed { at }
            | Self::Settled { at } => *at,
        }
    }
}
