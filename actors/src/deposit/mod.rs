//! Deposits at work: a claim is followed to finality and credited once, whatever crashes between.
//!
//! Holds: when the chain is asked. Never holds: whether a claim may be credited (the law does).
//! Leans on: `chain`, `account`, `entity`. Proved by: `tests/deposits.rs` of this crate.

mod follower;
mod handle;

pub use handle::{ClaimError, Claimed, Deposits};
