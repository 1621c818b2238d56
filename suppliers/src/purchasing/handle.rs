//! Purchasing: buys and gives back numbers under a recorded intent, and has what we own at a
//! telecom in its pool.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use events::country::Country;
use events::envelope::{Actor as Who, StreamId};
use events::money::Money;
use events::number::Listing;
use events::phone::Phone;
use events::purchase::{Command, Refusal, State, Status};
use events::supplier::SupplierName;
use thiserror::Error;
use tokio::sync::Mutex;

use super::port::{Offer, Telecom, TelecomError};
use actors::kernel::entity::{Entity, TransactError};
use actors::kernel::fault::{Fault, detached};
use actors::kernel::journal::Journal;
use actors::kernel::supervision::repeat_every;
use actors::numbers::inventory::{Inventory, InventoryError};

/// Between two looks at what is not clear.
const SETTLE_EVERY: Duration = Duration::from_secs(30);
/// A telecom that has not shown a number for so long after it was asked for it has not sold it.
const UNSOLD_AFTER: Duration = Duration::from_mins(10);

/// A number was not bought or given back.
#[derive(Debug, Error)]
pub enum PurchaseError {
    /// The telecom has no API here; configure it.
    #[error("suppliers.{0}.api is not configured")]
    NoApi(SupplierName),
    /// Buying is not switched on; the operator has to want it.
    #[error("suppliers.{0}.api.buying does not allow it")]
    NotAllowed(SupplierName),
    /// Nobody sells it; search again.
    #[error("the number is not for sale")]
    NotForSale,
    /// An order has the number; try again after its end.
    #[error("the number is on an order")]
    OnOrder,
    /// The rules refuse it.
    #[error(transparent)]
    Refused(Refusal),
    /// The number could not be put into its pool or taken out of it.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The telecom did not do it. Where it does not say, it is asked again until it does.
    #[error("{0}: {1}")]
    Telecom(SupplierName, TelecomError),
    /// The world failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<TransactError<Refusal>> for PurchaseError {
    fn from(error: TransactError<Refusal>) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(refusal),
            TransactError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// What became of the numbers that we own at a telecom.
#[derive(Debug, Default)]
pub struct Synced {
    /// New in the pool.
    pub listed: Vec<Phone>,
    /// In the pool already.
    pub unchanged: usize,
    /// Not taken, and why.
    pub rejected: Vec<(Phone, String)>,
}

struct SupplierAccount {
    telecom: Arc<dyn Telecom>,
    /// The most that bought numbers may cost a month; `None` where nothing may be bought.
    limit: Option<Money>,
    /// One purchase at a time: the limit and the adoption of what is not clear need an order.
    turn: Mutex<()>,
}

struct Inner {
    journal: Journal,
    inventory: Inventory,
    accounts: BTreeMap<SupplierName, SupplierAccount>,
}

/// What buys numbers and gives them back. Cloning shares it.
#[derive(Clone)]
pub struct NumberPurchasing {
    inner: Arc<Inner>,
}

impl NumberPurchasing {
    /// Purchasing at these telecoms, each with the most that its bought numbers may cost a month,
    /// where numbers may be bought. Starts the task that settles what a telecom has not said.
    pub fn open(
        journal: Journal,
        inventory: Inventory,
        telecoms: impl IntoIterator<Item = (SupplierName, Arc<dyn Telecom>, Option<Money>)>,
    ) -> Self {
        let account = |(name, telecom, limit)| {
            (name, SupplierAccount { telecom, limit, turn: Mutex::new(()) })
        };
        let accounts = telecoms.into_iter().map(account).collect();
        let purchasing = Self { inner: Arc::new(Inner { journal, inventory, accounts }) };
        repeat_every(&purchasing.inner, SETTLE_EVERY, settle);
        purchasing
    }

    /// Numbers for sale, at most `limit`.
    pub async fn search(
        &self,
        supplier: &SupplierName,
        country: Country,
        limit: u8,
    ) -> Result<Vec<Offer>, PurchaseError> {
        self.account(supplier)?
            .telecom
            .search(country, limit)
            .await
            .map_err(|error| PurchaseError::Telecom(supplier.clone(), error))
    }

