//! One process: the service's own accounts, orders, inbox and router over the disk, as a start
//! makes them of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use actors::account::Settings;
use actors::inbox::{PastAssignment, PastAssignments};
use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use actors::numbers::pool::{NumberPool, OwnNumber};
use actors::numbers::{Quarantine, Router, Supplier};
use actors::store::memory::MemoryStore;
use actors::store::{BoxFuture, EventStore};
use actors::{Accounts, Deposits, Fault, Inbox, Journal, Orders, Policies, Webhooks};
use events::country::Country;
use events::envelope::{Position, Recorded, Revision};
use events::id::{AccountId, OrderId};
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use events::{Event, account, order};

use crate::disk::Disk;
use crate::network::Network;
use crate::payments::Coins;
use crate::receivers::{Receivers, open_deliveries};
use crate::suppliers::Source;

/// A moment to start at.
pub const START: Timestamp = Timestamp::from_millis(1_795_500_000_000);
/// How long numbers rest whose source never says when it received a message.
pub const REST: Duration = Duration::from_mins(1);
/// How long a number that served a platform serves it no more.
pub const COOL_DOWN: Duration = Duration::from_mins(5);

/// The numbers of each source.
pub fn numbers_of(supplier: &str) -> &'static [&'static str] {
    match supplier {
        "own" => &["+12025550110", "+12025550111", "+12025550112"],
        "silent" => &["+12025550120", "+12025550121"],
        _ => &["+12025550130", "+12025550131", "+12025550132"],
    }
}

/// What outlives each process.
#[derive(Clone)]
pub struct Outside {
    pub disk: Disk,
    pub network: Network,
    /// The ids that the service makes.
    pub entropy: Entropy,
    /// By how many milliseconds the wall clock is ahead of true time.
    pub ahead: &'static AtomicI64,
    /// Where the accounts are paid, if they are.
    pub coins: Option<Coins>,
    pub receivers: Receivers,
    pub has_webhooks: bool,
}

/// A running process.
pub struct Life {
    pub accounts: Accounts,
    pub orders: Orders,
    pub policies: Policies,
    pub deposits: Option<Deposits>,
    _webhooks: Option<Webhooks>,
}

/// An order as its facts in the log make it, and where they stand.
pub struct Told {
    pub account: AccountId,
    pub first: Revision,
    pub last: Revision,
    pub state: order::State,
}

/// The log.
pub async fn records(log: &MemoryStore) -> Vec<Arc<Recorded<Event>>> {
    log.read_all(Position(0), usize::MAX).await.unwrap()
}

/// Every order of a log.
pub fn orders(records: &[Arc<Recorded<Event>>]) -> BTreeMap<OrderId, Told> {
    let mut facts: BTreeMap<OrderId, (AccountId, Revision, Revision, Vec<&order::Event>)> =
        BTreeMap::new();
    for record in records {
        if let (Event::Account(account::Event::Order(id, fact)), Some(account)) =
            (&record.event, record.stream.account_id())
        {
            let entry =
                facts.entry(*id).or_insert((account, record.revision, record.revision, Vec::new()));
            entry.2 = record.revision;
            entry.3.push(fact);
        }
    }
    facts
        .into_iter()
        .map(|(id, (account, first, last, facts))| {
            let state = order::State::from_history(id, facts).unwrap();
            (id, Told { account, first, last, state })
        })
        .collect()
}

/// A number on an order.
pub struct Span {
    pub phone: Phone,
    pub supplier: SupplierName,
    pub since: Timestamp,
    /// When the order gave it up.
    pub until: Option<Timestamp>,
}

/// The numbers that an order had, one after the other.
pub fn spans(order: &order::State) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for fact in &order.history {
        match &**fact {
            order::Event::NumberAssigned { phone, supplier, at, .. } => spans.push(Span {
                phone: phone.clone(),
                supplier: supplier.clone(),
                since: *at,
                until: None,
            }),
            order::Event::NumberReportedDead { at, .. } => {
                spans.last_mut().unwrap().until = Some(*at);
            }
            _ => {}
        }
    }
    if let Some(last) = spans.last_mut().filter(|last| last.until.is_none() && order.is_over()) {
        last.until = order.finished_at.or(order.ended_at);
    }
    spans
}

/// Which orders a number was on, from the log.
struct FromLog(Disk);

