//! The way of a message, above the orders: alphabets, parts, repetitions, and the order that gets
//! it.
//!
//! Holds: which message is whose; each is kept before it is acknowledged. Never holds: what a
//! supplier's request looks like (`suppliers` does). Leans on: `orders`, `numbers`. Proved by:
//! tests beside each file, `tests/orders.rs` and `tests/parts.rs` of this crate.

pub mod alphabet;
mod deduplication;
mod handle;
mod parts;

pub use handle::{
    Delivery, InboundSms, Inbox, PAST_ASSIGNMENTS, PastAssignment, PastAssignments, REPEATED_WITHIN,
};
pub use parts::{InboundPart, PartDelivery, Parts};
