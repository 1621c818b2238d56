//! The runner: takes one open order's next step until there is none.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use events::envelope::Actor as Who;
use events::id::{AccountId, OrderId};
use events::order::{
    self, Assignment, AttemptFailure, Command, Complaint, FailureReason, Step, next_step,
};
use events::time::Timestamp;

use super::handle::{Deadline, Inner};
use super::listening::{self, Listening};
use crate::kernel::clock::Elapsed;
use crate::kernel::entity::TransactError;
use crate::kernel::fault::Fault;
use crate::kernel::process::{Next, Process};
use crate::numbers::router::Acquired;
use crate::numbers::{AttemptRequest, Lease, NumberRequest, Release};

/// Between two looks of an order that waits for its turn.
const TURN_CHECK: Duration = Duration::from_secs(5);

/// One order being run. It is told nothing but that something may have changed: what to do is in
/// the order's state.
pub struct Runner {
    account: AccountId,
    order: OrderId,
    inner: Arc<Inner>,
    /// The number this runner holds for the order.
    lease: Option<Lease>,
    /// Whether the order's state is known to have it.
    is_confirmed: bool,
    /// The deadline that runs, and when it has passed.
    deadline: Deadline,
    /// When an order that only listens gives its number back: no runner waits for that.
    listens_until: Option<(Timestamp, Elapsed)>,
}

impl Runner {
    /// A run of an open order, fresh or after a restart: there is no difference.
    /// `lease` is the number that was assigned with the order and told to the router already.
    pub fn new(
        account: AccountId,
        order: OrderId,
        inner: Arc<Inner>,
        lease: Option<Lease>,
    ) -> Self {
        Self {
            account,
            order,
            inner,
            lease,
            is_confirmed: true,
            deadline: Deadline::default(),
            listens_until: None,
        }
    }

