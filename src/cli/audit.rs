//! `telenumerus audit`: the log for auditors: `verify` proves it whole and lawful, `events` prints it, `replay` shows what was, `anchors` signs where it ends, `suppliers` lays it beside the sources' lists.

mod anchors;
mod listing;
mod replay;
mod suppliers;

pub use listing::described;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use actors::store::sqlite::{ChainFinding, Stamps, chain_in, inspect, last_record, verify_chain};
use clap::{Args, Subcommand};
use events::audit::{Auditor, Sums};
use events::envelope::Position;
use events::id::AccountId;
use events::money::Money;
use projections::{AccountView, Peeked, Views};
use serde_json::json;

use super::output::{self, say};
use super::{Outcome, Place, holds_log, in_words};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  telenumerus audit verify\n  telenumerus audit events --limit 20\n  telenumerus audit suppliers")]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Walk the hash chain and the invariants; exit 1 and say what is broken, and where, if anything is.
    #[command(
        after_help = "Examples:\n  telenumerus audit verify --data-dir /var/lib/telenumerus\n  telenumerus audit verify --from anchors.jsonl --key …\n  telenumerus audit verify --json"
    )]
    Verify {
        /// Check only from the last anchor of this file on (`audit anchors`): that the log is the one that was anchored, and its chain whole from there.
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        from: Option<PathBuf>,
        /// The public key that the anchor must be signed with (`audit anchors --show-key`).
        #[arg(long, requires = "from")]
        key: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Sign where the log ends, again and again, for somewhere else: whoever changes what stands before is found out.
    Anchors(anchors::Options),
    /// Show accounts and orders as they were, a digest of each account, and how two replays differ.
    Replay(replay::Options),
    /// Lay the log beside the sources' own lists: what was released and is charged still, what is leased or owned there and serves nobody, and the
    /// other way round; exit 1 if they disagree. Asks the sources.
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
        Command::Verify { from: Some(from), key, .. } => anchors::verify(&data_dir, from, key.as_deref()),
        Command::Verify { from: None, json, .. } => verify(&data_dir, *json),
        Command::Anchors(options) => anchors::run(&data_dir, options),
        Command::Replay(options) => replay::run(&data_dir, options),
        Command::Suppliers { days, attempts } => suppliers::run(&config, &data_dir, suppliers::Extent { days: *days, attempts: *attempts }),
        Command::Events(options) => listing::run(&data_dir, options),
    }
}

