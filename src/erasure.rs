//! Erasing secrets of the log: decided in its own stream first, then carried out in the vault, in
//! snapshots and in memory. What a crash interrupts is carried out by the next start.

mod asked;
mod keys;
mod retention;

use std::sync::Arc;

use actors::Fault;
use actors::kernel::entity::TransactError;
use actors::kernel::journal::Journal;
use actors::kernel::singleton::Singleton;
use actors::store::{EventStore, ReadError};
use actors::vault::{Vault, VaultError};
use events::Event;
use events::account;
use events::codec::{DecodeError, SecretKind};
use events::envelope::{Actor, Revision, StreamId};
use events::erasure::{self, Command, Refusal, State, Subject};
use events::id::{AccountId, OrderId};
use projections::ViewError;
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
    /// All that there is of it is left.
    #[error(
        "nothing is erased, and orders are left ({0}): under a legal hold, not over, or with \
         secrets from before there was a vault"
    )]
    Left(usize),
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
        kinds: &[SecretKind],
        reason: &str,
        who: Actor,
    ) -> Result<usize, ErasureError> {
        let vault = self.store.vault().ok_or(ErasureError::NoVault)?;
        let (kinds, at) = (kinds.to_vec(), self.clock.now());
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

    /// Erases the keys, then what is left of their secrets in snapshots, views and memory.
    async fn erase_keys(
        &self,
        vault: &Arc<Vault>,
        of: &[Subject],
        kinds: &[SecretKind],
    ) -> Result<usize, ErasureError> {
        let (mut names, mut accounts, mut orders) = (Vec::new(), Vec::new(), Vec::new());
        for subject in of {
            accounts.push(subject.account);
            let Some(order) = subject.order else {
                if kinds.contains(&SecretKind::Webhook) {
                    self.switch_webhook_off(subject.account).await?;
                    names.extend(self.keys_of_webhook(subject.account).await?.names);
                }
                continue;
            };
            let Some(place) = self.views.order(order).await? else { continue };
            let found = self.keys_of_order(place, kinds).await?;
            names.extend(found.names);
            orders.push((order, found.places));
        }
        accounts.sort_unstable();
        accounts.dedup();
        let streams: Vec<StreamId> = accounts.iter().copied().map(StreamId::account).collect();
        let (vault, store, views) =
            (Arc::clone(vault), Arc::clone(&self.store), self.views.clone());
        let has_numbers = kinds.contains(&SecretKind::Phone);
        let erasing = move || -> Result<usize, ErasureError> {
            let erased = vault.erase(&names)?;
            store.forget_secrets(&streams)?;
            if has_numbers {
                views.forget_numbers(&orders, |phone| vault.pseudonym(phone))?;
            }
            Ok(erased)
        };
        let erased =
            tokio::task::spawn_blocking(erasing).await.map_err(|_| Fault::ActorEnded)??;
        for account in accounts {
            self.accounts.reload(account).await;
        }
        Ok(erased)
    }

    /// Nothing is pushed to a target that is about to be erased. An account that may change nothing
    /// pushes nothing once it reads its log anew.
    async fn switch_webhook_off(&self, account: AccountId) -> Result<(), ErasureError> {
        let at = self.clock.now();
        let remove = account::Command::RemoveWebhook { at };
        match self.accounts.transact(account, remove, Actor::Service, at).await {
            Ok(_) | Err(TransactError::Refused(_)) => Ok(()),
            Err(TransactError::Fault(fault)) => Err(fault.into()),
        }
    }

    fn has_keys(&self, names: &[[u8; 16]]) -> Result<bool, ErasureError> {
        let vault = self.store.vault().ok_or(ErasureError::NoVault)?;
        Ok(vault.count(names)? > 0)
    }
}
