//! `telenumerus audit events`: the log, one line an event, as far as it is wanted.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use actors::store::sqlite::{AuditRecord, last_record, records_after};
use actors::vault::Vault;
use clap::Args;
use events::account::Event as AccountEvent;
use events::envelope::{Position, StreamId};
use events::id::{AccountId, OrderId};
use events::time::Timestamp;
use events::{Event, deposit, lease};
use serde_json::Value;

use super::super::output::Lines;
use super::super::{Outcome, in_words};
use crate::description;
use crate::moment::moment;

/// Width of a line for people.
const COLUMNS: usize = 120;
/// Between two looks for what was appended.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus audit events --account acc_… --since 2026-11-01 --type HoldCaptured\n  telenumerus audit events --limit 20\n  telenumerus audit events --follow\n  telenumerus audit events --json | jq .event"
)]
pub struct Options {
    /// Only this stream, such as account-…, deposit-… or number-….
    #[arg(long)]
    stream: Option<String>,
    /// Only what belongs to this account: its own stream, its webhooks, its deposits and its
    /// leases.
    #[arg(long)]
    account: Option<AccountId>,
    /// Only what belongs to this order.
    #[arg(long)]
    order: Option<OrderId>,
    /// Only events of this name, such as `OrderPlaced`; several times for several.
    #[arg(long = "type", value_name = "NAME")]
    types: Vec<String>,
    /// Only from this date or time on, in UTC.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only before this date or time, in UTC.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Only the last so many of them.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// Go on with what is appended, until interrupted.
    #[arg(long)]
    follow: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Message texts, senders, codes and full phone numbers too; without it they are hidden.
    #[arg(long)]
    reveal: bool,
}

pub fn run(data_dir: &Path, vault: Option<&Vault>, options: &Options) -> Outcome {
    known_types(&options.types)?;
    let mut out = Lines::open();
    let mut last = std::collections::VecDeque::new();
    let show = |record: &AuditRecord| {
        if options.json {
            description::record(record, options.reveal).to_string()
        } else {
            in_one_line(record, options.reveal)
        }
    };
    let walked = records_after(data_dir, Position(0), vault, |record| {
        if !options.wants(record) {
            return;
        }
        match options.limit {
            None => out.line(show(record)),
            Some(limit) => {
                last.push_back(show(record));
                if last.len() > limit {
                    last.pop_front();
                }
            }
        }
    });
    let (mut position, mut findings) = walked.map_err(in_words)?;
    for line in last {
        out.line(line);
    }
    out.flush();
    while options.follow && findings.is_empty() {
        std::thread::sleep(PAUSE);
        let is_news =
            last_record(data_dir).map_err(in_words)?.is_some_and(|(end, _)| end > position);
        if is_news {
            let seen = records_after(data_dir, position, vault, |record| {
                if options.wants(record) {
                    out.line(show(record));
                }
            });
            (position, findings) = seen.map_err(in_words)?;
            out.flush();
        }
    }
    if findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!(
        "the log is broken in {} places; `telenumerus audit verify` names them",
        findings.len()
    ))
}

/// A name that no event has would be waited for in vain.
fn known_types(types: &[String]) -> Result<(), String> {
    let known: Vec<&str> =
        events::codec::NAMES.iter().flat_map(|names| names.iter()).map(|(name, _)| *name).collect();
    match types.iter().find(|name| !known.contains(&name.as_str())) {
        Some(stranger) => {
            Err(format!("--type {stranger} {}", crate::spelling::unknown(stranger, &known)))
        }
        None => Ok(()),
    }
}

impl Options {
    fn wants(&self, record: &AuditRecord) -> bool {
        let recorded = &record.recorded;
        self.stream.as_deref().is_none_or(|stream| recorded.stream.as_str() == stream)
            && self.order.is_none_or(|order| recorded.correlation == Some(order))
            && self.account.is_none_or(|account| belongs_to(record, account))
            && (self.types.is_empty() || self.types.iter().any(|name| **name == *record.name))
            && self.since.is_none_or(|since| recorded.at >= since)
            && self.until.is_none_or(|until| recorded.at < until)
    }
}

fn belongs_to(record: &AuditRecord, account: AccountId) -> bool {
    let recorded = &record.recorded;
    if recorded.stream == StreamId::account(account)
        || recorded.stream.webhook_account_id() == Some(account)
    {
        return true;
    }
    match &recorded.event {
        Event::Deposit(deposit::Event::Claimed { account: of, .. }) => *of == account,
        Event::Deposit(deposit::Event::Seen { sight, .. }) => sight.account == Some(account),
        Event::Lease(lease::Event::Sought { request, .. }) => request.account == account,
        Event::Address(events::address::Event::Assigned(assigned)) => assigned.account == account,
        Event::Account(AccountEvent::OpenedForTests { of, .. }) => *of == Some(account),
        _ => false,
    }
}

/// Position, time, name, whose, and what it says: on one line of [`COLUMNS`] characters. The whole
/// of it is in `--json`.
fn in_one_line(record: &AuditRecord, reveal: bool) -> String {
    let recorded = &record.recorded;
    let subject =
        recorded.correlation.map_or_else(|| recorded.stream.to_string(), |order| order.to_string());
    let mut line =
        format!("{:>7} {} {:<20} {subject}", recorded.position.0, recorded.at, record.name);
    if let Value::Object(members) = description::data(&recorded.event, reveal) {
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let value = value.as_str().map_or_else(
                || value.to_string(),
                |text| {
                    if text.contains(char::is_whitespace) {
                        format!("{text:?}")
                    } else {
                        text.to_owned()
                    }
                },
            );
            if value != subject {
                let _ = write!(line, " {name}={value}");
            }
        }
    }
    let plain = line.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
    if line.chars().count() <= COLUMNS || reveal {
        plain.collect()
    } else {
        plain.take(COLUMNS - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_events_are_known_or_spelt_right() {
        assert!(known_types(&["OrderPlaced".to_owned()]).is_ok());
        assert!(known_types(&["OrderPlacd".to_owned()]).unwrap_err().contains("OrderPlaced"));
    }
}
