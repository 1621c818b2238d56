//! THE HANDS: who may write, in which order, and every effect on the world.
//!
//! Holds: the store, the actors of accounts, orders and deposits, sources of numbers, chains. Never holds: a rule, a price, a word of HTTP.
//! Leans on: `events`. Proved by: `tests/` of this crate, the simulation in `tests/simulation` of the root.

pub mod alarm;
pub mod clock;
pub mod entropy;

pub mod entity;
pub mod fault;
pub mod foreign;
mod heard;
pub mod outbound;
pub mod registry;
pub mod store;
mod supervision;
mod turns;

pub mod account;
pub mod deposit;
pub mod inbox;
pub mod inventory;
pub mod order;
pub mod parts;
pub mod webhook;

pub mod chain;
pub mod supplier;

pub use account::Accounts;
pub use deposit::Deposits;
pub use fault::Fault;
pub use inbox::Inbox;
pub use inventory::Inventory;
pub use order::Orders;
pub use parts::Parts;
pub use webhook::Webhooks;
