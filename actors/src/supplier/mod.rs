//! Where numbers come from: the port, the router over the sources, and one file a source.
//!
//! Holds: who has which number now, whom to ask next. Never holds: how often an order may ask (the law does).
//! Leans on: `events::order::Step`. Proved by: tests beside each file, `tests/orders.rs` of this crate.

pub mod alphabet;
mod breaker;
pub mod fiction;
pub mod own;
mod port;
pub mod pull;
mod rest;
pub mod router;
mod score;
pub mod simulator;
pub mod smpp;
pub mod telecom;

pub use port::{Asked, Lease, Numbers, Release, Stock, Supplier, Wanted};
pub use rest::{Reach, Rest};
pub use router::{Preference, Router};
pub use score::Record;
