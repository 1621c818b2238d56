//! The property of the index: however far it is behind the log, and whatever has become of it, each
//! stream reads as it was written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::AccountId;
use proptest::prelude::*;

use super::index::{FILE, IndexFile, RecordRun};
use super::{SqliteStore, verify_chain};
use crate::store::conformance::credits;
use crate::store::port::{AppendError, Appended, EventStore, Expected, ReadError};

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap()
}

fn stream(number: u128) -> StreamId {
    StreamId::account(AccountId(number))
}

async fn read(store: &SqliteStore, number: u128) -> Vec<Recorded<Event>> {
    store.read_stream(stream(number), Revision(0), 10_000).await.unwrap()
}

/// Everything that the log has, by stream, as the log itself tells it.
async fn by_stream(store: &SqliteStore) -> BTreeMap<StreamId, Vec<Recorded<Event>>> {
    let mut streams: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in store.read_all(Position(0), 10_000).await.unwrap() {
        streams.entry(record.stream.clone()).or_default().push(Recorded::clone(&record));
    }
    streams
}

/// Appends rounds of credits to the streams, whose lengths are those in `lengths`.
async fn append_round(store: &SqliteStore, lengths: &mut BTreeMap<u128, u64>, round: u128) {
    for number in 1..=4 {
        let length = lengths.entry(number).or_default();
        let expected = Expected::after(length.checked_sub(1).map(Revision));
        let appended = store
            .append(credits(
                number,
                expected,
                round * 10 + number,
                usize::try_from(number).unwrap(),
            ))
            .await
            .unwrap();
        *length = appended.revision.0 + 1;
    }
}

/// The files of the index, as a crash would leave them now.
fn copy_index(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = format!("{FILE}{suffix}");
        let _ = std::fs::remove_file(to.join(&name));
        if from.join(&name).exists() {
            std::fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
    let _ = std::fs::remove_file(to.join(format!("{FILE}-shm")));
}

#[tokio::test]
async fn a_kill_between_the_log_and_its_index_loses_nothing_and_doubles_nothing() {
    let (directory, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut lengths, mut left) = (BTreeMap::new(), Vec::new());
    let store = open(directory.path());
    for round in 1..=6 {
        // As it is before the index has the round, and after.
        let before = kept.path().join(format!("{round}-before"));
        std::fs::create_dir(&before).unwrap();
        append_round(&store, &mut lengths, round).await;
        copy_index(directory.path(), &before);
        store.indexer.take_in();
        let after = kept.path().join(format!("{round}-after"));
        std::fs::create_dir(&after).unwrap();
        copy_index(directory.path(), &after);
        left.extend([before, after]);
    }
    let sound = by_stream(&store).await;
    store.close().await;
    drop(store);
    for (number, index) in left.into_iter().enumerate() {
        copy_index(&index, directory.path());
        let store = open(directory.path());
        for number in 1..=4 {
            assert_eq!(read(&store, number).await, sound[&stream(number)], "{}", index.display());
            let last = Revision(lengths[&number] - 1);
            let refused = store.append(credits(number, Expected::NoStream, 999, 1)).await;
            assert!(
                matches!(refused, Err(AppendError::Conflict { actual: Some(end) }) if end == last),
                "{refused:?}"
            );
            let again = store
                .append(credits(
                    number,
                    Expected::NoStream,
                    10 + number,
                    usize::try_from(number).unwrap(),
                ))
                .await;
            assert!(again.is_ok(), "what was appended first is known again: {again:?}");
        }
        if number % 2 == 0 {
            store.close().await;
        }
        drop(store);
        assert_eq!(verify_chain(directory.path(), |_| {}).unwrap(), []);
    }
}

#[tokio::test]
async fn an_index_that_is_lost_broken_or_of_another_log_is_made_anew() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut lengths = BTreeMap::new();
    let store = open(directory.path());
    append_round(&store, &mut lengths, 1).await;
    append_round(&store, &mut lengths, 2).await;
    let sound = by_stream(&store).await;
    store.close().await;
    drop(store);
    let stranger = open(other.path());
    stranger.append(credits(9, Expected::NoStream, 7, 5)).await.unwrap();
    stranger.close().await;
    drop(stranger);
    let path = directory.path().join(FILE);
    let change = |statement: &str| {
        rusqlite::Connection::open(&path).unwrap().execute_batch(statement).unwrap();
    };
    let spoilt: [(&str, &dyn Fn()); 8] = [
        ("gone", &|| std::fs::remove_file(&path).unwrap()),
        ("no database", &|| {
            std::fs::write(
                &path,
                "an index it was, and then a disk failed; it is long enough to look at",
            )
            .unwrap();
        }),
        ("of another log", &|| copy_index(other.path(), directory.path())),
        ("without a run", &|| change("DELETE FROM runs WHERE stream = 2 AND revision > 0")),
        ("with a run elsewhere", &|| {
            change("UPDATE runs SET position = position + 1 WHERE stream = 1 AND revision = 0");
        }),
        ("with a run too long for any log", &|| {
            change(
                "UPDATE runs SET length = 9000000000000000000 WHERE stream = 1 AND revision = 0",
            );
        }),
        ("of a later version", &|| change("PRAGMA user_version = 99")),
        ("ahead of the log", &|| change("UPDATE checkpoint SET position = 1000")),
    ];
    for (case, spoil) in spoilt {
        spoil();
        let store = open(directory.path());
        for (stream, records) in &sound {
            assert_eq!(
                store.read_stream(stream.clone(), Revision(0), 100).await.unwrap(),
                *records,
                "{case}"
            );
        }
        store.close().await;
        drop(store);
        assert_eq!(verify_chain(directory.path(), |_| {}).unwrap(), [], "{case}");
    }
    change("UPDATE runs SET position = position + 1 WHERE stream = 1 AND revision = 0");
    let findings = verify_chain(directory.path(), |_| {}).unwrap();
    assert!(matches!(&findings[..], [finding] if finding.stream == FILE), "{findings:?}");
}

