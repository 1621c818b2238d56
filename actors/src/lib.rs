//! The runtime: who may write, in which order, and every effect on the world.
//!
//! Holds: the store, the processes of accounts, orders, deposits and webhooks, the inbox, number
//! pools. Never holds: a rule, a price, a word of HTTP. Leans on: `events`. Proved by: `tests/` of
//! this crate, of which `actors/tests/recovery.rs` is the simulation.

pub mod kernel;
pub mod store;
pub mod vault;

pub mod account;
pub mod deposit;
pub mod order;
pub mod webhook;

pub mod inbox;
pub mod numbers;
pub mod policy;

pub use account::Accounts;
pub use deposit::Deposits;
pub use inbox::{Inbox, Parts};
pub use kernel::fault::Fault;
pub use kernel::journal::Journal;
pub use numbers::Inventory;
pub use order::Orders;
pub use policy::Policies;
pub use webhook::Webhooks;