    /// Buys a number and has it in the pool.
    pub async fn buy(
        &self,
        supplier: SupplierName,
        phone: Phone,
        country: Country,
        who: Who,
    ) -> Result<Offer, PurchaseError> {
        let purchasing = self.clone();
        detached(async move { purchasing.buy_here(supplier, phone, country, who).await }).await?
    }

    async fn buy_here(
        &self,
        supplier: SupplierName,
        phone: Phone,
        country: Country,
        who: Who,
    ) -> Result<Offer, PurchaseError> {
        let account = self.account(&supplier)?;
        let limit = account.limit.ok_or_else(|| PurchaseError::NotAllowed(supplier.clone()))?;
        let _turn = account.turn.lock().await;
        let failed = |error| PurchaseError::Telecom(supplier.clone(), error);
        let offer = account
            .telecom
            .offer(phone.clone(), country)
            .await
            .map_err(failed)?
            .ok_or(PurchaseError::NotForSale)?;
        let mut purchases = self.load(&supplier).await?;
        let at = self.inner.journal.now();
        let intend =
            Command::Intend { phone: phone.clone(), country, monthly: offer.monthly, limit, at };
        self.transact(&mut purchases, &intend, who.clone()).await?;
        let bought = account.telecom.buy(phone.clone(), country).await;
        let at = self.inner.journal.now();
        match bought {
            Ok(()) => {
                self.made(&supplier, &mut purchases, &phone, country, who).await?;
                Ok(offer)
            }
            Err(TelecomError::Refused(why)) => {
                let fail = Command::Fail { phone, why: why.clone(), at };
                self.transact(&mut purchases, &fail, Who::Supplier(supplier.clone())).await?;
                Err(failed(TelecomError::Refused(why)))
            }
            // The telecom may have sold the number: the next reconciliation finds it.
            Err(error @ TelecomError::Unclear(_)) => Err(failed(error)),
        }
    }

