//! Deposits at work: chains are watched, and what they pay is followed to finality and credited
//! once, whatever crashes between.
//!
//! Holds: when a chain is asked, who has which address. Never holds: whether a payment may be
//! credited (`events` does). Leans on: `chain`, `account`, `entity`. Proved by: `tests/deposits.rs`
//! of this crate.

mod book;
pub mod chain;
mod coin;
mod confirmation;
mod handle;
mod process;
pub mod simulated;
mod watcher;

pub use book::{AddressBook, AddressError};
pub use coin::{ChainStatus, Coin, CoinSettings};
pub use handle::{ClaimError, Claimed, Deposits, Looked};
