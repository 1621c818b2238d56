//! Erasing secrets of the log: decided in its own stream first, then carried out in the vault, in
//! snapshots and in memory. What a crash interrupts is carried out by the next start.

mod keys;
mod retention;

use std::sync::Arc;

use actors::Fault;
use actors::kernel::entity::TransactError;
use actors::kernel::journal::Journal;
use actors::kernel::singleton::Singleton;
use actors::store::sqlite::SqliteStore;
use actors::store::{EventStore, ReadError};
use actors::vault::{Vault, VaultError};
use events::Event;
use events::codec::{DecodeError, SecretKind};
use events::envelope::{Actor, Revision, StreamId};
use events::erasure::{self, Command, Refusal, State, Subject};
use events::id::{AccountId, OrderId};
use keys::OrderKeys;
use projections::{OrderRef, ViewError};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::boot::Service;
use crate::read_model::reach_head;

/// How far decisions are carried out, in the vault.
const CARRIED_OUT: &str = "erasures";
/// Decisions read at once.
const PAGE: usize = 100;

/// Nothing more is erased than was.
#[derive(Debug, Error)]
pub enum ErasureError {
    /// The log's secrets are not under keys that could be erased.
    #[error("there is no vault: name a key in [vault], and what comes from then on can be erased")]
    NoVault,
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody knows the order.
    #[error("there is no such order")]
    NoOrder,
    /// Its messages may still come.
    #[error("{0} is not over: cancel or finish it first")]
    NotOver(OrderId),
    /// It has secrets that no key encrypts.
    #[error("{0} has secrets from before there was a vault, which cannot be erased")]
    Unsealed(OrderId),
    /// The log or the service failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record of it cannot be.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// The views cannot be read.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<TransactError<Refusal>> for ErasureError {
    fn from(error: TransactError<Refusal>) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(refusal),
            TransactError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// What is erased and held. Decisions are taken and carried out one after the other.
#[derive(Debug)]
pub struct Erasures {
    decided: Singleton<State>,
    carrying_out: Mutex<()>,
}

impl Erasures {
    /// As the log has them.
    pub async fn open(journal: Journal) -> Result<Self, Fault> {
        let decided = Singleton::open(journal, StreamId::erasures()).await?;
        Ok(Self { decided, carrying_out: Mutex::new(()) })
    }

    /// What was decided so far.
    pub fn state(&self) -> State {
        self.decided.state()
    }
}

impl Service {
    /// Erases what messages of an order say, and its codes; how many keys were erased.
    pub async fn erase_order(
        &self,
        order: OrderId,
        reason: &str,
        who: Actor,
    ) -> Result<usize, ErasureError> {
        self.store.vault().ok_or(ErasureError::NoVault)?;
        reach_head(&self.views, &self.store.head()).await?;
        let place = self.views.order(order).await?.ok_or(ErasureError::NoOrder)?;
        self.refuse_under_hold(place.account)?;
        let found = self.keys_of_ended(place, who.clone()).await?;
        if !found.is_over() {
            return Err(ErasureError::NotOver(order));
        }
        if found.is_unsealed {
            return Err(ErasureError::Unsealed(order));
        }
        if !self.has_keys(&found.names)? {
            return Err(Refusal::Nothing.into());
        }
        let subject = Subject { account: place.account, order: Some(order) };
        self.erase(vec![subject], reason, who).await
    }

    /// The same of all orders of an account that are over; how many orders, and how many are left
    /// because they are not over or are from before there was a vault.
    pub async fn erase_account(
        &self,
        account: AccountId,
        reason: &str,
        who: Actor,
    ) -> Result<(usize, usize), ErasureError> {
        self.store.vault().ok_or(ErasureError::NoVault)?;
        reach_head(&self.views, &self.store.head()).await?;
        self.refuse_under_hold(account)?;
        let (mut erasable, mut left) = (Vec::new(), 0);
        for place in self.views.places_of(account).await? {
            let found = self.keys_of_ended(place, who.clone()).await?;
            if !found.is_over() || found.is_unsealed {
                left += 1;
            } else if self.has_keys(&found.names)? {
                erasable.push(Subject { account, order: Some(place.order) });
            }
        }
        if erasable.is_empty() {
            return Err(Refusal::Nothing.into());
        }
        for some in erasable.chunks(erasure::MOST) {
            self.erase(some.to_vec(), reason, who.clone()).await?;
        }
        Ok((erasable.len(), left))
    }

    /// The keys of an order's messages. One that only listens for more is finished first: whoever
    /// wants its messages erased wants no further ones.
    async fn keys_of_ended(&self, place: OrderRef, who: Actor) -> Result<OrderKeys, ErasureError> {
        let kinds = [SecretKind::Message];
        let found = self.keys_of_order(place, &kinds).await?;
        let listening = found.order.as_ref().filter(|order| order.is_listening());
        let Some(listening) = listening.filter(|_| !found.is_unsealed) else {
            return Ok(found);
        };
        // What is refused has ended otherwise meanwhile.
        if let Err(TransactError::Fault(fault)) =
            self.orders.finish(place.account, listening, who).await
        {
            return Err(fault.into());
        }
        reach_head(&self.views, &self.store.head()).await?;
        let place = self.views.order(place.order).await?.ok_or(ErasureError::NoOrder)?;
        self.keys_of_order(place, &kinds).await
    }

