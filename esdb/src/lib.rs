//! The KurrentDB v1 streams protocol, read only: a server over any log, and a client of such
//! servers.
//!
//! Holds: messages, cursors, filters, checkpoints, what a reader may have waiting. Never holds:
//! what an event means, who a reader is, a socket that listens. Leans on: `tonic`, `prost`;
//! `esdb/protos` says where the messages come from. Proved by: `tests/outside/log_clients.py`, with
//! the official clients.

pub mod client;
mod filter;
mod flow;
mod log;
mod message;
pub mod protocol;
mod query;
mod reading;
mod refusal;
mod server;
mod writers;

pub use flow::{Flow, Hangup};
pub use log::{Event, Log, Page, Record};
pub use refusal::{corrupt, unauthenticated, unavailable};
pub use server::{Authority, Bounds, routes};
