//! Both stores against the one suite, and what only a file can do: survive, be broken, be checked.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::Arc;

use events::envelope::{Position, Revision, StreamId};
use events::id::AccountId;
use telenumerus_actors::store::conformance::{self, credits};
use telenumerus_actors::store::memory::{Failure, MemoryStore};
use telenumerus_actors::store::sqlite::{
    OpenError, Replica, ReplicaError, SqliteStore, verify_chain,
};
use telenumerus_actors::store::{AppendError, EventStore, Expected, ReadError, Records};

fn open(directory: &std::path::Path) -> SqliteStore {
    SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap()
}

#[tokio::test]
async fn the_memory_store_conforms() {
    let store = MemoryStore::default();
    conformance::run(&store).await;
    conformance::run_records(&store).await;
}

#[tokio::test]
async fn the_sqlite_store_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    conformance::run(&store).await;
    conformance::run_records(&store).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for number in 0..50 {
        store.append(credits(number, Expected::NoStream, 1_000 + number, 3)).await.unwrap();
    }
    store.close().await;
    assert!(matches!(
        store.append(credits(99, Expected::NoStream, 9_999, 1)).await,
        Err(AppendError::Closed)
    ));
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.read_all(Position(0), 1_000).await.unwrap().len(), 150);
    let next = store.append(credits(0, Expected::Exact(Revision(2)), 2_000, 1)).await.unwrap();
    assert_eq!(next.position, Position(151));
    assert_eq!(verify_chain(directory.path(), |_| {}).unwrap(), []);
}

#[tokio::test]
async fn parallel_appends_share_syncs_and_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    let tasks: Vec<_> = (0..500u128)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store.append(credits(number, Expected::NoStream, number + 1, 2)).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let (events, syncs) = store.events_and_syncs();
    assert_eq!(events, 1_000);
    assert!(syncs < 500, "{syncs} syncs for 500 appends");
    assert_eq!(verify_chain(directory.path(), |_| {}).unwrap(), []);
}

/// Edits the file as somebody with a hex editor would: under the store's feet, past its checks.
fn edit(directory: &std::path::Path, statement: &str) {
    let connection = rusqlite::Connection::open(directory.join("events.db")).unwrap();
    assert_eq!(connection.execute(statement, []).unwrap(), 1);
}

async fn with_records(count: usize) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.append(credits(1, Expected::NoStream, 1, count)).await.unwrap();
    store.close().await;
    directory
}

#[tokio::test]
async fn an_edited_record_is_not_served_and_the_audit_names_it() {
    for (change, position) in [
        ("events SET payload = zeroblob(length(payload)) WHERE position = 3", 3),
        ("events SET kind = 99 WHERE position = 3", 3),
        ("events SET checksum = checksum + 1 WHERE position = 3", 3),
        ("events SET correlation = x'00000000000000000000000000000001' WHERE position = 3", 3),
        ("events SET correlation = 4000000 WHERE position = 3", 3),
        // The others of its command take what is theirs from the first one: a step to elsewhere, or
        // another first record.
        ("events SET step = 1 WHERE position = 3", 3),
        ("events SET step = zeroblob(16) WHERE position = 3", 3),
        ("events SET at = at + 1 WHERE position = 1", 1),
        ("events SET causation = zeroblob(16) WHERE position = 1", 1),
        ("events SET actor = 99 WHERE position = 1", 1),
        ("actors SET name = 'owner'", 1),
        ("kinds SET name = 'HoldReleased'", 1),
    ] {
        let directory = with_records(5).await;
        edit(directory.path(), &format!("UPDATE {change}"));
        let store = open_anyway(directory.path());
        if let Some(store) = store {
            let read = store.read_stream(StreamId::account(AccountId(1)), Revision(0), 10).await;
            assert!(
                matches!(
                    read, Err(ReadError::Corrupt { position: found, .. }) if found == position
                ),
                "{change}: {read:?}"
            );
        }
        let findings = verify_chain(directory.path(), |_| {}).unwrap();
        assert!(
            findings.iter().any(|finding| finding.position == position),
            "{change}: {findings:?}"
        );
    }
}

