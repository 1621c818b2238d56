//! The text of an SMS -> the code in it, with every candidate and the reasons for and against.
//!
//! Holds: normalising, finding, weighing. Never holds: what is done with a code.
//! Leans on: nothing of the workspace. Linear in the text. Proved by: `tests.rs` here and
//! `tests/messages.rs`.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm, clippy::iter_over_hash_type))]

mod address;
mod bind;
mod brand;
mod candidate;
mod clause;
mod confidence;
mod content;
mod context;
mod copula;
mod corroboration;
mod evidence;
mod filler;
mod form;
mod gap;
mod header;
mod instruction;
mod letters;
mod lexicon;
mod meanings;
mod message;
mod money;
mod normal;
mod number;
mod person;
mod reason;
mod receipt;
mod role;
mod sensitive;
mod service;
mod shape;
mod stranger;
mod stray;
mod table;
#[cfg(test)]
mod tests;
mod verdict;
mod weigh;
mod weights;

pub use message::Message;
pub use reason::Reason;
pub use sensitive::{Sensitive, sensitive};
pub use service::{Alphabet, Service};
pub use verdict::{Candidate, Extraction, Verdict, extract};
