//! What every store must do, as one suite: a new store is done when this passes.

use events::envelope::{Actor, Metadata, Position, Revision, StreamId};
use events::id::{AccountId, CommandId};
use events::money::Money;
use events::time::Timestamp;
use events::{Event, account};

use super::chain::{GENESIS, link};
use super::port::{Append, AppendError, Appended, EventStore, Expected, NewEvent, Snapshot};
use super::records::{Record, Records};

fn stream(number: u128) -> StreamId {
    StreamId::account(AccountId(number))
}

fn credit(cents: i64) -> Event {
    account::Event::Credited {
        amount: Money::from_cents(cents),
        reason: "conformance".to_owned(),
        at: Timestamp::from_millis(1_000),
    }
    .into()
}

/// An append of `count` credits by the command with the number `command`.
pub fn credits(to: u128, expected: Expected, command: u128, count: usize) -> Append {
    credits_at(1_000, to, expected, command, count)
}

/// The same, decided at the moment `millis`.
pub fn credits_at(
    millis: i64,
    to: u128,
    expected: Expected,
    command: u128,
    count: usize,
) -> Append {
    let metadata = Metadata {
        causation: CommandId(command << 8),
        correlation: None,
        actor: Actor::Service,
        at: Timestamp::from_millis(millis),
    };
    let events = (0..count)
        .map(|index| NewEvent::new(index, credit(i64::try_from(index).unwrap_or(0) + 1), &metadata))
        .collect();
    Append { stream: stream(to), expected, events }
}

fn at(revision: u64) -> Expected {
    Expected::Exact(Revision(revision))
}

/// Runs the whole suite over an empty store; panics where it does not conform.
pub async fn run(store: &dyn EventStore) {
    appends_are_dense_and_positions_rise(store).await;
    a_wrong_expected_revision_is_refused(store).await;
    a_retried_append_is_recognised(store).await;
    reads_start_and_stop_where_they_are_told(store).await;
    the_chain_ends_where_the_log_does(store).await;
    the_head_follows_the_log(store).await;
    parallel_appends_to_one_stream_have_one_winner(store).await;
    a_snapshot_replaces_the_older_one(store).await;
    no_event_is_stamped_before_the_one_before_it(store).await;
}

/// Holds what an append has said against the stream, as `store` has it now: the same store, or the
/// one that was opened after it. Nothing else was appended to the stream, and nothing fails any
/// more.
pub async fn says_what_is_known(
    store: &dyn EventStore,
    append: &Append,
    said: &Result<Appended, AppendError>,
) {
    let ours: Vec<_> = append.events.iter().map(|event| event.id).collect();
    let found = async || {
        let from = append.expected.next();
        let records = store.read_stream(append.stream.clone(), from, ours.len() + 1).await;
        let records = records.expect("the stream is readable");
        records.iter().map(|record| record.id).collect::<Vec<_>>()
    };
    let before = found().await;
    match said {
        Ok(_) => assert_eq!(before, ours, "what was acknowledged is there"),
        Err(AppendError::Unknown(_)) => {
            assert!(before.is_empty() || before == ours, "all or nothing: {before:?}");
        }
        Err(_) => assert!(before.is_empty(), "said not to be written, and is: {said:?}"),
    }
    let again = store.append(append.clone()).await;
    let last = append.expected.next().0 + ours.len() as u64 - 1;
    assert!(
        again.as_ref().is_ok_and(|appended| appended.revision == Revision(last)),
        "the same append, tried again, is there once: {again:?}"
    );
    assert_eq!(found().await, ours);
}

/// The suite of whole records, over any store, which gets some more; panics where it does not
/// conform.
pub async fn run_records(store: &(impl EventStore + Records)) {
    for command in 0..40 {
        store
            .append(credits(
                500 + command % 3,
                Expected::after(end_of(store, 500 + command % 3).await),
                500 + command,
                3,
            ))
            .await
            .expect("appended");
    }
    let head = store.head().borrow().0;
    let whole = stored(store, 0, usize::MAX).await;
    records_are_bound_by_the_chain_from_the_first_to_the_last(&whole, head);
    let all = store.read_all(Position(0), usize::MAX).await.expect("the log is readable");
    for (record, read) in whole.iter().zip(&all) {
        let event = record.event().expect("it can be decoded");
        assert_eq!(
            (record.position, record.id, &record.stream, &event),
            (read.position, read.id, &read.stream, &read.event)
        );
        assert_eq!(&*record.actor, "service");
    }
    pages_of_the_log_meet_from_both_ends(store, &whole, head).await;
    pages_of_a_stream_meet_from_both_ends(store, &whole).await;
}

