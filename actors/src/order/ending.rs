//! How orders end before their deadline: cancelled or finished by their callers, reported, or left
//! by a number that its supplier reports dead.

use std::time::Duration;

use events::account::idempotency::{Effect, KeyUse};
use events::account::{self, OrderRefusal, Refusal};
use events::decider::Decider;
use events::envelope::Actor as Who;
use events::id::{AccountId, OrderId};
use events::order::{Command, Complaint, State};

use super::handle::Orders;
use super::placing::under_key;
use crate::account::Replayed;
use crate::kernel::entity::TransactError;
use crate::kernel::fault::detached;
use crate::kernel::supervision::STEP_RETRY;
use crate::numbers::Lease;

/// How long whoever ends an order waits for its number to be free.
const SETTLE_LIMIT: Duration = Duration::from_secs(1);

impl Orders {
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
        who: Who,
    ) -> Result<(), TransactError<OrderRefusal>> {
        let finish = Command::Finish { at: self.inner.journal.now() };
        match self
            .inner
            .accounts
            .transact_order(account, known.id, finish.clone(), who, self.inner.journal.now())
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
}