    /// Takes a number out of its pool and gives it back.
    pub async fn give_back(
        &self,
        supplier: SupplierName,
        phone: Phone,
        reason: String,
        who: Who,
    ) -> Result<(), PurchaseError> {
        let purchasing = self.clone();
        let giving = async move {
            let account = purchasing.account(&supplier)?;
            let _turn = account.turn.lock().await;
            let mut purchases = purchasing.load(&supplier).await?;
            let known = purchases.state().purchases.get(&phone).cloned();
            let Some(known) = known else { return Err(PurchaseError::Refused(Refusal::NotBought)) };
            if purchasing.inner.inventory.is_leased(&phone) {
                return Err(PurchaseError::OnOrder);
            }
            match purchasing.inner.inventory.retire(phone.clone(), reason, who.clone()).await {
                // An operator or an earlier try has retired the number before.
                Ok(()) | Err(InventoryError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let at = purchasing.inner.journal.now();
            purchasing
                .transact(&mut purchases, &Command::IntendEnd { phone: phone.clone(), at }, who)
                .await?;
            account
                .telecom
                .give_back(phone.clone(), known.country)
                .await
                .map_err(|error| PurchaseError::Telecom(supplier.clone(), error))?;
            let at = purchasing.inner.journal.now();
            purchasing
                .transact(&mut purchases, &Command::End { phone, at }, Who::Supplier(supplier))
                .await
        };
        detached(giving).await?
    }

    /// Has every number that we own at a telecom in its pool.
    pub async fn sync(&self, supplier: SupplierName, who: Who) -> Result<Synced, PurchaseError> {
        let owned = self
            .account(&supplier)?
            .telecom
            .owned()
            .await
            .map_err(|error| PurchaseError::Telecom(supplier.clone(), error))?;
        let known: BTreeSet<Phone> = self.inner.inventory.numbers(&supplier).into_iter().collect();
        let mut synced = Synced::default();
        for phone in owned {
            if known.contains(&phone) {
                synced.unchanged += 1;
                continue;
            }
            let Some(country) = Country::of(&phone) else {
                synced.rejected.push((phone, "it is of no country that is served".to_owned()));
                continue;
            };
            match self
                .inner
                .inventory
                .list(
                    phone.clone(),
                    Listing { supplier: supplier.clone(), country, platforms: None },
                    who.clone(),
                )
                .await
            {
                Ok(true) => synced.listed.push(phone),
                Ok(false) => synced.unchanged += 1,
                Err(InventoryError::Fault(fault)) => return Err(fault.into()),
                Err(error) => synced.rejected.push((phone, error.to_string())),
            }
        }
        Ok(synced)
    }

    /// What a telecom's bought numbers cost this month, and the most that they may.
    pub async fn spent(
        &self,
        supplier: &SupplierName,
    ) -> Result<(Money, Option<Money>), PurchaseError> {
        let limit = self.account(supplier)?.limit;
        Ok((self.load(supplier).await?.state().spent(self.inner.journal.now()), limit))
    }

    /// A telecom's purchases.
    pub async fn purchases(&self, supplier: &SupplierName) -> Result<State, PurchaseError> {
        Ok(self.load(supplier).await?.state().clone())
    }

    /// Asks again about what a telecom has not said: what is ours is taken up, what is not has
    /// failed.
    pub async fn settle(&self, supplier: &SupplierName) -> Result<(), PurchaseError> {
        let account = self.account(supplier)?;
        let _turn = account.turn.lock().await;
        let mut purchases = self.load(supplier).await?;
        let unclear = |status: Status| matches!(status, Status::Intended | Status::Ending);
        let open: Vec<_> = purchases
            .state()
            .purchases
            .clone()
            .into_iter()
            .filter(|(_, purchase)| unclear(purchase.status))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let failed = |error| PurchaseError::Telecom(supplier.clone(), error);
        let owned: BTreeSet<Phone> =
            account.telecom.owned().await.map_err(failed)?.into_iter().collect();
        for (phone, purchase) in open {
            let at = self.inner.journal.now();
            match (purchase.status, owned.contains(&phone)) {
                (Status::Intended, true) => {
                    self.made(supplier, &mut purchases, &phone, purchase.country, Who::Service)
                        .await?;
                }
                (Status::Intended, false) if at.since(purchase.since) >= UNSOLD_AFTER => {
                    let fail = Command::Fail {
                        phone,
                        why: "the telecom does not have it for us".to_owned(),
                        at,
                    };
                    self.transact(&mut purchases, &fail, Who::Service).await?;
                }
                (Status::Ending, owned) => {
                    if owned {
                        account
                            .telecom
                            .give_back(phone.clone(), purchase.country)
                            .await
                            .map_err(failed)?;
                    }
                    self.transact(
                        &mut purchases,
                        &Command::End { phone, at },
                        Who::Supplier(supplier.clone()),
                    )
                    .await?;
                }
                (Status::Intended | Status::Made | Status::Ended, _) => {}
            }
        }
        Ok(())
    }

    async fn made(
        &self,
        supplier: &SupplierName,
        purchases: &mut Entity<State>,
        phone: &Phone,
        country: Country,
        who: Who,
    ) -> Result<(), PurchaseError> {
        // Into the pool first: after a crash here the purchase is still open, and this is done
        // again.
        let listing = Listing { supplier: supplier.clone(), country, platforms: None };
        self.inner.inventory.list(phone.clone(), listing, who).await?;
        let at = self.inner.journal.now();
        self.transact(
            purchases,
            &Command::Make { phone: phone.clone(), at },
            Who::Supplier(supplier.clone()),
        )
        .await
    }

    fn account(&self, supplier: &SupplierName) -> Result<&SupplierAccount, PurchaseError> {
        self.inner.accounts.get(supplier).ok_or_else(|| PurchaseError::NoApi(supplier.clone()))
    }

    async fn load(&self, supplier: &SupplierName) -> Result<Entity<State>, Fault> {
        self.inner.journal.load(StreamId::purchases(supplier)).await
    }

    async fn transact(
        &self,
        purchases: &mut Entity<State>,
        command: &Command,
        actor: Who,
    ) -> Result<(), PurchaseError> {
        self.inner.journal.transact(purchases, command, actor, self.inner.journal.now()).await?;
        Ok(())
    }
}

async fn settle(inner: Arc<Inner>) {
    let purchasing = NumberPurchasing { inner };
    for supplier in purchasing.inner.accounts.keys() {
        if let Err(error) = purchasing.settle(supplier).await {
            tracing::warn!(
                %supplier, %error, "what a telecom has sold or taken back is not clear yet"
            );
        }
    }
}
