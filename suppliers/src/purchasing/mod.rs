//! Numbers at programmable telecoms: what we own there, what is for sale, bought and given back by
//! their APIs.
//!
//! Holds: the port, what its clients share, and what buys under a recorded intent. Never holds: the
//! month's limit (`events::purchase`). Leans on: the inventory, which has the numbers in its pools.
//! Proved by: `actors/tests/telecom.rs`, the official SDKs on the same stand-ins.

mod handle;
mod port;

pub use handle::{NumberPurchasing, PurchaseError, Synced};
pub use port::{Account, Offer, Telecom, TelecomError};
pub(crate) use port::{MAX_PAGES, MAX_WORDS, dollars, done, phone, read};
