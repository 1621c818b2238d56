//! The text of an SMS -> the code in it, with every candidate and the reasons for and against.
//!
//! Holds: normalising, finding, weighing. Never holds: what is done with a code.
//! Leans on: nothing of the workspace. Linear in the text. Proved by: `tests.rs` here and `tests/messages.rs`.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::iter_over_hash_type))]

mod brand;
mod candidate;
mod message;
mod normal;
mod region;
mod service;
#[cfg(test)]
mod tests;
mod verdict;
mod weigh;
mod words;

pub use message::Message;
pub use service::{Alphabet, Service};
pub use verdict::{Candidate, Extraction, Reason, Verdict, extract};
