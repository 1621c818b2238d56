//! The whole service as its users have it: the real binary, real HTTP, real files, real kills.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod account;
mod admin;
mod errors;
mod inbound;
mod life;
mod limits;
mod order;
mod recovery;
mod server;
mod stream;
mod tidy;
