//! `telenumerus vault`: the keys that secrets in the log are under.

use std::path::PathBuf;
use std::process::ExitCode;

use actors::vault::{MasterKey, Vault};
use clap::{Args, Subcommand};

use super::output::say;
use super::{Outcome, Place, in_words};
use crate::data;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus vault rotate --new-key-file /etc/telenumerus/vault.key.new"
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
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let Command::Rotate { new_key_file } = &options.command;
    let (config, data_dir) = place.load().map_err(in_words)?;
    if !Vault::is_in(&data_dir) {
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
    let _lock =
        data::lock(&data_dir).map_err(|error| format!("{}: {error}", data_dir.display()))?;
    let count = Vault::rotate(&data_dir, &old, &new).map_err(in_words)?;
    say!("{count} keys are under the new key; name it in [vault] before the next start");
    Ok(ExitCode::SUCCESS)
}
