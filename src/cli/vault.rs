//! `telenumerus vault`: the keys that secrets in the log are under.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use actors::kernel::clock::Clock;
use actors::store::sqlite::{Rewritten, last_record, rewrite};
use actors::vault::{MasterKey, Vault};
use clap::{Args, Subcommand};
use events::envelope::Actor;
use events::text::is_said_within;

use super::output::{self, say};
use super::{Outcome, Place, holds_log, in_words};
use crate::config::Config;
use crate::data;
use crate::description::hex;

/// The longest name of an operator that stands in the log.
const LONGEST_NAME: usize = 100;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus vault rotate --new-key-file /etc/telenumerus/vault.key.new\n  telenumerus vault migrate /var/lib/telenumerus-sealed"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put all keys of a stopped service's vault under another master key, all or none. The
    /// configuration names the one they are under; it has to name the new one before the next
    /// start.
    #[command(
        after_help = "Examples:\n  telenumerus vault rotate --new-key-file /etc/telenumerus/vault.key.new"
    )]
    Rotate {
        /// A file with the new key: 64 hexadecimal digits or Base64 of 32 bytes.
        #[arg(long, value_name = "FILE")]
        new_key_file: PathBuf,
    },
    /// Write a stopped service's log anew into another directory, with its secrets under keys of
    /// the configured vault: for a log of before there was one. The directory of before is not
    /// changed; the new log ends in a fact that names its last record.
    #[command(
        after_help = "Examples:\n  telenumerus vault migrate /var/lib/telenumerus-sealed --operator ada"
    )]
    Migrate {
        /// The new data directory; it must not be there yet, and be on the same disk as its
        /// parent.
        to: PathBuf,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (config, data_dir) = place.load().map_err(in_words)?;
    match &options.command {
        Command::Rotate { new_key_file } => rotate(&config, &data_dir, new_key_file),
        Command::Migrate { to, operator } => migrate(&config, &data_dir, to, operator),
    }
}

fn migrate(config: &Config, data_dir: &Path, to: &Path, operator: &str) -> Outcome {
    let master = config
        .vault
        .master()?
        .ok_or("the configuration names no key for the vault: set vault.key_file")?;
    holds_log(data_dir)?;
    let _lock = data::lock(data_dir).map_err(|error| format!("{}: {error}", data_dir.display()))?;
    let end = last_record(data_dir).ok().flatten().map_or(0, |(end, _)| end.0);
    let bar = output::progress("rewriting", end);
    if !is_said_within(operator, LONGEST_NAME) {
        return Err(format!("--operator is a name of at most {LONGEST_NAME} characters"));
    }
    let who = (Actor::Operator(operator.into()), Clock::System.now());
    let rewritten = rewrite(data_dir, to, &master, who, |reached| bar.set_position(reached.0));
    bar.finish_and_clear();
    let Rewritten { former, sealed, head } = rewritten.map_err(in_words)?;
    say!(
        "{sealed} of {} records are encrypted in {}. The log of before ends at position {} with \
         the chain {}; the new one at {} with {}. Name the new directory as store.data_dir, look \
         at `telenumerus audit verify`, and destroy the old directory and its backups once you \
         need them no more: they have everything in the clear.",
        former.position.0,
        to.display(),
        former.position.0,
        hex(&former.chain),
        head.position.0,
        hex(&head.chain)
    );
    Ok(ExitCode::SUCCESS)
}

fn rotate(config: &Config, data_dir: &Path, new_key_file: &Path) -> Outcome {
    if !Vault::is_in(data_dir) {
        return Err(format!("there is no vault in {}", data_dir.display()));
    }
    let old = config
        .vault
        .master()?
        .ok_or("the configuration names no key for the vault: set vault.key_file")?;
    let file = || new_key_file.display();
    let text =
        std::fs::read_to_string(new_key_file).map_err(|error| format!("{}: {error}", file()))?;
    let new = MasterKey::parse(&text)
        .ok_or_else(|| format!("{} holds no key: `openssl rand -hex 32` gives one", file()))?;
    let _lock = data::lock(data_dir).map_err(|error| format!("{}: {error}", data_dir.display()))?;
    let count = Vault::rotate(data_dir, &old, &new).map_err(in_words)?;
    say!("{count} keys are under the new key; name it in [vault] before the next start");
    Ok(ExitCode::SUCCESS)
}
