//! The whole service as its users have it: the real binary, real HTTP, real files, real kills.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod account;
mod admin;
mod agent;
mod audit_tools;
mod batch;
mod canary;
mod code_replay;
mod command_line;
mod console;
mod contract;
mod damage;
mod data;
mod deposits;
mod disk;
mod errors;
mod formats;
mod history;
mod hostile;
mod idempotency;
mod inbound;
mod keys;
mod layouts;
mod life;
mod limits;
mod listening;
mod log_endpoint;
mod mcp;
mod mcp_lines;
mod numbers;
mod operators;
mod order;
mod policy;
mod pull;
mod receiver;
mod recovery;
mod server;
mod stream;
mod supervisor;
mod suspension;
mod telecom;
mod test_mode;
mod tidy;
mod verify;
mod webhook;
