//! What a deposit's process asks of its chain, real or made up.

use std::time::Duration;

use events::deposit::State;
use events::money::Money;
use events::time::Timestamp;

use crate::kernel::fault::Fault;
use crate::store::BoxFuture;

/// How a deposit stands on its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// As it was; nothing follows yet.
    Waiting,
    /// Its block is the chain's no more.
    Gone,
    /// It is final.
    Final(Final),
    /// It is so deep that it need not be looked at again.
    Settled,
}

/// A final payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Final {
    /// What it is worth.
    pub amount: Money,
    /// What was paid, in the coin's unit, as decimal text.
    pub paid: String,
    /// Dollars for one coin, as decimal text.
    pub rate: String,
    /// Where the rate is from.
    pub rate_source: String,
    /// When it was asked.
    pub rate_at: Timestamp,
}

/// Whoever can say how a deposit stands.
pub trait ConfirmationSource: Send + Sync + std::fmt::Debug + 'static {
    /// How it stands now.
    fn look<'a>(&'a self, deposit: &'a State) -> BoxFuture<'a, Result<Observation, Fault>>;

    /// How long to wait before asking again; `None` if processes are woken when there is something
    /// new.
    fn pause(&self) -> Option<Duration>;
}
