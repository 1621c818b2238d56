//! Backups: whole while the service writes, refused where they are not, and never put over what
//! they do not hold.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use events::envelope::{Position, Revision};
use telenumerus_actors::store::conformance::credits;
use telenumerus_actors::store::sqlite::{CopyError, SqliteStore, backup, restore, verify_chain};
use telenumerus_actors::store::{EventStore, Expected};

fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap()
}

/// The records of a log that is whole.
fn records(directory: &Path) -> Vec<String> {
    let mut records = Vec::new();
    assert_eq!(verify_chain(directory, |record| records.push(format!("{record:?}"))).unwrap(), []);
    records
}

/// A directory with a log of so many streams of two events.
async fn with_streams(count: u128) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    append_streams(&store, 0..count).await;
    store.close().await;
    directory
}

async fn append_streams(store: &SqliteStore, streams: std::ops::Range<u128>) {
    for number in streams {
        store.append(credits(number, Expected::NoStream, 1 + number, 2)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_the_store_writes_is_a_whole_beginning_of_the_log() {
    let (directory, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(directory.path().join("admin.token"), "tna_1").unwrap();
    std::fs::write(directory.path().join("admin.addr"), "127.0.0.1:1").unwrap();
    let store = Arc::new(open(directory.path()));
    append_streams(&store, 0..300).await;
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { append_streams(&store, 300..900).await }
    });
    let (from, to) = (directory.path().to_owned(), target.path().join("copy"));
    let end = tokio::task::spawn_blocking(move || backup(&from, &to)).await.unwrap().unwrap();
    writing.await.unwrap();
    let (all, copied) = (records(directory.path()), records(&target.path().join("copy")));
    assert_eq!(copied.len() as u64, end.0);
    assert!(copied.len() >= 600 && all[..copied.len()] == copied);
    let mut files: Vec<_> =
        std::fs::read_dir(target.path().join("copy")).unwrap().map(|file| file.unwrap()).collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    assert_eq!(
        files.iter().map(std::fs::DirEntry::file_name).collect::<Vec<_>>(),
        ["admin.token", "events.db"]
    );
    assert!(
        files.iter().all(|file| file.metadata().unwrap().permissions().mode() & 0o777 == 0o600)
    );
    let into_the_same = backup(directory.path(), &target.path().join("copy"));
    assert!(matches!(into_the_same, Err(CopyError::NotEmpty(_))));
}

#[tokio::test]
async fn a_restored_log_goes_on_where_the_backup_ended() {
    let (directory, target) = (with_streams(20).await, tempfile::tempdir().unwrap());
    let copy = target.path().join("copy");
    assert_eq!(backup(directory.path(), &copy).unwrap(), Position(40));
    let fresh = target.path().join("fresh");
    assert_eq!(restore(&copy, &fresh, false).unwrap(), Position(40));
    assert_eq!(records(&fresh), records(directory.path()));
    let store = open(&fresh);
    let next = store.append(credits(0, Expected::Exact(Revision(1)), 99, 1)).await.unwrap();
    assert_eq!(next.position, Position(41));
}

#[tokio::test]
async fn what_a_backup_does_not_hold_is_given_up_only_when_told() {
    let (directory, target) = (with_streams(20).await, tempfile::tempdir().unwrap());
    let copy = target.path().join("copy");
    backup(directory.path(), &copy).unwrap();
    let store = open(directory.path());
    append_streams(&store, 20..25).await;
    store.close().await;
    drop(store);
    for derived in ["views.db", "views.db-wal", "snapshots.db"] {
        std::fs::write(directory.path().join(derived), "of the newer log").unwrap();
    }
    let newer = records(directory.path());
    let refused = restore(&copy, directory.path(), false);
    assert!(
        matches!(&refused, Err(CopyError::Newer { backup: 40, what, .. }) if what.contains("50")),
        "{refused:?}"
    );
    assert_eq!(records(directory.path()), newer, "nothing has changed");
    assert!(
        directory.path().join("views.db").exists()
            && !directory.path().join("events.db.restored").exists()
    );
    restore(&copy, directory.path(), true).unwrap();
    assert_eq!(records(directory.path()), newer[..40]);
    assert!(
        !directory.path().join("views.db").exists()
            && !directory.path().join("views.db-wal").exists()
    );
    let kept = tempfile::tempdir().unwrap();
    std::fs::copy(directory.path().join("events.db.replaced-1"), kept.path().join("events.db"))
        .unwrap();
    assert_eq!(records(kept.path()), newer, "the log that was there is kept");
    let store = open(directory.path());
    append_streams(&store, 20..21).await;
    store.close().await;
    drop(store);
    // As long as the backup, and another one: not a beginning of it either.
    let other = with_streams(19).await;
    let store = open(other.path());
    append_streams(&store, 77..78).await;
    store.close().await;
    drop(store);
    let refused = restore(&copy, other.path(), false);
    assert!(
        matches!(&refused, Err(CopyError::Newer { what, .. }) if what.contains("another")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_log_that_is_not_as_it_was_written_is_neither_backed_up_nor_restored() {
    let target = tempfile::tempdir().unwrap();
    let whole = target.path().join("whole");
    let good = with_streams(20).await;
    backup(good.path(), &whole).unwrap();
    for (number, change) in [
        "UPDATE events SET payload = zeroblob(9) WHERE position = 7",
        "DELETE FROM events WHERE position = 7",
        "UPDATE events SET chain = zeroblob(32) WHERE position = 7",
        "UPDATE streams SET name = 'account-x' WHERE id = 3",
    ]
    .into_iter()
    .enumerate()
    {
        let broken = with_streams(20).await;
        rusqlite::Connection::open(broken.path().join("events.db"))
            .unwrap()
            .execute(change, [])
            .unwrap();
        let copy = target.path().join(format!("copy-{number}"));
        assert!(matches!(backup(broken.path(), &copy), Err(CopyError::Broken { .. })), "{change}");
        assert!(!copy.join("events.db").exists());
        let place = tempfile::tempdir().unwrap();
        assert!(
            matches!(restore(broken.path(), place.path(), true), Err(CopyError::Broken { .. })),
            "{change}"
        );
        assert!(
            !place.path().join("events.db").exists()
                && !place.path().join("events.db.restored").exists()
        );
    }
    let damaged = with_streams(20).await;
    std::fs::write(damaged.path().join("events.db"), "this was a log once, and then a disk failed")
        .unwrap();
    assert!(
        matches!(restore(&whole, damaged.path(), false), Err(CopyError::Newer { .. })),
        "what cannot be read is not given up unasked"
    );
    restore(&whole, damaged.path(), true).unwrap();
    assert_eq!(records(damaged.path()).len(), 40);
    assert!(matches!(backup(target.path(), &target.path().join("none")), Err(CopyError::NoLog(_))));
}
