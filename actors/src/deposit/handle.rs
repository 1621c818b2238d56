//! Deposits: claims outputs for accounts and lets followers take them to their credit.

use std::sync::Arc;

use events::account;
use events::account::idempotency::{Effect, KeyUse};
use events::deposit::{Command, Refusal, State, TxHash, deposit_id};
use events::envelope::{Actor as Who, StreamId};
use events::id::{AccountId, DepositId};
use ractor::{Actor, ActorRef};
use thiserror::Error;

use super::follower::{Follower, Look, Pursuit};
use crate::account::Accounts;
use crate::chain::Chain;
use crate::entity::{Context, Entity, TransactError};
use crate::fault::{Fault, detached};
use crate::order::Replayed;
use crate::registry::Registry;

/// A claim was not taken.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// Another account has it; to this caller the transaction is unknown.
    #[error("the transaction is not a payment to this account")]
    NotYours,
    /// The account's law says no: the key was used for something else.
    #[error(transparent)]
    Refused(account::Refusal),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A claim, and how far it has come.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which deposit.
    pub deposit: DepositId,
    /// How far it has come.
    pub state: State,
    /// Whether it was claimed before under the same key.
    pub replayed: Replayed,
}

/// What followers share.
pub struct Inner {
    pub(super) accounts: Accounts,
    pub(super) chain: Arc<dyn Chain>,
    pub(super) followers: Registry<DepositId, ActorRef<Look>>,
}

/// The deposits. Cloning shares them.
#[derive(Clone)]
pub struct Deposits {
    inner: Arc<Inner>,
}

impl Deposits {
    /// The deposits of `accounts` on `chain`.
    pub fn new(accounts: Accounts, chain: Arc<dyn Chain>) -> Self {
        Self { inner: Arc::new(Inner { accounts, chain, followers: Registry::default() }) }
    }

    /// The chain.
    pub fn chain(&self) -> &Arc<dyn Chain> {
        &self.inner.chain
    }

    /// Claims a transaction for an account, or finds the account's earlier claim; answers with how far it has come.
    pub async fn claim(&self, account: AccountId, tx_hash: TxHash, key: Option<KeyUse>) -> Result<Claimed, ClaimError> {
        let deposits = self.clone();
        let claiming = async move {
            let replayed = deposits.remember(account, &tx_hash, key).await?;
            let (deposit, state) = deposits.claim_here(account, &tx_hash).await?;
            Ok(Claimed { deposit, state, replayed })
        };
        detached(claiming).await?
    }

    /// Lets the caller's key name the claim before it is made: repeating a claim is harmless, repeating a key with another is not.
    async fn remember(&self, account: AccountId, tx_hash: &TxHash, key: Option<KeyUse>) -> Result<Replayed, ClaimError> {
        let Some(used) = key else { return Ok(Replayed(false)) };
        let (at, effect) = (used.at, Effect::Deposit(deposit_id(self.inner.chain.name(), tx_hash, 0)));
        let command = account::Command::Keyed { used, effect, command: None };
        match self.inner.accounts.transact(account, command, Who::Owner, at).await {
            Ok(committed) => Ok(Replayed(committed.events.is_empty())),
            Err(TransactError::Refused(refusal)) => Err(ClaimError::Refused(refusal)),
            Err(TransactError::Fault(fault)) => Err(fault.into()),
        }
    }

    async fn claim_here(&self, account: AccountId, tx_hash: &TxHash) -> Result<(DepositId, State), ClaimError> {
        // The simulated chain's transactions have one output.
        let (chain, output) = (self.inner.chain.name(), 0);
        let deposit = deposit_id(chain, tx_hash, output);
        let store = Arc::clone(self.inner.accounts.store());
        let mut entity = Entity::<State>::load(store, StreamId::deposit(deposit)).await?;
        let at = self.inner.accounts.now();
        let claim = Command::Claim { account, chain: chain.to_owned(), tx_hash: tx_hash.clone(), output, at };
        let context = Context { command: self.inner.accounts.entropy().command_id(at), actor: Who::Owner, at };
        match entity.transact(&claim, &context).await {
            Ok(_) => {}
            Err(TransactError::Fault(fault)) => return Err(fault.into()),
            Err(TransactError::Refused(Refusal::ClaimedByAnother | Refusal::NotClaimed | Refusal::NotConfirmed)) => return Err(ClaimError::NotYours),
        }
        let state = entity.state().clone();
        if state.status != events::deposit::Status::Credited {
            self.follow(deposit).await?;
        }
        Ok((deposit, state))
    }

    /// Lets a claimed deposit go on: what recovery does with each that is not credited.
    pub async fn follow(&self, deposit: DepositId) -> Result<(), Fault> {
        let inner = Arc::clone(&self.inner);
        let start = || async move {
            let (actor, _) = Follower::spawn(None, Follower, Pursuit::new(deposit, inner)).await.map_err(|_| Fault::ActorEnded)?;
            Ok::<_, Fault>(actor)
        };
        self.inner.followers.get_or_start(deposit, start).await?;
        Ok(())
    }
}
