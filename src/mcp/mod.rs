//! The tools for agents: each is a call of its route, so that REST and MCP cannot drift apart.
//!
//! Holds: the tools' words, and the way from a tool call to a route's call. Never holds: a rule, a
//! price, an order. Leans on: `http`, whose routes and schemas it uses. Proved by:
//! `tests/it/mcp.rs`, and the official clients in `tests/outside`.

mod api;
mod message;
mod own_key;
mod prompt;
mod reply;
mod sentences;
mod server;
mod stdio;
mod tools;

pub use api::{Api, Call, Caller, Directory, Keys};
pub use message::{MAX_BYTES, Refusal, is_response, read};
pub use own_key::OwnKey;
pub use server::{Host, Tasks};
pub use stdio::Stdio;
