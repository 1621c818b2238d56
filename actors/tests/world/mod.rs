//! A whole service without HTTP: accounts, orders, sources and deposits over a store in memory,
//! under tokio's paused clock.

pub mod chain;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use events::account::idempotency::KeyUse;
use events::account::{Command, Event as AccountEvent, OrderRefusal, PlaceOrder, Refusal};
use events::audit::{Auditor, Finding};
use events::country::Country;
use events::envelope::{Actor, Position, Recorded};
use events::id::{AccountId, DepositId, OrderId};
use events::lease::{self, LeaseId};
use events::money::Money;
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use events::webhook::{Outcome, delivery_id};
use events::{Event, deposit, order, webhook};
use parking_lot::Mutex;
use suppliers::http::{self, Pull, Source};
use suppliers::simulator::{self, Simulator};
use telenumerus_actors::account::{Replayed, Settings};
use telenumerus_actors::deposit::simulated::Simulated;
use telenumerus_actors::inbox::{PastAssignment, PastAssignments};
use telenumerus_actors::kernel::clock::Clock;
use telenumerus_actors::kernel::entity::TransactError;
use telenumerus_actors::kernel::entropy::Entropy;
use telenumerus_actors::numbers::pool::{NumberPool, OwnNumber};
use telenumerus_actors::numbers::{Router, Supplier};
use telenumerus_actors::store::memory::MemoryStore;
use telenumerus_actors::store::{BoxFuture, EventStore};
use telenumerus_actors::webhook::{PayloadSource, WebhookPayload, WebhookSender};
use telenumerus_actors::{Accounts, Deposits, Fault, Inbox, Journal, Orders, Parts, Webhooks};

/// What one life of the service has.
pub struct World {
    /// By how many milliseconds the time of day is set ahead, or back.
    pub set_clock_by: &'static AtomicI64,
    pub store: MemoryStore,
    pub accounts: Accounts,
    pub orders: Orders,
    pub inbox: Inbox,
    pub parts: Parts,
    pub deposits: Deposits,
    pub webhooks: Webhooks,
    pub mailbox: Mailbox,
    pub entropy: Entropy,
    pub pull: Option<Pull>,
}

/// How a world is set up.
#[derive(Clone, Default)]
pub struct Setup {
    pub simulator: Option<simulator::Settings>,
    pub own: Vec<&'static str>,
    /// A source that is asked for each number; asked before the others.
    pub pull: Option<Arc<dyn Source>>,
    /// How often a receiver does not take a delivery.
    pub webhook_failure_rate: f64,
}

/// What arrived at receivers, and when: account, delivery, moment.
pub type Mailbox = Arc<Mutex<Vec<(String, String, Timestamp)>>>;

/// Receivers that take a delivery, or not, or not in time.
struct Receivers {
    mailbox: Mailbox,
    entropy: Entropy,
    failure_rate: f64,
}

impl WebhookSender for Receivers {
    fn deliver(&self, letter: WebhookPayload) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            self.mailbox.lock().push((letter.url.clone(), letter.id.clone(), letter.at));
            assert!(
                !letter.url.contains("bug") || self.mailbox.lock().len().is_multiple_of(2),
                "a bug"
            );
            if letter.url.contains("dead") {
                tokio::time::sleep(Duration::from_secs(15)).await;
                return Outcome::TimedOut;
            }
            if self.entropy.chance(self.failure_rate) {
                Outcome::Answered(500)
            } else {
                Outcome::Answered(200)
            }
        })
    }
}

impl PayloadSource for FromLog {
    fn open(
        &self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<u64>, Fault>> {
        Box::pin(async move {
            let open = open_deliveries(&self.0).await.remove(&account).unwrap_or_default();
            Ok(open.into_iter().filter(|sequence| *sequence > after).take(limit as usize).collect())
        })
    }

    fn write(
        &self,
        account: AccountId,
        sequence: u64,
    ) -> BoxFuture<'_, Result<Option<WebhookPayload>, Fault>> {
        Box::pin(async move {
            let log = log(&self.0).await;
            let of_account =
                log.iter().filter(|record| record.stream.account_id() == Some(account));
            let url = of_account.filter_map(|record| match &record.event {
                Event::Account(AccountEvent::WebhookSet { url, .. }) => Some(url.clone()),
                _ => None,
            });
            let at = Timestamp::default();
            let id = delivery_id(account, sequence).to_string();
            Ok(url.fold(None, |_, url| Some(url)).map(|url| WebhookPayload {
                url,
                id,
                event: "webhook.test",
                body: Vec::new(),
                fails_first: false,
                secrets: Vec::new(),
                at,
            }))
        })
    }
}

