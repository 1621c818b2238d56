//! Who has which address of a coin: assigned once, kept, and looked up by what outputs pay.

use std::sync::Arc;

use events::address::{AccountKey, Address, Assign, Refusal, State};
use events::deposit::Currency;
use events::envelope::{Actor as Who, StreamId};
use events::id::AccountId;
use parking_lot::RwLock;
use thiserror::Error;
use tokio::sync::Mutex;

use super::chain::Watched;
use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;

/// No address was given.
#[derive(Debug, Error)]
pub enum AddressError {
    /// The coin's rules refuse it: the operator's key has none left.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The addresses of a coin.
#[derive(Debug)]
pub struct AddressBook {
    journal: Journal,
    entity: Mutex<Entity<State>>,
    published: RwLock<Arc<Watched>>,
    key: Option<AccountKey>,
    shared: Option<Address>,
}

impl AddressBook {
    /// The book of a coin as the log has it.
    pub async fn open(
        journal: Journal,
        currency: Currency,
        key: Option<AccountKey>,
        shared: Option<Address>,
    ) -> Result<Self, Fault> {
        let entity = journal.load::<State>(StreamId::addresses(currency)).await?;
        let watched = Watched {
            book: entity.state().clone(),
            shared: shared.as_ref().map(|address| address.destination.clone()),
        };
        Ok(Self {
            journal,
            entity: Mutex::new(entity),
            published: RwLock::new(Arc::new(watched)),
            key,
            shared,
        })
    }

    /// The address for those without a key, where there is one.
    pub fn shared(&self) -> Option<&Address> {
        self.shared.as_ref()
    }

    /// What to look for on the chain.
    pub fn watched(&self) -> Arc<Watched> {
        Arc::clone(&self.published.read())
    }

    /// Addresses of the operator's present key given out so far.
    pub fn next_index(&self) -> Option<u32> {
        self.key.as_ref().map(|key| self.watched().book.next_index(key.id()))
    }

    /// The account's own address, given to it now if it has none; `None` where the operator has no
    /// key for this coin.
    pub async fn address(&self, account: AccountId) -> Result<Option<Address>, AddressError> {
        let Some(key) = &self.key else { return Ok(None) };
        if let Some(address) = self.watched().book.address(account, key.id()) {
            return Ok(Some(address));
        }
        let mut entity = self.entity.lock().await;
        let at = self.journal.now();
        let assigned = self
            .journal
            .transact(&mut entity, &Assign { account, key: key.clone(), at }, Who::Owner, at)
            .await;
        let shared = self.shared.as_ref().map(|address| address.destination.clone());
        // Watched before it is told to anybody; also what a failed append has left in the log.
        *self.published.write() = Arc::new(Watched { book: entity.state().clone(), shared });
        match assigned {
            Ok(_) => Ok(entity.state().address(account, key.id())),
            Err(TransactError::Refused(refusal)) => Err(refusal.into()),
            Err(TransactError::Fault(fault)) => Err(fault.into()),
        }
    }
}
