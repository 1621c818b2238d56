//! Both stores against the one suite, and what only a file can do: survive, be broken, be checked.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::Arc;

use actors::store::conformance::{self, credits};
use actors::store::memory::{Failure, MemoryStore};
use actors::store::sqlite::{OpenError, SqliteStore, verify_chain};
use actors::store::{AppendError, EventStore, Expected, ReadError};
use events::envelope::{Position, Revision, StreamId};
use events::id::AccountId;

fn open(directory: &std::path::Path) -> SqliteStore {
    SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap()
}

#[tokio::test]
async fn the_memory_store_conforms() {
    conformance::run(&MemoryStore::default()).await;
}

#[tokio::test]
async fn the_sqlite_store_conforms() {
    let directory = tempfile::tempdir().unwrap();
    conformance::run(&open(directory.path())).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for number in 0..50 {
        store.append(credits(number, Expected::NoStream, 1_000 + number, 3)).await.unwrap();
    }
    store.close().await;
    assert!(matches!(store.append(credits(99, Expected::NoStream, 9_999, 1)).await, Err(AppendError::Closed)));
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
            tokio::spawn(async move { store.append(credits(number, Expected::NoStream, number + 1, 2)).await })
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
async fn an_edited_record_is_not_served_and_the_chain_shows_it() {
    for change in [
        "payload = zeroblob(length(payload))",
        "actor = 'owner'",
        "at = at + 1",
        "name = 'HoldReleased'",
        "correlation = x'00000000000000000000000000000001'",
    ] {
        let directory = with_records(5).await;
        edit(directory.path(), &format!("UPDATE events SET {change} WHERE position = 3"));
        let store = open(directory.path());
        let read = store.read_stream(StreamId::account(AccountId(1)), Revision(0), 10).await;
        assert!(matches!(read, Err(ReadError::Corrupt { position: 3, .. })), "{change}: {read:?}");
        let findings = verify_chain(directory.path(), |_| {}).unwrap();
        assert!(findings.iter().any(|finding| finding.position == 3 && finding.detail.contains("chain")), "{change}: {findings:?}");
    }
}

#[tokio::test]
async fn a_forged_checksum_still_breaks_the_chain() {
    let directory = with_records(5).await;
    // Someone who also recomputes what stands beside the record cannot recompute all that follows unseen.
    edit(directory.path(), "UPDATE events SET chain = zeroblob(32) WHERE position = 2");
    let findings = verify_chain(directory.path(), |_| {}).unwrap();
    assert_eq!(findings.iter().map(|finding| finding.position).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn a_missing_record_is_noticed() {
    let directory = with_records(5).await;
    edit(directory.path(), "DELETE FROM events WHERE position = 3");
    let findings = verify_chain(directory.path(), |_| {}).unwrap();
    assert!(findings.iter().any(|finding| finding.position == 4 && finding.detail.contains("missing")), "{findings:?}");
}

#[tokio::test]
async fn another_program_s_file_and_a_newer_one_are_refused() {
    for pragma in ["PRAGMA application_id = 1", "PRAGMA user_version = 99"] {
        let directory = with_records(1).await;
        rusqlite::Connection::open(directory.path().join("events.db")).unwrap().execute_batch(pragma).unwrap();
        let opened = SqliteStore::open(directory.path(), Arc::new(|_: &str| {}));
        assert!(matches!(opened, Err(OpenError::Foreign { .. })), "{pragma}");
    }
}

#[tokio::test]
async fn a_broken_snapshot_file_costs_nothing_but_time() {
    let directory = with_records(1).await;
    std::fs::write(directory.path().join("snapshots.db"), b"not a database at all, but long enough to look at").unwrap();
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
    assert!(store.append(credits(1, Expected::NoStream, 1, 1)).await.is_ok(), "the same append, asked again, had succeeded");
}