/// Deliveries that are due and have not ended, by account.
pub async fn open_deliveries(
    store: &MemoryStore,
) -> BTreeMap<AccountId, std::collections::BTreeSet<u64>> {
    let mut open: BTreeMap<AccountId, std::collections::BTreeSet<u64>> = BTreeMap::new();
    for record in log(store).await {
        match (&record.event, record.stream.account_id(), record.stream.webhook_account_id()) {
            (Event::Account(AccountEvent::WebhookDue { sequence, .. }), Some(account), _)
            | (
                Event::Webhook(webhook::Event::RedeliveryRequested { sequence, .. }),
                _,
                Some(account),
            ) => {
                open.entry(account).or_default().insert(*sequence);
            }
            (
                Event::Webhook(
                    webhook::Event::Delivered { sequence, .. }
                    | webhook::Event::Exhausted { sequence, .. },
                ),
                _,
                Some(account),
            ) => {
                open.entry(account).or_default().remove(sequence);
            }
            _ => {}
        }
    }
    open.retain(|_, sequences| !sequences.is_empty());
    open
}

/// Leases that have not ended, and their numbers.
pub async fn open_leases(store: &MemoryStore) -> BTreeMap<LeaseId, Option<Phone>> {
    let mut open = BTreeMap::new();
    for record in log(store).await {
        let Event::Lease(event) = &record.event else { continue };
        let id = record.stream.lease_id().unwrap();
        match event {
            lease::Event::Sought { .. } => drop(open.insert(id, None)),
            lease::Event::Obtained { phone, .. } => drop(open.insert(id, Some(phone.clone()))),
            lease::Event::ReleaseSought { .. } => {}
            lease::Event::Declined { .. } | lease::Event::Released { .. } => drop(open.remove(&id)),
        }
    }
    open
}

/// The log as a test reads it.
pub async fn log(store: &MemoryStore) -> Vec<Recorded<Event>> {
    store
        .read_all(Position(0), usize::MAX)
        .await
        .unwrap()
        .into_iter()
        .map(std::sync::Arc::unwrap_or_clone)
        .collect()
}

struct FromLog(MemoryStore);

