//! The source as the router sees it: asks under a recorded intent, refuses numbers that cannot be
//! right, starts a process for each lease.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use events::country::Country;
use events::envelope::{Actor as Who, StreamId};
use events::id::OrderId;
use events::lease::{Command, LeaseId, Outcome, Refusal, Request, State, Status};
use events::money::Money;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;

use super::lease::LeaseProcess;
use super::source::{Leased, Source, SourceError, StockLine};
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
    asking: Mutex<HashSet<(OrderId, u8)>>,
    /// Numbers that are ours now.
    held: Mutex<HashSet<Phone>>,
    /// When a number last served a platform.
    served: Mutex<HashMap<(Phone, Platform), Timestamp>>,
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
            served: Mutex::new(served),
            table: Mutex::default(),
            settings,
        });
        Self { name: inner.settings.name.clone(), inner }
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

    /// The number for an attempt: the one leased before under its reference, or a new one.
    async fn obtain(inner: &Arc<Self>, asked: AttemptRequest) -> Result<Phone, AttemptFailure> {
        let NumberRequest { platform, country, .. } = asked.wanted;
        let id = LeaseId {
            supplier: inner.settings.name.clone(),
            order: asked.order,
            attempt: asked.attempt,
        };
        let at = inner.journal.now();
        let seek = Command::Seek {
            request: Request { id: id.clone(), account: asked.account, platform, country },
            at,
        };
        let mut lease = inner.load(&id).await.map_err(|fault| failure(&id, &fault))?;
        match inner.transact(&mut lease, &seek, Who::Service).await {
            Ok(()) => {}
            // Released meanwhile, or declined before a crash: the attempt is over.
            Err(TransactError::Refused(_)) => return Err(AttemptFailure::SourceError),
            Err(TransactError::Fault(fault)) => return Err(failure(&id, &fault)),
        }
        // From here on somebody looks after it, whatever becomes of this call.
        Self::keep(inner, &id, None).await.map_err(|fault| failure(&id, &fault))?;
        if let (Status::Obtained, Some(phone)) = (lease.state().status, lease.state().phone.clone())
        {
            return Ok(phone);
        }
        let asking = Asking::new(inner, (asked.order, asked.attempt));
        let answer = inner.source.lease(id.reference(), platform, country).await;
        let at = inner.journal.now();
        let (command, answer) = match answer {
            Ok(leased) => match inner.judge(&leased, asked.wanted) {
                None => (
                    Command::Obtain { phone: leased.phone.clone(), cost: leased.cost, at },
                    Ok(leased.phone),
                ),
                Some(what) => {
                    tracing::warn!(supplier = %inner.settings.name, number = leased.phone.masked(), what, "a source has leased a number that is not taken");
                    (
                        Command::SeekRelease { outcome: Outcome::Unused, at },
                        Err(AttemptFailure::SourceError),
                    )
                }
            },
            Err(SourceError::NoNumber) => (Command::Decline { at }, Err(AttemptFailure::NoNumber)),
            Err(error @ (SourceError::Refused(_) | SourceError::Unknown)) => {
                tracing::warn!(supplier = %inner.settings.name, %error, "a source refuses to lease a number");
                (Command::Decline { at }, Err(AttemptFailure::SourceError))
            }
            // It may have leased one: the lease's process gives it back, by its reference.
            Err(SourceError::TimedOut) => (
                Command::SeekRelease { outcome: Outcome::Unused, at },
                Err(AttemptFailure::TimedOut),
            ),
            Err(error @ SourceError::Failed(_)) => {
                tracing::warn!(supplier = %inner.settings.name, %error, "a source does not say whether it has leased a number");
                (
                    Command::SeekRelease { outcome: Outcome::Unused, at },
                    Err(AttemptFailure::SourceError),
                )
            }
        };
        let recorded = inner.transact(&mut lease, &command, inner.as_supplier()).await;
        drop(asking);
        let _ = Self::keep(inner, &id, None).await;
        match (recorded, answer) {
            (Ok(()), Ok(phone)) => {
                inner.held.lock().insert(phone.clone());
                Ok(phone)
            }
            (Ok(()), Err(failure)) => Err(failure),
            (Err(TransactError::Refused(_)), _) => Err(AttemptFailure::SourceError),
            (Err(TransactError::Fault(fault)), _) => Err(failure(&id, &fault)),
        }
    }

    /// Why a number cannot be taken; `None` if it can.
    fn judge(&self, leased: &Leased, wanted: NumberRequest) -> Option<&'static str> {
        if !wanted.country.has(&leased.phone) {
            return Some("it is another country's");
        }
        if self.held.lock().contains(&leased.phone) {
            return Some("it is on another order");
        }
        let served = self.served.lock().get(&(leased.phone.clone(), wanted.platform)).copied();
        let rests = served.is_some_and(|served| served.plus(self.settings.cool_down) > wanted.at);
        rests.then_some("it has served the platform already")
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
                tracing::debug!(supplier = %self.settings.name, %error, "a source does not say what it has");
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

/// While the source is being asked.
struct Asking<'a>(&'a Inner, (OrderId, u8));

impl<'a> Asking<'a> {
    fn new(inner: &'a Inner, attempt: (OrderId, u8)) -> Self {
        inner.asking.lock().insert(attempt);
        Self(inner, attempt)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.lock().remove(&self.1);
    }
}

fn failure(id: &LeaseId, fault: &Fault) -> AttemptFailure {
    tracing::warn!(lease = ?id, error = %fault, "a lease could not be recorded");
    AttemptFailure::SourceError
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
            // It does not say: asking is the way to find out.
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
