//! Numbers bought from a telecom: within the limit, once each, and taken up or given up where the
//! telecom does not say.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use events::country::Country;
use events::envelope::Actor;
use events::money::Money;
use events::phone::Phone;
use events::purchase::{Refusal, Status};
use events::supplier::SupplierName;
use parking_lot::Mutex;
use suppliers::purchasing::{NumberPurchasing, Offer, PurchaseError, Telecom, TelecomError};
use telenumerus_actors::Inventory;
use telenumerus_actors::numbers::pool::NumberPool;
use telenumerus_actors::numbers::{Router, Supplier};
use telenumerus_actors::store::BoxFuture;
use telenumerus_actors::store::memory::MemoryStore;
use world::{START, Setup, World, audit};

/// What it does when it is asked to buy or to take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Does,
    DoesAndIsNotHeard,
    DoesNotAndIsNotHeard,
    Refuses,
}

#[derive(Debug, Clone)]
struct Fake {
    owned: Arc<Mutex<BTreeSet<Phone>>>,
    mood: Arc<Mutex<Mood>>,
}

impl Fake {
    fn act(&self, act: impl FnOnce(&mut BTreeSet<Phone>)) -> Result<(), TelecomError> {
        let mood = *self.mood.lock();
        if matches!(mood, Mood::Does | Mood::DoesAndIsNotHeard) {
            act(&mut self.owned.lock());
        }
        match mood {
            Mood::Does => Ok(()),
            Mood::DoesAndIsNotHeard | Mood::DoesNotAndIsNotHeard => {
                Err(TelecomError::Unclear("no answer".to_owned()))
            }
            Mood::Refuses => Err(TelecomError::Refused("not you".to_owned())),
        }
    }
}

impl Telecom for Fake {
    fn owned(&self) -> BoxFuture<'_, Result<Vec<Phone>, TelecomError>> {
        let owned = self.owned.lock().iter().cloned().collect();
        Box::pin(async { Ok(owned) })
    }

    fn search(
        &self,
        _country: Country,
        _limit: u8,
    ) -> BoxFuture<'_, Result<Vec<Offer>, TelecomError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn offer(
        &self,
        phone: Phone,
        country: Country,
    ) -> BoxFuture<'_, Result<Option<Offer>, TelecomError>> {
        Box::pin(async move { Ok(Some(Offer { phone, country, monthly: Money::from_cents(200) })) })
    }

    fn buy(&self, phone: Phone, _country: Country) -> BoxFuture<'_, Result<(), TelecomError>> {
        let done = self.act(|owned| {
            owned.insert(phone);
        });
        Box::pin(async { done })
    }

    fn give_back(
        &self,
        phone: Phone,
        _country: Country,
    ) -> BoxFuture<'_, Result<(), TelecomError>> {
        let done = self.act(|owned| {
            owned.remove(&phone);
        });
        Box::pin(async { done })
    }
}

struct Office {
    world: World,
    fake: Fake,
    purchasing: NumberPurchasing,
    inventory: Inventory,
}

fn twilio() -> SupplierName {
    "twilio".parse().unwrap()
}

fn phone(number: u32) -> Phone {
    format!("+1202555{number:04}").parse().unwrap()
}

fn operator() -> Actor {
    Actor::Operator("tester".into())
}

impl Office {
    async fn open(limit: Option<i64>) -> Self {
        let world = World::start(MemoryStore::default(), &Setup::default(), 1, START).await;
        let pool = Arc::new(NumberPool::new(twilio(), Vec::new(), Duration::ZERO, []));
        let router = Arc::new(Router::new(vec![Arc::clone(&pool) as Arc<dyn Supplier>], 3));
        let inventory = Inventory::new(
            world.accounts.journal().clone(),
            router,
            BTreeMap::from([(twilio(), pool)]),
            BTreeMap::new(),
        );
        let fake = Fake { owned: Arc::default(), mood: Arc::new(Mutex::new(Mood::Does)) };
        let limit = limit.map(|dollars| Money::from_cents(dollars * 100));
        let purchasing = NumberPurchasing::open(
            world.accounts.journal().clone(),
            inventory.clone(),
            [(twilio(), Arc::new(fake.clone()) as Arc<dyn Telecom>, limit)],
        );
        // It looks at what is open when it opens.
        tokio::time::sleep(Duration::from_millis(1)).await;
        Self { world, fake, purchasing, inventory }
    }

