//! Numbers, below the orders: the port of a supplier, the router over all of them, and the
//! operator's own pool.
//!
//! Holds: who has which number now, whom to ask next. Never holds: how often an order may ask
//! (`events::order::Step` says). Leans on: `kernel`, `store`. Proved by: tests beside each file,
//! `tests/orders.rs` of this crate.

mod breaker;
pub mod inventory;
pub mod pool;
mod port;
mod provenance;
mod quarantine;
pub mod router;
mod score;

pub use inventory::Inventory;
pub use port::{AttemptRequest, Lease, NumberRequest, Numbers, Release, Stock, Supplier};
pub use provenance::Provenances;
pub use quarantine::{Quarantine, SessionAvailability};
pub use router::{Preference, Router};
pub use score::Record;
