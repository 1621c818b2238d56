//! Callers' reports of orders: how many an account may make, and which of them give money back.
//!
//! A report gives the price of a code back if no message that came to the number was its
//! platform's, and ends the order at once, so that no code can follow the money. As the caller
//! could have had a stranger's code sent there, an account gets one such refund, and one more for
//! every [`ORDERS_FOR_A_REFUND`] completed orders; what is beyond that is for the operator to
//! judge, who sees every report.

use std::time::Duration;

use super::event::Event;
use super::refusal::OrderRefusal;
use super::state::State;
use crate::decider::Decider;
use crate::id::OrderId;
use crate::order::{self, Complaint};
use crate::time::Timestamp;

/// Completed orders for each further refund.
pub const ORDERS_FOR_A_REFUND: u64 = 10;

/// Reports an account may make in a day: they count against sources, too.
pub const MAX_REPORTS: usize = 20;

const DAY: Duration = Duration::from_hours(24);

impl State {
    pub(super) fn report(
        &self,
        id: OrderId,
        complaint: Complaint,
        at: Timestamp,
    ) -> Result<Vec<Event>, OrderRefusal> {
        let order = self.order(id).ok_or(OrderRefusal::NotFound)?;
        let mut facts = order.decide(&order::Command::Report { complaint, at })?;
        if facts.is_empty() {
            return Ok(Vec::new());
        }
        let of_today = self.reports.iter().filter(|reported| at.since(**reported) < DAY);
        if of_today.count() >= MAX_REPORTS {
            return Err(OrderRefusal::TooManyReports);
        }
        let has_refund = self.refunded < 1 + self.completed / ORDERS_FOR_A_REFUND;
        if complaint == Complaint::WrongCode && has_refund && order.has_only_strangers_messages() {
            facts.push(order::Event::Refunded { at });
        }
        Ok(facts.into_iter().flat_map(|fact| self.settled(order, fact)).collect())
    }

    pub(super) fn remember_report(&mut self, at: Timestamp) {
        while self.reports.front().is_some_and(|reported| at.since(*reported) >= DAY) {
            self.reports.pop_front();
        }
        self.reports.push_back(at);
    }
}
