//! Orders: places, cancels, awaits and resumes orders, and keeps each open one's runner running.

use std::sync::{Arc, Weak};
use std::time::Duration;

use events::account::idempotency::{Effect, KeyUse};
use events::account::{self, Event, Refusal};
use events::decider::fold;
use events::envelope::{Actor as Who, Revision, StreamId};
use events::id::{AccountId, OrderId};
use events::order::{self, Command};
use ractor::{Actor, ActorId, ActorRef};
use thiserror::Error;

use super::placing::{Replayed, under_key};
use super::runner::{self, Message, Run, Runner};
use crate::account::{AccessError, Accounts, Listener};
use crate::alarm::Alarm;
use crate::entity::TransactError;
use crate::fault::{Fault, detached};
use crate::registry::Registry;
use crate::supervision::{Replace, Supervised, Supervision};
use crate::supplier::{Lease, Router};

/// Between two tries of a step that the world did not let happen.
pub const STEP_RETRY: Duration = Duration::from_millis(500);
/// Records read at a time when an ended order is read from the log.
const PAGE: u64 = 1_024;

/// An order was not placed.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// The law says no.
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

/// A runner and whose order it runs.
#[derive(Debug, Clone)]
pub struct Running {
    account: AccountId,
    pub(super) actor: ActorRef<Message>,
}

/// What runners share.
pub struct Inner {
    pub(super) accounts: Accounts,
    pub(super) router: Arc<Router>,
    pub(super) alarm: Alarm<OrderId>,
    pub(super) runners: Registry<OrderId, Running>,
    supervision: Supervision,
}

/// The orders. Cloning shares them.
#[derive(Clone)]
pub struct Orders {
    pub(super) inner: Arc<Inner>,
}

impl Orders {
    /// The orders of `accounts`. Starts their alarm in the current runtime.
    pub fn start(accounts: Accounts, router: Arc<Router>) -> Self {
        let alarm = Alarm::new(accounts.clock());
        let inner = Arc::new(Inner { accounts, router, alarm: alarm.clone(), runners: Registry::default(), supervision: Supervision::default() });
        let ringing = Arc::downgrade(&inner);
        tokio::spawn(alarm.ring(move |order| {
            if let Some(inner) = ringing.upgrade() {
                wake(&inner, order);
            }
        }));
        let orders = Self { inner };
        orders.inner.accounts.listen(Arc::new(Ear(Arc::downgrade(&orders.inner))));
        orders
    }

    /// Cancels an order; answers when the release is durable, and whether that was done before under the same key.
    /// Orders the account no longer remembers are the caller's to look up.
    pub async fn cancel(&self, account: AccountId, order: OrderId, key: Option<KeyUse>) -> Result<Replayed, TransactError<Refusal>> {
        let orders = self.clone();
        let cancelling = async move {
            let at = orders.inner.accounts.now();
            let cancel = account::Command::Order(order, Command::Cancel { at });
            let is_keyed = key.is_some();
            let command = under_key(key, Effect::Cancel(order), cancel);
            let committed = orders.inner.accounts.transact(account, command, Who::Owner, at).await?;
            orders.wake(order);
            Ok(Replayed(is_keyed && committed.events.is_empty()))
        };
        detached(cancelling).await?
    }

    /// The source says that a leased number does not work. Reported until it is recorded or no longer matters.
    pub async fn report_dead(&self, lease: &Lease) {
        loop {
            let at = self.inner.accounts.now();
            let command = Command::ReportNumberDead { attempt: lease.attempt, at };
            let who = Who::Supplier(lease.supplier.clone());
            match self.inner.accounts.transact_order(lease.account, lease.order, command, who, at).await {
                Ok(_) => return self.wake(lease.order),
                Err(TransactError::Refused(_)) => return,
                Err(TransactError::Fault(_)) => tokio::time::sleep(STEP_RETRY).await,
            }
        }
    }

    /// Lets open orders go on: what recovery does. First every order gets its number back, then the first may ask for another.
    /// Orders of accounts that cannot be read stay where they are, and are given back: the others go on.
    pub async fn resume(&self, open: &[(AccountId, OrderId)]) -> Result<Vec<OrderId>, Fault> {
        let mut leases = Vec::with_capacity(open.len());
        let mut damaged = Vec::new();
        for (account, order) in open {
            match self.lease_again(*account, *order).await {
                Ok(lease) => leases.push((*account, *order, lease)),
                Err(fault) if fault.is_damage() => {
                    tracing::error!(%account, %order, error = %fault, "an open order cannot go on: its account is damaged");
                    damaged.push(*order);
                }
                Err(fault) => return Err(fault),
            }
        }
        for (account, order, lease) in leases {
            self.start_runner(account, order, lease).await?;
        }
        Ok(damaged)
    }

