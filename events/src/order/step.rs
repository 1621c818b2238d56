//! What the runner must do now: a pure function of the state, so that recovery is nothing special.

use super::event::Event;
use super::state::{State, Status};
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// The order's next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask a source for a number and report what it says, before `until`.
    AskSource {
        /// The attempt to report.
        attempt: u8,
        /// Sources that have given no number to this order: not to be asked again.
        without_number: Vec<SupplierName>,
        /// Sources whose number died on this order: to be asked last.
        with_dead_number: Vec<SupplierName>,
        /// When the clock takes over.
        until: Timestamp,
    },
    /// Its turn has not come: the account starts it when it has.
    AwaitTurn,
    /// Keep the number reserved and wait for its message, or for the deadline.
    AwaitSms {
        /// When the clock takes over.
        until: Timestamp,
    },
    /// The code is there; keep the number reserved for what still comes, until then.
    Listen {
        /// When the clock takes over.
        until: Timestamp,
    },
    /// Give the number back and leave.
    Finish,
}

/// What must be done now for `order`.
pub fn next_step(order: &State) -> Step {
    match order.status {
        Status::Queued => Step::AwaitTurn,
        Status::Active => Step::AwaitSms { until: order.deadline() },
        Status::Pending => {
            let (without_number, with_dead_number) = refused_sources(order);
            Step::AskSource {
                attempt: order.attempts + 1,
                without_number,
                with_dead_number,
                until: order.deadline(),
            }
        }
        Status::Completed if order.is_listening() => Step::Listen { until: order.deadline() },
        Status::Completed | Status::Cancelled | Status::Expired | Status::Failed => Step::Finish,
    }
}

fn refused_sources(order: &State) -> (Vec<SupplierName>, Vec<SupplierName>) {
    let mut without_number = Vec::new();
    let mut with_dead_number = Vec::new();
    for fact in &order.history {
        match fact.as_ref() {
            Event::AttemptFailed { supplier, .. } => without_number.push(supplier.clone()),
            Event::NumberReportedDead { supplier, .. } => with_dead_number.push(supplier.clone()),
            Event::Placed(_)
            | Event::ScenarioChosen { .. }
            | Event::Queued { .. }
            | Event::Started { .. }
            | Event::NumberAssigned { .. }
            | Event::SmsReceived(_)
            | Event::SmsRepeated { .. }
            | Event::SmsHeld { .. }
            | Event::Completed { .. }
            | Event::CodeReplaced { .. }
            | Event::Reported { .. }
            | Event::Refunded { .. }
            | Event::Finished { .. }
            | Event::Cancelled { .. }
            | Event::Expired { .. }
            | Event::Failed { .. } => {}
        }
    }
    (without_number, with_dead_number)
}
