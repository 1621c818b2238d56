//! `telenumerus audit`: the log for auditors: `verify` proves it whole and lawful, `events` prints it, `replay` shows what was, `anchors` signs where it ends, `suppliers` lays it beside the sources' lists.

mod anchors;
mod replay;
mod suppliers;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use actors::store::sqlite::{AuditRecord, ChainFinding, Stamps, chain_in, inspect, verify_chain};
use clap::{Args, Subcommand};
use events::audit::{Auditor, Sums};
use events::envelope::Position;
use events::id::{AccountId, CommandId, OrderId};
use projections::{AccountView, Peeked, Views};
use serde_json::{Value, json};

use super::{Outcome, Place, holds_log, in_words};
use crate::description;

#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Walk the hash chain and the invariants; exit 1 and say what is broken, and where, if anything is.
    Verify {
        /// Check only from the last anchor of this file on (`audit anchors`): that the log is the one that was anchored, and its chain whole from there.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// The public key that the anchor must be signed with (`audit anchors --show-key`).
        #[arg(long, requires = "from")]
        key: Option<String>,
    },
    /// Sign where the log ends, again and again, for somewhere else: whoever changes what stands before is found out.
    Anchors(anchors::Options),
    /// Show accounts and orders as they were, a digest of each account, and how two replays differ.
    Replay(replay::Options),
    /// Lay the log beside the sources' own lists: what was released and is charged still, what is leased or owned there and serves nobody, and the
    /// other way round; exit 1 if they disagree. Asks the sources.
    Suppliers {
        /// Leases of so many days.
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// Every attempt with its cost, and whether it was refunded.
        #[arg(long)]
        attempts: bool,
    },
    /// Print the log.
    Events {
        /// Only this stream, such as account-…, deposit-… or number-….
        #[arg(long)]
        stream: Option<String>,
        /// Only what belongs to this order.
        #[arg(long)]
        order: Option<OrderId>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Message texts, senders, codes and full phone numbers too; without it they are hidden.
        #[arg(long)]
        reveal: bool,
    },
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (config, data_dir) = place.load().map_err(in_words)?;
    holds_log(&data_dir)?;
    match &options.command {
        Command::Verify { from: Some(from), key } => anchors::verify(&data_dir, from, key.as_deref()),
        Command::Verify { from: None, .. } => verify(&data_dir),
        Command::Anchors(options) => anchors::run(&data_dir, options),
        Command::Replay(options) => replay::run(&data_dir, options),
        Command::Suppliers { days, attempts } => suppliers::run(&config, &data_dir, suppliers::Extent { days: *days, attempts: *attempts }),
        Command::Events { stream, order, json, reveal } => print(&data_dir, stream.as_deref(), *order, *json, *reveal),
    }
}

fn verify(data_dir: &Path) -> Outcome {
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
    let laws = auditor.finish();
    for finding in &chain {
        println!("BROKEN at position {} in {}: {}", finding.position, finding.stream, finding.detail);
    }
    for (position, stream) in &impossible {
        println!("UNLAWFUL (O2) at position {position} in {stream}: no rule can take what stands there");
    }
    for finding in &laws {
        println!("UNLAWFUL ({}) at position {} in {}: {}", finding.rule, finding.position, finding.stream, finding.detail);
    }
    for account in &disagreements {
        println!("VIEW (M2) of account {account} differs from the log; delete views.db to have it rebuilt");
    }
    for finding in files.iter().chain(&past) {
        println!("DAMAGE: {finding}");
    }
    let checkpoint = views.map_or(Position(0), |views| views.position);
    if let Some(note) = stamps.note() {
        println!("{note}");
    }
    println!("{events} events, {accounts} accounts, {orders} orders ({open} open), views at {}", checkpoint.0);
    let found = chain.len() + laws.len() + disagreements.len() + impossible.len() + files.len() + past.iter().len();
    if found == 0 {
        println!("everything is as it was written, and lawful");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{found} findings");
    Ok(ExitCode::FAILURE)
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

fn print(data_dir: &Path, stream: Option<&str>, order: Option<OrderId>, as_json: bool, reveal: bool) -> Outcome {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut broken_pipe = false;
    let findings = verify_chain(data_dir, |record| {
        let recorded = &record.recorded;
        let wanted = stream.is_none_or(|stream| recorded.stream.as_str() == stream) && order.is_none_or(|order| recorded.correlation == Some(order));
        if wanted && !broken_pipe {
            let line = if as_json { described(record, reveal).to_string() } else { in_one_line(record, reveal) };
            // Whoever reads may have seen enough (`| head`).
            broken_pipe = writeln!(out, "{line}").is_err();
        }
    });
    let findings = findings.map_err(in_words)?;
    let _ = out.flush();
    if findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!("the log is broken in {} places; `telenumerus audit verify` names them", findings.len()))
}

fn in_one_line(record: &AuditRecord, reveal: bool) -> String {
    let recorded = &record.recorded;
    let order = recorded.correlation.map_or_else(String::new, |order| format!(" {order}"));
    let data = description::data(&recorded.event, reveal);
    format!(
        "{:>8} {} {}@{} {}{order} by {} {data}",
        recorded.position.0, recorded.at, recorded.stream, recorded.revision.0, record.name, record.actor
    )
}

fn described(record: &AuditRecord, reveal: bool) -> Value {
    let recorded = &record.recorded;
    json!({
        "position": recorded.position.0,
        "stream": recorded.stream.as_str(),
        "revision": recorded.revision.0,
        "id": recorded.id.to_string(),
        "event": &*record.name,
        "version": record.version,
        "at": recorded.at.to_string(),
        "causation": CommandId(record.causation).to_string(),
        "correlation": recorded.correlation.map(|order| order.to_string()),
        "actor": &*record.actor,
        "data": description::data(&recorded.event, reveal),
    })
}
