//! Webhooks: what an owner is told, where it may be sent, and how often it is tried.
//!
//! Holds: notices, targets, the schedule. Never holds: a socket, a name's resolution, a signature
//! (`actors/src/webhook` does). Leans on: nouns. Proved by: `tests.rs` here.

mod delivery;
mod notice;
pub mod target;
#[cfg(test)]
mod tests;

pub use delivery::{
    Command, Event, JITTER_PER_MILLE, Outcome, Progress, RETRY_AFTER, Receiver, Refusal, Standing,
    State,
};
pub use notice::{Notice, delivery_id};
