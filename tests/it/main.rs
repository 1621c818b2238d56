//! The whole service as its users have it: the real binary, real HTTP, real files, real kills.

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
