//! A source that is asked for each number: leased under a reference, its messages read, released;
//! nothing of it lost in a crash.
//!
//! Holds: the requests, the process of each lease, the protocol over HTTP. Never holds: whether a
//! lease is still wanted (`events::lease::next_step`). Leans on: the inbox, which takes messages,
//! and the orders. Proved by: `actors/tests/pull.rs`, the conformance checker.

mod check;
mod client;
mod configuration;
mod lease;
mod obtaining;
mod source;
mod supplier;

pub use check::{Finding, Questions, check};
pub use client::HttpSource;
pub use configuration::Configuration;
pub use source::{Leased, Looked, PulledSms, Source, SourceError, StockLine};
pub use supplier::{Pull, Settings};
