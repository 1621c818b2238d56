//! Messages in parts: kept one by one, joined once, whatever order they come in and wherever it
//! stops.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::sync::Arc;
use std::time::Duration;

use events::id::{AccountId, OrderId};
use events::number::{self, Alphabet, MAX_SETS, Unclaimed};
use events::order::Status;
use events::phone::Phone;
use events::platform::Platform;
use telenumerus_actors::inbox::{Delivery, InboundSms};
use telenumerus_actors::inbox::{InboundPart, PartDelivery};
use telenumerus_actors::store::memory::{Failure, MemoryStore};

use events::{Event, order};
use world::{START, Setup, World, audit, log};

const PHONE: &str = "+12025550123";

fn setup() -> Setup {
    Setup { own: vec![PHONE], ..Setup::default() }
}

fn part(reference: u32, number: u8, total: u8, text: &str) -> InboundPart {
    InboundPart {
        supplier: "own".parse().unwrap(),
        to: PHONE.parse().unwrap(),
        sender: "Google".to_owned(),
        reference,
        number,
        total,
        alphabet: Alphabet::Utf8,
        bytes: text.as_bytes().to_vec(),
        received_at: None,
    }
}

async fn ordered(world: &World) -> (AccountId, OrderId) {
    let account = world.account(10).await;
    let order = world.place(account, Platform::Google).await;
    world.number(account, order).await;
    (account, order)
}

