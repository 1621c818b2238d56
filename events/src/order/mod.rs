//! One order's life: a number is sought, assigned, a message awaited; it ends completed, cancelled,
//! expired or failed. A completed order keeps its number, and takes its messages, until its
//! deadline or until its caller finishes it.
//!
//! Holds: the order's facts, intentions, transitions and next step. Never holds: money (the
//! account's ledger does). Leans on: `code` for the message's code. Proved by: `tests.rs` here and
//! `events/tests/ledger_model.rs`.

mod command;
mod decide;
mod event;
mod messages;
pub mod receipt;
mod refusal;
mod report;
mod scenario;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use command::{Command, IncomingSms};
pub use event::{AttemptFailure, Complaint, Event, FailureReason, Placed, Sms};
pub use messages::REPEATED_WITHIN;
pub use receipt::Receipt;
pub use refusal::Refusal;
pub use scenario::Scenario;
pub use state::{Assignment, State, Status};
pub use step::{Step, next_step};
