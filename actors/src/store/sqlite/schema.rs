//! The file of the log, `events.db`: how it is opened and laid out, and how its write-ahead log is
//! moved into it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use events::envelope::Position;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::watch;

use super::head::HeadFile;
use super::indexer::Indexer;
use super::layout::{STAMPED_IN_ORDER, TABLES};
use super::{OpenError, migrate};
use crate::store::chain::{Hash, Mark};

/// "TNEV": marks the file as an event log of this service.
const APPLICATION_ID: i64 = 0x544e_4556;
/// Rises when the tables change. Those before it are migrated; the second one had its index by
/// stream in the log's own file.
pub const SCHEMA_VERSION: i64 = 3;
/// The first one: every record had all its texts.
pub const FIRST_VERSION: i64 = 1;

/// An append touches the end of one table: with smaller pages there would be more of them, with
/// larger ones more to write again at each commit.
pub const PAGE_BYTES: u32 = 4_096;

/// What the write-ahead log may grow to.
pub const WAL_BYTES: u32 = 64 << 20;

/// How long whoever opens the file waits for others to leave it.
pub const PATIENCE: Duration = Duration::from_secs(10);

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

/// What is wrong with a file of SQLite's that has bytes and is not one; `None` for one that is
/// whole, empty, not there, or the rest of a crash while it was made.
pub fn broken_file(path: &Path) -> Option<String> {
    if std::fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return Some("it is no file".to_owned());
    }
    let check = |connection: Connection| -> rusqlite::Result<String> {
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
    };
    match open_reader(path).and_then(check) {
        Ok(whole) => (whole != "ok").then_some(whole),
        Err(error) => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
        .then(|| error.to_string()),
    }
}

/// Opens the log for the writer; one of an earlier layout is migrated before.
pub fn open_log(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source| OpenError::of_sqlite(path, source);
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
    connection.busy_timeout(PATIENCE).map_err(sqlite)?;
    match identity(&connection).map_err(sqlite)? {
        // One transaction: a crash in the middle of it leaves an empty file, not half a log.
        (0, 0) => {
            let (stamp, mark) = (stamp(), mark_stamped_in_order_from(Position(1)));
            connection
                .execute_batch(&format!("BEGIN; {TABLES} {mark} {stamp} COMMIT;"))
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
    made.execute_batch(TABLES)?;
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

/// Whether it is a log of an earlier layout.
pub fn is_of_earlier_layout(connection: &Connection) -> rusqlite::Result<bool> {
    let (application, version) = identity(connection)?;
    Ok(application == APPLICATION_ID && (FIRST_VERSION..SCHEMA_VERSION).contains(&version))
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
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "mmap_size", 1 << 30)?;
    Ok(connection)
}

/// Removes a database and what SQLite keeps beside it.
pub fn remove(path: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let _ = std::fs::remove_file(file);
    }
}

/// In the background, whenever the log has grown, until the store is closed: moves the write-ahead
/// log into the file, and has the index take in what it lacks.
pub fn start_checkpointer(
    path: PathBuf,
    mut head: watch::Receiver<Position>,
    head_file: Arc<HeadFile>,
    indexer: Arc<Indexer>,
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
            indexer.take_in_if_due(changed);
            std::thread::sleep(CHECKPOINT_PAUSE);
        }
    };
    std::thread::Builder::new().name("checkpointer".to_owned()).spawn(checkpoint).map(drop)
}
