//! The simulated chain: every hash is a payment, final a moment after it was claimed. For trying out, and fenced for that.

use std::time::Duration;

use events::deposit::TxHash;
use events::money::Money;
use events::time::Timestamp;

use super::port::{Chain, Final, Sighting};
use crate::clock::Clock;
use crate::fault::Fault;
use crate::store::BoxFuture;

/// How long after its claim a simulated payment is final.
pub const CONFIRMS_AFTER: Duration = Duration::from_secs(2);
/// What every simulated payment is worth.
pub const AMOUNT: Money = Money::from_cents(1_000);

/// Gives ten dollars for any hash.
#[derive(Debug)]
pub struct Simulated {
    clock: Clock,
}

impl Simulated {
    /// A chain that follows `clock`.
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

impl Chain for Simulated {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn look<'a>(&'a self, _tx_hash: &'a TxHash, claimed_at: Timestamp) -> BoxFuture<'a, Result<Sighting, Fault>> {
        let is_final = self.clock.now() >= claimed_at.plus(CONFIRMS_AFTER);
        let payment = Final { amount: AMOUNT, paid: AMOUNT.to_string(), rate: "1".to_owned(), rate_source: "simulated".to_owned() };
        Box::pin(async move { Ok(if is_final { Sighting::Final(payment) } else { Sighting::Pending }) })
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(250)
    }
}
