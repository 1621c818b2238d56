//! Which facts follow from a command, and what each makes of the deposit.

use thiserror::Error;

use super::finality::{Step, next_step};
use super::output::TxHash;
use super::{Command, Event, SIMULATED, Sight};
use crate::chain::Block;
use crate::decider::Decider;
use crate::id::AccountId;
use crate::money::Money;
use crate::time::Timestamp;

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Another account has the output; to this caller it is unknown.
    #[error("the output is another account's")]
    ClaimedByAnother,
    /// Nobody has claimed it.
    #[error("the output is not claimed")]
    NotClaimed,
    /// It is not final yet.
    #[error("the output is not confirmed")]
    NotConfirmed,
    /// It is not in a block.
    #[error("the output is in no block")]
    NotInBlock,
    /// It was deep enough to be forgotten, and the chain has left it after all; an operator must
    /// look at it.
    #[error("the output was settled, and the chain has moved it")]
    Settled,
}

/// How far a deposit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has claimed or seen it.
    Unclaimed,
    /// Not final yet, or nobody's yet.
    Pending,
    /// Final; the credit is due.
    Confirmed,
    /// In the account's ledger.
    Credited,
    /// Not the chain's any more; the reversal is due.
    Orphaned,
    /// In the account's ledger for good.
    Settled,
}

/// A deposit as its facts have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How far it has come.
    pub status: Status,
    /// Whose it is.
    pub account: Option<AccountId>,
    /// On which chain.
    pub chain: String,
    /// The transaction, once claimed or seen.
    pub tx_hash: Option<TxHash>,
    /// The output's number in it.
    pub output: u32,
    /// When it was claimed or first seen.
    pub since: Timestamp,
    /// What was paid, in the coin's unit, as decimal text; empty until it is known.
    pub paid: String,
    /// The block that has it, if one has.
    pub block: Option<Block>,
    /// What it is worth, once confirmed.
    pub amount: Money,
    /// Dollars for one coin, once confirmed.
    pub rate: String,
    /// How often its credit went back.
    pub reversals: u32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            status: Status::Unclaimed,
            account: None,
            chain: String::new(),
            tx_hash: None,
            output: 0,
            since: Timestamp::default(),
            paid: String::new(),
            block: None,
            amount: Money::ZERO,
            rate: String::new(),
            reversals: 0,
        }
    }
}

impl State {
    /// Whether its chain is the made-up one.
    pub fn is_simulated(&self) -> bool {
        self.chain == SIMULATED
    }

    /// What is to be done with it next.
    pub fn next_step(&self) -> Step {
        next_step(self)
    }

    /// Whether the account has been credited and has it still.
    pub fn is_credited(&self) -> bool {
        matches!(self.status, Status::Credited | Status::Settled)
    }

    fn see(&self, sight: &Sight, at: Timestamp) -> Result<Vec<Event>, Refusal> {
        let seen = Event::Seen { sight: sight.clone(), at };
        if self.block.as_ref() == Some(&sight.block) {
            return Ok(Vec::new());
        }
        match self.status {
            Status::Unclaimed | Status::Pending | Status::Orphaned => Ok(vec![seen]),
            // In another block it has fewer confirmations than its credit was given for.
            Status::Confirmed | Status::Credited => Ok(vec![Event::Orphaned { at }, seen]),
            Status::Settled => Err(Refusal::Settled),
        }
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (command, self.status) {
            (Command::Claim { account, .. }, _) if self.account == Some(*account) => Ok(Vec::new()),
            (Command::Claim { .. }, _) if self.account.is_some() => Err(Refusal::ClaimedByAnother),
            (Command::Claim { account, chain, tx_hash, output, at }, _) => {
                Ok(vec![Event::Claimed {
                    account: *account,
                    chain: chain.clone(),
                    tx_hash: tx_hash.clone(),
                    output: *output,
                    at: *at,
                }])
            }
            (Command::See { sight, at }, _) => self.see(sight, *at),
            (_, Status::Unclaimed) => Err(Refusal::NotClaimed),
            (Command::Orphan { .. }, Status::Settled) => Err(Refusal::Settled),
            (Command::Orphan { at }, _) if self.block.is_some() => {
                Ok(vec![Event::Orphaned { at: *at }])
            }
            (Command::Confirm { .. }, Status::Pending) if self.account.is_none() => {
                Err(Refusal::NotClaimed)
            }
            (Command::Confirm { .. }, Status::Pending)
                if self.block.is_none() && !self.is_simulated() =>
            {
                Err(Refusal::NotInBlock)
            }
            (
                Command::Confirm { amount, paid, rate, rate_source, rate_at, at },
                Status::Pending,
            ) => Ok(vec![Event::Confirmed {
                amount: *amount,
                paid: paid.clone(),
                rate: rate.clone(),
                rate_source: rate_source.clone(),
                rate_at: *rate_at,
                at: *at,
            }]),
            (Command::MarkCredited { at }, Status::Confirmed) => {
                Ok(vec![Event::Credited { at: *at }])
            }
            (Command::MarkReversed { at }, Status::Orphaned) => {
                Ok(vec![Event::Reversed { at: *at }])
            }
            (Command::Settle { at }, Status::Credited) => Ok(vec![Event::Settled { at: *at }]),
            (
                Command::MarkCredited { .. } | Command::Settle { .. },
                Status::Pending | Status::Orphaned,
            )
            | (Command::Confirm { .. }, Status::Orphaned)
            | (Command::Settle { .. }, Status::Confirmed) => Err(Refusal::NotConfirmed),
            (Command::Orphan { .. }, _)
            | (
                Command::Confirm { .. } | Command::MarkCredited { .. },
                Status::Confirmed | Status::Credited | Status::Settled,
            )
            | (
                Command::MarkReversed { .. },
                Status::Pending | Status::Confirmed | Status::Credited | Status::Settled,
            )
            | (Command::Settle { .. }, Status::Settled) => Ok(Vec::new()),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Claimed { account, chain, tx_hash, output, at } => {
                if self.status == Status::Unclaimed {
                    self = Self {
                        status: Status::Pending,
                        chain: chain.clone(),
                        tx_hash: Some(tx_hash.clone()),
                        output: *output,
                        since: *at,
                        ..self
                    };
                }
                self.account = Some(*account);
            }
            Event::Seen { sight, at } => {
                if self.status == Status::Unclaimed {
                    let Sight { account, chain, tx_hash, output, .. } = sight.clone();
                    self = Self {
                        status: Status::Pending,
                        account,
                        chain,
                        tx_hash: Some(tx_hash),
                        output,
                        since: *at,
                        ..self
                    };
                }
                self.paid.clone_from(&sight.paid);
                self.block = Some(sight.block.clone());
            }
            Event::Orphaned { .. } => {
                self.block = None;
                if matches!(self.status, Status::Confirmed | Status::Credited) {
                    self.status = Status::Orphaned;
                }
            }
            Event::Confirmed { amount, paid, rate, .. } => {
                self.status = Status::Confirmed;
                self.amount = *amount;
                self.paid.clone_from(paid);
                self.rate.clone_from(rate);
            }
            Event::Credited { .. } => self.status = Status::Credited,
            Event::Reversed { .. } => {
                self.status = Status::Pending;
                self.amount = Money::ZERO;
                self.rate.clear();
                self.reversals += 1;
            }
            Event::Settled { .. } => self.status = Status::Settled,
        }
        self
    }
}
