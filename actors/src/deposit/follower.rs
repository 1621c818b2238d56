//! The follower: takes one claimed deposit to its credit, step by step from its state.

use std::sync::Arc;

use events::account;
use events::deposit::{Command, Event, Refusal, State, Status};
use events::envelope::{Actor as Who, StreamId};
use events::id::DepositId;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::handle::Inner;
use crate::chain::Sighting;
use crate::entity::{Aggregate, Context, Entity, TransactError};
use crate::fault::Fault;

impl Aggregate for State {
    fn event(recorded: events::Event) -> Option<Event> {
        if let events::Event::Deposit(event) = recorded { Some(event) } else { None }
    }
}

/// The only message: look at the deposit and do what is next.
pub struct Look;

/// The behaviour; the state is `Pursuit`.
pub struct Follower;

/// One deposit being followed.
pub struct Pursuit {
    deposit: DepositId,
    inner: Arc<Inner>,
}

impl Pursuit {
    /// A pursuit of a claimed deposit, fresh or after a restart: there is no difference.
    pub fn new(deposit: DepositId, inner: Arc<Inner>) -> Self {
        Self { deposit, inner }
    }

    /// Takes steps until the chain has to be waited for; true once the deposit is credited.
    async fn drive(&self) -> Result<bool, Fault> {
        let store = Arc::clone(self.inner.accounts.store());
        let mut entity = Entity::<State>::load(store, StreamId::deposit(self.deposit)).await?;
        loop {
            let state = entity.state().clone();
            let (Some(account), Some(tx_hash)) = (state.account, state.tx_hash.as_ref()) else { return Ok(true) };
            match state.status {
                Status::Unclaimed | Status::Credited => return Ok(true),
                Status::Claimed => match self.inner.chain.look(tx_hash, state.claimed_at).await? {
                    Sighting::Pending => return Ok(false),
                    Sighting::Final(payment) => {
                        let at = self.inner.accounts.now();
                        let confirm =
                            Command::Confirm { amount: payment.amount, paid: payment.paid, rate: payment.rate, rate_source: payment.rate_source, at };
                        self.transact(&mut entity, &confirm, Who::Chain).await?;
                    }
                },
                Status::Confirmed => {
                    let at = self.inner.accounts.now();
                    // The account knows the deposit by its id: after a crash here, crediting again is a no-op.
                    let credit = account::Command::CreditDeposit { deposit: self.deposit, amount: state.amount, at };
                    match self.inner.accounts.transact(account, credit, Who::Chain, at).await {
                        Ok(_) => self.transact(&mut entity, &Command::MarkCredited { at }, Who::Service).await?,
                        Err(TransactError::Fault(fault)) => return Err(fault),
                        Err(TransactError::Refused(refusal)) => {
                            tracing::error!(deposit = %self.deposit, %refusal, "a confirmed deposit cannot be credited; an operator must look at it");
                            return Ok(true);
                        }
                    }
                }
            }
        }
    }

    async fn transact(&self, entity: &mut Entity<State>, command: &Command, actor: Who) -> Result<(), Fault> {
        let at = self.inner.accounts.now();
        let context = Context { command: self.inner.accounts.entropy().command_id(at), actor, at };
        match entity.transact(command, &context).await {
            // A refusal: somebody else was faster; the next look sees it.
            Ok(_) | Err(TransactError::Refused(Refusal::NotClaimed | Refusal::NotConfirmed | Refusal::ClaimedByAnother)) => Ok(()),
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }
}

impl Actor for Follower {
    type Msg = Look;
    type State = Pursuit;
    type Arguments = Pursuit;

    async fn pre_start(&self, myself: ActorRef<Look>, pursuit: Pursuit) -> Result<Pursuit, ActorProcessingErr> {
        let _ = myself.send_message(Look);
        Ok(pursuit)
    }

    async fn handle(&self, myself: ActorRef<Look>, Look: Look, pursuit: &mut Pursuit) -> Result<(), ActorProcessingErr> {
        let done = Box::pin(pursuit.drive()).await.unwrap_or_else(|fault| {
            tracing::warn!(deposit = %pursuit.deposit, error = %fault, "a deposit's step failed and is tried again");
            false
        });
        if done {
            pursuit.inner.followers.remove_if(pursuit.deposit, |follower| follower.get_id() == myself.get_id());
            myself.stop(None);
        } else {
            myself.send_after(pursuit.inner.chain.pause(), || Look);
        }
        Ok(())
    }
}
