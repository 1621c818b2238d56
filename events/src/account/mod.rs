//! One account: its standing, its ledger, and its orders, whose facts stand in the same stream.
//!
//! Holds: who may order, what is held, captured and released. Never holds: how a number is found or
//! a message read (`order` does). Leans on: `order`, `price`, `tier`. Proved by: `tests.rs` here
//! and `tests/ledger_model.rs`.

mod admission;
pub mod batch;
mod cancels;
mod command;
mod decide;
mod deposited;
mod event;
mod evolve;
pub mod idempotency;
mod judged;
mod keyed;
pub mod keyring;
pub mod ledger;
mod operator;
mod placing;
mod pool_share;
pub mod portrait;
pub mod recent;
mod refusal;
mod report;
pub mod snapshot;
mod state;
pub mod statement;
pub mod test_mode;
#[cfg(test)]
mod tests;
mod unused;
mod webhooks;

pub use admission::{Admission, RegistrationKind};
pub use batch::{BatchItem, ItemRefusal, MAX_BATCH, PlaceBatch};
pub use cancels::CancelRules;
pub use command::{Command, FirstAnswer, PlaceOrder, TestKey};
pub use event::Event;
pub use judged::{OrderRefused, PolicyRefusal};
pub use pool_share::PoolShare;
pub use refusal::{
    ApiKeyRefusal, IdempotencyRefusal, OperatorRefusal, OrderRefusal, PlacingRefusal, Refusal,
    RemovalRefusal, StandingRefusal, WebhookRefusal,
};
pub use state::{RECENT_ORDERS, SECRETS_OVERLAP, Standing, State, Webhook};
pub use test_mode::Mode;
