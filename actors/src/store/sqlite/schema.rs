//! The file of the log, `events.db`: how it is opened and laid out, and how its write-ahead log is
//! moved into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use events::envelope::Position;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use super::head::{HeadFile, Mark};
use super::layout::{INDEX, STAMPED_IN_ORDER, TABLES};
use super::{OpenError, migrate};
use crate::store::chain::Hash;

/// "TNEV": marks the file as an event log of this service.
const APPLICATION_ID: i64 = 0x544e_4556;
/// Rises when the tables change.
const SCHEMA_VERSION: i64 = 2;
/// The first one, which is migrated.
pub const FIRST_VERSION: i64 = 1;

/// An append touches the end of the table and one leaf of the index, whatever else is on those
/// pages: small pages mean less to write and sync.
pub const PAGE_BYTES: u32 = 2_048;

/// What the write-ahead log may grow to.
pub const WAL_BYTES: u32 = 64 << 20;

/// Between two checkpoints: long enough to be few, short enough to keep the write-ahead log small.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(200);

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

impl LastRecord {
    /// Its place.
    pub fn mark(&self) -> Mark {
        Mark { position: self.position, chain: self.chain }
    }
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
    // SQLite walks its cache's whole hash table at every commit: a large cache costs more than the
    // page reads it saves.
    connection.pragma_update(None, "cache_size", -8_192).map_err(sqlite)?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(sqlite)?;
    match identity(&connection).map_err(sqlite)? {
        // One transaction: a crash in the middle of it leaves an empty file, not half a log.
        (0, 0) => {
            let (stamp, mark) = (stamp(), mark_stamped_in_order_from(Position(1)));
            connection
                .execute_batch(&format!("BEGIN; {TABLES} {INDEX} {mark} {stamp} COMMIT;"))
                .map_err(sqlite)?;
        }
        (APPLICATION_ID, SCHEMA_VERSION) => {
            if let Some(name) = missing(&connection).map_err(sqlite)? {
                return Err(OpenError::Foreign {
                    path: path.to_owned(),
                    detail: format!("its {name} is not the one that this version makes"),
                });
            }
        }
        (APPLICATION_ID, other) => {
            return Err(OpenError::Foreign {
                path: path.to_owned(),
                detail: format!("schema version {other}, this version writes {SCHEMA_VERSION}"),
            });
        }
        (other, _) => {
            return Err(OpenError::Foreign {
                path: path.to_owned(),
                detail: format!("application id {other:#x}"),
            });
        }
    }
    Ok(connection)
}

/// The table or index of today's layout that the file does not have as it was made, if there is
/// one.
fn missing(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let made = Connection::open_in_memory()?;
    made.execute_batch(&format!("{TABLES} {INDEX}"))?;
    let parts = |of: &Connection| -> rusqlite::Result<BTreeMap<String, String>> {
        let mut parts = of.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
        parts.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let found = parts(connection)?;
    Ok(parts(&made)?
        .into_iter()
        .find(|(name, sql)| found.get(name) != Some(sql))
        .map(|(name, _)| name))
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

/// Opens a log to read it, also while the service writes it.
pub fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "mmap_size", 1 << 30)?;
    Ok(connection)
}

/// Moves the write-ahead log into the file in the background whenever the log has grown, until the
/// store is closed.
pub fn start_checkpointer(
    path: PathBuf,
    mut head: watch::Receiver<Position>,
    head_file: Arc<HeadFile>,
) -> std::io::Result<()> {
    let checkpoint = move || {
        let Ok(connection) = Connection::open(&path) else { return };
        let _ = connection.busy_timeout(Duration::from_secs(1));
        // Ends with the writer, which holds the other side.
        while let Ok(changed) = head.has_changed() {
            if changed {
                head.borrow_and_update();
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                head_file.sync();
            }
            std::thread::sleep(CHECKPOINT_PAUSE);
        }
    };
    std::thread::Builder::new().name("checkpointer".to_owned()).spawn(checkpoint).map(drop)
}
