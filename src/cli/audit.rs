//! `telenumerus audit`: the log for auditors: `verify` proves it whole and lawful, `events` prints
//! it, `replay` shows what was, `anchors` signs where it ends, `suppliers` lays it beside the
//! sources' lists.

mod anchors;
mod listing;
mod replay;
mod suppliers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use actors::store::sqlite::last_record;
use clap::{Args, Subcommand};
use events::money::Money;
use serde_json::json;

use super::output::{self, say};
use super::{Outcome, Place, holds_log, in_words};
use crate::audit::{Report, examine};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus audit verify\n  telenumerus audit events --limit 20\n  telenumerus audit suppliers"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Walk the hash chain and the invariants; exit 1 and say what is broken, and where, if
    /// anything is.
    #[command(
        after_help = "Examples:\n  telenumerus audit verify --data-dir /var/lib/telenumerus\n  telenumerus audit verify --from anchors.jsonl --key …\n  telenumerus audit verify --json"
    )]
    Verify {
        /// Check only from the last anchor of this file on (`audit anchors`): that the log is the
        /// one that was anchored, and its chain whole from there.
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        from: Option<PathBuf>,
        /// The public key that the anchor must be signed with (`audit anchors --show-key`).
        #[arg(long, requires = "from")]
        key: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Sign where the log ends, again and again, for somewhere else: whoever changes what stands
    /// before is found out.
    Anchors(anchors::Options),
    /// Show accounts and orders as they were, a digest of each account, and how two replays differ.
    Replay(replay::Options),
    /// Lay the log beside the sources' own lists: what was released and is charged still, what is
    /// leased or owned there and serves nobody, and the other way round; exit 1 if they disagree.
    /// Asks the sources.
    #[command(after_help = "Examples:\n  telenumerus audit suppliers --days 7 --attempts")]
    Suppliers {
        /// Leases of so many days.
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// Every attempt with its cost, and whether it was refunded.
        #[arg(long)]
        attempts: bool,
    },
    /// Print the log: one line an event, or JSON.
    Events(listing::Options),
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (config, data_dir) = place.load().map_err(in_words)?;
    holds_log(&data_dir)?;
    match &options.command {
        Command::Verify { from: Some(from), key, .. } => {
            anchors::verify(&data_dir, from, key.as_deref())
        }
        Command::Verify { from: None, json, .. } => verify(&data_dir, *json),
        Command::Anchors(options) => anchors::run(&data_dir, options),
        Command::Replay(options) => replay::run(&data_dir, options),
        Command::Suppliers { days, attempts } => suppliers::run(
            &config,
            &data_dir,
            suppliers::Extent { days: *days, attempts: *attempts },
        ),
        Command::Events(options) => {
            let vault = config.vault.open(&data_dir)?;
            listing::run(&data_dir, vault.as_ref(), options)
        }
    }
}

fn verify(data_dir: &Path, as_json: bool) -> Outcome {
    let end = last_record(data_dir).ok().flatten().map_or(0, |(end, _)| end.0);
    let bar = output::progress("verifying", end);
    let report = examine(data_dir, |position| bar.set_position(position));
    bar.finish_and_clear();
    let Report { findings, note, former, events, accounts, orders, open, views, live, test } =
        report?;
    if as_json {
        say!(
            "{:#}",
            json!({
                "ok": findings.is_empty(), "events": events, "accounts": accounts, "orders": orders,
                "open_orders": open, "views_position": views,
                "balance": live.balance.to_string(), "held": live.held.to_string(),
                "test": test.said(), "note": note,
                "former_heads": former, "findings": findings,
            })
        );
    } else {
        for line in findings.iter().chain(&note).chain(&former) {
            say!("{line}");
        }
        say!("balances ${}, held ${}", live.balance, live.held);
        if test.balance != Money::ZERO || test.held != Money::ZERO {
            say!(
                "of tests, with no money behind it: balances ${}, held ${}",
                test.balance,
                test.held
            );
        }
        say!(
            "{events} events, {accounts} accounts, {orders} orders ({open} open), views at {views}"
        );
        match findings.len() {
            0 => say!("everything is as it was written, and lawful"),
            found => say!("{found} findings"),
        }
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
