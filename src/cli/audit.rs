//! `telenumerus audit`: the log for auditors: `verify` proves it whole and lawful, `events` prints it, `suppliers` lays it beside the sources' lists.

mod suppliers;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use actors::inbox::alphabet;
use actors::store::sqlite::{AuditRecord, ChainFinding, Stamps, chain_in, inspect, verify_chain};
use clap::{Args, Subcommand};
use events::account::{self, Event as AccountEvent};
use events::audit::{Auditor, Sums};
use events::envelope::Position;
use events::id::{AccountId, CommandId, OrderId};
use events::{Event, address, deposit, lease, number, order, purchase, webhook};
use projections::{AccountView, Peeked, Views};
use serde_json::{Value, json};

use super::{Outcome, Place, holds_log, in_words};

#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Walk the hash chain and the invariants; exit 1 and say what is broken, and where, if anything is.
    Verify,
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
        Command::Verify => verify(&data_dir),
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
    let data = data(&recorded.event, reveal);
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
        "data": data(&recorded.event, reveal),
    })
}

/// An event's own values. Key hashes and webhook secrets are never shown.
fn data(event: &Event, reveal: bool) -> Value {
    let secret = |text: &str| if reveal { json!(text) } else { json!("hidden") };
    match event {
        Event::Account(AccountEvent::Order(_, event)) => order_data(event, reveal),
        Event::Account(event) => account_data(event),
        Event::Webhook(event) => webhook_data(event),
        Event::Deposit(event) => deposit_data(event),
        Event::Address(address::Event::Assigned(assigned)) => json!({
            "account": assigned.account.to_string(), "key": assigned.key.as_str(), "index": assigned.index, "address": assigned.address.text,
        }),
        Event::Chain(event) => json!({ "height": event.block().height, "hash": event.block().hash }),
        Event::Lease(event) => lease_data(event, reveal),
        Event::Purchase(event) => purchase_data(event),
        Event::Number(number::Event::Listed { listing, .. }) => json!({
            "supplier": listing.supplier.as_str(), "country": listing.country.code(),
            "platforms": listing.platforms.as_ref().map(|platforms| platforms.iter().map(|platform| platform.slug()).collect::<Vec<_>>()),
        }),
        Event::Number(number::Event::Retired { reason, .. }) => json!({ "reason": reason }),
        Event::Number(number::Event::PartKept { part, .. }) => json!({
            "supplier": part.supplier.as_str(), "sender": secret(&part.sender), "reference": part.reference, "number": part.number, "total": part.total,
            "text": secret(&alphabet::decode(part.alphabet, &part.bytes)), "received_at": part.received_at.to_string(),
        }),
        Event::Number(number::Event::PartsJoined { set, is_whole, .. }) => {
            json!({ "supplier": set.supplier.as_str(), "reference": set.reference, "total": set.total, "is_whole": is_whole })
        }
        Event::Number(number::Event::SmsKept(sms)) => {
            json!({ "message_id": sms.message_id, "supplier": sms.supplier.as_str(), "sender": secret(&sms.sender), "text": secret(&sms.text), "received_at": sms.received_at.to_string(), "why": sms.why.name() })
        }
    }
}