async fn end_of(store: &impl Records, of: u128) -> Option<Revision> {
    store
        .stored_in_before(stream(of), Revision(u64::MAX), 1)
        .await
        .expect("the stream is readable")
        .first()
        .map(|last| last.revision)
}

async fn stored(store: &impl Records, after: u64, limit: usize) -> Vec<Record> {
    let (mut found, mut after) = (Vec::new(), Position(after));
    loop {
        let page = store.stored(after, limit - found.len()).await.expect("the log is readable");
        let Some(last) = page.last() else { return found };
        after = last.position;
        found.extend(page);
        if found.len() >= limit {
            return found;
        }
    }
}

fn records_are_bound_by_the_chain_from_the_first_to_the_last(whole: &[Record], head: u64) {
    let mut chain = GENESIS;
    for (record, position) in whole.iter().zip(1..) {
        assert_eq!(
            (record.position, record.digest),
            (Position(position), record.fields().digest())
        );
        chain = link(&chain, record.position, &record.digest);
        assert_eq!(record.chain, chain, "position {position}");
    }
    assert_eq!(whole.len() as u64, head);
}

async fn pages_of_the_log_meet_from_both_ends(store: &impl Records, whole: &[Record], head: u64) {
    for cut in [0, 1, 33, 64, head / 2, head - 1, head, head + 1, head + 77, u64::MAX] {
        let before = store.stored_before(Position(cut), 40).await.expect("the log is readable");
        let expected: Vec<_> =
            whole.iter().rev().filter(|record| record.position.0 < cut).take(40).cloned().collect();
        assert_eq!(before, expected, "before {cut}");
        let after = stored(store, cut, 40).await;
        let expected: Vec<_> =
            whole.iter().filter(|record| record.position.0 > cut).take(40).cloned().collect();
        assert_eq!(after, expected, "after {cut}");
    }
}

async fn pages_of_a_stream_meet_from_both_ends(store: &impl Records, whole: &[Record]) {
    let of_stream: Vec<_> =
        whole.iter().filter(|record| record.stream == stream(500)).cloned().collect();
    assert!(of_stream.len() > 40, "longer than what is read in one step");
    for cut in [0, 1, 5, 33, of_stream.len() as u64 - 1, of_stream.len() as u64, u64::MAX] {
        let before = store
            .stored_in_before(stream(500), Revision(cut), 35)
            .await
            .expect("the stream is readable");
        assert_eq!(
            before,
            of_stream
                .iter()
                .rev()
                .filter(|record| record.revision.0 < cut)
                .take(35)
                .cloned()
                .collect::<Vec<_>>(),
            "before {cut}"
        );
        let from =
            store.stored_in(stream(500), Revision(cut), 35).await.expect("the stream is readable");
        assert_eq!(
            from,
            of_stream
                .iter()
                .filter(|record| record.revision.0 >= cut)
                .take(35)
                .cloned()
                .collect::<Vec<_>>(),
            "from {cut}"
        );
    }
    assert!(
        store
            .stored_in(stream(77), Revision(0), 5)
            .await
            .expect("no stream is an empty one")
            .is_empty()
    );
    assert!(
        store
            .stored_in_before(stream(77), Revision(5), 5)
            .await
            .expect("no stream is an empty one")
            .is_empty()
    );
}

async fn appends_are_dense_and_positions_rise(store: &dyn EventStore) {
    let first = store
        .append(credits(1, Expected::NoStream, 1, 2))
        .await
        .expect("an empty stream takes an append");
    assert_eq!(first, Appended { revision: Revision(1), position: Position(2) });
    let second =
        store.append(credits(2, Expected::NoStream, 2, 1)).await.expect("streams are apart");
    assert_eq!(second, Appended { revision: Revision(0), position: Position(3) });
    let third = store.append(credits(1, at(1), 3, 1)).await.expect("the stream ends at 1");
    assert_eq!(third, Appended { revision: Revision(2), position: Position(4) });
}

