//! Chains that deposits are paid on: the port, one file a chain.
//!
//! Holds: what a chain says of a transaction. Never holds: whose it is or what it credits (the law does).
//! Leans on: nothing of ours but nouns. Proved by: `tests/deposits.rs` of this crate.

mod port;
pub mod simulated;

pub use port::{Chain, Final, Sighting};