fn account_data(event: &account::Event) -> Value {
    match event {
        AccountEvent::Registered { id, .. } => json!({ "account": id.to_string() }),
        AccountEvent::Credited { amount, reason, .. } => json!({ "amount": amount.to_string(), "reason": reason }),
        AccountEvent::ApiKeyAdded { id, name, .. } => json!({ "key": id.to_string(), "name": name }),
        AccountEvent::ApiKeyRemoved { id, .. } => json!({ "key": id.to_string() }),
        AccountEvent::ApiKeysReplaced { id, reason, .. } => json!({ "key": id.to_string(), "reason": reason }),
        AccountEvent::Debited { amount, reason, overdraws, .. } => {
            json!({ "amount": amount.to_string(), "reason": reason, "overdraws": overdraws })
        }
        AccountEvent::DepositCredited { deposit, amount, .. }
        | AccountEvent::DepositReversed { deposit, amount, .. }
        | AccountEvent::DustKept { deposit, amount, .. }
        | AccountEvent::DustDropped { deposit, amount, .. } => json!({ "deposit": deposit.to_string(), "amount": amount.to_string() }),
        AccountEvent::Suspended { reason, .. } | AccountEvent::Reinstated { reason, .. } => json!({ "reason": reason }),
        AccountEvent::HoldTaken { order, amount, .. }
        | AccountEvent::HoldCaptured { order, amount, .. }
        | AccountEvent::HoldReleased { order, amount, .. }
        | AccountEvent::CaptureRefunded { order, amount, .. } => {
            json!({ "order": order.to_string(), "amount": amount.to_string() })
        }
        AccountEvent::BatchPlaced { items, .. } => {
            let item =
                |item: &account::BatchItem| json!({ "order": item.order.to_string(), "refused": item.refused.map(|refused| refused.to_string()) });
            json!({ "items": items.iter().map(item).collect::<Vec<_>>() })
        }
        AccountEvent::KeyUsed { key, effect, .. } => json!({ "key": key.as_str(), "effect": format!("{effect:?}") }),
        AccountEvent::WebhookSet { url, threshold, .. } => {
            json!({ "origin": url.split('/').take(3).collect::<Vec<_>>().join("/"), "threshold": threshold.to_string() })
        }
        AccountEvent::WebhookRemoved { .. } | AccountEvent::WebhookSecretRotated { .. } => json!({}),
        AccountEvent::WebhookDue { sequence, notice, .. } => json!({ "sequence": sequence, "event": notice.name() }),
        AccountEvent::Order(order, _) => json!({ "order": order.to_string() }),
    }
}

fn deposit_data(event: &deposit::Event) -> Value {
    match event {
        deposit::Event::Claimed { account, chain, tx_hash, output, .. } => {
            json!({ "account": account.to_string(), "chain": chain, "tx_hash": tx_hash.as_str(), "output": output })
        }
        deposit::Event::Seen { sight, .. } => json!({
            "account": sight.account.map(|account| account.to_string()), "chain": sight.chain, "tx_hash": sight.tx_hash.as_str(),
            "output": sight.output, "paid": sight.paid, "block_height": sight.block.height, "block_hash": sight.block.hash,
        }),
        deposit::Event::Confirmed { amount, paid, rate, rate_source, rate_at, .. } => json!({
            "amount": amount.to_string(), "paid": paid, "rate": rate, "rate_source": rate_source, "rate_at": rate_at.to_string(),
        }),
        deposit::Event::Orphaned { .. } | deposit::Event::Credited { .. } | deposit::Event::Reversed { .. } | deposit::Event::Settled { .. } => {
            json!({})
        }
    }
}

fn lease_data(event: &lease::Event, reveal: bool) -> Value {
    match event {
        lease::Event::Sought { request, .. } => json!({
            "supplier": request.id.supplier.as_str(), "order": request.id.order.to_string(), "attempt": request.id.attempt,
            "account": request.account.to_string(), "platform": request.platform.slug(), "country": request.country.code(),
        }),
        lease::Event::Obtained { phone, cost, .. } => {
            json!({ "phone": if reveal { phone.as_str().to_owned() } else { phone.masked() }, "cost": cost.to_string() })
        }
        lease::Event::Declined { .. } => json!({}),
        lease::Event::ReleaseSought { outcome, .. } => json!({ "outcome": outcome.name() }),
        lease::Event::Released { charged, .. } => json!({ "charged": charged.to_string() }),
    }
}

