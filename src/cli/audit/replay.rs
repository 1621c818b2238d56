//! `telenumerus audit replay`: accounts and orders as they were at a position or a time, a digest
//! of each account, and how two replays differ.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use actors::store::sqlite::{AuditRecord, verify_chain};
use clap::Args;
use events::Event;
use events::account::{Event as AccountEvent, Standing, State};
use events::decider::Decider;
use events::id::{AccountId, OrderId};
use events::order;
use events::phone::Phone;
use events::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::output::say;
use crate::cli::{Outcome, in_words};
use crate::description;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus audit replay --account acc_… --at 2026-11-24T12:00:00Z\n  telenumerus audit replay > digests.txt"
)]
pub struct Options {
    /// As of this position of the log.
    #[arg(long, value_name = "POSITION", conflicts_with = "at")]
    at_position: Option<u64>,
    /// As of this time, such as 2026-11-24T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The state of this account.
    #[arg(long, conflicts_with = "order")]
    account: Option<AccountId>,
    /// The state of this order, and its events.
    #[arg(long)]
    order: Option<OrderId>,
    /// Message texts, senders, codes and full phone numbers too; without it they are hidden.
    #[arg(long)]
    reveal: bool,
    /// What an earlier replay without --account and --order has printed, of this version or
    /// another: says which accounts differ, and exits 1 if any do. As of its position, where none
    /// is given.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["account", "order"])]
    against: Option<PathBuf>,
}

