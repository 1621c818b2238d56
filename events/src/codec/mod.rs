//! Bytes <-> events: the one way in and the one way out, for live code and for replay.
//!
//! Holds: frozen names, frozen shapes, upcasts. Never holds: a rule. A shape here never changes: a changed event is a new version beside the old one.
//! Leans on: every room's events. Proved by: golden bytes in `tests.rs` here.

mod account_parts;
mod frozen;
mod lift;
mod lift_deposit;
mod lift_keys;
mod lift_order;
mod lift_source;
mod read;
#[cfg(test)]
mod tests;
mod write;
mod write_order;
mod write_source;

pub(crate) use account_parts::{effect_of, effect_parts, item_of, item_parts};
pub use frozen::NAMES;
pub use read::{DecodeError, decode};
pub use write::{Encoded, encode};
