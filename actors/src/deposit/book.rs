//! Who has which address of a coin: assigned once, kept, and looked up by what outputs pay.

use std::sync::Arc;

use events::address::{AccountKey, Address, Assign, Event, Refusal, State};
use events::deposit::Currency;
use events::envelope::{Actor as Who, StreamId};
use events::id::AccountId;
use parking_lot::RwLock;
use thiserror::Error;
use tokio::sync::Mutex;

use crate::account::Accounts;
use crate::chain::Watched;
use crate::entity::{Aggregate, Entity, TransactError};
use crate::fault::Fault;

impl Aggregate for State {
    fn event(recorded: events::Event) -> Option<Event> {
        if let events::Event::Address(event) = recorded { Some(event) } else { None }
    }
}

/// No address was given.
#[derive(Debug, Error)]
pub enum AddressError {
    /// The coin's law says no: the operator's key has none left.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The addresses of a coin.
#[derive(Debug)]
pub struct AddressBook {
    accounts: Accounts,
    entity: Mutex<Entity<State>>,
    published: RwLock<Arc<Watched>>,
    key: Option<AccountKey>,
    shared: Option<Address>,
}

impl AddressBook {
    /// The book of a coin as the log has it.
    pub async fn open(accounts: Accounts, currency: Currency, key: Option<AccountKey>, shared: Option<Address>) -> Result<Self, Fault> {
        let entity = Entity::<State>::load(Arc::clone(accounts.store()), StreamId::addresses(currency)).await?;
        let watched = Watched { book: entity.state().clone(), shared: shared.as_ref().map(|address| address.destination.clone()) };
        Ok(Self { accounts, entity: Mutex::new(entity), published: RwLock::new(Arc::new(watched)), key, shared })
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

    /// The account's own address, given to it now if it has none; `None` where the operator has no key for this coin.
    pub async fn address(&self, account: AccountId) -> Result<Option<Address>, AddressError> {
        let Some(key) = &self.key else { return Ok(None) };
        if let Some(address) = self.watched().book.address(account, key.id()) {
            return Ok(Some(address));
        }
        let mut entity = self.entity.lock().await;
        let at = self.accounts.now();
        let context = self.accounts.context(Who::Owner, at);
        let assigned = entity.transact(&Assign { account, key: key.clone(), at }, &context).await;
        let shared = self.shared.as_ref().map(|address| address.destination.clone());
        // Watched before it is told to anybody; also what a failed append has left in the log.
        *self.published.write() = Arc::new(Watched { book: entity.state().clone(), shared });
        match assigned {
            Ok(_) => Ok(entity.state().address(account, key.id())),
            Err(TransactError::Refused(refusal)) => Err(refusal.into()),
            Err(TransactError::Fault(fault)) => {
                let _ = entity.refresh().await;
                Err(fault.into())
            }
        }
    }
}
