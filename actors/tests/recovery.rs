//! Crashes: a service stopped behind any append, with any append failing, goes on to a lawful end.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use events::account::PlaceBatch;
use events::account::idempotency::KeyUse;
use events::id::{AccountId, OrderId};
use events::order::Status;
use events::platform::Platform;
use events::time::Timestamp;
use events::{Event, account, order, webhook};
use suppliers::simulator::Settings;
use telenumerus_actors::kernel::entropy::Entropy;
use telenumerus_actors::store::memory::{Failure, MemoryStore};
use world::{START, Setup, World, audit, listening, log, open_deliveries};

/// Dice of a test.
struct Throw(Entropy);

impl Throw {
    fn new(seed: u64) -> Self {
        Self(Entropy::seeded(seed))
    }

    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).unwrap()
    }
}

/// Longer than any order lives, its turn in a batch of three and its webhooks' last attempts
/// included.
const LONG_ENOUGH: Duration = Duration::from_hours(3);

fn setup() -> Setup {
    let simulator = Settings {
        failure_rate: 0.2,
        no_stock_rate: 0.1,
        dead_number_rate: 0.2,
        ..Settings::default()
    };
    Setup {
        simulator: Some(simulator),
        own: vec!["+12025550123"],
        webhook_failure_rate: 0.4,
        ..Setup::default()
    }
}

/// One life of the service: a runtime of its own, dropped with everything in it, as a kill would.
fn live<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(life)
}

/// How each order stands at the end of the log.
async fn ends(store: &MemoryStore) -> BTreeMap<OrderId, Status> {
    let mut ends = BTreeMap::new();
    for record in log(store).await {
        if let Event::Account(account::Event::Order(id, fact)) = record.event {
            let status = match fact {
                order::Event::Completed { .. } => Status::Completed,
                order::Event::Cancelled { .. } => Status::Cancelled,
                order::Event::Expired { .. } => Status::Expired,
                order::Event::Failed { .. } => Status::Failed,
                _ => continue,
            };
            ends.insert(id, status);
        }
    }
    ends
}

/// When the log ends, and a little: a restart takes a moment.
async fn after_the_end(store: &MemoryStore) -> Timestamp {
    log(store)
        .await
        .iter()
        .map(|record| record.at)
        .max()
        .unwrap_or(START)
        .plus(Duration::from_secs(1))
}

/// A short story with every way an order can go: what crashes are cut into.
async fn story(world: &World) {
    let accounts = [world.account(10).await, world.account(10).await];
    world.tell(accounts[0], "https://first.acme.dev/").await;
    let hash = "cd".repeat(32).parse().unwrap();
    world.deposits.claim(accounts[0], hash, None).await.unwrap();
    for (number, platform) in
        [Platform::Google, Platform::Steam, Platform::Telegram, Platform::Discord]
            .into_iter()
            .enumerate()
    {
        for account in accounts {
            let order = world.place(account, platform).await;
            if number == 2 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let _ = world.cancel(account, order, None).await;
            }
            world.ended(account, order).await;
        }
    }
    let (items, _) = world
        .orders
        .place_batch(accounts[0], batch(world, 3), Some(key(world, "batch")))
        .await
        .unwrap();
    world.cancel(accounts[0], items[1].order, Some(key(world, "cancel"))).await.unwrap();
    for item in items.iter() {
        world.ended(accounts[0], item.order).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
}

fn batch(world: &World, orders: usize) -> PlaceBatch {
    let orders =
        Platform::ALL[..orders].iter().map(|platform| world.wanted(*platform, 2)).collect();
    PlaceBatch { orders, at: world.accounts.journal().now() }
}

fn key(world: &World, text: &str) -> KeyUse {
    KeyUse { key: text.parse().unwrap(), fingerprint: [1; 32], at: world.accounts.journal().now() }
}

/// Nothing is open at the end of a log: no order, no delivery; and nothing in it is unlawful.
async fn assert_settled(store: &MemoryStore, when: &str) {
    assert_eq!(audit(store).await, (0, vec![]), "{when}");
    assert_eq!(listening(store).await, 0, "{when}");
    assert_eq!(open_deliveries(store).await, BTreeMap::new(), "{when}");
}

#[test]
fn a_service_stopped_behind_any_append_goes_on_to_a_lawful_end() {
    let whole = MemoryStore::default();
    live(async { story(&World::start(whole.clone(), &setup(), 11, START).await).await });
    let stops = whole.stops();
    assert!(stops.len() > 20, "a story with something in it: {} appends", stops.len());
    for cut in stops {
        let store = whole.cut(cut);
        live(async {
            let now = after_the_end(&store).await;
            let _world = World::start(store.clone(), &setup(), 12, now).await;
            tokio::time::sleep(LONG_ENOUGH).await;
            assert_settled(&store, &format!("stopped behind event {cut}")).await;
        });
    }
}