    fn refuse_under_hold(&self, account: AccountId) -> Result<(), Refusal> {
        match self.erasures.state().held().get(&account) {
            Some(hold) => Err(Refusal::Held { account, reason: hold.reason.clone() }),
            None => Ok(()),
        }
    }

    /// Places a hold on an account, or lifts it.
    pub async fn hold(
        &self,
        account: AccountId,
        is_placed: bool,
        reason: &str,
        who: Actor,
    ) -> Result<(), ErasureError> {
        let (reason, at) = (reason.to_owned(), self.clock.now());
        let command = if is_placed {
            Command::PlaceHold { account, reason, at }
        } else {
            Command::LiftHold { account, reason, at }
        };
        // Not between a decision to erase and its execution.
        let _alone = self.erasures.carrying_out.lock().await;
        self.erasures.decided.transact(&command, who, at).await?;
        if !is_placed && let Some(vault) = self.store.vault() {
            // What was passed over is looked at once more.
            retention::begin_anew(vault)?;
        }
        Ok(())
    }

    /// Decides it, and carries it out; how many keys were erased.
    async fn erase(
        &self,
        of: Vec<Subject>,
        reason: &str,
        who: Actor,
    ) -> Result<usize, ErasureError> {
        let vault = self.store.vault().ok_or(ErasureError::NoVault)?;
        let (kinds, at) = (vec![SecretKind::Message], self.clock.now());
        let command = Command::Erase { of, kinds, reason: reason.to_owned(), at };
        let _alone = self.erasures.carrying_out.lock().await;
        self.erasures.decided.transact(&command, who, at).await?;
        self.carry_out(vault).await
    }

    /// Carries out what was decided before the service stopped.
    pub async fn carry_on_erasing(&self) -> Result<(), ErasureError> {
        let Some(vault) = self.store.vault() else { return Ok(()) };
        let _alone = self.erasures.carrying_out.lock().await;
        let erased = self.carry_out(vault).await?;
        if erased > 0 {
            tracing::info!(erased, "erasures that a stop had interrupted are carried out");
        }
        Ok(())
    }

    /// Carries out every decision again where the vault has carried out more than the log has: the
    /// log was restored, and the vault was not.
    async fn begin_anew_if_ahead(&self, vault: &Arc<Vault>) -> Result<(), ErasureError> {
        let done = u64::try_from(vault.progress(CARRIED_OUT)?).unwrap_or(0);
        let Some(last) = done.checked_sub(1) else { return Ok(()) };
        if self.store.read_stream(StreamId::erasures(), Revision(last), 1).await?.is_empty() {
            tracing::warn!("the log has fewer erasures than its vault: all are carried out again");
            vault.set_progress(CARRIED_OUT, 0)?;
        }
        Ok(())
    }

    async fn carry_out(&self, vault: &Arc<Vault>) -> Result<usize, ErasureError> {
        reach_head(&self.views, &self.store.head()).await?;
        let mut erased = 0;
        self.begin_anew_if_ahead(vault).await?;
        loop {
            let from = u64::try_from(vault.progress(CARRIED_OUT)?).unwrap_or(0);
            let page = self.store.read_stream(StreamId::erasures(), Revision(from), PAGE).await?;
            let Some(last) = page.last().map(|record| record.revision) else { return Ok(erased) };
            for record in page {
                if let Event::Erasure(erasure::Event::Erased { of, kinds, .. }) = record.event {
                    erased += self.erase_keys(vault, &of, &kinds).await?;
                }
            }
            vault.set_progress(CARRIED_OUT, i64::try_from(last.0 + 1).unwrap_or(i64::MAX))?;
        }
    }

    /// Erases the keys, then what is left of their secrets in snapshots and in memory.
    async fn erase_keys(
        &self,
        vault: &Arc<Vault>,
        of: &[Subject],
        kinds: &[SecretKind],
    ) -> Result<usize, ErasureError> {
        let mut names = Vec::new();
        let mut accounts = Vec::new();
        for subject in of {
            let Some(order) = subject.order else { continue };
            let Some(place) = self.views.order(order).await? else { continue };
            names.extend(self.keys_of_order(place, kinds).await?.names);
            accounts.push(subject.account);
        }
        accounts.sort_unstable();
        accounts.dedup();
        let (vault, store) = (Arc::clone(vault), Arc::clone(&self.store));
        let of_accounts = accounts.clone();
        let erasing = move || -> Result<usize, ErasureError> {
            let erased = vault.erase(&names)?;
            forget(&store, &of_accounts)?;
            Ok(erased)
        };
        let erased =
            tokio::task::spawn_blocking(erasing).await.map_err(|_| Fault::ActorEnded)??;
        for account in accounts {
            self.accounts.reload(account).await;
        }
        Ok(erased)
    }

    fn has_keys(&self, names: &[[u8; 16]]) -> Result<bool, ErasureError> {
        let vault = self.store.vault().ok_or(ErasureError::NoVault)?;
        Ok(vault.count(names)? > 0)
    }
}

fn forget(store: &SqliteStore, accounts: &[AccountId]) -> Result<(), ReadError> {
    accounts.iter().try_for_each(|account| store.forget_secrets(&StreamId::account(*account)))
}
