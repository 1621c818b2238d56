//! Accounts at work: the book-keeper actor of each, and the handle through which everybody asks it.
//!
//! Holds: who may write an account's stream, what is published of it, when it leaves memory. Never holds: a rule (the law does).
//! Leans on: `entity`, `registry`. Proved by: `tests/accounts.rs` of this crate.

mod bookkeeper;
mod handle;
mod listener;

pub use handle::{AccessError, Accounts, Published, Settings};
pub use listener::Listener;
