//! The source as the router sees it: asks under a recorded intent, refuses numbers that cannot be
//! right, starts a process for each lease.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use events::country::Country;
use events::envelope::{Actor as Who, StreamId};
use events::id::OrderId;
use events::lease::{Command, LeaseId, Outcome, Refusal, State};
use events::money::Money;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;

use super::lease::LeaseProcess;
use super::source::{Source, StockLine};
use actors::account::Accounts;
use actors::inbox::Inbox;
use actors::kernel::entity::{Entity, TransactError};
use actors::kernel::fault::{Fault, detached};
use actors::kernel::journal::Journal;
use actors::kernel::process::Processes;
use actors::kernel::supervision::repeat_every;
use actors::numbers::{AttemptRequest, Lease, NumberRequest, Numbers, Release, Stock, Supplier};
use actors::order::Orders;
use actors::store::BoxFuture;

/// How often what the source has is asked.
const STOCK_EVERY: Duration = Duration::from_mins(1);
/// What it said so long ago says nothing any more.
const STOCK_KEPT: Duration = Duration::from_mins(10);

/// What the log has in the place of a number that was erased.
pub type Pseudonym = Arc<dyn Fn(&Phone) -> Phone + Send + Sync>;

/// How the source is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name.
    pub name: SupplierName,
    /// Between two looks at a lease.
    pub poll: Duration,
    /// How long a number rests before it serves the same platform again.
    pub cool_down: Duration,
}

/// What the source said it has, and when.
#[derive(Debug, Default)]
struct Table {
    lines: HashMap<(Platform, Country), (u64, Money)>,
    at: Option<Timestamp>,
}

/// The downstream that messages and news of numbers go to.
pub(super) struct Downstream {
    pub(super) orders: Orders,
    pub(super) inbox: Inbox,
}

pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) accounts: Accounts,
    pub(super) journal: Journal,
    pub(super) source: Arc<dyn Source>,
    pub(super) downstream: OnceLock<Downstream>,
    leases: Processes<LeaseProcess>,
    /// Attempts that the source is being asked for now: it must not be told that it can have back
    /// what it is about to give.
    pub(super) asking: Mutex<HashSet<(OrderId, u8)>>,
    /// Numbers that are ours now.
    pub(super) held: Mutex<HashSet<Phone>>,
    /// The word that the log has for a number which was erased there, if it has one.
    pub(super) pseudonym: OnceLock<Pseudonym>,
    /// When a number last served a platform.
    pub(super) served: Mutex<HashMap<(Phone, Platform), Timestamp>>,
    table: Mutex<Table>,
}

/// A source that is asked for each number. Cloning shares it.
#[derive(Clone)]
pub struct Pull {
    name: SupplierName,
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Pull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pull({})", self.name)
    }
}

impl Pull {
    /// The source; `served` are the platforms that its numbers have already served, and when. It is
    /// asked for nothing before `connect`.
    pub fn new(
        accounts: Accounts,
        source: Arc<dyn Source>,
        settings: Settings,
        served: impl IntoIterator<Item = (Phone, Platform, Timestamp)>,
    ) -> Self {
        let served =
            served.into_iter().map(|(phone, platform, at)| ((phone, platform), at)).collect();
        let inner = Arc::new(Inner {
            journal: accounts.journal().clone(),
            leases: Processes::new(accounts.journal().clock()),
            accounts,
            source,
            downstream: OnceLock::new(),
            asking: Mutex::default(),
            held: Mutex::default(),
            pseudonym: OnceLock::new(),
            served: Mutex::new(served),
            table: Mutex::default(),
            settings,
        });
        Self { name: inner.settings.name.clone(), inner }
    }

    /// Says by which words erased numbers are known: one that has served a platform rests all the
    /// same.
    pub fn know_by(&self, pseudonym: Pseudonym) {
        let _ = self.inner.pseudonym.set(pseudonym);
    }

    /// Says where messages go, and starts asking what the source has.
    pub fn connect(&self, orders: Orders, inbox: Inbox) {
        let _ = self.inner.downstream.set(Downstream { orders, inbox });
        self.inner.leases.start(
            &self.inner,
            |_, _| (),
            |inner, (order, attempt), ()| async move {
                let id = LeaseId { supplier: inner.settings.name.clone(), order, attempt };
                Inner::keep(&inner, &id, None).await
            },
        );
        repeat_every(&self.inner, STOCK_EVERY, |inner| async move { inner.look_at_stock().await });
    }

    /// Lets leases go on that have not ended: what recovery does. `phone` is the number, if the
    /// source has named it.
    pub async fn resume(
        &self,
        leases: impl IntoIterator<Item = (LeaseId, Option<Phone>)>,
    ) -> Result<(), Fault> {
        for (id, phone) in leases {
            self.inner.held.lock().extend(phone);
            Inner::keep(&self.inner, &id, None).await?;
        }
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &SupplierName {
        &self.name
    }

    /// Leases that are looked after.
    pub fn kept(&self) -> usize {
        self.inner.leases.len()
    }
}

impl Inner {
    pub(super) async fn load(&self, id: &LeaseId) -> Result<Entity<State>, Fault> {
        self.journal.load(StreamId::lease(id)).await
    }

