//! How many blocks must stand on a payment before it counts, and what is to be done with a deposit
//! next.

use super::currency::Currency;
use super::decide::{State, Status};
use crate::money::Money;

/// When a payment of an amount is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finality {
    /// With so many confirmations, its own block counted.
    Confirmations(u32),
    /// When the chain itself calls its block final.
    ByChain,
}

/// Confirmations before new coins can be spent, on BTC and LTC: before, the chain itself does not
/// take them for money.
pub const COINBASE_MATURITY: u32 = 100;

/// A coin's table of confirmations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Up to each amount so many confirmations, rising; the last for everything above.
    ByAmount {
        /// Up to this amount so many.
        up_to: Vec<(Money, u32)>,
        /// Above all of them.
        above: u32,
    },
    /// Whatever the amount, when the chain calls it final.
    ByChain,
}

/// Where a chain ends, and how far it calls itself final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The height of its last block.
    pub height: u64,
    /// The height of its last final block; `None` for chains that never say.
    pub finalized: Option<u64>,
}

impl Ends {
    /// Blocks on one of this height, itself counted.
    pub fn confirmations(self, height: u64) -> u64 {
        (self.height + 1).saturating_sub(height)
    }
}

impl Finality {
    /// The same, of a payment with new coins: whatever the table says, they must be mature.
    #[must_use]
    pub fn of_new_coins(self) -> Self {
        match self {
            Self::Confirmations(needed) => Self::Confirmations(needed.max(COINBASE_MATURITY)),
            Self::ByChain => Self::ByChain,
        }
    }

    /// Whether a payment in a block of this height is final.
    pub fn is_reached(self, height: u64, ends: Ends) -> bool {
        match self {
            Self::Confirmations(needed) => ends.confirmations(height) >= u64::from(needed),
            Self::ByChain => ends.finalized.is_some_and(|finalized| finalized >= height),
        }
    }
}

/// What is to be done with a deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Ask the chain whether its block still stands, and how deep.
    AskChain,
    /// Credit the account.
    Credit,
    /// Take the credit back.
    Reverse,
    /// Nothing, until it is seen in a block or claimed.
    Wait,
    /// Nothing ever.
    Done,
}

impl Policy {
    /// The table a coin has unless the operator writes another: LTC reorganised by 13 blocks in
    /// April 2026.
    pub fn usual(currency: Currency) -> Self {
        let dollars = |dollars: i64| Money::from_cents(dollars * 100);
        match currency {
            Currency::Btc => Self::ByAmount {
                up_to: vec![(dollars(50), 1), (dollars(500), 2), (dollars(5_000), 3)],
                above: 6,
            },
            Currency::Ltc => Self::ByAmount { up_to: vec![(dollars(50), 6)], above: 20 },
            Currency::UsdtErc20 => Self::ByChain,
        }
    }

    /// When a payment of `amount` is final.
    pub fn finality(&self, amount: Money) -> Finality {
        match self {
            Self::ByAmount { up_to, above } => {
                let row = up_to.iter().find(|(limit, _)| amount <= *limit);
                Finality::Confirmations(row.map_or(*above, |(_, confirmations)| *confirmations))
            }
            Self::ByChain => Finality::ByChain,
        }
    }

    /// Whether a credited payment in a block of this height need not be looked at any more.
    pub fn is_settled(&self, height: u64, ends: Ends, settle_confirmations: u64) -> bool {
        let by_chain = *self == Self::ByChain && Finality::ByChain.is_reached(height, ends);
        by_chain || ends.confirmations(height) >= settle_confirmations
    }

    /// Whether every larger amount needs at least as many confirmations, and every one at least
    /// one.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::ByAmount { up_to, above } => {
                let rising = up_to.windows(2).all(|rows| {
                    matches!(
                        rows, [(less, fewer), (more, larger)] if less < more && fewer <= larger
                    )
                });
                rising
                    && up_to.iter().all(|(_, confirmations)| (1..=*above).contains(confirmations))
                    && *above >= 1
            }
            Self::ByChain => true,
        }
    }
}

/// What is to be done with a deposit as it is.
pub fn next_step(state: &State) -> Step {
    match state.status {
        Status::Unclaimed | Status::Settled => Step::Done,
        Status::Credited if state.is_simulated() => Step::Done,
        Status::Pending
            if state.account.is_none() || (state.block.is_none() && !state.is_simulated()) =>
        {
            Step::Wait
        }
        Status::Pending | Status::Credited => Step::AskChain,
        Status::Confirmed => Step::Credit,
        Status::Orphaned => Step::Reverse,
    }
}
