//! The files: `events.db` is the truth, `snapshots.db` can always be thrown away.

use std::path::{Path, PathBuf};
use std::time::Duration;

use events::envelope::Position;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::watch;

use super::OpenError;
use crate::store::chain::{GENESIS, Hash};

/// "TNEV": marks the file as an event log of this service.
const APPLICATION_ID: i64 = 0x544e_4556;
/// Rises when the table changes.
const SCHEMA_VERSION: i64 = 1;

/// Between two checkpoints: long enough to be few, short enough to keep the write-ahead log small.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(200);

// A rowid table with UNIQUE(stream, revision) was measured against WITHOUT ROWID, which was slower.
const EVENTS: &str = "CREATE TABLE IF NOT EXISTS events (
    position    INTEGER PRIMARY KEY,
    stream      TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    event_id    BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    causation   BLOB    NOT NULL,
    correlation BLOB    NOT NULL,
    actor       TEXT    NOT NULL,
    payload     BLOB    NOT NULL,
    checksum    INTEGER NOT NULL,
    chain       BLOB    NOT NULL,
    UNIQUE (stream, revision)
) STRICT";

const SNAPSHOTS: &str = "CREATE TABLE IF NOT EXISTS snapshots (
    stream     TEXT    PRIMARY KEY,
    revision   INTEGER NOT NULL,
    last_event BLOB    NOT NULL,
    bytes      BLOB    NOT NULL
) STRICT, WITHOUT ROWID";

/// The end of the log.
#[derive(Debug, Clone, Copy)]
pub struct LastRecord {
    /// Its position; 0 for an empty log.
    pub position: Position,
    /// The chain after it.
    pub chain: Hash,
}

/// Opens the log for the writer.
pub fn open_log(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(sqlite)?;
    // An append touches the end of the table and one leaf of the index, whatever else is on those pages: small pages mean less to write and sync.
    connection.pragma_update(None, "page_size", 2_048).map_err(sqlite)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(sqlite)?;
    // FULL syncs the write-ahead log at every commit: what is acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    // The checkpointer does it in the background, off the appends' way.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(sqlite)?;
    // SQLite walks its cache's whole hash table at every commit: a large cache costs more than the page reads it saves.
    connection.pragma_update(None, "cache_size", -8_192).map_err(sqlite)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(sqlite)?;
    let application_id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sqlite)?;
    match (application_id, version) {
        // One transaction: a crash in the middle of it leaves an empty file, not half a log.
        (0, 0) => {
            let create = format!("BEGIN; {EVENTS}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;");
            connection.execute_batch(&create).map_err(sqlite)?;
        }
        (APPLICATION_ID, SCHEMA_VERSION) => {}
        (APPLICATION_ID, other) => {
            return Err(OpenError::Foreign {
                path: path.to_owned(),
                detail: format!("schema version {other}, this version writes {SCHEMA_VERSION}"),
            });
        }
        (other, _) => return Err(OpenError::Foreign { path: path.to_owned(), detail: format!("application id {other:#x}") }),
    }
    Ok(connection)
}

/// Opens the snapshots; a broken file is thrown away.
pub fn open_snapshots(path: &Path) -> Result<Connection, OpenError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A lost snapshot is replayed, so no sync is worth waiting for.
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.execute_batch(SNAPSHOTS)?;
        Ok(connection)
    };
    open().or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "the snapshots are unreadable and are started anew");
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
        open().map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })
    })
}

/// Opens a log to read it, also while the service writes it.
pub fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "mmap_size", 1 << 30)?;
    Ok(connection)
}

/// The end of the log as it is on disk.
pub fn last_record(connection: &Connection) -> rusqlite::Result<LastRecord> {
    let last = connection.query_row("SELECT position, chain FROM events ORDER BY position DESC LIMIT 1", [], |row| {
        let position: i64 = row.get(0)?;
        Ok(LastRecord { position: Position(u64::try_from(position).unwrap_or(0)), chain: row.get(1)? })
    });
    Ok(last.optional()?.unwrap_or(LastRecord { position: Position(0), chain: GENESIS }))
}

/// Moves the write-ahead log into the file in the background whenever the log has grown, until the store is closed.
pub fn start_checkpointer(path: PathBuf, mut head: watch::Receiver<Position>) -> std::io::Result<()> {
    let checkpoint = move || {
        let Ok(connection) = Connection::open(&path) else { return };
        let _ = connection.busy_timeout(Duration::from_secs(1));
        // Ends with the writer, which holds the other side.
        while let Ok(changed) = head.has_changed() {
            if changed {
                head.borrow_and_update();
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
            std::thread::sleep(CHECKPOINT_PAUSE);
        }
    };
    std::thread::Builder::new().name("checkpointer".to_owned()).spawn(checkpoint).map(drop)
}
