//! The audit of a whole log: its hash chain, its stamps, the invariants of money and orders, and
//! the views beside it. For the command and for operators.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use actors::store::sqlite::{ChainFinding, Stamps, chain_in, inspect, verify_chain};
use events::Event;
use events::audit::{Auditor, Sums};
use events::envelope::{Position, Recorded};
use events::erasure;
use events::id::AccountId;
use events::money::Money;
use projections::{AccountView, Peek, Peeked, Views};
use serde_json::{Value, json};

use crate::description::hex;

/// What an audit has found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What must not be, a line each.
    pub findings: Vec<String>,
    /// What the records' times say.
    pub note: Option<String>,
    /// Of logs that this one is rewritten of: where each ended.
    pub former: Vec<String>,
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
    /// What accounts have together that pay, by the log.
    pub live: Together,
    /// What accounts for tests have together, by the log: no money is behind it.
    pub test: Together,
}

/// What several accounts have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Together {
    /// What they can spend.
    pub balance: Money,
    /// What is held of them.
    pub held: Money,
}

impl Together {
    /// As operators' programs read it.
    pub fn said(self) -> Value {
        json!({ "balance": self.balance.to_string(), "held": self.held.to_string() })
    }
}

/// What a walk along the log has found, and what it has counted.
struct Walked {
    chain: Vec<ChainFinding>,
    /// Records that no rule can take: amounts beyond all bounds and the like.
    impossible: Vec<(u64, String)>,
    auditor: Auditor,
    stamps: Stamps,
    /// Of logs that this one is rewritten of: where each ended.
    former: Vec<String>,
    events: u64,
    /// Every account's sums where the views are; `None` if the log has no such record.
    at_views: Option<BTreeMap<AccountId, Sums>>,
}

/// Walks the chain and the invariants of the log in `data_dir`; `progress` is told the position of
/// each record. What stands beside the log is looked at meanwhile.
pub fn examine(data_dir: &Path, progress: impl Fn(u64)) -> Result<Report, String> {
    let (told, position) = mpsc::channel();
    let (views, files, walked) = thread::scope(|scope| {
        let views = scope.spawn(move || {
            Views::peek_telling(data_dir, |position| {
                // Nobody waits for it where the walk could not begin.
                let _ = told.send(position);
            })
        });
        let files = scope.spawn(|| inspect(data_dir));
        // Before the log is read: what is appended meanwhile contradicts nothing.
        let walked = walk(data_dir, position.recv().ok(), progress);
        (views.join(), files.join(), walked)
    });
    let ended = "what stands beside the log could not be looked at: a check has ended early";
    let files = files.map_err(|_| ended)?.map_err(|error| error.to_string())?;
    let (views, broken_views) = match views.map_err(|_| ended)? {
        Peek::Absent => (None, None),
        Peek::Whole(views) => (Some(views), None),
        Peek::Broken(why) => {
            (None, Some(format!("views.db: {why}; the next start builds it anew")))
        }
    };
    let past = views.as_ref().and_then(|views| of_another_past(data_dir, views));
    let walked = walked?;
    let disagreements = match (&walked.at_views, &views) {
        (Some(log), Some(views)) => disagreeing(log, &views.accounts),
        _ => Vec::new(),
    };
    let beside = files.into_iter().chain(past).chain(broken_views).collect();
    let views = views.map_or(Position(0), |views| views.position).0;
    Ok(report(walked, &disagreements, beside, views))
}

fn walk(
    data_dir: &Path,
    views: Option<Position>,
    progress: impl Fn(u64),
) -> Result<Walked, String> {
    let mut auditor = Auditor::default();
    let (mut impossible, mut out_of_time, mut former) = (Vec::new(), Vec::new(), Vec::new());
    let (mut events, mut at_views) = (0u64, None);
    let mut stamps = Stamps::of(data_dir).unwrap_or_default();
    let chain = verify_chain(data_dir, |record| {
        let recorded = &record.recorded;
        let place = || (recorded.position.0, recorded.stream.to_string());
        // What no version wrote ends the rule that meets it, and not the audit.
        if catch_unwind(AssertUnwindSafe(|| auditor.observe(recorded))).is_err() {
            impossible.push(place());
        }
        events += 1;
        former.extend(former_head(recorded));
        progress(recorded.position.0);
        if let Some(detail) = stamps.observe(recorded.position, recorded.at) {
            let (position, stream) = place();
            out_of_time.push(ChainFinding { position, stream, detail });
        }
        if views == Some(recorded.position) {
            at_views = Some(auditor.sums().clone());
        }
    });
    let mut chain = chain.map_err(|error| error.to_string())?;
    chain.append(&mut out_of_time);
    Ok(Walked { chain, impossible, auditor, stamps, former, events, at_views })
}

