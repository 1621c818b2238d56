//! The files: `events.db` is the truth, `snapshots.db` can always be thrown away.

use std::path::{Path, PathBuf};
use std::time::Duration;

use events::envelope::Position;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use super::layout::{INDEX, STAMPED_IN_ORDER, TABLES};
use super::{OpenError, migrate};
use crate::store::chain::Hash;

/// "TNEV": marks the file as an event log of this service.
const APPLICATION_ID: i64 = 0x544e_4556;
/// Rises when the tables change.
const SCHEMA_VERSION: i64 = 2;
/// The first one, which is migrated.
pub const FIRST_VERSION: i64 = 1;

/// An append touches the end of the table and one leaf of the index, whatever else is on those pages: small pages mean less to write and sync.
pub const PAGE_BYTES: u32 = 2_048;

/// What the write-ahead log may grow to.
pub const WAL_BYTES: u32 = 64 << 20;

/// Between two checkpoints: long enough to be few, short enough to keep the write-ahead log small.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(200);

const SNAPSHOTS: &str = "CREATE TABLE IF NOT EXISTS snapshots (
    stream     TEXT    PRIMARY KEY,
    revision   INTEGER NOT NULL,
    last_event BLOB    NOT NULL,
    bytes      BLOB    NOT NULL
) STRICT, WITHOUT ROWID";

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRecord {
    /// Its position; 0 for an empty log.
    pub position: Position,
    /// The chain after it.
    pub chain: Hash,
    /// When it was decided, in milliseconds since 1970: nothing that follows is stamped earlier.
    pub at: i64,
}

/// Opens the log for the writer; one of the first layout is migrated before.
pub fn open_log(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    migrate::migrate(path)?;
    let connection = Connection::open(path).map_err(sqlite)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES).map_err(sqlite)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(sqlite)?;
    // FULL syncs the write-ahead log at every commit: what is acknowledged survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    // The checkpointer does it in the background, off the appends' way.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(sqlite)?;
    // A write-ahead log that a reader has made longer than its bound gives the room back.
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES).map_err(sqlite)?;
    // SQLite walks its cache's whole hash table at every commit: a large cache costs more than the page reads it saves.
    connection.pragma_update(None, "cache_size", -8_192).map_err(sqlite)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(sqlite)?;
    match identity(&connection).map_err(sqlite)? {
        // One transaction: a crash in the middle of it leaves an empty file, not half a log.
        (0, 0) => {
            let (stamp, mark) = (stamp(), mark_stamped_in_order_from(Position(1)));
            connection.execute_batch(&format!("BEGIN; {TABLES} {INDEX} {mark} {stamp} COMMIT;")).map_err(sqlite)?;
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

/// Whose file it is, and of which layout.
fn identity(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

/// Whether it is a log of the first layout.
pub fn is_of_first_layout(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(identity(connection)? == (APPLICATION_ID, FIRST_VERSION))
}

/// Makes a file an event log of today's layout.
pub fn stamp() -> String {
    format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};")
}

/// Marks from where on records are stamped in order.
pub fn mark_stamped_in_order_from(position: Position) -> String {
    format!("INSERT INTO marks (name, position) VALUES ('{STAMPED_IN_ORDER}', {});", position.0)
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
