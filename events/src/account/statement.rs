//! An account in sums, as of any event of its stream: the fold that answers "what was it then".

use super::event::Event;
use super::ledger;
use crate::money::Money;
use crate::order;
use crate::tier::Tier;

/// Money and orders of an account, summed over its events so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statement {
    /// What could be spent.
    pub balance: Money,
    /// What open orders held.
    pub held: Money,
    /// What completed orders had cost.
    pub spent: Money,
    /// Orders placed.
    pub orders: u64,
    /// Orders completed.
    pub completed: u64,
    /// Orders cancelled.
    pub cancelled: u64,
    /// Orders expired.
    pub expired: u64,
    /// Orders failed.
    pub failed: u64,
    /// Completed orders whose price was given back, for their code was wrong.
    pub refunded: u64,
}

impl Statement {
    /// The tier that the orders so far have earned: those that were paid for, and stayed so.
    pub fn tier(&self) -> Tier {
        Tier::of(self.completed.saturating_sub(self.refunded))
    }

    /// The sums after `event`.
    pub fn add(&mut self, event: &Event) {
        if let Some(entry) = ledger::entry(event) {
            self.balance = self.balance + entry.balance;
            self.held = self.held + entry.held;
            if entry.kind == ledger::Kind::Capture {
                self.spent = self.spent - entry.held;
            }
            if entry.kind == ledger::Kind::Refund {
                self.spent = self.spent - entry.balance;
                self.refunded += 1;
            }
        }
        let Event::Order(_, fact) = event else { return };
        match fact {
            order::Event::Placed(_) => self.orders += 1,
            order::Event::Completed { .. } => self.completed += 1,
            order::Event::Cancelled { .. } => self.cancelled += 1,
            order::Event::Expired { .. } => self.expired += 1,
            order::Event::Failed { .. } => self.failed += 1,
            order::Event::ScenarioChosen { .. }
            | order::Event::Queued { .. }
            | order::Event::Started { .. }
            | order::Event::AttemptFailed { .. }
            | order::Event::NumberAssigned { .. }
            | order::Event::NumberReportedDead { .. }
            | order::Event::SmsReceived(_)
            | order::Event::SmsRepeated { .. }
            | order::Event::SmsHeld { .. }
            | order::Event::CodeReplaced { .. }
            | order::Event::Reported { .. }
            | order::Event::Refunded { .. }
            | order::Event::Finished { .. } => {}
        }
    }
}
