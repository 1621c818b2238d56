//! What operators do to an account: money given and taken, orders stopped and allowed.

use super::event::Event;
use super::refusal::OperatorRefusal;
use super::state::{Standing, State};
use crate::money::Money;
use crate::order;
use crate::time::Timestamp;

/// The largest single amount: far below where sums of micro-dollars could overflow.
const MAX_AMOUNT: Money = Money::from_cents(100_000_000_000);

/// An amount that can be given or taken at once.
pub(super) fn movable(amount: Money) -> Result<(), OperatorRefusal> {
    if amount.is_positive() && amount <= MAX_AMOUNT {
        Ok(())
    } else {
        Err(OperatorRefusal::AmountOutOfRange)
    }
}

impl State {
    /// Money taken back: never what open orders hold, and no more than there is unless the operator
    /// says so.
    pub(super) fn debit(
        &self,
        amount: Money,
        reason: &str,
        may_overdraw: bool,
        at: Timestamp,
    ) -> Result<Vec<Event>, OperatorRefusal> {
        movable(amount)?;
        let overdraws = amount > self.balance;
        if overdraws && !may_overdraw {
            return Err(OperatorRefusal::DebitTooLarge { wanted: amount, available: self.balance });
        }
        Ok(vec![Event::Debited { amount, reason: reason.to_owned(), overdraws, at }])
    }

    /// A suspended account orders nothing more: what waits for its turn is cancelled, what runs
    /// ends as usual.
    pub(super) fn suspend(&self, reason: &str, at: Timestamp) -> Vec<Event> {
        if matches!(self.standing, Standing::Suspended(_)) {
            return Vec::new();
        }
        let waiting = self.queue.iter().filter_map(|id| self.open.get(id));
        let cancelled =
            waiting.flat_map(|order| self.settled(order, order::Event::Cancelled { at }));
        std::iter::once(Event::Suspended { reason: reason.to_owned(), at })
            .chain(cancelled)
            .collect()
    }

    pub(super) fn reinstate(&self, reason: &str, at: Timestamp) -> Vec<Event> {
        match self.standing {
            Standing::Suspended(_) | Standing::Removed => {
                vec![Event::Reinstated { reason: reason.to_owned(), at }]
            }
            Standing::Good | Standing::Unregistered => Vec::new(),
        }
    }
}