#[test]
fn every_append_may_fail_before_or_after_it_was_written() {
    for failure in [Failure::BeforeWriting, Failure::AfterWriting] {
        for place in 0..40 {
            let store = MemoryStore::default();
            live(async {
                let world = World::start(store.clone(), &setup(), 21, START).await;
                let account = world.account(10).await;
                world.tell(account, "https://hooks.acme.dev/").await;
                store.fail_next(std::iter::repeat_n(None, place).chain([Some(failure)]));
                let _ = world
                    .orders
                    .place_batch(account, batch(&world, 3), Some(key(&world, "b")))
                    .await;
                for platform in [Platform::Google, Platform::Steam, Platform::Discord] {
                    let wanted = world.wanted(platform, 1);
                    let id = wanted.order;
                    if world.orders.place(account, wanted, None).await.is_ok() {
                        world.ended(account, id).await;
                    }
                }
                tokio::time::sleep(LONG_ENOUGH).await;
                assert_settled(&store, &format!("{failure:?} of append {place}")).await;
            });
        }
    }
}

#[test]
fn random_lives_with_random_deaths_end_lawfully() {
    let mut seen: BTreeMap<Status, usize> = BTreeMap::new();
    let (mut restarts, mut replaced, mut queued, mut exhausted) = (0, 0, 0, 0);
    for seed in 0..60 {
        let store = MemoryStore::default();
        let mut accounts: Vec<AccountId> = Vec::new();
        let mut now = START;
        for life in 0..4 {
            let throw = Throw::new(seed * 101 + life);
            live(async {
                let world = World::start(store.clone(), &setup(), seed * 7 + life, now).await;
                while accounts.len() < 3 {
                    let account = world.account(20).await;
                    world.tell(account, "https://hooks.acme.dev/").await;
                    accounts.push(account);
                }
                random_life(&world, &accounts, &throw).await;
            });
            restarts += 1;
            now = live(after_the_end(&store));
        }
        live(async {
            let _world = World::start(store.clone(), &setup(), seed, now).await;
            tokio::time::sleep(LONG_ENOUGH).await;
            assert_settled(&store, &format!("seed {seed}")).await;
        });
        for status in live(ends(&store)).into_values() {
            *seen.entry(status).or_default() += 1;
        }
        let all = live(log(&store));
        queued += all
            .iter()
            .filter(|record| {
                matches!(
                    record.event,
                    Event::Account(account::Event::Order(_, order::Event::Queued { .. }))
                )
            })
            .count();
        exhausted += all
            .iter()
            .filter(|record| {
                matches!(record.event, Event::Webhook(webhook::Event::Exhausted { .. }))
            })
            .count();
        replaced += all
            .iter()
            .filter(|record| {
                matches!(
                    record.event,
                    Event::Account(account::Event::Order(
                        _,
                        order::Event::NumberReportedDead { .. }
                    ))
                )
            })
            .count();
    }
    // A batch that waited, and a delivery that nobody ever took.
    assert!(queued >= 50 && exhausted >= 1, "{queued} queued, {exhausted} exhausted");
    // A run in which nothing interesting happened proves nothing.
    for status in [Status::Completed, Status::Cancelled, Status::Expired, Status::Failed] {
        assert!(seen.get(&status).is_some_and(|count| *count >= 5), "{status:?}: {seen:?}");
    }
    assert!(restarts == 240 && replaced >= 10, "{replaced} replaced");
}

/// Orders, cancels, fails appends and waits, until it dies in the middle of something.
async fn random_life(world: &World, accounts: &[AccountId], throw: &Throw) {
    let mut open: Vec<(AccountId, OrderId)> = Vec::new();
    for _ in 0..20 {
        let account = accounts[throw.below(accounts.len())];
        match throw.below(10) {
            0..=3 => {
                let wanted = world.wanted(Platform::ALL[throw.below(33)], 2);
                let id = wanted.order;
                if world.orders.place(account, wanted, None).await.is_ok() {
                    open.push((account, id));
                }
            }
            4 => {
                if !open.is_empty() {
                    let (account, order) = open[throw.below(open.len())];
                    let _ = world.cancel(account, order, None).await;
                    // The code came first: sometimes that is all that was wanted, sometimes it was
                    // none.
                    if throw.below(2) == 0 {
                        let _ = world.finish(account, order).await;
                    }
                    let _ = world
                        .orders
                        .report(account, order, order::Complaint::ALL[throw.below(3)])
                        .await;
                }
            }
            5 => {
                let failure = if throw.below(2) == 0 {
                    Failure::BeforeWriting
                } else {
                    Failure::AfterWriting
                };
                world.store.fail_next([Some(failure)]);
            }
            6 => {
                if let Ok((items, _)) =
                    world.orders.place_batch(account, batch(world, 1 + throw.below(5)), None).await
                {
                    open.extend(items.iter().map(|item| (account, item.order)));
                }
            }
            7 => {
                // The same key again and again, over crashes too: at most one order of it has its
                // code in a week.
                let wanted = world.wanted(Platform::Google, 2);
                let _ = world.orders.place(account, wanted, Some(key(world, "again"))).await;
            }
            8 => tokio::time::sleep(Duration::from_secs(throw.below(200) as u64)).await,
            _ => tokio::time::sleep(Duration::from_millis(throw.below(4_000) as u64)).await,
        }
    }
}
