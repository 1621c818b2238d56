//! The simulated chain: every hash is a payment, final a moment after it was claimed. For trying
//! out, and fenced for that.

use std::time::Duration;

use events::deposit::{SIMULATED, State};
use events::money::Money;

use super::confirmation::{ConfirmationSource, Final, Observation};
use crate::kernel::clock::Clock;
use crate::kernel::fault::Fault;
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

impl ConfirmationSource for Simulated {
    fn look<'a>(&'a self, deposit: &'a State) -> BoxFuture<'a, Result<Observation, Fault>> {
        let now = self.clock.now();
        let payment = Final {
            amount: AMOUNT,
            paid: AMOUNT.to_string(),
            rate: "1".to_owned(),
            rate_source: SIMULATED.to_owned(),
            rate_at: now,
        };
        let is_final = now >= deposit.since.plus(CONFIRMS_AFTER);
        Box::pin(async move {
            Ok(if is_final { Observation::Final(payment) } else { Observation::Waiting })
        })
    }

    fn pause(&self) -> Option<Duration> {
        Some(Duration::from_millis(250))
    }
}