async fn kept(store: &MemoryStore) -> Vec<String> {
    let text = |event: &Event| {
        if let Event::Number(number::Event::SmsKept(sms)) = event {
            Some(sms.text.clone())
        } else {
            None
        }
    };
    log(store).await.iter().filter_map(|record| text(&record.event)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_last_part_to_come_completes_the_order() {
    let world = World::start(MemoryStore::default(), &setup(), 1, START).await;
    let (account, order) = ordered(&world).await;
    for (number, text) in [(3, "23"), (1, "Your Google code is 4")] {
        assert_eq!(
            world.parts.deliver(part(7, number, 3, text)).await.unwrap(),
            PartDelivery::Waiting
        );
        assert_eq!(
            world.parts.deliver(part(7, number, 3, text)).await.unwrap(),
            PartDelivery::Waiting
        );
    }
    let last = part(7, 2, 3, "829");
    assert_eq!(
        world.parts.deliver(last.clone()).await.unwrap(),
        PartDelivery::Joined(Delivery::Taken(order))
    );
    let ended = world.ended(account, order).await;
    assert_eq!((ended.code.as_deref(), ended.messages().count()), (Some("482923"), 1));
    // The same parts once more say nothing new.
    assert_eq!(world.parts.deliver(last).await.unwrap(), PartDelivery::Waiting);
    tokio::time::sleep(Duration::from_mins(3)).await;
    assert_eq!((kept(&world.store).await, audit(&world.store).await), (vec![], (0, vec![])));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_for_too_long_is_done_without() {
    let world = World::start(MemoryStore::default(), &setup(), 1, START).await;
    let (account, order) = ordered(&world).await;
    world.parts.deliver(part(7, 2, 3, "Your Google code is 482923")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(110)).await;
    assert_eq!(world.accounts.order(account, order).await.unwrap().unwrap().status, Status::Active);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let ended = world.ended(account, order).await;
    assert_eq!(ended.code.as_deref(), Some("482923"));
    assert!(ended.messages().any(|sms| sms.text == "[…]Your Google code is 482923[…]"));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_beginnings_neither_fills_memory_nor_loses_a_code() {
    let world = World::start(MemoryStore::default(), &setup(), 1, START).await;
    let (account, order) = ordered(&world).await;
    for reference in (0..).take(MAX_SETS) {
        assert_eq!(
            world.parts.deliver(part(reference, 1, 2, "hello")).await.unwrap(),
            PartDelivery::Waiting
        );
    }
    let code = part(9_999, 1, 2, "Your Google code is 482923");
    assert_eq!(
        world.parts.deliver(code.clone()).await.unwrap(),
        PartDelivery::Joined(Delivery::Taken(order))
    );
    assert_eq!(world.ended(account, order).await.code.as_deref(), Some("482923"));
    assert_eq!(world.parts.deliver(code).await.unwrap(), PartDelivery::Joined(Delivery::Repeated));
}

#[tokio::test(start_paused = true)]
async fn parts_that_come_at_once_are_all_there() {
    let world = Arc::new(World::start(MemoryStore::default(), &setup(), 1, START).await);
    let (account, order) = ordered(&world).await;
    let texts: Vec<String> = (1..=20u8)
        .map(
            |number| {
                if number == 20 { "Google code 482923".to_owned() } else { format!("{number} ") }
            },
        )
        .collect();
    let mut coming = Vec::new();
    for (text, number) in texts.iter().cloned().zip(1..) {
        let world = Arc::clone(&world);
        coming.push(tokio::spawn(async move {
            world.parts.deliver(part(7, number, 20, &text)).await.unwrap()
        }));
    }
    for part in coming {
        part.await.unwrap();
    }
    let ended = world.ended(account, order).await;
    let text = ended.messages().next().unwrap().text.clone();
    assert_eq!(text, texts.concat());
}

fn live<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(life)
}

/// Two parts for an order, and two for nobody. A part is sent again until it is taken, as its
/// source would.
async fn story(world: &World, beforehand: impl FnOnce()) -> (AccountId, OrderId) {
    let (account, order) = ordered(world).await;
    beforehand();
    let nobody: Phone = "+12025550199".parse().unwrap();
    let lost = |number, text| InboundPart { to: nobody.clone(), ..part(8, number, 2, text) };
    for part in [
        part(7, 2, 2, "is 482923"),
        lost(1, "late "),
        part(7, 1, 2, "Your Google code "),
        lost(2, "one"),
    ] {
        while world.parts.deliver(part.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    tokio::time::sleep(Duration::from_mins(3)).await;
    (account, order)
}

fn outcome(store: &MemoryStore) -> (Vec<String>, Vec<String>) {
    live(async {
        let code = |event: &Event| {
            if let Event::Account(events::account::Event::Order(
                _,
                order::Event::Completed { code, .. },
            )) = event
            {
                Some(code.clone())
            } else {
                None
            }
        };
        (
            log(store).await.iter().filter_map(|record| code(&record.event)).collect(),
            kept(store).await,
        )
    })
}

#[test]
fn a_service_stopped_behind_any_append_joins_each_message_once() {
    let whole = MemoryStore::default();
    live(async { story(&World::start(whole.clone(), &setup(), 1, START).await, || {}).await });
    let expected = (vec!["482923".to_owned()], vec!["late one".to_owned()]);
    assert_eq!(outcome(&whole), expected);
    let facts = live(log(&whole));
    for cut in whole.stops() {
        let (store, after) = (whole.cut(cut), facts[cut - 1].at.plus(Duration::from_secs(1)));
        let parts_so_far = facts[..cut]
            .iter()
            .filter(|record| matches!(record.event, Event::Number(number::Event::PartKept { .. })))
            .count();
        live(async {
            let world = World::start(store.clone(), &setup(), 2, after).await;
            tokio::time::sleep(Duration::from_mins(1)).await;
            // What was not acknowledged is sent again; so is what was, for its answer may be what
            // was lost.
            if parts_so_far > 0 {
                let nobody: Phone = "+12025550199".parse().unwrap();
                for part in [
                    part(7, 2, 2, "is 482923"),
                    InboundPart { to: nobody.clone(), ..part(8, 1, 2, "late ") },
                    part(7, 1, 2, "Your Google code "),
                    InboundPart { to: nobody, ..part(8, 2, 2, "one") },
                ] {
                    world.parts.deliver(part).await.unwrap();
                }
            }
            tokio::time::sleep(Duration::from_mins(10)).await;
            assert_eq!(audit(&store).await, (0, vec![]), "cut behind event {cut}");
        });
        if parts_so_far > 0 {
            assert_eq!(outcome(&store), expected, "cut behind event {cut}");
        }
    }
}

#[test]
fn every_append_may_fail_before_or_after_it_was_written() {
    for failure in [Failure::BeforeWriting, Failure::AfterWriting] {
        for failing in 0..12 {
            let store = MemoryStore::default();
            live(async {
                let world = World::start(store.clone(), &setup(), 1, START).await;
                let failures =
                    std::iter::repeat_n(None, failing).chain([Some(failure), Some(failure)]);
                story(&world, || store.fail_next(failures)).await;
            });
            assert_eq!(
                outcome(&store),
                (vec!["482923".to_owned()], vec!["late one".to_owned()]),
                "append {failing}, {failure:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn parts_for_an_order_that_has_ended_are_kept_for_the_operator() {
    let world = World::start(MemoryStore::default(), &setup(), 1, START).await;
    let (account, order) = ordered(&world).await;
    let early = Some(world.accounts.journal().now());
    world.cancel(account, order, None).await.unwrap();
    world
        .parts
        .deliver(InboundPart { received_at: early, ..part(7, 1, 2, "Google code ") })
        .await
        .unwrap();
    let joined = world
        .parts
        .deliver(InboundPart { received_at: early, ..part(7, 2, 2, "482923") })
        .await
        .unwrap();
    assert_eq!(joined, PartDelivery::Joined(Delivery::Kept(Unclaimed::OrderEnded)));
}

#[tokio::test(start_paused = true)]
async fn many_messages_for_one_number_at_once_are_all_kept() {
    let world = Arc::new(World::start(MemoryStore::default(), &setup(), 1, START).await);
    let mut coming = Vec::new();
    for number in 0..50 {
        let world = Arc::clone(&world);
        coming.push(tokio::spawn(async move {
            let (supplier, message_id, text) =
                ("own".parse().unwrap(), format!("m{number}"), format!("text {number}"));
            world
                .inbox
                .deliver(InboundSms {
                    supplier,
                    message_id,
                    to: PHONE.parse().unwrap(),
                    sender: "x".to_owned(),
                    text,
                    received_at: None,
                })
                .await
        }));
    }
    for message in coming {
        assert_eq!(message.await.unwrap().unwrap(), Delivery::Kept(Unclaimed::NotAssigned));
    }
    assert_eq!(kept(&world.store).await.len(), 50);
}
