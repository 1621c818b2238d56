//! Orders at work, under the paused clock: the ways an order goes, and who wins when several things
//! happen at once.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::time::Duration;

use events::account::{ItemRefusal, Refusal};
use events::money::Money;
use events::number::Unclaimed;
use events::order::{FailureReason, Status};
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use suppliers::simulator::Settings;
use telenumerus_actors::inbox::{Delivery, InboundSms};
use telenumerus_actors::order::PlaceError;
use telenumerus_actors::store::memory::MemoryStore;
use world::{START, Setup, World, audit};

const FREE: (Money, Money) = (Money::from_cents(1_000), Money::ZERO);

fn simulated(settings: Settings) -> Setup {
    Setup { simulator: Some(settings), ..Setup::default() }
}

fn own(numbers: &[&'static str]) -> Setup {
    Setup { own: numbers.to_vec(), ..Setup::default() }
}

async fn world(setup: &Setup) -> World {
    World::start(MemoryStore::default(), setup, 1, START).await
}

fn message(to: &Phone, id: &str, text: &str) -> InboundSms {
    InboundSms {
        supplier: "own".parse().unwrap(),
        message_id: id.to_owned(),
        to: to.clone(),
        sender: "Google".to_owned(),
        text: text.to_owned(),
        received_at: None,
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_gets_its_code_and_is_paid_once() {
    let world = world(&simulated(Settings::default())).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    assert_eq!(world.balance(account).await, (Money::from_cents(950), Money::from_cents(50)));
    let order = world.ended(account, order).await;
    assert_eq!((order.status, order.code.as_ref().map(String::len)), (Status::Completed, Some(6)));
    assert_eq!(world.balance(account).await, (Money::from_cents(950), Money::ZERO));
    assert_eq!(audit(&world.store).await, (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_message_never_comes_expires_on_time_and_gives_its_hold_back() {
    let world = world(&simulated(Settings { failure_rate: 1.0, ..Settings::default() })).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let order = world.ended(account, order).await;
    assert_eq!(order.status, Status::Expired);
    let late = order.ended_at.unwrap().since(order.expires_at.unwrap());
    assert!(late < Duration::from_secs(5), "{late:?}");
    assert_eq!(world.balance(account).await, FREE);
}

#[tokio::test(start_paused = true)]
async fn an_order_without_any_number_fails_and_gives_its_hold_back() {
    let world = world(&simulated(Settings { no_stock_rate: 1.0, ..Settings::default() })).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let order = world.ended(account, order).await;
    assert_eq!((order.status, order.failure), (Status::Failed, Some(FailureReason::NoSourceLeft)));
    assert_eq!(world.balance(account).await, FREE);
}

#[tokio::test(start_paused = true)]
async fn a_source_without_numbers_is_followed_by_the_next() {
    let setup = Setup { own: vec!["+12025550123"], ..simulated(Settings::default()) };
    let world = world(&setup).await;
    let (first, second) = (world.account(10).await, world.account(10).await);
    let order = world.place(first, Platform::Google).await;
    assert_eq!(world.number(first, order).await.as_str(), "+12025550123");
    let order = world.place(second, Platform::Google).await;
    let order = world.ended(second, order).await;
    assert_eq!(
        (order.status, order.attempts, order.placed.price),
        (Status::Completed, 2, Money::from_cents(50))
    );
}

#[tokio::test(start_paused = true)]
async fn dead_numbers_are_replaced_until_the_attempts_are_used_up() {
    let world = world(&simulated(Settings { dead_number_rate: 1.0, ..Settings::default() })).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let order = world.ended(account, order).await;
    assert_eq!(
        (order.status, order.failure, order.attempts),
        (Status::Failed, Some(FailureReason::AttemptsExhausted), 3)
    );
    assert_eq!(world.balance(account).await, FREE);
    assert_eq!(audit(&world.store).await, (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_message_reaches_the_order_its_number_is_on() {
    let world = world(&own(&["+12025550123"])).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let phone = world.number(account, order).await;
    let sms = message(&phone, "m1", "G-482913 is your Google verification code.");
    assert_eq!(world.inbox.deliver(sms.clone()).await.unwrap(), Delivery::Taken(order));
    assert_eq!(world.ended(account, order).await.code.as_deref(), Some("482913"));
    assert_eq!(world.inbox.deliver(sms).await.unwrap(), Delivery::Repeated);
}

#[tokio::test(start_paused = true)]
async fn a_late_message_never_reaches_the_next_order_on_its_number() {
    let world = world(&own(&["+12025550123"])).await;
    let (first, second) = (world.account(10).await, world.account(10).await);
    let order = world.place(first, Platform::Google).await;
    let phone = world.number(first, order).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let received_at = Some(world.accounts.journal().now());
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.cancel(first, order, None).await.unwrap();
    let next = world.place(second, Platform::Discord).await;
    assert_eq!(world.number(second, next).await, phone);
    let late =
        InboundSms { received_at, ..message(&phone, "late", "482913 is your verification code") };
    assert_eq!(
        world.inbox.deliver(late.clone()).await.unwrap(),
        Delivery::Kept(Unclaimed::OrderEnded)
    );
    assert_eq!(world.inbox.deliver(late).await.unwrap(), Delivery::Repeated);
    assert_eq!(world.accounts.order(second, next).await.unwrap().unwrap().messages().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_kept_is_not_the_order_s_whose_number_was_assigned_in_its_second() {
    let world = world(&own(&["+12025550123"])).await;
    let account = world.account(10).await;
    let phone = "+12025550123".parse().unwrap();
    let into_second = world.accounts.journal().now().millis().rem_euclid(1_000).cast_unsigned();
    tokio::time::sleep(Duration::from_millis(1_100 - into_second)).await;
    let now = world.accounts.journal().now();
    // The source counts whole seconds, and brings again what it was not acknowledged in time.
    let received_at = Some(Timestamp::from_millis(now.millis() / 1_000 * 1_000));
    let sms =
        InboundSms { received_at, ..message(&phone, "m1", "482913 is your verification code") };
    assert_eq!(
        world.inbox.deliver(sms.clone()).await.unwrap(),
        Delivery::Kept(Unclaimed::NotAssigned)
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    let order = world.place(account, Platform::Google).await;
    assert_eq!(world.number(account, order).await, phone);
    assert_eq!(world.inbox.deliver(sms).await.unwrap(), Delivery::Repeated);
    assert_eq!(world.accounts.order(account, order).await.unwrap().unwrap().messages().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_ends_an_order_can_have_its_number_at_once() {
    let world = world(&own(&["+12025550123"])).await;
    let accounts = [world.account(100).await, world.account(100).await];
    for round in 0..66 {
        let (account, platform) = (accounts[round % 2], Platform::ALL[round / 2]);
        let order = world.place(account, platform).await;
        let placed = world.accounts.order(account, order).await.unwrap().unwrap();
        assert!(placed.assignment.is_some(), "round {round}: {:?}", placed.status);
        if round % 2 == 0 {
            world.cancel(account, order, None).await.unwrap();
        } else {
            let text = format!("Your {} verification code is 482913", platform.name());
            world
                .inbox
                .deliver(message(&world.number(account, order).await, &format!("m{round}"), &text))
                .await
                .unwrap();
            world.ended(account, order).await;
            world.finish(account, order).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_for_nobody_are_kept_with_the_reason() {
    let world = world(&own(&["+12025550123"])).await;
    let free = "+12025550123".parse().unwrap();
    let unknown = "+12025550199".parse().unwrap();
    assert_eq!(
        world.inbox.deliver(message(&free, "m1", "hello")).await.unwrap(),
        Delivery::Kept(Unclaimed::NotAssigned)
    );
    assert_eq!(
        world.inbox.deliver(message(&unknown, "m2", "hello")).await.unwrap(),
        Delivery::Kept(Unclaimed::UnknownNumber)
    );
}

#[tokio::test(start_paused = true)]
async fn a_number_serves_a_platform_once_within_its_cool_down() {
    let world = world(&own(&["+12025550123"])).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let phone = world.number(account, order).await;
    world.inbox.deliver(message(&phone, "m1", "Google code 482913")).await.unwrap();
    world.ended(account, order).await;
    world.finish(account, order).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let again = world.place(account, Platform::Google).await;
    assert_eq!(world.ended(account, again).await.status, Status::Failed);
    let other = world.place(account, Platform::Discord).await;
    assert_eq!(world.number(account, other).await, phone);
    world.cancel(account, other, None).await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    let rested = world.place(account, Platform::Google).await;
    assert_eq!(world.number(account, rested).await, phone);
}

#[tokio::test(start_paused = true)]
async fn sixty_four_orders_at_once_with_funds_for_one_are_one_order() {
    let world = std::sync::Arc::new(
        world(&simulated(Settings { failure_rate: 1.0, ..Settings::default() })).await,
    );
    let account = world.account(0).await;
    let credit = events::account::Command::Credit {
        amount: Money::from_cents(50),
        reason: "test".to_owned(),
        at: START,
    };
    world
        .accounts
        .transact(account, credit, events::envelope::Actor::Service, START)
        .await
        .unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                world.orders.place(account, world.wanted(Platform::Google, 64), None).await
            })
        })
        .collect();
    let mut placed = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => placed += 1,
            Err(PlaceError::Refused(Refusal::Item(ItemRefusal::InsufficientBalance {
                ..
            }))) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(placed, 1);
    assert_eq!(world.balance(account).await, (Money::ZERO, Money::from_cents(50)));
    assert_eq!(world.orders.router().leased(), 1, "the numbers of the refused are free again");
}

#[tokio::test(start_paused = true)]
async fn an_idle_account_leaves_memory_and_comes_back_as_it_was() {
    let world = world(&simulated(Settings::default())).await;
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    let before = world.ended(account, order).await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    // That the order listens keeps neither its account nor a runner in memory.
    assert_eq!(
        (world.accounts.in_memory(), world.orders.running(), world.orders.listening()),
        (0, 0, 1)
    );
    assert_eq!(world.balance(account).await, (Money::from_cents(950), Money::ZERO));
    assert_eq!(world.accounts.order(account, order).await.unwrap().unwrap().code, before.code);
    tokio::time::sleep(Duration::from_mins(4)).await;
    assert_eq!(
        (world.orders.running(), world.orders.listening(), world.orders.router().leased()),
        (0, 0, 0)
    );
    assert!(world.accounts.order(account, order).await.unwrap().unwrap().is_over());
}

#[tokio::test(start_paused = true)]
async fn a_number_stays_on_its_order_until_it_is_finished_and_on_no_other_meanwhile() {
    let world = world(&own(&["+12025550123"])).await;
    let (first, second) = (world.account(10).await, world.account(10).await);
    let order = world.place(first, Platform::Google).await;
    let phone = world.number(first, order).await;
    world.inbox.deliver(message(&phone, "m1", "Your verification code is 777888")).await.unwrap();
    world.ended(first, order).await;
    let other = world.place(second, Platform::Discord).await;
    assert_eq!(world.ended(second, other).await.status, Status::Failed);
    assert_eq!((world.orders.router().leased(), world.orders.router().listening()), (1, 1));
    let taken = world
        .inbox
        .deliver(message(&phone, "m2", "G-482913 is your Google verification code."))
        .await
        .unwrap();
    assert_eq!(taken, Delivery::Taken(order));
    assert_eq!(
        world.accounts.order(first, order).await.unwrap().unwrap().code.as_deref(),
        Some("482913")
    );
    world.finish(first, order).await.unwrap();
    assert_eq!(
        (world.orders.listening(), world.orders.running(), world.orders.router().leased()),
        (0, 0, 0)
    );
    let other = world.place(second, Platform::Discord).await;
    assert_eq!(world.number(second, other).await, phone);
    assert_eq!(world.balance(first).await, (Money::from_cents(950), Money::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_finished_as_it_gets_its_code_keeps_no_number() {
    let world = world(&own(&["+12025550123"])).await;
    let account = world.account(10).await;
    for round in 0..20u32 {
        let wanted = world.wanted(Platform::ALL[usize::try_from(round).unwrap()], 1);
        let order = wanted.order;
        world.orders.place(account, wanted, None).await.unwrap();
        let phone = world.number(account, order).await;
        let text = format!(
            "Your {} verification code is 48291{}",
            Platform::ALL[usize::try_from(round).unwrap()].name(),
            round % 10
        );
        let finish = async {
            world.ended(account, order).await;
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            world.finish(account, order).await.unwrap();
        };
        let (delivered, ()) =
            tokio::join!(world.inbox.deliver(message(&phone, &format!("m{round}"), &text)), finish);
        assert_eq!(delivered.unwrap(), Delivery::Taken(order));
        assert_eq!(
            (world.orders.listening(), world.orders.running(), world.orders.router().leased()),
            (0, 0, 0),
            "round {round}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_callers_report_counts_against_the_source() {
    let world = world(&own(&[
        "+12025550101",
        "+12025550102",
        "+12025550103",
        "+12025550104",
        "+12025550105",
    ]))
    .await;
    let account = world.account(10).await;
    let own = "own".parse().unwrap();
    for number in 1..=5 {
        let order = world.place(account, Platform::Google).await;
        let phone = world.number(account, order).await;
        world
            .inbox
            .deliver(message(
                &phone,
                &format!("m{number}"),
                "G-482913 is your Google verification code.",
            ))
            .await
            .unwrap();
        world.ended(account, order).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        world.orders.report(account, order, events::order::Complaint::NumberUsed).await.unwrap();
        world.orders.report(account, order, events::order::Complaint::NumberUsed).await.unwrap();
    }
    let rate = world.orders.router().success_rate(&own, world.accounts.journal().now()).unwrap();
    assert!(
        (rate - 0.5).abs() < 0.01,
        "{rate}: each order counted once as served and once as complained of"
    );
}

#[tokio::test(start_paused = true)]
async fn fifty_accounts_claim_one_deposit_and_one_is_credited() {
    let world = std::sync::Arc::new(world(&Setup::default()).await);
    let hash: events::deposit::TxHash = "0xAB"
        .to_owned()
        .chars()
        .chain("ab".repeat(31).chars())
        .collect::<String>()
        .parse()
        .unwrap();
    let mut accounts = Vec::new();
    for _ in 0..50 {
        accounts.push(world.account(0).await);
    }
    let tasks: Vec<_> = accounts
        .iter()
        .map(|account| {
            let (world, account, hash) = (std::sync::Arc::clone(&world), *account, hash.clone());
            tokio::spawn(async move { world.deposits.claim(account, hash, None).await.is_ok() })
        })
        .collect();
    let mut claimed = 0;
    for task in tasks {
        claimed += usize::from(task.await.unwrap());
    }
    assert_eq!(claimed, 1);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut credited = 0;
    for account in accounts {
        credited += usize::from(world.balance(account).await.0 == Money::from_cents(1_000));
    }
    assert_eq!(credited, 1);
    assert_eq!(audit(&world.store).await, (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn made_up_numbers_do_not_run_out_because_orders_listen() {
    let world =
        world(&simulated(Settings { delivery_seconds: (0.5, 1.0), ..Settings::default() })).await;
    let account = world.account(100).await;
    // Germany has a hundred made-up numbers; each order listens for five minutes and takes a
    // second.
    for _ in 0..150 {
        let wanted = events::account::PlaceOrder {
            country: events::country::Country::De,
            list_price: Money::from_cents(10),
            ..world.wanted(Platform::Google, 1)
        };
        let order = wanted.order;
        world.orders.place(account, wanted, None).await.unwrap();
        assert_eq!(world.ended(account, order).await.status, Status::Completed);
    }
    assert!((40..=60).contains(&world.orders.listening()), "{}", world.orders.listening());
    assert_eq!(audit(&world.store).await, (0, vec![]));
}
