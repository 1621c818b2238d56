//! A deposit at work: takes one deposit to its credit, and back if its chain changes its mind, step
//! by step from its state.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use events::account;
use events::deposit::{Command, Refusal, State, Status, Step};
use events::envelope::{Actor as Who, StreamId};
use events::id::{AccountId, DepositId};

use super::confirmation::Observation;
use super::handle::Inner;
use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::Fault;
use crate::kernel::process::{Next, Process};

/// How long to wait after a step that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// One deposit being followed.
pub struct DepositProcess {
    deposit: DepositId,
    inner: Arc<Inner>,
}

impl DepositProcess {
    /// A process of a deposit, fresh or after a restart: there is no difference.
    pub fn new(deposit: DepositId, inner: Arc<Inner>) -> Self {
        Self { deposit, inner }
    }

    /// Takes steps until the chain has to be waited for.
    async fn drive(&self) -> Result<Next, Fault> {
        let mut entity = self.inner.journal.load::<State>(StreamId::deposit(self.deposit)).await?;
        loop {
            let state = entity.state().clone();
            let at = self.inner.journal.now();
            let command = match (state.next_step(), state.account) {
                (Step::Done, _) => return Ok(Next::Done),
                (Step::AskChain, _) => {
                    let Some(confirmation) = self.inner.confirmations.get(&state.chain) else {
                        tracing::warn!(
                            deposit = %self.deposit, chain = state.chain,
                            "a deposit waits on a chain that is not configured any more"
                        );
                        return Ok(Next::Done);
                    };
                    match confirmation.look(&state).await? {
                        Observation::Waiting => return Ok(self.after(confirmation.pause())),
                        Observation::Gone => Command::Orphan { at },
                        Observation::Settled => Command::Settle { at },
                        Observation::Final(payment) => {
                            let (rate, rate_source, rate_at) =
                                (payment.rate, payment.rate_source, payment.rate_at);
                            Command::Confirm {
                                amount: payment.amount,
                                paid: payment.paid,
                                rate,
                                rate_source,
                                rate_at,
                                at,
                            }
                        }
                    }
                }
                (Step::Credit, Some(account)) => {
                    // The account knows the deposit by its id: after a crash here, crediting again
                    // is a no-op.
                    let credit = account::Command::CreditDeposit {
                        deposit: self.deposit,
                        amount: state.amount,
                        at,
                    };
                    if !self.in_account(account, credit).await? {
                        return Ok(Next::Done);
                    }
                    if self.is_kept(account).await? {
                        // Too small alone: a later one brings it. Its block is looked at meanwhile.
                        return self.while_kept(&state, &mut entity).await;
                    }
                    Command::MarkCredited { at }
                }
                (Step::Reverse, Some(account)) => {
                    let reverse = account::Command::ReverseDeposit { deposit: self.deposit, at };
                    if !self.in_account(account, reverse).await? {
                        return Ok(Next::Done);
                    }
                    Command::MarkReversed { at }
                }
                (Step::Wait | Step::Credit | Step::Reverse, _) => return Ok(Next::Wait(None)),
            };
            self.transact(&mut entity, &command).await?;
        }
    }

    fn after(&self, pause: Option<Duration>) -> Next {
        Next::Wait(pause.map(|pause| self.inner.journal.clock().elapsed().plus(pause)))
    }

    /// A deposit that its account keeps as too small: gone with its block like any other.
    async fn while_kept(&self, state: &State, entity: &mut Entity<State>) -> Result<Next, Fault> {
        let Some(confirmation) = self.inner.confirmations.get(&state.chain) else {
            return Ok(Next::Done);
        };
        let in_block = State { status: Status::Credited, ..state.clone() };
        if confirmation.look(&in_block).await? == Observation::Gone {
            self.transact(entity, &Command::Orphan { at: self.inner.journal.now() }).await?;
            return Ok(Next::Again);
        }
        Ok(self.after(confirmation.pause()))
    }

    async fn is_kept(&self, account: AccountId) -> Result<bool, Fault> {
        let known = self.inner.accounts.find(account).await?;
        Ok(known.is_some_and(|known| known.state.dust.contains_key(&self.deposit)))
    }

    /// Whether the account has done it; one that refuses must be looked at by an operator.
    async fn in_account(
        &self,
        account: AccountId,
        command: account::Command,
    ) -> Result<bool, Fault> {
        let at = self.inner.journal.now();
        match self.inner.accounts.transact(account, command, Who::Chain, at).await {
            Ok(committed) => {
                // Small ones that it brought along.
                for event in &committed.events {
                    if let account::Event::DepositCredited { deposit, .. } = event
                        && *deposit != self.deposit
                    {
                        self.inner.look_at(*deposit);
                    }
                }
                Ok(true)
            }
            Err(TransactError::Fault(fault)) => Err(fault),
            Err(TransactError::Refused(refusal)) => {
                tracing::error!(deposit = %self.deposit, %refusal, "the account does not take a \
                    deposit's step; an operator must look at it");
                Ok(false)
            }
        }
    }

    async fn transact(&self, entity: &mut Entity<State>, command: &Command) -> Result<(), Fault> {
        match self
            .inner
            .journal
            .transact(entity, command, Who::Chain, self.inner.journal.now())
            .await
        {
            // A refusal: somebody else was faster; the next look sees it.
            Ok(_)
            | Err(TransactError::Refused(
                Refusal::NotClaimed
                | Refusal::NotConfirmed
                | Refusal::ClaimedByAnother
                | Refusal::NotInBlock
                | Refusal::Settled,
            )) => Ok(()),
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }
}

impl Process for DepositProcess {
    type Key = DepositId;
    type Memo = ();
    type Message = Infallible;

    const NAME: &'static str = "deposit";
    const RETRY: Duration = AFTER_FAILURE;

    fn told(&mut self, message: Infallible) {
        match message {}
    }

    async fn step(&mut self) -> Result<Next, Fault> {
        let outcome = self.drive().await;
        self.inner.stepped(self.deposit, outcome.is_err());
        outcome
    }
}
