//! Whether a lease is still wanted: a pure function of how its order stands, so that a restart
//! finds the same answer.

use super::{LeaseId, Outcome};
use crate::order::{Event, State, Status};

/// What is to become of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The order may still take it.
    Wait,
    /// The order has it.
    Keep,
    /// The order has no use for it.
    Release(Outcome),
}

/// What is to become of the lease by its order; `None` for one that its account has forgotten,
/// which it does only after the end.
pub fn next_step(id: &LeaseId, order: Option<&State>) -> Step {
    let Some(order) = order else { return Step::Release(Outcome::Unused) };
    let assigned = order
        .assignment
        .as_ref()
        .is_some_and(|number| number.attempt == id.attempt && number.supplier == id.supplier);
    match order.status {
        Status::Queued => Step::Wait,
        Status::Pending if id.attempt > order.attempts => Step::Wait,
        Status::Active if assigned => Step::Keep,
        Status::Completed if assigned && order.is_listening() => Step::Keep,
        Status::Completed if assigned => Step::Release(Outcome::Served),
        Status::Pending
        | Status::Active
        | Status::Completed
        | Status::Cancelled
        | Status::Expired
        | Status::Failed => {
            let died = |fact: &Event| {
                matches!(
                    fact,
                    Event::NumberReportedDead { attempt, supplier, .. }
                        if *attempt == id.attempt && *supplier == id.supplier
                )
            };
            Step::Release(if order.history.iter().any(|fact| died(fact)) {
                Outcome::Dead
            } else {
                Outcome::Unused
            })
        }
    }
}
