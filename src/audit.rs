//! The audit of a whole log: its hash chain, its stamps, the invariants of money and orders, and
//! the views beside it. For the command and for operators.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use actors::store::sqlite::{ChainFinding, Stamps, chain_in, inspect, verify_chain};
use events::audit::{Auditor, Sums};
use events::envelope::Position;
use events::id::AccountId;
use events::money::Money;
use projections::{AccountView, Peek, Peeked, Views};
use serde_json::{Value, json};

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

/// Walks the chain and the invariants of the log in `data_dir`; `progress` is told the position of
/// each record.
pub fn examine(data_dir: &Path, progress: impl Fn(u64)) -> Result<Report, String> {
    let mut auditor = Auditor::default();
    // Before the log is read: what is appended meanwhile contradicts nothing.
    let (views, broken_views) = match Views::peek(data_dir) {
        Peek::Absent => (None, None),
        Peek::Whole(views) => (Some(views), None),
        Peek::Broken(why) => {
            (None, Some(format!("views.db: {why}; the next start builds it anew")))
        }
    };
    let files = inspect(data_dir).map_err(|error| error.to_string())?;
    let past = views.as_ref().and_then(|views| of_another_past(data_dir, views));
    let (mut disagreements, mut impossible) = (Vec::new(), Vec::new());
    let mut events = 0u64;
    let mut stamps = Stamps::of(data_dir).unwrap_or_default();
    let mut out_of_time = Vec::new();
    let chain = verify_chain(data_dir, |record| {
        // Amounts beyond all bounds and the like: what no version wrote ends the rule that meets
        // it, and not the audit.
        if catch_unwind(AssertUnwindSafe(|| auditor.observe(&record.recorded))).is_err() {
            impossible.push((record.recorded.position.0, record.recorded.stream.to_string()));
        }
        events += 1;
        progress(record.recorded.position.0);
        if let Some(detail) = stamps.observe(record.recorded.position, record.recorded.at) {
            let (position, stream) =
                (record.recorded.position.0, record.recorded.stream.to_string());
            out_of_time.push(ChainFinding { position, stream, detail });
        }
        if let Some(views) =
            views.as_ref().filter(|views| views.position == record.recorded.position)
        {
            disagreements = disagreeing(auditor.sums(), &views.accounts);
        }
    });
    let mut chain = chain.map_err(|error| error.to_string())?;
    chain.append(&mut out_of_time);
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
    let unlawful = auditor.finish();
    findings.extend(unlawful.iter().map(|finding| {
        format!(
            "UNLAWFUL ({}) at position {} in {}: {}",
            finding.rule, finding.position, finding.stream, finding.detail
        )
    }));
    let differs = |account: &AccountId| {
        format!(
            "VIEW (M2) of account {account} differs from the log; delete views.db to have it \
             rebuilt"
        )
    };
    findings.extend(disagreements.iter().map(differs));
    findings.extend(
        files.iter().chain(&past).chain(&broken_views).map(|finding| format!("DAMAGE: {finding}")),
    );
    let views = views.map_or(Position(0), |views| views.position).0;
    Ok(Report { findings, note: stamps.note(), events, accounts, orders, open, views, live, test })
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
