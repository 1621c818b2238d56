//! What answers about the past say, and what they cost.

use std::sync::atomic::AtomicUsize;

use events::account;
use events::envelope::Position;
use events::id::EventId;
use events::money::Money;

use super::*;
use crate::store::memory::MemoryStore;

const ACCOUNT: AccountId = AccountId(7);

fn history() -> History {
    History::of(Arc::new(MemoryStore::default()))
}

/// The n-th event of the account, from 0: its registration, then a cent each second.
fn record(revision: u64) -> Recorded<Event> {
    let at = Timestamp::from_millis(1_000 * i64::try_from(revision).unwrap());
    let event = match revision {
        0 => account::Event::Registered {
            id: ACCOUNT,
            key_hash: [0; 32],
            webhook_secret: String::new(),
            at,
        },
        _ => account::Event::Credited { amount: Money::from_cents(1), reason: String::new(), at },
    };
    Recorded {
        id: EventId(1),
        stream: StreamId::account(ACCOUNT),
        revision: Revision(revision),
        position: Position(revision + 1),
        at,
        correlation: None,
        event: event.into(),
    }
}

/// Asks of a stream of so many events; also how many of them were read.
async fn asked(history: &History, length: u64, as_of: AsOf) -> (Option<(Portrait, u64)>, usize) {
    let read = AtomicUsize::new(0);
    let answer = history
        .fold(ACCOUNT, as_of, |from| {
            let page: Vec<_> = (from..length).take(PAGE).map(record).collect();
            read.fetch_add(page.len(), Ordering::Relaxed);
            async move { Ok(page) }
        })
        .await;
    (answer.unwrap(), read.into_inner())
}

#[tokio::test]
async fn what_was_is_the_same_from_the_start_and_from_a_portrait_and_costs_less_the_second_time() {
    let (kept, length) = (history(), 50_000);
    for as_of in [
        AsOf::Event(49_999),
        AsOf::Event(49_000),
        AsOf::Event(8_192),
        AsOf::Event(8_191),
        AsOf::Time(Timestamp::from_millis(30_000_500)),
    ] {
        let (fresh, _) = asked(&history(), length, as_of).await;
        let (first, _) = asked(&kept, length, as_of).await;
        let (again, read) = asked(&kept, length, as_of).await;
        assert_eq!((&fresh, &fresh), (&first, &again), "{as_of:?}");
        assert!(read <= usize::try_from(KEPT_EVERY).unwrap() + PAGE, "{as_of:?} read {read}");
        let (portrait, events) = again.unwrap();
        assert_eq!(portrait.sums.balance, Money::from_cents(i64::try_from(events).unwrap() - 1));
    }
    assert_eq!(asked(&kept, length, AsOf::Time(Timestamp::from_millis(-1))).await.0, None);
    assert_eq!(asked(&kept, 0, AsOf::Event(1)).await.0, None, "there is no such account");
}

#[tokio::test]
async fn few_replay_at_a_time_some_wait_and_the_rest_is_told_to_come_again() {
    let history = history();
    let first = history.enter(ACCOUNT).await.unwrap();
    let second = history.enter(ACCOUNT).await.unwrap();
    let waiting: Vec<_> = (2..ASKED_PER_ACCOUNT)
        .map(|_| {
            tokio::spawn({
                let history = history.clone();
                async move { history.enter(ACCOUNT).await.map(drop) }
            })
        })
        .collect();
    while history.asking.lock().in_all < ASKED_PER_ACCOUNT {
        tokio::task::yield_now().await;
    }
    let refused = history.enter(ACCOUNT).await.unwrap_err();
    assert!(matches!(refused, HistoryError::Busy));
    assert!(history.enter(AccountId(8)).await.is_ok(), "others are not affected");
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()), "two at a time");
    drop(first);
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    drop(second);
    assert!(history.asking.lock().by_account.is_empty(), "nobody is remembered who does not ask");
}

#[tokio::test]
async fn all_accounts_together_have_so_many() {
    let history = history();
    let mut held = Vec::new();
    for account in 0..AT_ONCE {
        held.push(history.enter(AccountId(u128::try_from(account).unwrap())).await.unwrap());
    }
    let next = tokio::spawn({
        let history = history.clone();
        async move { history.enter(AccountId(99)).await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert!(!next.is_finished());
    held.pop();
    next.await.unwrap().unwrap();
}
