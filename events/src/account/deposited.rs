//! What final deposits do to an account's money: credited, kept until small ones come to enough,
//! taken back.

use std::sync::Arc;

use super::event::Event;
use super::operator::movable;
use super::refusal::Refusal;
use super::state::State;
use crate::deposit::MINIMUM;
use crate::id::DepositId;
use crate::money::Money;
use crate::time::Timestamp;

impl State {
    /// Deposits below the minimum wait for each other; the one that makes them enough brings them
    /// all.
    pub(super) fn credit_deposit(
        &self,
        deposit: DepositId,
        amount: Money,
        at: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        // What is worth less than the smallest amount brings nothing.
        if self.deposits.contains_key(&deposit) || amount == Money::ZERO {
            return Ok(Vec::new());
        }
        movable(amount)?;
        let earlier = self.dust.iter().filter(|(kept, _)| **kept != deposit);
        let together: Vec<(DepositId, Money)> =
            earlier.map(|(kept, amount)| (*kept, *amount)).chain([(deposit, amount)]).collect();
        if together.iter().map(|(_, amount)| *amount).sum::<Money>() >= MINIMUM {
            return Ok(together
                .into_iter()
                .map(|(deposit, amount)| Event::DepositCredited { deposit, amount, at })
                .collect());
        }
        let is_kept = self.dust.contains_key(&deposit);
        Ok(if is_kept { Vec::new() } else { vec![Event::DustKept { deposit, amount, at }] })
    }

    pub(super) fn reverse_deposit(&self, deposit: DepositId, at: Timestamp) -> Vec<Event> {
        let credited = self.deposits.get(&deposit).map(|amount| Event::DepositReversed {
            deposit,
            amount: *amount,
            at,
        });
        let kept = self.dust.get(&deposit).map(|amount| Event::DustDropped {
            deposit,
            amount: *amount,
            at,
        });
        credited.or(kept).into_iter().collect()
    }

    pub(super) fn drop_dust(&mut self, deposit: DepositId) {
        if self.dust.contains_key(&deposit) {
            Arc::make_mut(&mut self.dust).remove(&deposit);
        }
    }
}
