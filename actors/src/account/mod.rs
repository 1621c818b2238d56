//! Accounts at work: the book-keeper actor of each, and the handle through which everybody asks it.
//!
//! Holds: who may write an account's stream, what is published of it, when it leaves memory. Never
//! holds: a rule (`events` does). Leans on: `kernel`. Proved by: `actors/tests/orders.rs` and
//! `actors/tests/recovery.rs`.

mod bookkeeper;
mod handle;
mod history;
mod invites;
mod listener;
mod unfunded;

pub use handle::{AccessError, Accounts, Published, Replayed, Settings};
pub use history::{History, HistoryError, HistoryStatistics, LedgerPage, LedgerPlace, Movement};
pub use invites::Invites;
pub use listener::Listener;
