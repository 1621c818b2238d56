//! `telenumerus log push-missing`: a node's copy gives the shared log what that has not got.

use std::process::ExitCode;
use std::sync::Arc;

use actors::store::chain::Mark;
use actors::store::shared::{Commit, SharedLog};
use actors::store::sqlite::{Loss, SqliteStore};
use actors::store::{EventStore, Record, Records};
use clap::{Args, Subcommand};

use super::output::say;
use super::{Outcome, Place, holds_log, in_words};
use crate::data;
use crate::node::{difference, shared_log};

/// Records in one commit.
const GROUP: usize = 512;
/// Times that a group is given where nobody knows what became of it.
const TRIES: u32 = 5;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus log push-missing --config telenumerus.toml --data-dir /var/lib/telenumerus"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Give the shared log what this stopped node's copy has after its end: all of it, to start
    /// with a log that was one node's own, or what the database has lost.
    #[command(
        after_help = "Examples:\n  telenumerus log push-missing --config telenumerus.toml --data-dir /var/lib/telenumerus"
    )]
    PushMissing,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let Command::PushMissing = options.command;
    let (config, data_dir) = place.load().map_err(in_words)?;
    let Some(log) = shared_log(&config).map_err(in_words)? else {
        return Err("store.shared names no shared log".to_owned());
    };
    holds_log(&data_dir)?;
    let _lock = data::lock(&data_dir)
        .map_err(|error| format!("{}: {error}; stop it before", data_dir.display()))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
    let given = runtime.block_on(async {
        let on_fatal = Arc::new(|reason: &str| eprintln!("telenumerus: {reason}"));
        let store = SqliteStore::open_with(&data_dir, on_fatal, Loss::Refused).map_err(in_words)?;
        let given = push(&*log, &store).await;
        store.close().await;
        given
    })?;
    say!("{given} records given; the shared log has all of this node's copy");
    Ok(ExitCode::SUCCESS)
}

/// How many records the shared log was given.
async fn push(log: &dyn SharedLog, store: &SqliteStore) -> Result<u64, String> {
    let mut head = log.head().await.map_err(in_words)?;
    let own = store.end_when_opened();
    let (before, mut tries) = (head.position.0, 0);
    while head.position < own.position {
        let is_ours = head == Mark::START
            || store.chain_at(head.position).await.map_err(in_words)? == Some(head.chain);
        if !is_ours {
            return Err(format!(
                "the shared log ends at position {}, and has another record there than this \
                 node's copy: it is not given what does not continue it",
                head.position.0
            ));
        }
        let group: Arc<[Record]> =
            store.stored(head.position, GROUP).await.map_err(in_words)?.into();
        let detail = match log.commit(head, Arc::clone(&group)).await {
            // What became of it, the end of the log says.
            Commit::Taken | Commit::Refused(_) => String::new(),
            Commit::Unknown(detail) => detail,
            Commit::NotTaken(error) => return Err(error),
        };
        let end = log.head().await.map_err(in_words)?;
        tries = if end == head { tries + 1 } else { 0 };
        if tries == TRIES {
            return Err(format!(
                "the shared log takes nothing after position {}: its end and its records are not \
                 as they were written. {detail}",
                head.position.0
            ));
        }
        head = end;
    }
    match difference(log, own).await.map_err(in_words)? {
        Some(difference) => Err(difference.to_string()),
        None => Ok(head.position.0 - before),
    }
}
