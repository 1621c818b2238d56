//! A lease at work: looks after one lease until its source has it back, step by step from its state
//! and its order's.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use events::envelope::Actor as Who;
use events::id::OrderId;
use events::lease::{Command, LeaseId, Outcome, Refusal, State, Status, Step, next_step};
use events::order;
use events::phone::Phone;

use super::source::{PulledSms, SourceError};
use super::supplier::{Downstream, Inner};
use actors::inbox::InboundSms;
use actors::kernel::entity::TransactError;
use actors::kernel::fault::Fault;
use actors::kernel::process::{Next, Process};
use actors::order::lease as lease_of;

/// Between two looks at a lease that its order may still take.
const WHILE_WAITING: Duration = Duration::from_secs(5);
/// After a failure, and twice as long each time after.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Messages of one lease that are read; the order keeps fewer.
const MAX_MESSAGES: usize = 64;
/// Longest ids and senders taken; what is longer is cut.
const MAX_ID: usize = 200;
const MAX_SENDER: usize = 100;

/// One lease being kept.
pub struct LeaseProcess {
    id: LeaseId,
    inner: Arc<Inner>,
    /// What became of it, for the case that its account has forgotten the order.
    outcome: Option<Outcome>,
    /// Messages that have been handed on.
    known: HashSet<String>,
    /// Failures in a row.
    failures: u32,
}

impl LeaseProcess {
    pub(super) fn new(id: LeaseId, inner: Arc<Inner>, outcome: Option<Outcome>) -> Self {
        Self { id, inner, outcome, known: HashSet::new(), failures: 0 }
    }

    /// Takes steps until something has to be waited for.
    async fn drive(&mut self) -> Result<Next, Fault> {
        let mut lease = self.inner.load(&self.id).await?;
        loop {
            let State { status, request, phone, .. } = lease.state().clone();
            let at = self.inner.journal.now();
            let command = match status {
                Status::Unknown | Status::Declined | Status::Released => {
                    self.inner.forget(phone.as_ref());
                    return Ok(Next::Done);
                }
                Status::Releasing(outcome) => {
                    match self.inner.source.release(self.id.reference(), outcome).await {
                        Ok(charged) => Command::Release { charged, at },
                        Err(error) => return Ok(self.after_failure("release", &error)),
                    }
                }
                Status::Sought | Status::Obtained => {
                    if self.inner.is_asking(&self.id) {
                        return Ok(self.after(WHILE_WAITING));
                    }
                    let account = request
                        .as_ref()
                        .map(|request| request.account)
                        .expect("a lease that is sought has its request");
                    let order = self.inner.accounts.order(account, self.id.order).await?;
                    match (next_step(&self.id, order.as_deref()), order, phone) {
                        (Step::Release(outcome), known, _) => {
                            let outcome = if known.is_some() {
                                outcome
                            } else {
                                self.outcome.unwrap_or(outcome)
                            };
                            Command::SeekRelease { outcome, at }
                        }
                        (Step::Keep, Some(order), Some(phone)) => {
                            return self.look(&order, account, &phone).await;
                        }
                        (Step::Wait | Step::Keep, _, _) => return Ok(self.after(WHILE_WAITING)),
                    }
                }
            };
            self.failures = 0;
            let who = if matches!(command, Command::Release { .. }) {
                self.inner.as_supplier()
            } else {
                Who::Service
            };
            match self.inner.transact(&mut lease, &command, who).await {
                // A refusal: somebody else was faster, and the next look sees it.
                Ok(())
                | Err(TransactError::Refused(
                    Refusal::NotSought | Refusal::Over | Refusal::AnotherNumber,
                )) => {}
                Err(TransactError::Fault(fault)) => return Err(fault),
            }
        }
    }

    /// Reads the messages of a number that is on its order.
    async fn look(
        &mut self,
        order: &order::State,
        account: events::id::AccountId,
        phone: &Phone,
    ) -> Result<Next, Fault> {
        let inner = Arc::clone(&self.inner);
        let Some(downstream) = inner.downstream.get() else { return Ok(self.after(WHILE_WAITING)) };
        let looked = match inner.source.look(self.id.reference()).await {
            Ok(looked) => looked,
            // The source has ended the lease by itself: the number is as good as dead.
            Err(SourceError::Unknown) => super::Looked { alive: false, messages: Vec::new() },
            Err(error) => return Ok(self.after_failure("look at", &error)),
        };
        self.failures = 0;
        for message in looked.messages.into_iter().take(MAX_MESSAGES) {
            self.hand_on(downstream, phone, message).await?;
        }
        if !looked.alive
            && let Some(assignment) = &order.assignment
        {
            downstream.orders.report_dead(&lease_of(account, order, assignment)).await;
            return Ok(Next::Again);
        }
        Ok(self.after(inner.settings.poll))
    }

    async fn hand_on(
        &mut self,
        downstream: &Downstream,
        phone: &Phone,
        message: PulledSms,
    ) -> Result<(), Fault> {
        let id = shortened(message.id, MAX_ID);
        if id.is_empty() || self.known.contains(&id) {
            return Ok(());
        }
        let sms = InboundSms {
            supplier: self.id.supplier.clone(),
            message_id: id.clone(),
            to: phone.clone(),
            sender: shortened(message.sender, MAX_SENDER),
            text: message.text,
            received_at: message.received_at.map(|at| self.inner.journal.clock().of_other(at)),
        };
        downstream.inbox.deliver(sms).await?;
        self.known.insert(id);
        Ok(())
    }

    fn after(&self, pause: Duration) -> Next {
        Next::Wait(Some(self.inner.journal.clock().elapsed().plus(pause)))
    }

    fn after_failure(&mut self, what: &str, error: &SourceError) -> Next {
        let pause = (FIRST_PAUSE * 2u32.saturating_pow(self.failures)).min(LONGEST_PAUSE);
        // One line a lease, not one a try: a source that is away has many leases.
        if self.failures == 3 {
            tracing::warn!(lease = ?self.id, %error, "cannot {what} a lease, and goes on trying");
        }
        self.failures = (self.failures + 1).min(16);
        self.after(pause)
    }
}

fn shortened(mut text: String, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

impl Process for LeaseProcess {
    type Key = (OrderId, u8);
    type Memo = ();
    type Message = Outcome;

    const NAME: &'static str = "lease";
    const RETRY: Duration = FIRST_PAUSE;

    /// The order is through with the number; this became of it.
    fn told(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    async fn step(&mut self) -> Result<Next, Fault> {
        self.drive().await
    }
}
