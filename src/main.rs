//! The adapters: strangers' words in, our words out; the only place where all crates meet.
//!
//! Holds: command line, configuration, composition, HTTP. Never holds: a rule about money or
//! orders, a statement of SQL. Leans on: `events`, `projections`, `actors`. Proved by: `tests/it`,
//! through the real binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

mod admin;
mod anchor;
mod audit;
mod boot;
mod cli;
mod config;
mod console;
mod data;
mod deposit_chains;
mod description;
mod erasure;
mod export;
mod http;
mod log_endpoint;
mod mcp;
mod moment;
mod node;
mod past;
mod payloads;
mod policy;
mod read_model;
mod serve;
mod sources;
mod spelling;
mod supervisor;
mod telemetry;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    data::keep_new_files_private();
    cli::run()
}
