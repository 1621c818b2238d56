//! Orders: places, cancels, awaits and resumes orders, and keeps each open one's runner running.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use events::account::idempotency::{Effect, KeyUse};
use events::account::{self, Event, OrderRefusal, Refusal};
use events::decider::{Decider, fold};
use events::envelope::{Actor as Who, Revision, StreamId};
use events::id::{AccountId, OrderId};
use events::order::{self, Command, Complaint, State};
use events::time::Timestamp;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::Notify;

use super::listening::{self, Listening};
use super::placing::under_key;
use super::runner::{self, Runner};
use crate::account::{AccessError, Accounts, Listener, Replayed};
use crate::kernel::clock::Elapsed;
use crate::kernel::entity::TransactError;
use crate::kernel::fault::{Fault, detached};
use crate::kernel::journal::Journal;
use crate::kernel::process::Processes;
use crate::kernel::supervision::STEP_RETRY;
use crate::numbers::{Lease, Router};

/// How long whoever ends an order waits for its number to be free.
const SETTLE_LIMIT: Duration = Duration::from_secs(1);
/// Records read at a time when an ended order is read from the log.
const PAGE: u64 = 1_024;

/// An order was not placed.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(Refusal),
    /// The world failed; the order may exist, and then it runs.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<TransactError<Refusal>> for PlaceError {
    fn from(error: TransactError<Refusal>) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(refusal),
            TransactError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// A deadline by the log and in elapsed time, once a runner has looked at it.
pub type Deadline = Arc<Mutex<Option<(Timestamp, Elapsed)>>>;

/// What runners share.
pub struct Inner {
    pub(super) accounts: Accounts,
    pub(super) journal: Journal,
    pub(super) router: Arc<Router>,
    pub(super) runners: Processes<Runner>,
    pub(super) listening: Mutex<HashMap<OrderId, Listening>>,
    /// Rings whenever a runner has nothing left to do.
    pub(super) settled: Notify,
}

/// The orders. Cloning shares them.
#[derive(Clone)]
pub struct Orders {
    pub(super) inner: Arc<Inner>,
}

impl Orders {
    /// The orders of `accounts`. Starts their alarm in the current runtime.
    pub fn start(accounts: Accounts, router: Arc<Router>) -> Self {
        let inner = Arc::new(Inner {
            journal: accounts.journal().clone(),
            runners: Processes::new(accounts.journal().clock()),
            accounts,
            router,
            listening: Mutex::default(),
            settled: Notify::new(),
        });
        inner.runners.start(&inner, listening::take_up, |inner, order, (account, _)| async move {
            let orders = Self { inner };
            orders.resume(&[(account, order)]).await.map(drop)
        });
        let orders = Self { inner };
        orders.inner.accounts.listen(Arc::new(OrderStartedListener(Arc::downgrade(&orders.inner))));
        orders
    }

    /// Cancels an order; answers when the release is durable, and whether that was done before
    /// under the same key. `known` is the order as its caller has found it: one that its account
    /// remembers no more is over, and the same rules say what cancelling it means.
    pub async fn cancel(
        &self,
        account: AccountId,
        known: &State,
        key: Option<KeyUse>,
    ) -> Result<Replayed, TransactError<Refusal>> {
        let (orders, order) = (self.clone(), known.id);
        let cancelling = async move {
            let at = orders.inner.journal.now();
            let cancel = account::Command::Order(order, Command::Cancel { at });
            let is_keyed = key.is_some();
            let command = under_key(key, Effect::Cancel(order), cancel);
            let committed =
                orders.inner.accounts.transact(account, command, Who::Owner, at).await?;
            orders.wake(order);
            orders.settle(account, order).await;
            Ok(Replayed(is_keyed && committed.events.is_empty()))
        };
        match detached(cancelling).await? {
            Err(TransactError::Refused(Refusal::Order(OrderRefusal::NotFound))) => {
                let cancel = Command::Cancel { at: self.inner.journal.now() };
                known
                    .decide(&cancel)
                    .map(|_| Replayed(false))
                    .map_err(|refusal| TransactError::Refused(refusal.into()))
            }
            decided => decided,
        }
    }

    /// Gives a completed order's number back; answers when that is durable. A second time nothing
    /// happens. `known` as in `cancel`.
    pub async fn finish(
        &self,
        account: AccountId,
        known: &State,
    ) -> Result<(), TransactError<OrderRefusal>> {
        let finish = Command::Finish { at: self.inner.journal.now() };
        match self
            .inner
            .accounts
            .transact_order(account, known.id, finish.clone(), Who::Owner, self.inner.journal.now())
            .await
        {
            Ok(_) => {
                self.settle(account, known.id).await;
                Ok(())
            }
            Err(TransactError::Refused(OrderRefusal::NotFound)) => known
                .decide(&finish)
                .map(drop)
                .map_err(|refusal| TransactError::Refused(refusal.into())),
            Err(error) => Err(error),
        }
    }

