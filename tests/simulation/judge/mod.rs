//! What must hold when a run is over: of its log, of every answer that was given, of the messages
//! that were brought, of the views.

mod answers;
mod codes;
mod deliveries;
mod deposits;
mod money;
mod times;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actors::store::EventStore;
use events::audit::Auditor;
use events::envelope::{Position, Recorded};
use events::id::{AccountId, OrderId};
use events::order::{Event as Fact, FailureReason, State, Status};
use events::{Event, account};

use crate::life::{Told, orders, records};
use crate::marks::{Mark, Marks};
use crate::run::Remains;
use crate::script::SLOTS;

/// A log, and its orders.
pub struct Log {
    pub records: Vec<Arc<Recorded<Event>>>,
    pub orders: BTreeMap<OrderId, Told>,
    /// Where each fact of an order stands.
    pub facts: BTreeMap<OrderId, Vec<(usize, Fact)>>,
}

impl Log {
    fn of(records: Vec<Arc<Recorded<Event>>>) -> Self {
        let mut facts: BTreeMap<OrderId, Vec<(usize, Fact)>> = BTreeMap::new();
        for record in &records {
            if let Event::Account(account::Event::Order(id, fact)) = &record.event {
                let at = usize::try_from(record.position.0).unwrap();
                facts.entry(*id).or_default().push((at, fact.clone()));
            }
        }
        Self { orders: orders(&records), records, facts }
    }

    /// Where the order's first such fact stands.
    pub fn place(&self, order: OrderId, is_it: impl Fn(&Fact) -> bool) -> Option<usize> {
        self.facts.get(&order)?.iter().find(|(_, fact)| is_it(fact)).map(|(at, _)| *at)
    }
}

/// Everything that is wrong, the rule first; and the chain over the log.
pub async fn judge(remains: &Remains<'_>) -> (Vec<String>, [u8; 32]) {
    let log = Log::of(records(&remains.disk.log).await);
    let mut findings = Vec::new();
    let mut auditor = Auditor::default();
    log.records.iter().for_each(|record| auditor.observe(record));
    if auditor.open_orders() + auditor.listening_orders() > 0 {
        findings.push(format!(
            "O3: {} orders are open at the end, {} listen",
            auditor.open_orders(),
            auditor.listening_orders()
        ));
    }
    slots(&log, &mut findings);
    for told in log.orders.values() {
        ends_once(&told.state, &mut findings);
    }
    let sums = auditor.sums().clone();
    findings.extend(auditor.finish().into_iter().map(|found| {
        format!("{}: {} in {} at {}", found.rule, found.detail, found.stream, found.position)
    }));
    money::judge(&log, &sums, &mut findings);
    answers::judge(&log, remains, &mut findings);
    codes::judge(&log, remains, &mut findings);
    deliveries::judge(&log, remains, &mut findings).await;
    deposits::judge(&log, remains, &mut findings).await;
    if remains.script.has_true_clock() {
        times::judge(&log, remains, &mut findings);
    }
    if remains.script.seed.is_multiple_of(4) {
        views::judge(&log, &sums, remains.script.seed, &mut findings).await;
    }
    mark(&log, remains.marks);
    let chain = remains.disk.log.chain_at(Position(log.records.len() as u64)).await;
    (findings, chain.unwrap().unwrap())
}

/// No account has more orders under way at once than it may.
fn slots(log: &Log, findings: &mut Vec<String>) {
    let mut under_way: BTreeMap<AccountId, BTreeSet<OrderId>> = BTreeMap::new();
    for record in &log.records {
        let (Event::Account(account::Event::Order(id, fact)), Some(account)) =
            (&record.event, record.stream.account_id())
        else {
            continue;
        };
        let running = under_way.entry(account).or_default();
        let waits = || log.place(*id, |fact| matches!(fact, Fact::Queued { .. })).is_some();
        match fact {
            Fact::Placed(_) if !waits() => drop(running.insert(*id)),
            Fact::Started { .. } => drop(running.insert(*id)),
            fact if fact.is_end() => drop(running.remove(id)),
            _ => {}
        }
        if running.len() > SLOTS {
            findings.push(format!("O1: {running:?} of {account} are under way at once"));
        }
    }
}

/// A replaced number does not prolong its order, and only the number that an order has is dead.
fn ends_once(order: &State, findings: &mut Vec<String>) {
    let (mut end, mut current) = (None, 0);
    for fact in &order.history {
        match &**fact {
            Fact::NumberAssigned { expires_at, attempt, .. } => {
                if *end.get_or_insert(*expires_at) != *expires_at {
                    findings.push(format!("O4: {} is prolonged to {expires_at}", order.id));
                }
                current = *attempt;
            }
            Fact::NumberReportedDead { attempt, .. } if *attempt != current => {
                findings.push(format!("O4: {} has attempt {current}, not {attempt}", order.id));
            }
            _ => {}
        }
    }
}

fn mark(log: &Log, marks: &Marks) {
    for told in log.orders.values() {
        let state = &told.state;
        marks.see(match (state.status, state.failure) {
            (Status::Completed, _) => Mark::Completed,
            (Status::Cancelled, _) => Mark::Cancelled,
            (Status::Expired, _) => Mark::Expired,
            (_, Some(FailureReason::AttemptsExhausted)) => Mark::AttemptsExhausted,
            (_, Some(FailureReason::SeekingTimedOut)) => Mark::SeekingTimedOut,
            (_, _) => Mark::NoSourceLeft,
        });
        if state.is_refunded {
            marks.see(Mark::Refunded);
        }
        let mut was_dead = false;
        for fact in &state.history {
            match &**fact {
                Fact::NumberReportedDead { .. } => was_dead = true,
                Fact::NumberAssigned { .. } if was_dead => marks.see(Mark::DeadNumberReplaced),
                Fact::CodeReplaced { .. } => marks.see(Mark::CodeReplaced),
                Fact::Queued { .. } => marks.see(Mark::BatchQueued),
                Fact::Started { .. } => marks.see(Mark::BatchStarted),
                Fact::AttemptFailed { reason: events::order::AttemptFailure::NoNumber, .. } => {
                    marks.see(Mark::NoNumber);
                }
                Fact::Expired { at } if at.since(state.deadline()).as_secs() > 5 => {
                    marks.see(Mark::ExpiredWhileDown);
                }
                _ => {}
            }
        }
    }
}
