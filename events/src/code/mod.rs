//! The text of an SMS -> the code in it, with every candidate and the reasons for and against.
//!
//! Holds: normalising, finding, weighing. Never holds: what a code does to an order (`order::decide` does).
//! Leans on: `platform` for shapes and brands. Linear in the text. Proved by: `tests.rs` here and `tests/messages.rs`.

mod brand;
mod candidate;
mod normal;
mod region;
#[cfg(test)]
mod tests;
mod verdict;
mod weigh;
mod words;

pub use verdict::{Candidate, Extraction, Reason, Verdict, extract};