    /// Waits until the number of an order that is over is free again, so that whoever ended it can
    /// order it at once. What takes longer than `SETTLE_LIMIT` (a source that is being asked, a
    /// fault) goes on by itself.
    async fn settle(&self, account: AccountId, order: OrderId) {
        let known = self.inner.accounts.order(account, order).await.ok().flatten();
        let phone = known
            .and_then(|order| order.assignment.as_ref().map(|assignment| assignment.phone.clone()));
        let is_settled = || {
            let holds =
                phone.as_ref().is_some_and(|phone| self.inner.router.has_lease(phone, order));
            !holds && !self.inner.runners.has(order)
        };
        let settling = async {
            loop {
                let mut ended = std::pin::pin!(self.inner.settled.notified());
                ended.as_mut().enable();
                if is_settled() {
                    return;
                }
                ended.await;
            }
        };
        if tokio::time::timeout(SETTLE_LIMIT, settling).await.is_err() {
            tracing::debug!(%order, "an order is over, and its number is not free yet");
        }
    }

    /// Records what a caller says of an order, and holds it against its source; answers when it is
    /// durable.
    pub async fn report(
        &self,
        account: AccountId,
        order: OrderId,
        complaint: Complaint,
    ) -> Result<(), TransactError<OrderRefusal>> {
        let at = self.inner.journal.now();
        let committed = self
            .inner
            .accounts
            .transact_order(account, order, Command::Report { complaint, at }, Who::Owner, at)
            .await?;
        let known = self.inner.accounts.order(account, order).await.ok().flatten();
        let assignment = known
            .as_ref()
            .and_then(|order| order.assignment.as_ref())
            .filter(|_| !committed.events.is_empty());
        let is_test = known.as_ref().is_some_and(|order| order.scenario.is_some());
        if let Some(assignment) = assignment.filter(|_| !is_test) {
            self.inner.router.complained(&assignment.supplier, at);
        }
        Ok(())
    }

    /// The source says that a leased number does not work. Reported until it is recorded or no
    /// longer matters.
    pub async fn report_dead(&self, lease: &Lease) {
        loop {
            let at = self.inner.journal.now();
            let command = Command::ReportNumberDead { attempt: lease.attempt, at };
            let who = Who::Supplier(lease.supplier.clone());
            match self
                .inner
                .accounts
                .transact_order(lease.account, lease.order, command, who, at)
                .await
            {
                Ok(_) => return self.wake(lease.order),
                Err(TransactError::Refused(_)) => return,
                Err(TransactError::Fault(_)) => tokio::time::sleep(STEP_RETRY).await,
            }
        }
    }

    /// Lets open orders go on: what recovery does. First every order gets its number back, then the
    /// first may ask for another. Orders of accounts that cannot be read stay where they are, and
    /// are given back: the others go on.
    pub async fn resume(&self, open: &[(AccountId, OrderId)]) -> Result<Vec<OrderId>, Fault> {
        let mut found = Vec::with_capacity(open.len());
        let mut damaged = Vec::new();
        for (account, order) in open {
            match self.lease_again(*account, *order).await {
                Ok(known) => found.push((*account, *order, known)),
                Err(fault) if fault.is_damage() => {
                    tracing::error!(%account, %order, error = %fault, "an open order cannot go on: its account is damaged");
                    damaged.push(*order);
                }
                Err(fault) => return Err(fault),
            }
        }
        for (account, order, (lease, listens_until)) in found {
            match listens_until {
                Some(deadline) => {
                    listening::begin(&self.inner, order, Listening { account, lease, deadline })
                        .await;
                }
                None => self.start_runner(account, order, lease).await?,
            }
        }
        Ok(damaged)
    }

    /// The number stays on an order that cannot go on, so that no other order gets it.
    pub fn hold_number(&self, lease: &Lease) {
        self.inner.router.restore(lease);
    }

    /// The order's number, which is on it again, and until when it listens, if it does.
    async fn lease_again(
        &self,
        account: AccountId,
        order: OrderId,
    ) -> Result<(Option<Lease>, Option<(Timestamp, Elapsed)>), Fault> {
        let order =
            self.inner.accounts.order(account, order).await?.filter(|order| !order.is_over());
        let lease = order
            .as_ref()
            .and_then(|order| Some(runner::lease(account, order, order.assignment.as_ref()?)));
        let listening = order.filter(|order| order.is_listening());
        if let Some(lease) = &lease {
            self.inner.router.restore(lease);
            self.inner.router.assigned(lease);
            if let Some(order) = &listening {
                self.inner.router.listens(lease, order.ended_at.unwrap_or_default());
            }
        }
        let (clock, now) = (self.inner.journal.clock(), self.inner.journal.now());
        Ok((
            lease,
            listening.map(|order| (order.deadline(), clock.elapsed().plus(order.remaining(now)))),
        ))
    }