    /// The same of an order whose deadline runs already, perhaps; others see it there.
    pub fn within(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    async fn ask_source(
        &mut self,
        order: &order::State,
        attempt: u8,
        without_number: &[events::supplier::SupplierName],
        with_dead_number: &[events::supplier::SupplierName],
    ) -> Result<(), Fault> {
        let is_unproven = self.inner.accounts.is_unproven(self.account).await?;
        let (platform, country, at) =
            (order.placed.platform, order.placed.country, self.inner.journal.now());
        let wanted = NumberRequest { platform, country, at, is_unproven, scenario: order.scenario };
        let asked = AttemptRequest { account: self.account, order: order.id, attempt, wanted };
        let acquired = self.inner.router.acquire(asked, without_number, with_dead_number).await;
        let at = self.inner.journal.now();
        match acquired {
            Acquired::Number(supplier, phone) => {
                let assign = Command::AssignNumber {
                    attempt,
                    supplier: supplier.clone(),
                    phone: phone.clone(),
                    at,
                };
                let lease = lease(
                    self.account,
                    order,
                    &Assignment { attempt, supplier, phone, assigned_at: at },
                );
                if !self.inner.router.lease(&lease) {
                    tracing::warn!(supplier = %lease.supplier, number = lease.phone.masked(), "a \
                        source has given a number that is on another order or another source's");
                    self.inner.router.release(&lease, Release::Dead, at);
                    self.report(Command::FailAttempt {
                        attempt,
                        supplier: lease.supplier,
                        reason: AttemptFailure::SourceError,
                        at,
                    })
                    .await?;
                    return Ok(());
                }
                match self.report(assign).await {
                    Ok(true) => {
                        self.inner.router.assigned(&lease);
                        self.lease = Some(lease);
                    }
                    // Cancelled meanwhile: the number goes back.
                    Ok(false) => self.inner.router.release(&lease, Release::Unused, at),
                    // Whether it was recorded is unknown: the number is kept until the order's
                    // state says.
                    Err(fault) => {
                        self.lease = Some(lease);
                        self.is_confirmed = false;
                        return Err(fault);
                    }
                }
            }
            Acquired::Failed(supplier, reason) => {
                self.report(Command::FailAttempt { attempt, supplier, reason, at }).await?;
            }
            Acquired::NoSourceLeft => {
                self.report(Command::Fail { reason: FailureReason::NoSourceLeft, at }).await?;
            }
        }
        Ok(())
    }

    /// Reports to the book-keeper; false if the order's law no longer wants it, which its next step
    /// will show.
    async fn report(&self, command: Command) -> Result<bool, Fault> {
        let at = self.inner.journal.now();
        match self
            .inner
            .accounts
            .transact_order(self.account, self.order, command, Who::Service, at)
            .await
        {
            Ok(_) => Ok(true),
            Err(TransactError::Refused(_)) => Ok(false),
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }

    /// The order's state has the number: if that was in doubt, the source is told now.
    fn confirm(&mut self) {
        if let Some(lease) = self.lease.as_ref().filter(|_| !self.is_confirmed) {
            self.inner.router.assigned(lease);
        }
        self.is_confirmed = true;
    }

    fn finish(&mut self, order: &order::State) {
        let release = match order.status {
            order::Status::Completed => Release::Served(order.ended_at.unwrap_or_default()),
            order::Status::Expired => Release::Silent,
            order::Status::Queued
            | order::Status::Pending
            | order::Status::Active
            | order::Status::Cancelled
            | order::Status::Failed => Release::Unused,
        };
        let is_spoilt = release != Release::Served(order.ended_at.unwrap_or_default())
            && order.complaints().any(|word| word == Complaint::NumberUsed);
        self.release(if is_spoilt {
            Release::Spoilt(order.ended_at.unwrap_or_default())
        } else {
            release
        });
    }

    fn release(&mut self, release: Release) {
        if let Some(lease) = self.lease.take() {
            self.inner.router.release(&lease, release, self.inner.journal.now());
        }
    }

    /// The moment at which the order's deadline has passed, for its law; or when it will have.
    /// Counted in elapsed time from the first look at it: whoever sets the clock back keeps no
    /// order open, and whoever sets it ahead ends none. Only a restart has the times of the log
    /// alone to go by.
    fn passed(&mut self, order: &order::State, until: Timestamp) -> Result<Timestamp, Elapsed> {
        let (clock, now) = (self.inner.journal.clock(), self.inner.journal.now());
        let mut deadline = self.deadline.lock();
        let due = match *deadline {
            Some((known, due)) if known == until => due,
            Some(_) | None => clock.elapsed().plus(order.remaining(now)),
        };
        *deadline = Some((until, due));
        if clock.elapsed() >= due { Ok(now.max(until)) } else { Err(due) }
    }
}

/// The number on the order, as the router knows it.
pub fn lease(account: AccountId, order: &order::State, assignment: &Assignment) -> Lease {
    Lease {
        account,
        order: order.id,
        attempt: assignment.attempt,
        supplier: assignment.supplier.clone(),
        phone: assignment.phone.clone(),
        platform: order.placed.platform,
        country: order.placed.country,
        assigned_at: assignment.assigned_at,
        scenario: order.scenario,
    }
}

impl Process for Runner {
    type Key = OrderId;
    /// Whose order it is, and its deadline, which others see there.
    type Memo = (AccountId, Deadline);
    type Message = Infallible;

    const NAME: &'static str = "order";

    fn told(&mut self, message: Infallible) {
        match message {}
    }

    /// Takes the step that the order's state names.
    async fn step(&mut self) -> Result<Next, Fault> {
        // What an earlier step said of the end counts no more: a wake may come between that and
        // leaving.
        self.listens_until = None;
        // An account forgets an order only after its end.
        let Some(order) = self.inner.accounts.order(self.account, self.order).await? else {
            self.release(Release::Unused);
            return Ok(Next::Done);
        };
        match next_step(&order) {
            Step::Finish => {
                self.finish(&order);
                Ok(Next::Done)
            }
            // Whoever starts it wakes it; this is for the case that nobody did.
            Step::AwaitTurn => {
                Ok(Next::Wait(Some(self.inner.journal.clock().elapsed().plus(TURN_CHECK))))
            }
            Step::AwaitSms { until } => {
                self.confirm();
                match self.passed(&order, until) {
                    Ok(at) => self.report(Command::Expire { at }).await.map(|_| Next::Again),
                    Err(due) => Ok(Next::Wait(Some(due))),
                }
            }
            Step::Listen { until } => {
                self.confirm();
                if let Some(lease) = &self.lease {
                    self.inner.router.served(lease, order.ended_at.unwrap_or_default());
                }
                match self.passed(&order, until) {
                    Ok(at) => self.report(Command::Expire { at }).await.map(|_| Next::Again),
                    Err(due) => {
                        self.listens_until = Some((until, due));
                        Ok(Next::Done)
                    }
                }
            }
            Step::AskSource { attempt, without_number, with_dead_number, until } => {
                self.release(Release::Dead);
                match self.passed(&order, until) {
                    Ok(at) => drop(self.report(Command::Expire { at }).await?),
                    Err(_) => {
                        self.ask_source(&order, attempt, &without_number, &with_dead_number)
                            .await?;
                    }
                }
                Ok(Next::Again)
            }
        }
    }

    async fn ended(&mut self) {
        if let Some(deadline) = self.listens_until {
            listening::begin(
                &self.inner,
                self.order,
                Listening { account: self.account, lease: self.lease.take(), deadline },
            )
            .await;
        }
        self.inner.settled.notify_waiters();
    }
}
