//! Where suppliers' numbers come from, at hand for the router: no order has a number of a real
//! supplier whose provenance is not stated, where the operator wants it so.

use std::collections::BTreeMap;

use events::envelope::{Actor as Who, StreamId};
use events::provenance::{Command, Refusal, State};
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use crate::kernel::entity::TransactError;
use crate::kernel::fault::Fault;
use crate::kernel::journal::Journal;

/// What is stated of each supplier.
#[derive(Debug)]
pub struct Provenances {
    journal: Journal,
    is_required: bool,
    /// One that writes at a time.
    writing: Mutex<()>,
    published: RwLock<BTreeMap<SupplierName, State>>,
}

impl Provenances {
    /// What the log says of `suppliers`; whether orders need it is the operator's choice.
    pub async fn open(
        journal: Journal,
        suppliers: impl IntoIterator<Item = SupplierName>,
        is_required: bool,
    ) -> Result<Self, Fault> {
        let mut known = BTreeMap::new();
        for supplier in suppliers {
            let entity = journal.load::<State>(StreamId::provenance(&supplier)).await?;
            known.insert(supplier, entity.state().clone());
        }
        let published = RwLock::new(known);
        Ok(Self { journal, is_required, writing: Mutex::default(), published })
    }

    /// Whether orders have numbers only of suppliers of which it is stated.
    pub const fn is_required(&self) -> bool {
        self.is_required
    }

    /// Whether it is stated of the supplier, and holds at `now`.
    pub fn holds(&self, supplier: &SupplierName, now: Timestamp) -> bool {
        self.published.read().get(supplier).is_some_and(|known| known.holds(now))
    }

    /// Whether an order may have a number of the supplier at `now`.
    pub fn allows(&self, supplier: &SupplierName, now: Timestamp) -> bool {
        !self.is_required || self.holds(supplier, now)
    }

    /// What is stated of each supplier.
    pub fn all(&self) -> BTreeMap<SupplierName, State> {
        self.published.read().clone()
    }

    /// Has a command decided; the router goes by its outcome once that is durable.
    pub async fn transact(
        &self,
        command: &Command,
        who: Who,
    ) -> Result<(), TransactError<Refusal>> {
        let (Command::State { supplier, at, .. } | Command::Withdraw { supplier, at, .. }) =
            command;
        let _alone = self.writing.lock().await;
        let mut entity = self.journal.load::<State>(StreamId::provenance(supplier)).await?;
        let decided = self.journal.transact(&mut entity, command, who, *at).await;
        self.published.write().insert(supplier.clone(), entity.state().clone());
        decided.map(drop)
    }

    /// Now, by the clock that stamps records.
    pub fn now(&self) -> Timestamp {
        self.journal.now()
    }
}