    pub(super) async fn start_runner(
        &self,
        account: AccountId,
        order: OrderId,
        lease: Option<Lease>,
    ) -> Result<(), Fault> {
        self.start_runner_within(account, order, lease, None).await
    }

    pub(super) async fn start_runner_within(
        &self,
        account: AccountId,
        order: OrderId,
        lease: Option<Lease>,
        deadline: Option<(Timestamp, Elapsed)>,
    ) -> Result<(), Fault> {
        let inner = Arc::clone(&self.inner);
        let deadline: Deadline = Arc::new(Mutex::new(deadline));
        let memo = (account, Arc::clone(&deadline));
        let make = || async move {
            Ok::<_, Fault>(Runner::new(account, order, inner, lease).within(deadline))
        };
        self.inner.runners.run(order, memo, make).await.map(drop)
    }

    /// How long until an open order's deadline: by elapsed time where that runs, whatever the wall
    /// clock was set to meanwhile.
    pub fn remaining(&self, order: &State) -> Duration {
        let (clock, now) = (self.inner.journal.clock(), self.inner.journal.now());
        let known = self.inner.runners.memo(order.id).and_then(|(_, deadline)| *deadline.lock());
        let known = known.or_else(|| {
            self.inner.listening.lock().get(&order.id).map(|listening| listening.deadline)
        });
        match known {
            Some((until, due)) if until == order.deadline() => due.since(clock.elapsed()),
            Some(_) | None => order.remaining(now),
        }
    }

    /// Tells an order's runner to look again; nothing happens if it has none.
    pub fn wake(&self, order: OrderId) {
        wake(&self.inner, order);
    }

    /// Waits until `reached` holds for the order; `None` if the account does not (or no longer)
    /// remember it.
    pub async fn wait_until(
        &self,
        account: AccountId,
        order: OrderId,
        reached: impl Fn(&order::State) -> bool,
    ) -> Result<Option<Arc<order::State>>, AccessError> {
        loop {
            let mut watch = self.inner.accounts.watch(account).await?;
            let seen = watch
                .wait_for(|published| {
                    published.state.order(order).is_none_or(|order| reached(order))
                })
                .await;
            // The receiver closes when the account leaves memory; ask for its next one.
            if let Ok(published) = seen {
                return Ok(published.state.order(order).cloned());
            }
        }
    }

    /// An order of which the account remembers nothing, from its facts in the log.
    pub async fn from_log(
        &self,
        account: AccountId,
        order: OrderId,
        first: Revision,
        last: Revision,
    ) -> Result<Option<order::State>, Fault> {
        let stream = StreamId::account(account);
        let mut state: Option<order::State> = None;
        let mut from = first.0;
        while from <= last.0 {
            let limit = PAGE.min(last.0 - from + 1);
            let page = self
                .inner
                .journal
                .store()
                .read_stream(
                    stream.clone(),
                    Revision(from),
                    usize::try_from(limit).unwrap_or(usize::MAX),
                )
                .await?;
            let Some(end) = page.last().map(|record| record.revision) else { break };
            for record in page {
                if let events::Event::Account(Event::Order(id, fact)) = record.event
                    && id == order
                {
                    state = match (state, &fact) {
                        (None, order::Event::Placed(placed)) => {
                            Some(order::State::new(order, placed.clone()))
                        }
                        (known, _) => known.map(|known| fold(known, [&fact])),
                    };
                }
            }
            from = end.0 + 1;
        }
        Ok(state)
    }

    /// Orders that have their codes, and listen.
    pub fn listening(&self) -> usize {
        self.inner.listening.lock().len()
    }

    /// Orders with a runner.
    pub fn running(&self) -> usize {
        self.inner.runners.len()
    }

    /// The accounts.
    pub fn accounts(&self) -> &Accounts {
        &self.inner.accounts
    }

    /// The router.
    pub fn router(&self) -> &Arc<Router> {
        &self.inner.router
    }
}

fn wake(inner: &Arc<Inner>, order: OrderId) {
    if !inner.runners.wake(order) {
        listening::take_up(inner, order);
    }
}

/// Hears whose turn it is, and whose number goes back.
struct OrderStartedListener(Weak<Inner>);

impl Listener for OrderStartedListener {
    fn committed(&self, _account: AccountId, events: &[Event]) {
        for event in events {
            if let Event::Order(
                order,
                order::Event::Started { .. }
                | order::Event::Finished { .. }
                | order::Event::Refunded { .. },
            ) = event
                && let Some(inner) = self.0.upgrade()
            {
                wake(&inner, *order);
            }
        }
    }

    fn learned(&self, _account: AccountId, state: &account::State) {
        if let Some(inner) = self.0.upgrade() {
            state.open.keys().chain(state.listening.keys()).for_each(|order| wake(&inner, *order));
        }
    }
}