impl PastAssignments for FromLog {
    fn of(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>> {
        Box::pin(async move {
            let mut places: BTreeMap<OrderId, PastAssignment> = BTreeMap::new();
            let mut had: Vec<OrderId> = Vec::new();
            for record in log(&self.0).await {
                if let (Event::Account(AccountEvent::Order(order, fact)), Some(account)) =
                    (&record.event, record.stream.account_id())
                {
                    let place = places.entry(*order).or_insert(PastAssignment {
                        account,
                        order: *order,
                        first: record.revision,
                        last: record.revision,
                    });
                    place.last = record.revision;
                    if matches!(
                        fact,
                        order::Event::NumberAssigned { phone: assigned, .. } if *assigned == phone
                    ) {
                        had.push(*order);
                    }
                }
            }
            Ok(had.into_iter().rev().filter_map(|order| places.get(&order).copied()).collect())
        })
    }

    fn before_start(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>> {
        self.of(phone)
    }
}

/// The suppliers of a life, and those of them that it looks at by themselves.
struct Suppliers {
    all: Vec<Arc<dyn Supplier>>,
    pull: Option<Pull>,
    simulator: Option<Arc<Simulator>>,
}

fn suppliers(setup: &Setup, accounts: &Accounts, clock: Clock, entropy: &Entropy) -> Suppliers {
    let mut suppliers: Vec<Arc<dyn Supplier>> = Vec::new();
    let pull = setup.pull.clone().map(|source| {
        let settings = http::Settings {
            name: "acme".parse().unwrap(),
            poll: Duration::from_secs(2),
            cool_down: Duration::from_hours(1),
        };
        Pull::new(accounts.clone(), source, settings, [])
    });
    suppliers.extend(pull.clone().map(|pull| Arc::new(pull) as Arc<dyn Supplier>));
    if !setup.own.is_empty() {
        let numbers = setup.own.iter().map(|phone| OwnNumber {
            phone: phone.parse().unwrap(),
            country: Country::Us,
            platforms: None,
        });
        suppliers.push(Arc::new(NumberPool::new(
            "own".parse().unwrap(),
            numbers.collect(),
            Duration::from_hours(1),
            [],
        )));
    }
    let others = setup.own.iter().map(|phone| phone.parse().unwrap()).collect();
    let simulator =
        setup.simulator.clone().map(|settings| simulator::Settings { others, ..settings });
    let simulator = simulator.map(|settings| {
        Arc::new(Simulator::new("simulator".parse().unwrap(), settings, clock, entropy.clone()))
    });
    suppliers.extend(simulator.clone().map(|simulator| simulator as Arc<dyn Supplier>));
    Suppliers { all: suppliers, pull, simulator }
}

impl World {
    /// Starts a life on what `store` holds, as a restart would.
    pub async fn start(store: MemoryStore, setup: &Setup, seed: u64, now: Timestamp) -> Self {
        let set_clock_by: &'static AtomicI64 = Box::leak(Box::default());
        let (clock, entropy) = (Clock::settable(now, set_clock_by), Entropy::seeded(seed));
        let port: Arc<dyn EventStore> = Arc::new(store.clone());
        let accounts =
            Accounts::new(Journal::new(port, clock, entropy.clone()), Settings::default());
        let Suppliers { all, pull, simulator } = suppliers(setup, &accounts, clock, &entropy);
        let router = Arc::new(Router::new(all, 3));
        let orders = Orders::start(accounts.clone(), Arc::clone(&router));
        let inbox = Inbox::new(
            accounts.clone(),
            orders.clone(),
            router,
            Arc::new(FromLog(store.clone())),
            numbers(&store).await,
        );
        if let Some(pull) = &pull {
            pull.connect(orders.clone(), inbox.clone());
        }
        let parts = Parts::start(accounts.journal().clone(), inbox.clone(), Duration::from_mins(2));
        let deposits = Deposits::simulated(accounts.clone(), Simulated::new(clock));
        let mailbox = Mailbox::default();
        let receivers = Receivers {
            mailbox: Arc::clone(&mailbox),
            entropy: entropy.clone(),
            failure_rate: setup.webhook_failure_rate,
        };
        let webhooks = Webhooks::start(
            accounts.clone(),
            Arc::new(FromLog(store.clone())),
            Arc::new(receivers),
        );
        let world = Self {
            set_clock_by,
            store,
            accounts,
            orders,
            inbox,
            parts,
            deposits,
            webhooks,
            mailbox,
            entropy,
            pull,
        };
        world.resume().await;
        if let Some(simulator) = simulator {
            tokio::spawn(simulator.run(world.inbox.clone(), world.orders.clone()));
        }
        world
    }

    async fn resume(&self) {
        let mut open: BTreeMap<OrderId, AccountId> = BTreeMap::new();
        let mut deposits: Vec<DepositId> = Vec::new();
        for record in log(&self.store).await {
            match (&record.event, record.stream.account_id()) {
                (Event::Account(AccountEvent::Order(order, fact)), Some(account)) => {
                    // What is over has nothing to go on with, and that is found out.
                    if fact.is_end() && !matches!(fact, order::Event::Completed { .. }) {
                        open.remove(order);
                    } else {
                        open.insert(*order, account);
                    }
                }
                (Event::Deposit(event), _) => {
                    let id = record.stream.deposit_id().unwrap();
                    deposits.retain(|known| *known != id);
                    if !matches!(event, deposit::Event::Credited { .. }) {
                        deposits.push(id);
                    }
                }
                _ => {}
            }
        }
        let open: Vec<_> = open.into_iter().map(|(order, account)| (account, order)).collect();
        self.orders.resume(&open).await.unwrap();
        if let Some(pull) = &self.pull {
            pull.resume(open_leases(&self.store).await).await.unwrap();
        }
        for account in open_deliveries(&self.store).await.into_keys() {
            self.webhooks.resume(account);
        }
        self.parts.resume(log(&self.store).await.iter().filter_map(|record| record.stream.phone()));
        for deposit in deposits {
            self.deposits.follow(deposit).await.unwrap();
        }
    }

    pub async fn account(&self, dollars: i64) -> AccountId {
        let id = self.entropy.account_id(self.accounts.journal().now());
        self.accounts.register(id, [7; 32], "whsec_".to_owned()).await.unwrap();
        if dollars > 0 {
            let credit = Command::Credit {
                amount: Money::from_cents(dollars * 100),
                reason: "test".to_owned(),
                at: self.accounts.journal().now(),
            };
            self.accounts
                .transact(id, credit, Actor::Operator("test".into()), self.accounts.journal().now())
                .await
                .unwrap();
        }
        id
    }

    pub async fn tell(&self, account: AccountId, url: &str) {
        let at = self.accounts.journal().now();
        let set =
            Command::SetWebhook { url: url.to_owned(), threshold: Money::from_cents(100), at };
        self.accounts.transact(account, set, Actor::Owner, at).await.unwrap();
    }

    pub fn wanted(&self, platform: Platform, max_concurrent: u32) -> PlaceOrder {
        let at = self.accounts.journal().now();
        PlaceOrder {
            order: self.entropy.order_id(at),
            platform,
            country: Country::Us,
            list_price: Money::from_cents(50),
            max_price: None,
            lifetime_seconds: 300,
            seek_seconds: 60,
            max_attempts: 3,
            listen_seconds: 300,
            max_concurrent,
            cancels: events::account::CancelRules::default(),
            judge: events::policy::Judge::default(),
            scenario: None,
            first_answer: None,
            at,
        }
    }

    pub async fn place(&self, account: AccountId, platform: Platform) -> OrderId {
        let wanted = self.wanted(platform, 1);
        let order = wanted.order;
        self.orders.place(account, wanted, None).await.unwrap();
        order
    }

    /// Cancels an order that its account still remembers.
    pub async fn cancel(
        &self,
        account: AccountId,
        order: OrderId,
        key: Option<KeyUse>,
    ) -> Result<Replayed, TransactError<Refusal>> {
        let known = self
            .known(account, order)
            .await
            .map_err(|refusal| TransactError::Refused(refusal.into()))?;
        self.orders.cancel(account, &known, key).await
    }

    /// Gives the number of an order back that its account still remembers.
    pub async fn finish(
        &self,
        account: AccountId,
        order: OrderId,
    ) -> Result<(), TransactError<OrderRefusal>> {
        let known = self.known(account, order).await.map_err(TransactError::Refused)?;
        self.orders.finish(account, &known, Actor::Owner).await
    }

    async fn known(
        &self,
        account: AccountId,
        order: OrderId,
    ) -> Result<Arc<order::State>, OrderRefusal> {
        self.accounts.order(account, order).await.ok().flatten().ok_or(OrderRefusal::NotFound)
    }

    /// Waits until the order has ended.
    pub async fn ended(&self, account: AccountId, order: OrderId) -> Arc<order::State> {
        self.orders
            .wait_until(account, order, |order| order.status.is_end())
            .await
            .unwrap()
            .unwrap()
    }

    /// Waits until the order has a number.
    pub async fn number(&self, account: AccountId, order: OrderId) -> Phone {
        let order = self
            .orders
            .wait_until(account, order, |order| order.assignment.is_some())
            .await
            .unwrap()
            .unwrap();
        order.assignment.as_ref().unwrap().phone.clone()
    }

    pub async fn balance(&self, account: AccountId) -> (Money, Money) {
        let published = self.accounts.read(account).await.unwrap();
        (published.state.balance, published.state.held)
    }
}

/// Every number that was on an order.
async fn numbers(store: &MemoryStore) -> Vec<Phone> {
    let number = |record: Recorded<Event>| {
        if let Event::Account(AccountEvent::Order(_, order::Event::NumberAssigned { phone, .. })) =
            record.event
        {
            Some(phone)
        } else {
            None
        }
    };
    log(store).await.into_iter().filter_map(number).collect()
}

/// What the auditor finds in a log.
pub async fn audit(store: &MemoryStore) -> (usize, Vec<Finding>) {
    let mut auditor = Auditor::default();
    for record in log(store).await {
        auditor.observe(&record);
    }
    (auditor.open_orders(), auditor.finish())
}

/// Orders that have their codes and keep their numbers, at the end of a log.
pub async fn listening(store: &MemoryStore) -> usize {
    let mut auditor = Auditor::default();
    log(store).await.iter().for_each(|record| auditor.observe(record));
    auditor.listening_orders()
}

/// A moment to start at.
pub const START: Timestamp = Timestamp::from_millis(1_795_500_000_000);
