//! The numbers in the pools: listed and retired in each number's own stream, and in its pool as
//! soon as that is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::envelope::{Actor as Who, StreamId};
use events::number::{Command, Listing, Refusal, State};
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use thiserror::Error;

use crate::kernel::entity::TransactError;
use crate::kernel::fault::{Fault, detached};
use crate::kernel::journal::Journal;
use crate::kernel::keyed_mutex::KeyedMutex;
use crate::numbers::Router;
use crate::numbers::pool::{NumberPool, NumberState, OwnNumber};

/// A number was not listed or retired.
#[derive(Debug, Error)]
pub enum InventoryError {
    /// No such source has a pool; switch it on, or name one that is.
    #[error("no source named {0} has a pool of numbers; {1}")]
    NoSuchPool(SupplierName, String),
    /// Another source has the number; retire it there, or take it out of the configuration.
    #[error("the number is one of {0}'s")]
    OtherSuppliers(SupplierName),
    /// The configuration lists the number; change it there.
    #[error("the configuration lists the number; take it out there")]
    Configured,
    /// The number's rules refuse it.
    #[error(transparent)]
    Refused(Refusal),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<TransactError<Refusal>> for InventoryError {
    fn from(error: TransactError<Refusal>) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(refusal),
            TransactError::Fault(fault) => Self::Fault(fault),
        }
    }
}

struct Inner {
    journal: Journal,
    router: Arc<Router>,
    pools: BTreeMap<SupplierName, Arc<NumberPool>>,
    /// Numbers that the configuration lists, and whose they are.
    configured: BTreeMap<Phone, SupplierName>,
    locks: KeyedMutex,
}

/// The pools' numbers. Cloning shares them.
#[derive(Clone)]
pub struct Inventory {
    inner: Arc<Inner>,
}

impl Inventory {
    /// The inventory of `pools`; the numbers that the configuration lists are not its to change.
    pub fn new(
        journal: Journal,
        router: Arc<Router>,
        pools: BTreeMap<SupplierName, Arc<NumberPool>>,
        configured: BTreeMap<Phone, SupplierName>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                journal,
                router,
                pools,
                configured,
                locks: KeyedMutex::default(),
            }),
        }
    }

    /// Has a number in a pool; answers, once that is durable, whether it is new or changed.
    pub async fn list(
        &self,
        phone: Phone,
        listing: Listing,
        who: Who,
    ) -> Result<bool, InventoryError> {
        let inventory = self.clone();
        detached(async move { inventory.list_here(phone, listing, who).await }).await?
    }

    async fn list_here(
        &self,
        phone: Phone,
        listing: Listing,
        who: Who,
    ) -> Result<bool, InventoryError> {
        let inner = &self.inner;
        let pool = inner
            .pools
            .get(&listing.supplier)
            .ok_or_else(|| self.no_such_pool(&listing.supplier))?;
        if let Some(owner) = inner.configured.get(&phone) {
            return Err(if *owner == listing.supplier {
                InventoryError::Configured
            } else {
                InventoryError::OtherSuppliers(owner.clone())
            });
        }
        let _turn = inner.locks.lock(phone.as_str()).await;
        // A number that is leased from a source that is asked for each, too.
        if let Some(owner) = inner.router.owner(&phone).filter(|owner| **owner != listing.supplier)
        {
            return Err(InventoryError::OtherSuppliers(owner.clone()));
        }
        let number = OwnNumber {
            phone: phone.clone(),
            country: listing.country,
            platforms: listing
                .platforms
                .as_ref()
                .map(|platforms| platforms.iter().copied().collect()),
        };
        let at = inner.journal.now();
        let is_new = self
            .transact(&phone, &Command::List { phone: phone.clone(), listing, at }, who, at)
            .await?;
        if is_new {
            pool.list(number);
        }
        Ok(is_new)
    }

    /// Has a number in no pool; an order that it is on keeps it to its end.
    pub async fn retire(
        &self,
        phone: Phone,
        reason: String,
        who: Who,
    ) -> Result<(), InventoryError> {
        let inventory = self.clone();
        let retiring = async move {
            let inner = &inventory.inner;
            if inner.configured.contains_key(&phone) {
                return Err(InventoryError::Configured);
            }
            let _turn = inner.locks.lock(phone.as_str()).await;
            let at = inner.journal.now();
            inventory.transact(&phone, &Command::Retire { reason, at }, who, at).await?;
            inner.pools.values().for_each(|pool| pool.retire(&phone));
            Ok(())
        };
        detached(retiring).await?
    }

    /// Whether the number is on an order.
    pub fn is_leased(&self, phone: &Phone) -> bool {
        self.inner
            .pools
            .keys()
            .any(|supplier| self.inner.router.lease_of(supplier, phone).is_some())
    }

    /// The numbers in a source's pool.
    pub fn numbers(&self, supplier: &SupplierName) -> Vec<Phone> {
        let states =
            self.inner.pools.get(supplier).map(|pool| pool.states(self.inner.journal.now()));
        states.unwrap_or_default().into_iter().map(|state| state.number.phone).collect()
    }

    /// How each number of each pool is.
    pub fn states(&self) -> Vec<(SupplierName, NumberState)> {
        let now = self.inner.journal.now();
        let states = |(name, pool): (&SupplierName, &Arc<NumberPool>)| {
            pool.states(now).into_iter().map(|state| (name.clone(), state)).collect::<Vec<_>>()
        };
        self.inner.pools.iter().flat_map(states).collect()
    }

    fn no_such_pool(&self, supplier: &SupplierName) -> InventoryError {
        let names =
            self.inner.pools.keys().map(SupplierName::as_str).collect::<Vec<_>>().join(", ");
        let known =
            if names.is_empty() { "none has".to_owned() } else { format!("these have: {names}") };
        InventoryError::NoSuchPool(supplier.clone(), known)
    }

    async fn transact(
        &self,
        phone: &Phone,
        command: &Command,
        actor: Who,
        at: Timestamp,
    ) -> Result<bool, InventoryError> {
        let mut number = self.inner.journal.load::<State>(StreamId::number(phone)).await?;
        Ok(!self.inner.journal.transact(&mut number, command, actor, at).await?.events.is_empty())
    }
}