    /// The number stays on an order that cannot go on, so that no other order gets it.
    pub fn hold_number(&self, lease: &Lease) {
        self.inner.router.restore(lease);
    }

    async fn lease_again(&self, account: AccountId, order: OrderId) -> Result<Option<Lease>, Fault> {
        let order = match self.inner.accounts.order(account, order).await {
            Ok(order) => order.filter(|order| !order.status.is_end()),
            Err(AccessError::NotFound) => None,
            Err(AccessError::Fault(fault)) => return Err(fault),
        };
        let lease = order.as_ref().and_then(|order| Some(runner::lease(account, order.id, &order.placed, order.assignment.as_ref()?)));
        if let Some(lease) = &lease {
            self.inner.router.restore(lease);
            self.inner.router.assigned(lease);
        }
        Ok(lease)
    }

    pub(super) async fn start_runner(&self, account: AccountId, order: OrderId, lease: Option<Lease>) -> Result<(), Fault> {
        let inner = Arc::clone(&self.inner);
        let start = || async move {
            let supervisor = inner.supervision.of(&inner).await?;
            let run = Run::new(account, order, inner, lease);
            let (actor, _) = Runner::spawn_linked(None, Runner, run, supervisor).await.map_err(|_| Fault::ActorEnded)?;
            Ok::<_, Fault>(Running { account, actor })
        };
        self.inner.runners.get_or_start(order, start).await?;
        Ok(())
    }

    /// Tells an order's runner to look again; nothing happens if it has none.
    pub fn wake(&self, order: OrderId) {
        wake(&self.inner, order);
    }

    /// Waits until `reached` holds for the order; `None` if the account does not (or no longer) remember it.
    pub async fn wait_until(
        &self,
        account: AccountId,
        order: OrderId,
        reached: impl Fn(&order::State) -> bool,
    ) -> Result<Option<Arc<order::State>>, AccessError> {
        loop {
            let mut watch = self.inner.accounts.watch(account).await?;
            let seen = watch.wait_for(|published| published.state.order(order).is_none_or(|order| reached(order))).await;
            // The receiver closes when the account leaves memory; ask for its next one.
            if let Ok(published) = seen {
                return Ok(published.state.order(order).cloned());
            }
        }
    }

    /// An order of which the account remembers nothing, from its facts in the log.
    pub async fn from_log(&self, account: AccountId, order: OrderId, first: Revision, last: Revision) -> Result<Option<order::State>, Fault> {
        let stream = StreamId::account(account);
        let mut state: Option<order::State> = None;
        let mut from = first.0;
        while from <= last.0 {
            let limit = PAGE.min(last.0 - from + 1);
            let page = self.inner.accounts.store().read_stream(stream.clone(), Revision(from), usize::try_from(limit).unwrap_or(usize::MAX)).await?;
            let Some(end) = page.last().map(|record| record.revision) else { break };
            for record in page {
                if let events::Event::Account(Event::Order(id, fact)) = record.event
                    && id == order
                {
                    state = match (state, &fact) {
                        (None, order::Event::Placed(placed)) => Some(order::State::new(order, placed.clone())),
                        (known, _) => known.map(|known| fold(known, [&fact])),
                    };
                }
            }
            from = end.0 + 1;
        }
        Ok(state)
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

fn wake(inner: &Inner, order: OrderId) {
    if let Some(runner) = inner.runners.get(order) {
        let _ = runner.actor.send_message(Message::Wake);
    }
}

/// Hears whose turn it is.
struct Ear(Weak<Inner>);

impl Listener for Ear {
    fn committed(&self, _account: AccountId, events: &[Event]) {
        for event in events {
            if let Event::Order(order, order::Event::Started { .. }) = event
                && let Some(inner) = self.0.upgrade()
            {
                wake(&inner, *order);
            }
        }
    }

    fn learned(&self, _account: AccountId, state: &account::State) {
        if let Some(inner) = self.0.upgrade() {
            state.open.keys().for_each(|order| wake(&inner, *order));
        }
    }
}

impl Supervised for Inner {
    fn replace(self: Arc<Self>, failed: ActorId) -> Option<Replace> {
        let (order, Running { account, .. }) = self.runners.take(|running| running.actor.get_id() == failed)?;
        let orders = Orders { inner: self };
        Some(Box::new(move || {
            let orders = orders.clone();
            Box::pin(async move { orders.resume(&[(account, order)]).await.map(drop) })
        }))
    }
}
