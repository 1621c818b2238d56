//! Orders at work: the runner actor of each open order, and the handle through which they are
//! placed, cancelled and awaited.
//!
//! Holds: when a step is taken. Never holds: which step (`events::order::next_step` says) or what
//! it means (`events` does). Leans on: `account`, `supplier`, `alarm`. Proved by: `tests/orders.rs`
//! of this crate.

mod ending;
mod handle;
mod listening;
mod placing;
mod runner;

pub use handle::{Orders, PlaceError};
pub use runner::lease;
