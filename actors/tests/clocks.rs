//! A clock that somebody sets, under the paused time: deadlines are kept by what has passed, not by
//! what it says.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use events::account::Command;
use events::envelope::Actor;
use events::money::Money;
use events::order::Status;
use events::platform::Platform;
use telenumerus_actors::store::memory::MemoryStore;
use world::{START, Setup, World, audit, open_deliveries};

const HOUR_MILLIS: i64 = 3_600_000;

fn own() -> Setup {
    Setup { own: vec!["+12025550123"], ..Setup::default() }
}

fn set(world: &World, millis: i64) {
    world.set_clock_by.store(millis, Ordering::Relaxed);
}

async fn status(
    world: &World,
    account: events::id::AccountId,
    order: events::id::OrderId,
) -> Status {
    world.accounts.order(account, order).await.unwrap().unwrap().status
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_neither_keeps_an_order_open_nor_ends_it() {
    for by in [-HOUR_MILLIS, HOUR_MILLIS, -86_400_000, 86_400_000] {
        let world = World::start(MemoryStore::default(), &own(), 1, START).await;
        let account = world.account(10).await;
        let order = world.place(account, Platform::Google).await;
        world.number(account, order).await;
        tokio::time::sleep(Duration::from_secs(100)).await;
        set(&world, by);
        let shown = world.accounts.order(account, order).await.unwrap().unwrap();
        let left = world.orders.remaining(&shown).as_secs();
        assert!((195..=200).contains(&left), "{left} s are left, whatever the clock says ({by})");
        tokio::time::sleep(Duration::from_secs(190)).await;
        assert_eq!(status(&world, account, order).await, Status::Active, "{by}");
        set(&world, 0);
        tokio::time::sleep(Duration::from_secs(5)).await;
        set(&world, by);
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert_eq!(status(&world, account, order).await, Status::Expired, "{by}");
        assert_eq!(world.balance(account).await, (Money::from_cents(1_000), Money::ZERO), "{by}");
        assert!(audit(&world.store).await.1.is_empty(), "{by}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_with_a_slow_clock_no_more_is_left_than_the_log_allows() {
    let store = MemoryStore::default();
    let first = World::start(store.clone(), &own(), 1, START).await;
    let account = first.account(10).await;
    let order = first.place(account, Platform::Google).await;
    first.number(account, order).await;
    tokio::time::sleep(Duration::from_secs(200)).await;
    let second = World::start(
        store.cut(store.stops().into_iter().max().unwrap()),
        &own(),
        2,
        START.minus(Duration::from_hours(1)),
    )
    .await;
    tokio::time::sleep(Duration::from_secs(301)).await;
    assert_eq!(status(&second, account, order).await, Status::Expired);
}

#[tokio::test(start_paused = true)]
async fn deliveries_are_tried_again_in_their_time_whatever_the_clock_says() {
    for by in [-HOUR_MILLIS, HOUR_MILLIS] {
        let world = World::start(
            MemoryStore::default(),
            &Setup { webhook_failure_rate: 1.0, ..Setup::default() },
            3,
            START,
        )
        .await;
        let account = world.account(0).await;
        world.tell(account, "https://hooks.acme.dev/").await;
        let at = world.accounts.journal().now();
        world
            .accounts
            .transact(account, Command::TestWebhook { at }, Actor::Owner, at)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        set(&world, by);
        for (attempts, seconds) in [(2, 6), (3, 34), (4, 133), (5, 661), (6, 3_961)] {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            assert_eq!(world.mailbox.lock().len(), attempts, "{by}");
        }
        assert!(open_deliveries(&world.store).await.is_empty());
    }
}
