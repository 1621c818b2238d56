//! Webhooks at work: each account's deliveries in a queue of their own, signed, guarded, tried
//! until they end.
//!
//! Holds: when an attempt is made and over which connection. Never holds: whether and how often
//! (`events` does), or the words (the HTTP layer does). Leans on: `account`, `entity`, `alarm`.
//! Proved by: `tests/webhooks.rs` of this crate.

mod deliverer;
mod guard;
mod handle;
mod lanes;
mod sender;
mod sign;

pub use handle::{PayloadSource, WebhookPayload, Webhooks};
pub use lanes::Load;
pub use sender::{Answers, HttpSender, SenderSettings, WebhookSender};
pub use sign::{hex_signature, standard_signature};
