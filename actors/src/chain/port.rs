//! What can be asked of every chain.

use events::deposit::TxHash;
use events::money::Money;
use events::time::Timestamp;

use crate::fault::Fault;
use crate::store::BoxFuture;

/// What a chain says of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// Seen, not final yet.
    Pending,
    /// Final.
    Final(Final),
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
}

/// A chain, watched from outside.
pub trait Chain: Send + Sync + std::fmt::Debug + 'static {
    /// Its name in events.
    fn name(&self) -> &'static str;

    /// Whether its money is made up.
    fn is_simulated(&self) -> bool;

    /// What it says of `tx_hash` now, which was claimed at `claimed_at`.
    fn look<'a>(&'a self, tx_hash: &'a TxHash, claimed_at: Timestamp) -> BoxFuture<'a, Result<Sighting, Fault>>;

    /// How long to wait before looking again.
    fn pause(&self) -> std::time::Duration;
}