    fn is(&self, mood: Mood) {
        *self.fake.mood.lock() = mood;
    }

    async fn buy(&self, number: u32) -> Result<Offer, PurchaseError> {
        self.purchasing.buy(twilio(), phone(number), Country::Us, operator()).await
    }

    async fn give_back(&self, number: u32) -> Result<(), PurchaseError> {
        self.purchasing.give_back(twilio(), phone(number), "no use".to_owned(), operator()).await
    }

    async fn status(&self, number: u32) -> Option<Status> {
        self.purchasing
            .purchases(&twilio())
            .await
            .unwrap()
            .purchases
            .get(&phone(number))
            .map(|purchase| purchase.status)
    }

    fn pool(&self) -> Vec<Phone> {
        self.inventory.numbers(&twilio())
    }
}

#[tokio::test(start_paused = true)]
async fn a_bought_number_serves_until_it_is_given_back() {
    let office = Office::open(Some(5)).await;
    assert_eq!(office.buy(1).await.unwrap().monthly, Money::from_cents(200));
    assert_eq!((office.pool(), office.status(1).await), (vec![phone(1)], Some(Status::Made)));
    assert!(matches!(office.buy(1).await, Err(PurchaseError::Refused(Refusal::AlreadyBought))));
    office.give_back(1).await.unwrap();
    assert_eq!((office.pool(), office.status(1).await), (vec![], Some(Status::Ended)));
    assert!(office.fake.owned.lock().is_empty());
    assert!(matches!(office.give_back(2).await, Err(PurchaseError::Refused(Refusal::NotBought))));
    assert_eq!(audit(&office.world.store).await, (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_bought_above_the_limit_or_without_the_switch() {
    let office = Office::open(Some(5)).await;
    let many = futures_util::future::join_all((1..=8).map(|number| office.buy(number))).await;
    assert_eq!(many.iter().filter(|bought| bought.is_ok()).count(), 2);
    assert_eq!(office.fake.owned.lock().len(), 2);
    let office = Office::open(None).await;
    assert!(matches!(office.buy(1).await, Err(PurchaseError::NotAllowed(_))));
}

#[tokio::test(start_paused = true)]
async fn what_was_sold_and_not_said_is_taken_up() {
    let office = Office::open(Some(5)).await;
    office.is(Mood::DoesAndIsNotHeard);
    assert!(matches!(
        office.buy(1).await,
        Err(PurchaseError::Telecom(_, TelecomError::Unclear(_)))
    ));
    assert_eq!(office.status(1).await, Some(Status::Intended));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!((office.pool(), office.status(1).await), (vec![phone(1)], Some(Status::Made)));
    // The same the other way.
    assert!(office.give_back(1).await.is_err());
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!((office.pool(), office.status(1).await), (vec![], Some(Status::Ended)));
    assert_eq!(audit(&office.world.store).await, (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sold_costs_nothing_in_the_end() {
    let office = Office::open(Some(5)).await;
    office.is(Mood::DoesNotAndIsNotHeard);
    assert!(office.buy(1).await.is_err());
    assert_eq!(office.purchasing.spent(&twilio()).await.unwrap().0, Money::from_cents(200));
    tokio::time::sleep(Duration::from_mins(11)).await;
    assert_eq!(
        (office.status(1).await, office.purchasing.spent(&twilio()).await.unwrap().0),
        (None, Money::ZERO)
    );
    office.is(Mood::Refuses);
    assert!(matches!(
        office.buy(2).await,
        Err(PurchaseError::Telecom(_, TelecomError::Refused(_)))
    ));
    assert_eq!((office.status(2).await, office.pool()), (None, vec![]));
    assert_eq!(audit(&office.world.store).await, (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_is_owned_there_comes_into_the_pool() {
    let office = Office::open(None).await;
    office.fake.owned.lock().extend([phone(1), phone(2), "+41791234567".parse().unwrap()]);
    let synced = office.purchasing.sync(twilio(), operator()).await.unwrap();
    assert_eq!(
        (synced.listed, synced.unchanged, synced.rejected.len()),
        (vec![phone(1), phone(2)], 0, 1)
    );
    let again = office.purchasing.sync(twilio(), operator()).await.unwrap();
    assert_eq!((again.listed, again.unchanged), (vec![], 2));
    assert!(
        matches!(office.give_back(1).await, Err(PurchaseError::Refused(Refusal::NotBought))),
        "it was not bought here"
    );
}