#[tokio::test]
async fn an_index_that_is_changed_under_the_service_is_never_believed() {
    let directory = tempfile::tempdir().unwrap();
    let mut lengths = BTreeMap::new();
    let store = open(directory.path());
    append_round(&store, &mut lengths, 1).await;
    append_round(&store, &mut lengths, 2).await;
    store.indexer.take_in();
    for change in [
        "UPDATE runs SET position = position + 1 WHERE stream = 1 AND revision = 1",
        "UPDATE runs SET position = 1 WHERE stream = 1 AND revision = 1",
        "UPDATE runs SET position = 900 WHERE stream = 1 AND revision = 1",
        "UPDATE runs SET length = 7 WHERE stream = 1 AND revision = 0",
        "DELETE FROM runs WHERE stream = 1 AND revision = 1",
        "DELETE FROM runs WHERE stream = 1",
    ] {
        let moment = copy(directory.path());
        assert!(
            rusqlite::Connection::open(directory.path().join(FILE))
                .unwrap()
                .execute(change, [])
                .unwrap()
                > 0,
            "{change}"
        );
        let read = store.read_stream(stream(1), Revision(0), 100).await;
        assert!(matches!(read, Err(ReadError::Corrupt { .. })), "{change}: {read:?}");
        rusqlite::Connection::open(directory.path().join(FILE))
            .unwrap()
            .execute_batch(&moment)
            .unwrap();
        assert_eq!(read_lengths(&store).await, lengths, "{change}, and back");
    }
}

async fn read_lengths(store: &SqliteStore) -> BTreeMap<u128, u64> {
    let mut lengths = BTreeMap::new();
    for number in 1..=4 {
        lengths.insert(number, read(store, number).await.len() as u64);
    }
    lengths
}

/// Statements that make the runs what they are now.
fn copy(directory: &Path) -> String {
    let index = IndexFile::open_reader(&directory.join(FILE)).unwrap();
    let mut statements = vec!["DELETE FROM runs;".to_owned()];
    let put = |stream, RecordRun { revision, position, length }| {
        statements
            .push(format!("INSERT INTO runs VALUES ({stream}, {revision}, {position}, {length});"));
    };
    index.walk(put).unwrap();
    statements.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_tried_again_in_its_own_group_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    for command in 1..=20 {
        let expected = Expected::after(
            (command - 1u64)
                .checked_mul(3)
                .filter(|events| *events > 0)
                .map(|events| Revision(events - 1)),
        );
        let tries: Vec<_> = (0..8)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(
                    async move { store.append(credits(1, expected, command.into(), 3)).await },
                )
            })
            .collect();
        for again in tries {
            assert_eq!(
                again.await.unwrap().unwrap(),
                Appended { revision: Revision(3 * command - 1), position: Position(3 * command) }
            );
        }
    }
}

/// What happens to a store: an append of so many events to a stream, or something to its index.
#[derive(Debug, Clone, Copy)]
enum Step {
    Append(u128, usize),
    TakeIn,
    /// The index takes what waits, and does not get to write it.
    Take,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1u128..5, 1usize..4).prop_map(|(stream, events)| Step::Append(stream, events)),
        2 => Just(Step::TakeIn),
        1 => Just(Step::Take),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn wherever_the_line_between_the_index_and_memory_runs_streams_read_the_same(
        steps in steps(), from in 0u64..6, limit in 1usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let mut store = open(directory.path());
            let mut lengths: BTreeMap<u128, u64> = BTreeMap::new();
            for (command, step) in (1..).zip(steps) {
                match step {
                    Step::Append(stream, events) => {
                        let length = lengths.entry(stream).or_default();
                        let expected = Expected::after(length.checked_sub(1).map(Revision));
                        store.append(credits(stream, expected, command, events)).await.unwrap();
                        *length += events as u64;
                    }
                    Step::TakeIn => store.indexer.take_in(),
                    Step::Take => drop(store.indexer.streams().take()),
                    Step::Reopen => {
                        store.close().await;
                        drop(store);
                        store = open(directory.path());
                    }
                }
            }
            let sound = by_stream(&store).await;
            for (number, length) in lengths {
                let expected = &sound[&stream(number)];
                assert_eq!(expected.len() as u64, length);
                let part = store.read_stream(stream(number), Revision(from), limit).await.unwrap();
                let from_there = expected.iter().skip(usize::try_from(from).unwrap());
                let whole = from_there.take(limit).cloned().collect::<Vec<_>>();
                assert_eq!(part, whole);
                assert_eq!(read(&store, number).await, *expected);
            }
            store.close().await;
            drop(store);
            assert_eq!(verify_chain(directory.path(), |_| {}).unwrap(), []);
        });
    }
}
