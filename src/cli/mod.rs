//! The command line: one file a command; `serve` also without a word.

mod addresses;
mod admin;
pub mod audit;
mod backup;
mod code;
mod config;
mod doctor;
mod export;
mod follow;
mod health;
mod log;
mod mcp;
mod node;
mod numbers;
mod order;
mod output;
mod policy;
mod report;
mod serve;
mod shell;
mod stopped;
mod supplier;
mod vault;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError};

/// Self-hosted SMS verification service: prepaid balance, phone numbers, codes.
#[derive(Debug, Parser)]
#[command(
    name = "telenumerus",
    version,
    after_help = "Examples:\n  telenumerus serve --config telenumerus.toml --data-dir /var/lib/telenumerus\n  telenumerus order google --wait\n  telenumerus doctor"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    serve: serve::Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service (what happens without a command, too).
    Serve(serve::Options),
    /// Credit, suspend, reinstate or show an account of the running service.
    Admin(admin::Options),
    /// Import, show or retire the numbers in the running service's pools.
    Numbers(numbers::Options),
    /// Check a source of numbers against the pull protocol.
    Supplier(supplier::Options),
    /// Decide what orders are taken for: rules by platform, country and account, tried and applied.
    Policy(policy::Options),
    /// Write what you show to everybody, made of the log: a quarter's transparency report.
    Report(report::Options),
    /// Take what the log has of an account, a number or a period out of it, signed, for somebody
    /// who has a right to it.
    Export(export::Options),
    /// Put the keys of secrets in the log under another master key.
    Vault(vault::Options),
    /// Read and check the event log, while the service runs or not.
    Audit(audit::Options),
    /// Copy the log and what belongs to it into a directory, checked by the chain, while the
    /// service runs or not.
    Backup(backup::Backup),
    /// Put a backup in the place of a stopped service's log.
    Restore(backup::Restore),
    /// Keep a live, verified copy of another machine's log in a directory.
    Follow(follow::Options),
    /// Say how this node stands to the log that it shares with others.
    Node(node::Options),
    /// Give the shared log what it has lost.
    Log(log::Options),
    /// Serve the tools for agents over stdio (Model Context Protocol).
    Mcp(mcp::Options),
    /// Show the deposit addresses that the configured keys give, to compare with the wallet before
    /// anybody pays.
    Addresses(addresses::Options),
    /// See what the code extraction makes of a message.
    Code(code::Options),
    /// Order a number from a service anywhere, and wait for its code: a caller's command.
    Order(order::Options),
    /// Check, show and describe the configuration.
    Config(config::Options),
    /// Look at everything that a service needs here: configuration, directory, disk, clock, ports,
    /// log, suppliers, chains, webhooks.
    Doctor(doctor::Options),
    /// Ask the running service whether it serves; exit 1 if not.
    Health(health::Options),
    /// Write a shell's completions.
    Completions(shell::Completions),
    /// Write the manual page.
    Man(shell::Man),
    /// Say which version this is.
    Version(shell::Version),
}

/// Where configuration and data are; every command takes them.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Configuration file (TOML).
    #[arg(long, env = "TELENUMERUS_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Data directory, in place of the configuration's.
    #[arg(long, env = "TELENUMERUS_DATA_DIR", value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

impl Place {
    fn load(&self) -> Result<(Config, PathBuf), ConfigError> {
        let config = Config::load(self.config.as_deref())?;
        let data_dir = self.data_dir.clone().unwrap_or_else(|| config.store.data_dir.clone());
        Ok((config, data_dir))
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let place = cli.place;
    let outcome = match cli.command {
        None => serve::run(&place, &cli.serve),
        Some(Command::Serve(options)) => serve::run(&place, &options),
        Some(Command::Admin(options)) => admin::run(&place, &options),
        Some(Command::Numbers(options)) => numbers::run(&place, &options),
        Some(Command::Supplier(options)) => supplier::run(&place, &options),
        Some(Command::Policy(options)) => policy::run(&place, &options),
        Some(Command::Report(options)) => report::run(&place, &options),
        Some(Command::Export(options)) => export::run(&place, &options),
        Some(Command::Vault(options)) => vault::run(&place, &options),
        Some(Command::Audit(options)) => audit::run(&place, &options),
        Some(Command::Backup(options)) => backup::make(&place, &options),
        Some(Command::Restore(options)) => backup::put_back(&place, &options),
        Some(Command::Follow(options)) => follow::run(&options),
        Some(Command::Node(options)) => node::run(&place, &options),
        Some(Command::Log(options)) => log::run(&place, &options),
        Some(Command::Mcp(options)) => mcp::run(&place, &options),
        Some(Command::Addresses(options)) => addresses::run(&place, &options),
        Some(Command::Code(options)) => code::run(&place, &options),
        Some(Command::Order(options)) => order::run(&options),
        Some(Command::Config(options)) => Ok(config::run(&place, &options)),
        Some(Command::Doctor(options)) => Ok(doctor::run(&place, &options)),
        Some(Command::Health(options)) => health::run(&place, &options),
        Some(Command::Completions(options)) => Ok(shell::completions(&options)),
        Some(Command::Man(options)) => shell::man(&options),
        Some(Command::Version(options)) => Ok(shell::version(&options)),
    };
    outcome.unwrap_or_else(|text| {
        eprintln!("telenumerus: {text}");
        ExitCode::FAILURE
    })
}

/// What a command ends with; the text of an error is for people.
type Outcome = Result<ExitCode, String>;

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Whether `directory` holds an event log, or is one that a service died in before it had made one.
fn holds_log(directory: &Path) -> Result<(), String> {
    let path = directory.join("events.db");
    if path.is_file() || ["lock", "head"].iter().any(|file| directory.join(file).is_file()) {
        Ok(())
    } else {
        Err(format!("{} is not there; name the data directory with --data-dir", path.display()))
    }
}
