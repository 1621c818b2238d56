//! The event store: a port, the embedded SQLite behind it, and one in memory for simulation; the
//! log that several nodes share under it.
//!
//! Holds: appends with exact revisions, reads, the hash chain, snapshots. Never holds: what events
//! mean. Leans on: `events::codec`. Proved by: `conformance`, run over both stores in
//! `tests/store.rs`.

pub mod chain;
pub mod conformance;
pub mod failing;
pub mod memory;
mod port;
mod records;
pub mod shared;
pub mod sqlite;

pub use port::{
    Append, AppendError, Appended, BoxFuture, EventStore, Expected, NewEvent, ReadError, Snapshot,
    Witness,
};
pub use records::{Record, Records};