fn verify(data_dir: &Path, as_json: bool) -> Outcome {
    let end = last_record(data_dir).ok().flatten().map_or(0, |(end, _)| end.0);
    let bar = output::progress("verifying", end);
    let report = examine(data_dir, |position| bar.set_position(position));
    bar.finish_and_clear();
    let Report { findings, note, events, accounts, orders, open, views, balance, held } = report?;
    if as_json {
        say!(
            "{:#}",
            json!({
                "ok": findings.is_empty(), "events": events, "accounts": accounts, "orders": orders, "open_orders": open, "views_position": views,
                "balance": balance.to_string(), "held": held.to_string(), "note": note, "findings": findings,
            })
        );
    } else {
        for line in findings.iter().chain(&note) {
            say!("{line}");
        }
        say!("balances ${balance}, held ${held}");
        say!("{events} events, {accounts} accounts, {orders} orders ({open} open), views at {views}");
        match findings.len() {
            0 => say!("everything is as it was written, and lawful"),
            found => say!("{found} findings"),
        }
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What an audit has found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What must not be, a line each.
    pub findings: Vec<String>,
    /// What the records' times say.
    pub note: Option<String>,
    /// Events in the log.
    pub events: u64,
    /// Accounts in it.
    pub accounts: usize,
    /// Orders in it.
    pub orders: usize,
    /// Those that are not over.
    pub open: usize,
    /// How far the views are.
    pub views: u64,
    /// What all accounts can spend together, by the log.
    pub balance: Money,
    /// What is held of all accounts together, by the log.
    pub held: Money,
}

/// Walks the chain and the invariants of the log in `data_dir`; `progress` is told the position of each record.
pub fn examine(data_dir: &Path, progress: impl Fn(u64)) -> Result<Report, String> {
    let mut auditor = Auditor::default();
    // Before the log is read: what is appended meanwhile contradicts nothing.
    let views = Views::peek(data_dir);
    let files = inspect(data_dir).map_err(in_words)?;
    let past = views.as_ref().and_then(|views| of_another_past(data_dir, views));
    let (mut disagreements, mut impossible) = (Vec::new(), Vec::new());
    let mut events = 0u64;
    let mut stamps = Stamps::of(data_dir).unwrap_or_default();
    let mut out_of_time = Vec::new();
    let chain = verify_chain(data_dir, |record| {
        // Amounts beyond all bounds and the like: what no version wrote ends the rule that meets it, and not the audit.
        if catch_unwind(AssertUnwindSafe(|| auditor.observe(&record.recorded))).is_err() {
            impossible.push((record.recorded.position.0, record.recorded.stream.to_string()));
        }
        events += 1;
        progress(record.recorded.position.0);
        if let Some(detail) = stamps.observe(record.recorded.position, record.recorded.at) {
            let (position, stream) = (record.recorded.position.0, record.recorded.stream.to_string());
            out_of_time.push(ChainFinding { position, stream, detail });
        }
        if let Some(views) = views.as_ref().filter(|views| views.position == record.recorded.position) {
            disagreements = disagreeing(auditor.sums(), &views.accounts);
        }
    });
    let mut chain = chain.map_err(in_words)?;
    chain.append(&mut out_of_time);
    let (accounts, orders, open) = (auditor.sums().len(), auditor.orders_seen(), auditor.open_orders());
    let sum = |of: fn(&Sums) -> Money| auditor.sums().values().map(of).sum();
    let (balance, held) = (sum(|sums| sums.balance), sum(|sums| sums.held));
    let broken = chain.iter().map(|finding| format!("BROKEN at position {} in {}: {}", finding.position, finding.stream, finding.detail));
    let untaken =
        impossible.iter().map(|(position, stream)| format!("UNLAWFUL (O2) at position {position} in {stream}: no rule can take what stands there"));
    let mut findings: Vec<String> = broken.chain(untaken).collect();
    let unlawful = auditor.finish();
    findings.extend(
        unlawful
            .iter()
            .map(|finding| format!("UNLAWFUL ({}) at position {} in {}: {}", finding.rule, finding.position, finding.stream, finding.detail)),
    );
    let differs = |account: &AccountId| format!("VIEW (M2) of account {account} differs from the log; delete views.db to have it rebuilt");
    findings.extend(disagreements.iter().map(differs));
    findings.extend(files.iter().chain(&past).map(|finding| format!("DAMAGE: {finding}")));
    let views = views.map_or(Position(0), |views| views.position).0;
    Ok(Report { findings, note: stamps.note(), events, accounts, orders, open, views, balance, held })
}

/// Whether the views were folded from another log than the one that is there.
fn of_another_past(data_dir: &Path, views: &Peeked) -> Option<String> {
    let Peeked { position, chain, .. } = views;
    // Nobody said what log they are of: a start builds them anew, and their sums are compared all the same.
    let chain = (*chain)?;
    match chain_in(data_dir, *position) {
        Ok(Some(found)) if found == chain => None,
        Ok(Some(_)) => Some(format!(
            "views.db is of another past than the log: another record stands at its position {}; it is built anew at the next start",
            position.0
        )),
        Ok(None) => Some(format!(
            "views.db is ahead of the log: it has position {}, where the log has no record; it is built anew at the next start",
            position.0
        )),
        Err(error) => Some(format!("views.db has position {}, which cannot be read in the log: {error}", position.0)),
    }
}

fn disagreeing(log: &BTreeMap<AccountId, Sums>, views: &BTreeMap<AccountId, AccountView>) -> Vec<AccountId> {
    let differs = |account: &&AccountId| {
        let sums = log.get(*account).copied().unwrap_or_default();
        let view = views.get(*account).copied().unwrap_or_default();
        (sums.balance, sums.held) != (view.balance, view.held)
    };
    log.keys().chain(views.keys().filter(|account| !log.contains_key(*account))).filter(differs).copied().collect()
}