/// The operator's own numbers are no secret of a caller's.
fn purchase_data(event: &purchase::Event) -> Value {
    let phone = event.phone().as_str();
    match event {
        purchase::Event::Intended { country, monthly, .. } => json!({ "phone": phone, "country": country.code(), "monthly": monthly.to_string() }),
        purchase::Event::Failed { why, .. } => json!({ "phone": phone, "why": why }),
        purchase::Event::Made { .. } | purchase::Event::EndIntended { .. } | purchase::Event::Ended { .. } => json!({ "phone": phone }),
    }
}

fn webhook_data(event: &webhook::Event) -> Value {
    match event {
        webhook::Event::Attempted { sequence, attempt, outcome, millis, next_at, .. } => json!({
            "sequence": sequence, "attempt": attempt, "outcome": outcome.name(), "http_status": outcome.status(), "millis": millis,
            "next_at": next_at.map(|next_at| next_at.to_string()),
        }),
        webhook::Event::Delivered { sequence, .. }
        | webhook::Event::Exhausted { sequence, .. }
        | webhook::Event::RedeliveryRequested { sequence, .. } => {
            json!({ "sequence": sequence })
        }
    }
}

fn order_data(event: &order::Event, reveal: bool) -> Value {
    let secret = |text: &str| if reveal { json!(text) } else { json!("hidden") };
    match event {
        order::Event::Placed(placed) => json!({
            "platform": placed.platform.slug(), "country": placed.country.code(), "list_price": placed.list_price.to_string(), "price": placed.price.to_string(),
            "lifetime_seconds": placed.lifetime_seconds, "seek_seconds": placed.seek_seconds, "max_attempts": placed.max_attempts,
            "listen_seconds": placed.listen_seconds,
        }),
        order::Event::AttemptFailed { attempt, supplier, reason, .. } => {
            json!({ "attempt": attempt, "supplier": supplier.as_str(), "reason": format!("{reason:?}") })
        }
        order::Event::NumberAssigned { attempt, supplier, phone, expires_at, .. } => {
            let phone = if reveal { phone.as_str().to_owned() } else { phone.masked() };
            json!({ "attempt": attempt, "supplier": supplier.as_str(), "phone": phone, "expires_at": expires_at.to_string() })
        }
        order::Event::NumberReportedDead { attempt, supplier, .. } => json!({ "attempt": attempt, "supplier": supplier.as_str() }),
        order::Event::SmsReceived(sms) => {
            let candidates: Vec<Value> = sms
                .extraction
                .candidates
                .iter()
                .map(|candidate| json!({ "code": secret(&candidate.code), "score": candidate.score, "reasons": candidate.reasons.iter().map(|reason| reason.name()).collect::<Vec<_>>() }))
                .collect();
            let verdict = sms.extraction.verdict.name();
            json!({ "message_id": sms.message_id, "supplier": sms.supplier.as_str(), "sender": secret(&sms.sender), "text": secret(&sms.text), "received_at": sms.received_at.to_string(), "verdict": verdict, "candidates": candidates })
        }
        order::Event::SmsRepeated { message_id, supplier, repeats, received_at, .. } => {
            json!({ "message_id": message_id, "supplier": supplier.as_str(), "repeats": repeats, "received_at": received_at.to_string() })
        }
        order::Event::Completed { code, message_id, listens_until, .. } => {
            json!({ "code": secret(code), "message_id": message_id, "listens_until": listens_until.to_string() })
        }
        order::Event::CodeReplaced { code, message_id, .. } => json!({ "code": secret(code), "message_id": message_id }),
        order::Event::Reported { complaint, .. } => json!({ "complaint": complaint.name() }),
        order::Event::Queued { .. }
        | order::Event::Started { .. }
        | order::Event::Refunded { .. }
        | order::Event::Finished { .. }
        | order::Event::Cancelled { .. }
        | order::Event::Expired { .. } => json!({}),
        order::Event::Failed { reason, .. } => json!({ "reason": format!("{reason:?}") }),
    }
}