/// The report: `beside` is what was found beside the log, `views` how far the views are.
fn report(walked: Walked, disagreements: &[AccountId], beside: Vec<String>, views: u64) -> Report {
    let Walked { chain, impossible, auditor, stamps, former, events, .. } = walked;
    let (accounts, orders, open) =
        (auditor.sums().len(), auditor.orders_seen(), auditor.open_orders());
    let together = |is_test: bool| {
        let of = || auditor.sums().values().filter(move |sums| sums.is_test == is_test);
        let balance = of().map(|sums| sums.balance).sum();
        Together { balance, held: of().map(|sums| sums.held).sum() }
    };
    let (live, test) = (together(false), together(true));
    let broken = chain.iter().map(|finding| {
        format!("BROKEN at position {} in {}: {}", finding.position, finding.stream, finding.detail)
    });
    let untaken = impossible.iter().map(|(position, stream)| {
        format!(
            "UNLAWFUL (O2) at position {position} in {stream}: no rule can take what stands there"
        )
    });
    let mut findings: Vec<String> = broken.chain(untaken).collect();
    findings.extend(auditor.finish().iter().map(|finding| {
        format!(
            "UNLAWFUL ({}) at position {} in {}: {}",
            finding.rule, finding.position, finding.stream, finding.detail
        )
    }));
    findings.extend(disagreements.iter().map(|account| {
        format!(
            "VIEW (M2) of account {account} differs from the log; delete views.db to have it \
             rebuilt"
        )
    }));
    findings.extend(beside.iter().map(|finding| format!("DAMAGE: {finding}")));
    let note = stamps.note();
    Report { findings, note, former, events, accounts, orders, open, views, live, test }
}

/// Of the fact that a log was rewritten: where it ended before.
fn former_head(record: &Recorded<Event>) -> Option<String> {
    let Event::Erasure(erasure::Event::Rewritten { position, chain, sealed, at }) = &record.event
    else {
        return None;
    };
    Some(format!(
        "rewritten at {at}: the log of before ended at position {position} with the chain {}; \
         {sealed} records were encrypted",
        hex(chain)
    ))
}

/// Whether the views were folded from another log than the one that is there.
fn of_another_past(data_dir: &Path, views: &Peeked) -> Option<String> {
    let Peeked { position, chain, .. } = views;
    // Nobody said what log they are of: a start builds them anew, and their sums are compared all
    // the same.
    let chain = (*chain)?;
    match chain_in(data_dir, *position) {
        Ok(Some(found)) if found == chain => None,
        Ok(Some(_)) => Some(format!(
            "views.db is of another past than the log: another record stands at its position {}; \
             it is built anew at the next start",
            position.0
        )),
        Ok(None) => Some(format!(
            "views.db is ahead of the log: it has position {}, where the log has no record; it is \
             built anew at the next start",
            position.0
        )),
        Err(error) => Some(format!(
            "views.db has position {}, which cannot be read in the log: {error}",
            position.0
        )),
    }
}

fn disagreeing(
    log: &BTreeMap<AccountId, Sums>,
    views: &BTreeMap<AccountId, AccountView>,
) -> Vec<AccountId> {
    let differs = |account: &&AccountId| {
        let sums = log.get(*account).copied().unwrap_or_default();
        let view = views.get(*account).copied().unwrap_or_default();
        (sums.balance, sums.held) != (view.balance, view.held)
    };
    log.keys()
        .chain(views.keys().filter(|account| !log.contains_key(*account)))
        .filter(differs)
        .copied()
        .collect()
}