pub fn run(data_dir: &Path, options: &Options) -> Outcome {
    let earlier = options.against.as_deref().map(Digests::read).transpose()?;
    let until = match (options.at_position, options.at, &earlier) {
        (None, None, Some(earlier)) => Until { position: earlier.position, time: None },
        (position, time, _) => Until { position, time },
    };
    let replayed = Replayed::of(data_dir, until, options.order)?;
    if let Some(order) = options.order {
        return show(replayed.order(order, options.reveal), "there was no such order then");
    }
    if let Some(account) = options.account {
        let state = replayed.accounts.get(&account).map(|state| described(state, options.reveal));
        return show(state, "there was no such account then");
    }
    let digests = replayed.digests();
    match earlier {
        None => {
            say!("{}", digests.text().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Some(earlier) => Ok(compare(&earlier, &digests)),
    }
}

fn show(state: Option<Value>, missing: &str) -> Outcome {
    let state = state.ok_or_else(|| missing.to_owned())?;
    say!("{state:#}");
    Ok(ExitCode::SUCCESS)
}

/// Up to where the log is replayed.
#[derive(Debug, Clone, Copy)]
struct Until {
    position: Option<u64>,
    time: Option<Timestamp>,
}

impl Until {
    fn includes(self, record: &AuditRecord) -> bool {
        let recorded = &record.recorded;
        self.position.is_none_or(|last| recorded.position.0 <= last)
            && self.time.is_none_or(|time| recorded.at <= time)
    }
}

/// What the log's facts have made up to a point.
struct Replayed {
    /// The last position that counts.
    position: u64,
    accounts: BTreeMap<AccountId, State>,
    /// Of the order that is looked for.
    facts: Vec<(u64, Timestamp, order::Event)>,
}

impl Replayed {
    fn of(data_dir: &Path, until: Until, wanted: Option<OrderId>) -> Result<Self, String> {
        let mut replayed = Self { position: 0, accounts: BTreeMap::new(), facts: Vec::new() };
        let mut impossible = Vec::new();
        let findings = verify_chain(data_dir, |record| {
            if !until.includes(record) {
                return;
            }
            replayed.position = record.recorded.position.0;
            // What no version wrote ends the account's state, and not the replay.
            if catch_unwind(AssertUnwindSafe(|| replayed.take(record, wanted))).is_err() {
                impossible.push(record.recorded.position.0);
            }
        });
        let findings = findings.map_err(in_words)?;
        if !findings.is_empty() || !impossible.is_empty() {
            return Err(format!(
                "the log is broken in {} places; `telenumerus audit verify` names them",
                findings.len() + impossible.len()
            ));
        }
        if let Some(position) = until.position.filter(|position| *position > replayed.position) {
            return Err(format!(
                "the log ends at position {}, before {position}",
                replayed.position
            ));
        }
        Ok(replayed)
    }

    fn take(&mut self, record: &AuditRecord, wanted: Option<OrderId>) {
        let recorded = &record.recorded;
        let Event::Account(event) = &recorded.event else { return };
        if let AccountEvent::Order(order, fact) = event
            && wanted == Some(*order)
        {
            self.facts.push((recorded.position.0, recorded.at, fact.clone()));
        }
        let Some(account) = recorded.stream.account_id() else { return };
        let state = self.accounts.remove(&account).unwrap_or_default();
        self.accounts.insert(account, state.evolve(event));
    }

    fn order(&self, id: OrderId, reveals: bool) -> Option<Value> {
        let state = order::State::from_history(id, self.facts.iter().map(|(_, _, fact)| fact))?;
        let mut described = described_order(&state, reveals);
        let event = |(position, at, fact): &(u64, Timestamp, order::Event)| {
            let data = description::data(&AccountEvent::Order(id, fact.clone()).into(), reveals);
            json!({ "position": position, "at": at.to_string(), "data": data })
        };
        described["events"] = self.facts.iter().map(event).collect();
        Some(described)
    }

    fn digests(&self) -> Digests {
        let line = |state: &State| {
            // Of everything, what is hidden elsewhere too: a digest shows none of it.
            let digest = Sha256::digest(described(state, true).to_string());
            json!({
                "digest": description::hex(&digest), "balance": state.balance.to_string(),
                "held": state.held.to_string(),
                "completed": state.completed, "open": state.open.len(),
            })
        };
        Digests {
            position: Some(self.position),
            accounts: self
                .accounts
                .iter()
                .map(|(id, state)| (id.to_string(), line(state)))
                .collect(),
        }
    }
}

/// A replay as it is printed: a line of what it is, and one of each account.
struct Digests {
    position: Option<u64>,
    accounts: BTreeMap<String, Value>,
}

impl Digests {
    fn text(&self) -> String {
        use std::fmt::Write;
        let mut text = format!(
            "{}\n",
            json!({
                "position": self.position, "accounts": self.accounts.len(),
                "version": env!("CARGO_PKG_VERSION"),
            })
        );
        for (id, line) in &self.accounts {
            let mut line = line.clone();
            line["account"] = json!(id);
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn read(path: &Path) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!("{}: {what}; it is made by `telenumerus audit replay > FILE`", path.display())
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
        let mut lines = text.lines().map(serde_json::from_str::<Value>);
        let first = lines.next().and_then(Result::ok).ok_or_else(|| wrong("it is no replay"))?;
        let position =
            first["position"].as_u64().ok_or_else(|| wrong("its first line names no position"))?;
        let mut accounts = BTreeMap::new();
        for line in lines {
            let mut line = line.map_err(|_| wrong("a line of it is no JSON"))?;
            let id = line["account"]
                .as_str()
                .ok_or_else(|| wrong("a line of it names no account"))?
                .to_owned();
            line.as_object_mut().and_then(|line| line.remove("account"));
            accounts.insert(id, line);
        }
        if first["accounts"].as_u64() != Some(accounts.len() as u64) {
            return Err(wrong("it does not have as many accounts as its first line says"));
        }
        Ok(Self { position: Some(position), accounts })
    }
}

fn compare(earlier: &Digests, now: &Digests) -> ExitCode {
    let mut differing = 0;
    let ids: std::collections::BTreeSet<_> =
        earlier.accounts.keys().chain(now.accounts.keys()).collect();
    for id in ids {
        let (before, after) = (earlier.accounts.get(id), now.accounts.get(id));
        if before == after {
            continue;
        }
        differing += 1;
        let said =
            |line: Option<&Value>| line.map_or_else(|| "not there".to_owned(), Value::to_string);
        say!("{id}\n  before {}\n  now    {}", said(before), said(after));
    }
    let positions = [earlier.position, now.position].map(Option::unwrap_or_default);
    say!(
        "{} accounts at position {}, {} at position {}: {differing} differ",
        earlier.accounts.len(),
        positions[0],
        now.accounts.len(),
        positions[1]
    );
    if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An account's state. Key hashes and webhook secrets are never shown.
fn described(state: &State, reveals: bool) -> Value {
    let (standing, reason) = match &state.standing {
        Standing::Unregistered => ("unregistered", None),
        Standing::Good => ("good", None),
        Standing::Removed => ("removed", None),
        Standing::Suspended(reason) => ("suspended", Some(reason.as_str())),
    };
    let orders = |orders: &mut dyn Iterator<Item = &std::sync::Arc<order::State>>| {
        orders.map(|order| described_order(order, reveals)).collect::<Vec<_>>()
    };
    let amounts = |of: &BTreeMap<events::id::DepositId, events::money::Money>| {
        of.iter()
            .map(|(deposit, amount)| (deposit.to_string(), json!(amount.to_string())))
            .collect::<serde_json::Map<_, _>>()
    };
    json!({
        "account": state.id.to_string(),
        "standing": standing,
        "suspended_because": reason,
        "registered_at": state.registered_at.to_string(),
        "balance": state.balance.to_string(),
        "held": state.held.to_string(),
        "tier": state.tier().name(),
        "completed": state.completed,
        "refunded": state.refunded,
        "keys": state.api_keys.iter().map(
            |key| json!({
                "key": key.id.to_string(), "name": &*key.name, "since": key.since.to_string(),
            }),
        ).collect::<Vec<_>>(),
        "webhook": state.webhook.as_ref().map(
            |webhook| json!({
                "url": if reveals { &webhook.url } else { "hidden" },
                "threshold": webhook.threshold.to_string(),
            }),
        ),
        "webhook_sequence": state.webhook_sequence,
        "open": orders(&mut state.open.values()),
        "queue": state.queue.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "listening": orders(&mut state.listening.values()),
        "recent": orders(&mut state.recent.iter()),
        "deposits": amounts(&state.deposits),
        "dust": amounts(&state.dust),
    })
}

fn number(phone: &Phone, reveals: bool) -> String {
    if reveals { phone.as_str().to_owned() } else { phone.masked() }
}

fn described_order(state: &order::State, reveals: bool) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "order": state.id.to_string(),
        "status": state.status.name(),
        "platform": state.placed.platform.slug(),
        "country": state.placed.country.code(),
        "price": state.placed.price.to_string(),
        "placed_at": state.placed.at.to_string(),
        "attempts": state.attempts,
        "supplier": state.assignment.as_ref().map(|assignment| assignment.supplier.as_str()),
        "phone": state.assignment.as_ref().map(|assignment| number(&assignment.phone, reveals)),
        "code": state.code.as_ref().map(|code| if reveals { code.as_str() } else { "hidden" }),
        "messages": state.messages().count(),
        "expires_at": time(state.expires_at),
        "listens_until": time(state.listens_until),
        "finished_at": time(state.finished_at),
        "ended_at": time(state.ended_at),
        "is_refunded": state.is_refunded,
        "failure": state.failure.as_ref().map(|failure| format!("{failure:?}")),
    })
}