async fn no_event_is_stamped_before_the_one_before_it(store: &dyn EventStore) {
    let before = *store.head().borrow();
    for (command, (millis, stamped)) in
        (200..).zip([(7_000, 7_000), (3_000, 7_000), (7_001, 7_001), (-5, 7_001)])
    {
        let append = credits_at(millis, command, Expected::NoStream, command, 2);
        store.append(append.clone()).await.expect("an empty stream takes an append");
        let record = store
            .read_stream(append.stream.clone(), Revision(1), 1)
            .await
            .expect("the stream is readable");
        assert_eq!(record[0].at, Timestamp::from_millis(stamped), "decided at {millis}");
        store.append(append).await.expect("the same append, asked again, had succeeded");
    }
    let all = store.read_all(before, 100).await.expect("the log is readable");
    assert_eq!(all.len(), 8);
    assert!(all.is_sorted_by_key(|record| record.at), "{all:?}");
}

async fn a_wrong_expected_revision_is_refused(store: &dyn EventStore) {
    for (expected, command) in [(Expected::NoStream, 10), (at(0), 11), (at(7), 12)] {
        let refused = store.append(credits(1, expected, command, 1)).await;
        assert!(
            matches!(refused, Err(AppendError::Conflict { actual: Some(Revision(2)) })),
            "{expected:?}: {refused:?}"
        );
    }
    let refused = store.append(credits(99, at(0), 13, 1)).await;
    assert!(matches!(refused, Err(AppendError::Conflict { actual: None })), "{refused:?}");
}

async fn a_retried_append_is_recognised(store: &dyn EventStore) {
    let again = store
        .append(credits(1, Expected::NoStream, 1, 2))
        .await
        .expect("the same ids at the same place succeeded before");
    assert_eq!(again, Appended { revision: Revision(1), position: Position(2) });
    let longer = store.append(credits(1, at(1), 3, 2)).await;
    assert!(
        matches!(longer, Err(AppendError::Conflict { .. })),
        "more events than before are another append: {longer:?}"
    );
}

async fn reads_start_and_stop_where_they_are_told(store: &dyn EventStore) {
    let all = store.read_all(Position(0), 100).await.expect("the log is readable");
    assert_eq!(all.iter().map(|record| record.position.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(all[0].event, credit(1));
    let tail = store.read_all(Position(1), 2).await.expect("the log is readable");
    assert_eq!(tail.iter().map(|record| record.position.0).collect::<Vec<_>>(), [2, 3]);
    let one = store.read_stream(stream(1), Revision(1), 1).await.expect("the stream is readable");
    assert_eq!(one.iter().map(|record| record.revision.0).collect::<Vec<_>>(), [1]);
    assert!(
        store
            .read_stream(stream(77), Revision(0), 10)
            .await
            .expect("no stream is an empty one")
            .is_empty()
    );
}

async fn the_chain_ends_where_the_log_does(store: &dyn EventStore) {
    let mut links = Vec::new();
    for position in 0..=5 {
        links.push(store.chain_at(Position(position)).await.expect("the log is readable"));
    }
    let distinct: std::collections::BTreeSet<_> = links[..5].iter().flatten().collect();
    assert_eq!((links[0], distinct.len(), links[5]), (Some(super::chain::GENESIS), 5, None));
}

async fn the_head_follows_the_log(store: &dyn EventStore) {
    let mut head = store.head();
    let before = *head.borrow_and_update();
    let appended = store
        .append(credits(3, Expected::NoStream, 20, 3))
        .await
        .expect("an empty stream takes an append");
    head.wait_for(|position| *position >= appended.position).await.expect("the store is open");
    assert_eq!(appended.position.0, before.0 + 3);
}

async fn parallel_appends_to_one_stream_have_one_winner(store: &dyn EventStore) {
    let attempts =
        (0..16).map(|number| store.append(credits(4, Expected::NoStream, 100 + number, 2)));
    let outcomes = join_all(attempts.collect()).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(
        store.read_stream(stream(4), Revision(0), 100).await.expect("the stream is readable").len(),
        2
    );
}

async fn a_snapshot_replaces_the_older_one(store: &dyn EventStore) {
    let snapshot = |revision: u64| Snapshot {
        revision: Revision(revision),
        last_event: events::id::EventId(1),
        bytes: vec![u8::try_from(revision).unwrap_or(0)],
    };
    for revision in [1, 2] {
        store.save_snapshot(stream(1), snapshot(revision));
        // Saving is not awaited by design: a snapshot may be late, it may not be wrong.
        while store.load_snapshot(stream(1)).await != Some(snapshot(revision)) {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(store.load_snapshot(stream(2)).await, None);
}

async fn join_all<T>(mut futures: Vec<super::BoxFuture<'_, T>>) -> Vec<T> {
    let mut outcomes: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, outcome) in futures.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *outcome = Some(value);
            }
        }
        if outcomes.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}
