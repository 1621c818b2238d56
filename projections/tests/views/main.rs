//! The views over a log: however it is cut into batches, stopped and repeated, the rows are the
//! same, and they are the ledger's.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod answers;
mod damage;
mod folding;
mod log;
mod pages;
