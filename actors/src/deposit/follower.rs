//! The follower: takes one deposit to its credit, and back if its chain changes its mind, step by step from its state.

use std::sync::Arc;
use std::time::Duration;

use events::account;
use events::deposit::{Command, Refusal, State, Status, Step};
use events::envelope::{Actor as Who, StreamId};
use events::id::{AccountId, DepositId};
use ractor::{Actor, ActorProcessingErr, ActorRef, MessagingErr};
use tokio::task::JoinHandle;

use super::confirmation::Observation;
use super::handle::Inner;
use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::Fault;

/// How long to wait after a step that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// The only message: look at the deposit and do what is next.
pub struct Look;

/// The behaviour; the state is `DepositProcess`.
pub struct Follower;

/// One deposit being followed.
pub struct DepositProcess {
    deposit: DepositId,
    inner: Arc<Inner>,
    /// The next look that is due by itself: one at a time, however often it is woken.
    due: Option<JoinHandle<Result<(), MessagingErr<Look>>>>,
}

/// What a follower does after a look.
enum Then {
    /// Leaves.
    Leave,
    /// Waits to be woken, or for so long.
    Wait(Option<Duration>),
}

impl DepositProcess {
    /// A process of a deposit, fresh or after a restart: there is no difference.
    pub fn new(deposit: DepositId, inner: Arc<Inner>) -> Self {
        Self { deposit, inner, due: None }
    }

    /// Takes steps until the chain has to be waited for.
    async fn drive(&self) -> Result<Then, Fault> {
        let mut entity = self.inner.journal.load::<State>(StreamId::deposit(self.deposit)).await?;
        loop {
            let state = entity.state().clone();
            let at = self.inner.journal.now();
            let command = match (state.next_step(), state.account) {
                (Step::Done, _) => return Ok(Then::Leave),
                (Step::AskChain, _) => {
                    let Some(confirmation) = self.inner.confirmations.get(&state.chain) else {
                        tracing::warn!(deposit = %self.deposit, chain = state.chain, "a deposit waits on a chain that is not configured any more");
                        return Ok(Then::Leave);
                    };
                    match confirmation.look(&state).await? {
                        Observation::Waiting => return Ok(Then::Wait(confirmation.pause())),
                        Observation::Gone => Command::Orphan { at },
                        Observation::Settled => Command::Settle { at },
                        Observation::Final(payment) => {
                            let (rate, rate_source, rate_at) = (payment.rate, payment.rate_source, payment.rate_at);
                            Command::Confirm { amount: payment.amount, paid: payment.paid, rate, rate_source, rate_at, at }
                        }
                    }
                }
                (Step::Credit, Some(account)) => {
                    // The account knows the deposit by its id: after a crash here, crediting again is a no-op.
                    let credit = account::Command::CreditDeposit { deposit: self.deposit, amount: state.amount, at };
                    if !self.in_account(account, credit).await? {
                        return Ok(Then::Leave);
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
                        return Ok(Then::Leave);
                    }
                    Command::MarkReversed { at }
                }
                (Step::Wait | Step::Credit | Step::Reverse, _) => return Ok(Then::Wait(None)),
            };
            self.transact(&mut entity, &command).await?;
        }
    }

    /// A deposit that its account keeps as too small: gone with its block like any other.
    async fn while_kept(&self, state: &State, entity: &mut Entity<State>) -> Result<Then, Fault> {
        let Some(confirmation) = self.inner.confirmations.get(&state.chain) else { return Ok(Then::Leave) };
        let in_block = State { status: Status::Credited, ..state.clone() };
        if confirmation.look(&in_block).await? == Observation::Gone {
            self.transact(entity, &Command::Orphan { at: self.inner.journal.now() }).await?;
            return Ok(Then::Wait(Some(Duration::ZERO)));
        }
        Ok(Then::Wait(confirmation.pause()))
    }

    async fn is_kept(&self, account: AccountId) -> Result<bool, Fault> {
        match self.inner.accounts.read(account).await {
            Ok(published) => Ok(published.state.dust.contains_key(&self.deposit)),
            Err(crate::account::AccessError::NotFound) => Ok(false),
            Err(crate::account::AccessError::Fault(fault)) => Err(fault),
        }
    }

    /// Whether the account has done it; one that refuses must be looked at by an operator.
    async fn in_account(&self, account: AccountId, command: account::Command) -> Result<bool, Fault> {
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
                tracing::error!(deposit = %self.deposit, %refusal, "the account does not take a deposit's step; an operator must look at it");
                Ok(false)
            }
        }
    }

    async fn transact(&self, entity: &mut Entity<State>, command: &Command) -> Result<(), Fault> {
        match self.inner.journal.transact(entity, command, Who::Chain, self.inner.journal.now()).await {
            // A refusal: somebody else was faster; the next look sees it.
            Ok(_)
            | Err(TransactError::Refused(
                Refusal::NotClaimed | Refusal::NotConfirmed | Refusal::ClaimedByAnother | Refusal::NotInBlock | Refusal::Settled,
            )) => Ok(()),
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }
}

impl Actor for Follower {
    type Msg = Look;
    type State = DepositProcess;
    type Arguments = DepositProcess;

    async fn pre_start(&self, _myself: ActorRef<Look>, process: DepositProcess) -> Result<DepositProcess, ActorProcessingErr> {
        Ok(process)
    }

    async fn handle(&self, myself: ActorRef<Look>, Look: Look, process: &mut DepositProcess) -> Result<(), ActorProcessingErr> {
        let outcome = Box::pin(process.drive()).await;
        process.inner.stepped(process.deposit, outcome.is_err());
        let then = outcome.unwrap_or_else(|fault| {
            tracing::warn!(deposit = %process.deposit, error = %fault, "a deposit's step failed and is tried again");
            Then::Wait(Some(AFTER_FAILURE))
        });
        if let Some(due) = process.due.take() {
            due.abort();
        }
        match then {
            Then::Leave => {
                process.inner.followers.remove_if(process.deposit, |follower| follower.get_id() == myself.get_id());
                myself.stop(None);
            }
            Then::Wait(Some(pause)) => process.due = Some(myself.send_after(pause, || Look)),
            Then::Wait(None) => {}
        }
        Ok(())
    }
}
