//! The log that several nodes share, on engines that exist: PostgreSQL.
//!
//! Holds: how a commit compares and swaps there, and how records are read back. Never holds: who
//! leads, or what events mean. Leans on: the port in `actors::store::shared`. Proved by: the
//! port's conformance suite over a real server, in `tests/`.

mod postgres;

pub use postgres::{AddressError, Postgres, Survey, Tables};
