//! One order's life: a number is sought, assigned, a message awaited; it ends completed, cancelled, expired or failed.
//!
//! Holds: the order's facts, intentions, transitions and next step. Never holds: money (the account's ledger does).
//! Leans on: `code` for the message's code. Proved by: `tests.rs` here and `tests/order_model.rs`.

mod command;
mod decide;
mod event;
mod refusal;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use command::{Command, IncomingSms};
pub use event::{AttemptFailure, Event, FailureReason, Placed, Sms};
pub use refusal::Refusal;
pub use state::{Assignment, State, Status};
pub use step::{Step, next_step};