    pub(super) async fn transact(
        &self,
        lease: &mut Entity<State>,
        command: &Command,
        who: Who,
    ) -> Result<(), TransactError<Refusal>> {
        self.journal.transact(lease, command, who, self.journal.now()).await.map(drop)
    }

    pub(super) fn as_supplier(&self) -> Who {
        Who::Supplier(self.settings.name.clone())
    }

    /// Whether the source is being asked for the attempt now.
    pub(super) fn is_asking(&self, id: &LeaseId) -> bool {
        self.asking.lock().contains(&(id.order, id.attempt))
    }

    /// The lease has ended: its number is not ours.
    pub(super) fn forget(&self, phone: Option<&Phone>) {
        if let Some(phone) = phone {
            self.held.lock().remove(phone);
        }
    }

    /// Has the lease looked after, now; `outcome` is what became of it, if its order is through
    /// with it.
    pub(super) async fn keep(
        inner: &Arc<Self>,
        id: &LeaseId,
        outcome: Option<Outcome>,
    ) -> Result<(), Fault> {
        let key = (id.order, id.attempt);
        let make =
            || async { Ok::<_, Fault>(LeaseProcess::new(id.clone(), Arc::clone(inner), outcome)) };
        let is_new = inner.leases.run(key, (), make).await?;
        match outcome {
            _ if is_new => {}
            Some(outcome) => drop(inner.leases.tell(key, outcome)),
            None => drop(inner.leases.wake(key)),
        }
        Ok(())
    }

    async fn look_at_stock(&self) {
        match self.source.stock().await {
            Ok(lines) => {
                let lines = lines
                    .into_iter()
                    .map(|StockLine { platform, country, count, cost }| {
                        ((platform, country), (count, cost))
                    })
                    .collect();
                *self.table.lock() = Table { lines, at: Some(self.journal.now()) };
            }
            Err(error) => {
                tracing::debug!(
                    supplier = %self.settings.name, %error, "a source does not say what it has"
                );
            }
        }
    }

    /// How many numbers there are for `wanted`, and what one costs; `None` if the source has not
    /// said it lately.
    fn line(&self, wanted: NumberRequest) -> Option<(u64, Money)> {
        let table = self.table.lock();
        table.at.filter(|at| wanted.at.since(*at) < STOCK_KEPT)?;
        Some(
            table
                .lines
                .get(&(wanted.platform, wanted.country))
                .copied()
                .unwrap_or((0, Money::ZERO)),
        )
    }
}

impl Supplier for Pull {
    fn name(&self) -> &SupplierName {
        &self.name
    }

    fn is_simulated(&self) -> bool {
        false
    }

    fn owns(&self, phone: &Phone) -> bool {
        self.inner.held.lock().contains(phone)
    }

    fn acquire_local(&self, _wanted: NumberRequest) -> Option<Result<Phone, AttemptFailure>> {
        None
    }

    fn acquire(&self, asked: AttemptRequest) -> BoxFuture<'_, Result<Phone, AttemptFailure>> {
        let inner = Arc::clone(&self.inner);
        // To its end, whoever still waits: what the source has answered must be recorded.
        Box::pin(async move {
            detached(async move { Inner::obtain(&inner, asked).await })
                .await
                .unwrap_or(Err(AttemptFailure::SourceError))
        })
    }

    fn assigned(&self, lease: &Lease) {
        self.inner.held.lock().insert(lease.phone.clone());
        self.tell(lease, None);
    }

    fn served(&self, lease: &Lease, at: Timestamp) {
        self.inner.served.lock().insert((lease.phone.clone(), lease.platform), at);
    }

    fn release(&self, lease: &Lease, release: Release, _now: Timestamp) {
        let outcome = match release {
            Release::Served(at) => {
                self.inner.served.lock().insert((lease.phone.clone(), lease.platform), at);
                Outcome::Served
            }
            Release::Spoilt(at) => {
                self.inner.served.lock().insert((lease.phone.clone(), lease.platform), at);
                Outcome::Unused
            }
            Release::Unused | Release::Silent => Outcome::Unused,
            Release::Dead => Outcome::Dead,
        };
        self.tell(lease, Some(outcome));
    }

    fn stock(&self, wanted: NumberRequest) -> Stock {
        match self.inner.line(wanted) {
            // The source does not tell its stock: an attempt finds out.
            None => Stock::Medium,
            Some((count, _)) => Stock::of(count),
        }
    }

    fn cost(&self, wanted: NumberRequest) -> Option<Money> {
        self.inner.line(wanted).map(|(_, cost)| cost)
    }

    fn numbers(&self, _now: Timestamp) -> Option<Numbers> {
        let leased = self.inner.held.lock().len();
        Some(Numbers { known: leased, leased, ..Numbers::default() })
    }
}

impl Pull {
    /// Has the lease looked after, and says what became of it if the order is through with it.
    fn tell(&self, lease: &Lease, outcome: Option<Outcome>) {
        let (inner, id) = (
            Arc::clone(&self.inner),
            LeaseId { supplier: self.name.clone(), order: lease.order, attempt: lease.attempt },
        );
        tokio::spawn(async move {
            if Inner::keep(&inner, &id, outcome).await.is_err() {
                tracing::error!(lease = ?id, "a lease is not looked after until the next start");
            }
        });
    }
}