impl PastAssignments for FromLog {
    fn of(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>> {
        Box::pin(async move {
            let mut had: Vec<(Timestamp, PastAssignment)> = orders(&records(&self.0.log).await)
                .into_iter()
                .filter_map(|(id, told)| {
                    let since = told.state.history.iter().rev().find_map(|fact| match &**fact {
                        order::Event::NumberAssigned { phone: had, at, .. } if *had == phone => {
                            Some(*at)
                        }
                        _ => None,
                    })?;
                    let Told { account, first, last, .. } = told;
                    Some((since, PastAssignment { account, order: id, first, last }))
                })
                .collect();
            had.sort_by_key(|(since, _)| std::cmp::Reverse(*since));
            Ok(had.into_iter().map(|(_, past)| past).take(8).collect())
        })
    }

    fn before_start(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>> {
        self.of(phone)
    }
}

fn pool(name: &str, known: &BTreeMap<OrderId, Told>) -> NumberPool {
    let numbers = numbers_of(name).iter().map(|phone| OwnNumber {
        phone: phone.parse().unwrap(),
        country: Country::Us,
        platforms: None,
    });
    let of_pool = || {
        known.values().filter_map(|told| {
            let assignment = told.state.assignment.as_ref()?;
            (assignment.supplier.as_str() == name).then_some((&told.state, assignment))
        })
    };
    let served = of_pool().filter(|(order, _)| order.code.is_some()).map(|(order, assignment)| {
        (assignment.phone.clone(), order.placed.platform, order.ended_at.unwrap())
    });
    let mut released: BTreeMap<Phone, Timestamp> = BTreeMap::new();
    let given_up = known.values().flat_map(|told| spans(&told.state));
    for (phone, at) in given_up.filter_map(|span| Some((span.phone, span.until?))) {
        let last = released.entry(phone).or_insert(at);
        *last = (*last).max(at);
    }
    let rest = if name == "silent" { REST } else { Duration::ZERO };
    NumberPool::new(name.parse().unwrap(), numbers.collect(), COOL_DOWN, served)
        .resting(Quarantine::Plain(rest), released)
}

impl Life {
    /// Starts a process at this moment of true time.
    pub async fn start(outside: &Outside, now: Timestamp) -> Result<Self, Fault> {
        let Outside { disk, network, entropy, ahead, .. } = outside;
        let (clock, wall) = (Clock::simulated(now), Clock::settable(now, ahead));
        let port: Arc<dyn EventStore> = Arc::new(disk.clone());
        let accounts =
            Accounts::new(Journal::new(port, wall, entropy.clone()), Settings::default());
        let policies = Policies::open(accounts.journal().clone()).await?;
        let log = records(&disk.log).await;
        let known = orders(&log);
        let sources = ["own", "silent", "remote"].map(|name| {
            let (pool, network) = (pool(name, &known), network.clone());
            let source = Source { pool, network, clock, is_remote: name == "remote" };
            Arc::new(source) as Arc<dyn Supplier>
        });
        let router = Arc::new(Router::new(sources.into(), 3));
        let orders = Orders::start(accounts.clone(), Arc::clone(&router));
        let recent = known.values().filter_map(|told| told.state.assignment.as_ref());
        let inbox = Inbox::new(
            accounts.clone(),
            orders.clone(),
            router,
            Arc::new(FromLog(disk.clone())),
            recent.map(|assignment| assignment.phone.clone()),
        );
        let open: Vec<_> = known
            .iter()
            .filter(|(_, told)| !told.state.is_over())
            .map(|(id, told)| (told.account, *id))
            .collect();
        orders.resume(&open).await?;
        let mut kept = None;
        if outside.has_webhooks {
            let receivers = Arc::new(outside.receivers.clone());
            let webhooks = Webhooks::start(accounts.clone(), receivers.clone(), receivers);
            open_deliveries(disk).await.into_keys().for_each(|account| webhooks.resume(account));
            kept = Some(webhooks);
        }
        let mut deposits = None;
        if let Some(coins) = &outside.coins {
            let watching = coins.watched(&accounts, wall).await?;
            let known: BTreeSet<_> =
                log.iter().filter_map(|fact| fact.stream.deposit_id()).collect();
            for deposit in known {
                watching.follow(deposit).await?;
            }
            deposits = Some(watching);
        }
        network.bring_again(now);
        tokio::spawn(network.clone().carry(inbox, orders.clone(), clock, disk.clone()));
        Ok(Self { accounts, orders, policies, deposits, _webhooks: kept })
    }
}
