//! A source that is asked for each number: leased under a reference, its messages read, released; nothing of it lost in a crash.
//!
//! Holds: the asking, the keeper of each lease, the protocol over HTTP. Never holds: whether a lease is still wanted (`events::lease::fate`).
//! Leans on: the inbox, which takes messages, and the orders. Proved by: `tests/pull.rs` of this crate, the conformance checker.

mod check;
mod http;
mod keeper;
mod source;
mod supplier;

pub use check::{Finding, Questions, check};
pub use http::HttpSource;
pub use source::{Leased, Looked, PulledSms, Source, SourceError, StockLine};
pub use supplier::{Pull, Settings};