/// A log whose last record cannot even be put together is not opened.
fn open_anyway(directory: &std::path::Path) -> Option<SqliteStore> {
    match SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))) {
        Ok(store) => Some(store),
        Err(OpenError::Broken { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_stream_that_was_renamed_is_named_by_the_audit() {
    let directory = with_records(5).await;
    edit(directory.path(), "UPDATE streams SET name = 'account-0000000000000000000002'");
    let findings = verify_chain(directory.path(), |_| {}).unwrap();
    assert_eq!(
        findings.iter().map(|finding| finding.position).filter(|position| *position == 1).count(),
        2,
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_forged_checksum_still_breaks_the_chain() {
    let directory = with_records(5).await;
    // Someone who also recomputes what stands beside the record cannot recompute all that follows
    // unseen.
    edit(directory.path(), "UPDATE events SET chain = zeroblob(32) WHERE position = 2");
    let findings = verify_chain(directory.path(), |_| {}).unwrap();
    assert_eq!(findings.iter().map(|finding| finding.position).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn a_missing_record_is_noticed() {
    let directory = with_records(5).await;
    edit(directory.path(), "DELETE FROM events WHERE position = 3");
    let findings = verify_chain(directory.path(), |_| {}).unwrap();
    assert!(
        findings.iter().any(|finding| finding.position == 4 && finding.detail.contains("missing")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn another_program_s_file_and_a_newer_one_are_refused() {
    for pragma in ["PRAGMA application_id = 1", "PRAGMA user_version = 99"] {
        let directory = with_records(1).await;
        rusqlite::Connection::open(directory.path().join("events.db"))
            .unwrap()
            .execute_batch(pragma)
            .unwrap();
        let opened = SqliteStore::open(directory.path(), Arc::new(|_: &str| {}));
        assert!(matches!(opened, Err(OpenError::Foreign { .. })), "{pragma}");
    }
}

#[tokio::test]
async fn a_broken_snapshot_file_costs_nothing_but_time() {
    let directory = with_records(1).await;
    std::fs::write(
        directory.path().join("snapshots.db"),
        b"not a database at all, but long enough to look at",
    )
    .unwrap();
    let store = open(directory.path());
    assert_eq!(store.load_snapshot(StreamId::account(AccountId(1))).await, None);
}

#[tokio::test]
async fn the_memory_store_fails_as_ordered() {
    let store = MemoryStore::default();
    store.fail_next([Some(Failure::BeforeWriting), Some(Failure::AfterWriting), None]);
    assert!(store.append(credits(1, Expected::NoStream, 1, 1)).await.is_err());
    assert_eq!(store.len(), 0);
    assert!(store.append(credits(1, Expected::NoStream, 1, 1)).await.is_err());
    assert_eq!(store.len(), 1);
    assert!(
        store.append(credits(1, Expected::NoStream, 1, 1)).await.is_ok(),
        "the same append, asked again, had succeeded"
    );
}

/// Appends so much, from so many writers, that the write-ahead log would be several times its
/// bound.
#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_stays_within_its_bound_while_others_read() {
    const BOUND: u64 = 64 << 20;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    let is_done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (path, is_done) = (directory.path().join("events.db"), Arc::clone(&is_done));
            std::thread::spawn(move || {
                let connection = rusqlite::Connection::open(path).unwrap();
                let mut reads = 0u32;
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    let mut last = connection
                        .prepare_cached(
                            "SELECT length(payload) FROM events ORDER BY position DESC LIMIT 20",
                        )
                        .unwrap();
                    reads += last
                        .query_map([], |row| row.get::<_, i64>(0))
                        .unwrap()
                        .fold(0, |_, length| u32::from(length.is_ok()));
                }
                reads
            })
        })
        .collect();
    let writers: Vec<_> = (0..16u128)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (mut expected, mut largest) = (Expected::NoStream, 0);
                for number in 0..120 {
                    let mut append = credits(writer, expected, (writer << 32) | number, 1);
                    append.events[0].encoded.payload.resize(100_000, 0);
                    expected = Expected::Exact(store.append(append).await.unwrap().revision);
                    largest = largest.max(store.wal_bytes());
                }
                largest
            })
        })
        .collect();
    let mut largest = 0;
    for writer in writers {
        largest = largest.max(writer.await.unwrap());
    }
    is_done.store(true, std::sync::atomic::Ordering::Relaxed);
    for reader in readers {
        assert!(reader.join().unwrap() > 0, "a reader that never read proves nothing");
    }
    assert!(largest > BOUND / 4, "{largest} bytes: too little was written to prove anything");
    assert!(largest <= BOUND, "{largest} bytes");
}

#[tokio::test]
async fn a_reader_that_stays_makes_the_write_ahead_log_long_and_not_the_appends_wait() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.append(credits(1, Expected::NoStream, 1, 2)).await.unwrap();
    let reader = rusqlite::Connection::open(directory.path().join("events.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap();
    for number in 0..900 {
        let mut append = credits(2 + number, Expected::NoStream, 10 + number, 1);
        append.events[0].encoded.payload.resize(100_000, 0);
        store.append(append).await.unwrap();
    }
    assert!(store.wal_bytes() > 64 << 20, "it is pinned");
    reader.execute_batch("COMMIT").unwrap();
    for number in 0..500 {
        let mut append = credits(2_000 + number, Expected::NoStream, 3_000 + number, 1);
        append.events[0].encoded.payload.resize(100_000, 0);
        store.append(append).await.unwrap();
    }
    assert!(
        store.wal_bytes() <= 64 << 20,
        "{}: once the reader has left, its room is given back",
        store.wal_bytes()
    );
}

#[tokio::test]
async fn a_copy_takes_what_continues_it_and_nothing_else() {
    let (origin, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(origin.path());
    for number in 0..30 {
        store
            .append(credits(
                number % 7,
                Expected::after(end_of(&store, number % 7).await),
                1_000 + number,
                3,
            ))
            .await
            .unwrap();
    }
    let records = store.stored(Position(0), 1_000).await.unwrap();
    let mut copy = Replica::open(copied.path()).unwrap();
    copy.extend(&records[..40]).unwrap();
    assert_eq!(copy.end(), (Position(40), records[39].chain));
    let mut changed = records[40..50].to_vec();
    changed[5].payload[3] ^= 1;
    assert!(matches!(copy.extend(&changed), Err(ReplicaError::Broken { position: 46, .. })));
    assert!(
        matches!(copy.extend(&records[41..]), Err(ReplicaError::Broken { position: 42, .. })),
        "a gap"
    );
    assert!(
        matches!(copy.extend(&records[39..]), Err(ReplicaError::Broken { position: 40, .. })),
        "a repetition"
    );
    copy.close();
    let mut copy = Replica::open(copied.path()).unwrap();
    assert_eq!(
        copy.end(),
        (Position(40), records[39].chain),
        "nothing of what was refused is there"
    );
    copy.extend(&records[40..]).unwrap();
    copy.close();
    assert_eq!(verify_chain(copied.path(), |_| {}).unwrap(), []);
    let copy = open(copied.path());
    assert_eq!(copy.stored(Position(0), 1_000).await.unwrap(), records);
    copy.append(credits(50, Expected::NoStream, 5_000, 1))
        .await
        .expect("a copy can be served where the origin is lost");
}

/// As a node that stands by serves its copy.
#[tokio::test]
async fn a_copy_is_read_while_it_is_written() {
    let (origin, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(origin.path());
    for number in 0..60 {
        let expected = Expected::after(end_of(&store, number % 7).await);
        store.append(credits(number % 7, expected, 1_000 + number, 3)).await.unwrap();
    }
    let records = store.stored(Position(0), 1_000).await.unwrap();
    let mut copy = Replica::open(copied.path()).unwrap();
    copy.extend(&records[..50]).unwrap();
    let reader = copy.serve(copied.path()).unwrap();
    let mut end = reader.end();
    assert_eq!(*end.borrow_and_update(), Position(50));
    let stream = StreamId::account(AccountId(3));
    for until in [51, 90, 180] {
        let from = usize::try_from(copy.end().0.0).unwrap();
        copy.extend(&records[from..until]).unwrap();
        assert_eq!(*end.borrow_and_update(), Position(until as u64), "it says that it grows");
        assert_eq!(reader.stored(Position(10), 1_000).await.unwrap(), records[10..until]);
        let mut backwards = reader.stored_before(Position(u64::MAX), 1_000).await.unwrap();
        backwards.reverse();
        assert_eq!(backwards, records[..until]);
        let of_stream: Vec<_> =
            records[..until].iter().filter(|record| record.stream == stream).cloned().collect();
        let read = reader.stored_in(stream.clone(), Revision(0), 1_000).await.unwrap();
        assert_eq!(read, of_stream);
        let last = reader.stored_in_before(stream.clone(), Revision(u64::MAX), 1).await.unwrap();
        assert_eq!(last.first(), of_stream.last());
    }
    copy.close();
    let store = open(copied.path());
    assert_eq!(store.stored_in(stream, Revision(0), 1_000).await.unwrap().len(), 27);
}

async fn end_of(store: &SqliteStore, of: u128) -> Option<Revision> {
    store
        .stored_in_before(StreamId::account(AccountId(of)), Revision(u64::MAX), 1)
        .await
        .unwrap()
        .first()
        .map(|last| last.revision)
}
