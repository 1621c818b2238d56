//! Orders: awaits and resumes orders, and keeps each open one's runner running.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use events::account::{self, Event, Refusal};
use events::decider::fold;
use events::envelope::{Revision, StreamId};
use events::id::{AccountId, OrderId};
use events::order::{self, State};
use events::time::Timestamp;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::sync::Notify;

use super::listening::{self, Listening};
use super::runner::{self, Runner};
use crate::account::{AccessError, Accounts, Listener};
use crate::kernel::clock::Elapsed;
use crate::kernel::entity::TransactError;
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;
use crate::kernel::process::Processes;
use crate::numbers::{Lease, Router};

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
                    tracing::error!(
                        %account, %order, error = %fault,
                        "an open order cannot go on: its account is damaged"
                    );
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
