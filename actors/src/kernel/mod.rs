//! What every process of the service is made of: time and chance, one aggregate in memory,
//! supervision, HTTP to other services.
//!
//! Holds: the loop load, decide, append, evolve; no rule of the business; `registry` knows the ids
//! alone. Leans on: the store's port. Proved by: tests beside each file, `tests/recovery.rs` and
//! `tests/clocks.rs` of this crate.

pub mod alarm;
pub mod clock;
pub mod entity;
pub mod entropy;
pub mod fault;
pub mod foreign;
pub mod journal;
pub(crate) mod keyed_mutex;
pub mod outbound;
pub mod process;
pub mod registry;
pub mod singleton;
pub mod supervision;
