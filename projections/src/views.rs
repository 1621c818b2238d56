//! The file: `views.db`, its tables and its checkpoint. Whatever is wrong with it, it is thrown
//! away and built anew.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use events::Event;
use events::envelope::{Position, Recorded};
use events::id::{AccountId, OrderId};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};
use thiserror::Error;
use tokio::sync::{Notify, watch};

use crate::accounts::AccountView;
use crate::batch::Batch;
use crate::row::OrderRow;
use crate::sums::{self, Changes};
use crate::{accounts, column, row};

/// Rises when a table or the meaning of a row changes: older files are rebuilt.
const SCHEMA_VERSION: i64 = 15;
/// Connections kept open for the next reader.
const IDLE: usize = 4;
/// How long a reply waits for the views to have its own append.
const PATIENCE: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
CREATE TABLE checkpoint (position INTEGER NOT NULL, chain BLOB) STRICT;
INSERT INTO checkpoint VALUES (0, NULL);
CREATE TABLE orders (
    order_id BLOB PRIMARY KEY, account_id BLOB NOT NULL, platform TEXT NOT NULL, country TEXT NOT \
    NULL, price INTEGER NOT NULL, status TEXT NOT NULL,
    placed_at INTEGER NOT NULL, assigned_at INTEGER, ended_at INTEGER, over_at INTEGER, supplier \
    TEXT NOT NULL, phone TEXT,
    first_revision INTEGER NOT NULL, last_revision INTEGER NOT NULL, position INTEGER NOT NULL, \
    is_test INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_open ON orders (order_id) WHERE over_at IS NULL;
CREATE INDEX orders_by_account ON orders (account_id, order_id);
CREATE INDEX orders_by_end ON orders (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX orders_by_over ON orders (over_at) WHERE over_at IS NOT NULL;
CREATE INDEX orders_by_phone ON orders (phone, assigned_at) WHERE phone IS NOT NULL;
CREATE TABLE usage (
    account_id BLOB NOT NULL, hour INTEGER NOT NULL, platform TEXT NOT NULL, country TEXT NOT \
    NULL, orders INTEGER NOT NULL, completed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL, expired INTEGER NOT NULL, failed INTEGER NOT NULL, spent INTEGER \
    NOT NULL, delivery_millis INTEGER NOT NULL,
    PRIMARY KEY (account_id, hour, platform, country)
) STRICT, WITHOUT ROWID;
CREATE TABLE outcomes (
    platform TEXT NOT NULL, country TEXT NOT NULL, bucket INTEGER NOT NULL, completed INTEGER NOT \
    NULL, ended INTEGER NOT NULL, delivery_millis INTEGER NOT NULL,
    PRIMARY KEY (country, bucket, platform)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX outcomes_key ON outcomes (platform, country, bucket);
CREATE TABLE deliveries (
    account_id BLOB NOT NULL, sequence INTEGER NOT NULL, event TEXT NOT NULL, order_id BLOB, \
    due_at INTEGER NOT NULL, revision INTEGER NOT NULL,
    status TEXT NOT NULL, attempts INTEGER NOT NULL, attempted_at INTEGER, outcome TEXT, \
    http_status INTEGER, next_at INTEGER,
    PRIMARY KEY (account_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_open ON deliveries (account_id, sequence) WHERE status = 'pending';
";

/// The log's hash chain after a record: by it the views know the log they were folded from.
pub type Chain = [u8; 32];

/// What stands where the views should be.
#[derive(Debug)]
pub enum Peek {
    /// None that this version reads: the next start builds them.
    Absent,
    /// Something that is not what was written, and why; the next start builds them anew.
    Broken(String),
    /// Views, whole and as they were written.
    Whole(Peeked),
}

/// The views as an auditor sees them, all at one moment.
#[derive(Debug)]
pub struct Peeked {
    /// How far they are.
    pub position: Position,
    /// The log's chain there; `None` if nobody told them.
    pub chain: Option<Chain>,
    /// Every account's sums.
    pub accounts: BTreeMap<AccountId, AccountView>,
}

/// The views could not be opened.
#[derive(Debug, Error)]
#[error("cannot open {path}: {source}")]
pub struct OpenError {
    path: PathBuf,
    source: rusqlite::Error,
}

/// A view could not be read.
#[derive(Debug, Clone, Error)]
pub enum ViewError {
    /// The views have not reached the position in time; try again shortly.
    #[error("the views are behind the log")]
    Behind,
    /// The disk has no room for what would be written; try again once there is.
    #[error("the disk has no room for the views")]
    NoRoom,
    /// The file could not be read.
    #[error("{0}")]
    Failed(String),
}

/// The views. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Views {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    writer: Mutex<Writer>,
    idle: Mutex<Vec<Connection>>,
    checkpoint: watch::Sender<Position>,
    /// Told when somebody waits: batches are then not held back to grow.
    wanted: Notify,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    sums: Changes,
    open: BTreeMap<OrderId, OrderRow>,
}

impl Views {
    /// Opens `views.db` in `directory`; one that is missing, broken or of another version starts
    /// empty.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join("views.db");
        let existing = open_existing(&path).and_then(|(opened, position)| {
            Some((row::open_rows(&opened.0).ok()?, opened, position))
        });
        let (open, (connection, sums), position) = match existing {
            Some(found) => found,
            None => (
                BTreeMap::new(),
                create(&path).map_err(|source| OpenError { path: path.clone(), source })?,
                Position(0),
            ),
        };
        let writer = Mutex::new(Writer { connection, sums, open });
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                writer,
                idle: Mutex::default(),
                checkpoint: watch::Sender::new(position),
                wanted: Notify::new(),
            }),
        })
    }

    /// How far the views in `directory` are and the log's chain there, without opening them for
    /// anything else; `None` if they cannot be read.
    pub fn reached(directory: &Path) -> Option<(Position, Option<Chain>)> {
        let path = directory.join("views.db");
        let connection = path.exists().then(|| open_reader(&path).ok()).flatten()?;
        checkpoint(&connection).ok()
    }

    /// Throws the views in `directory` away: they are of another past than the log's.
    pub fn discard(directory: &Path) {
        remove(&directory.join("views.db"));
    }

    /// The views in `directory` as an auditor sees them.
    pub fn peek(directory: &Path) -> Peek {
        Self::peek_telling(directory, |_| ())
    }

    /// The same; `told` hears how far they are before they are looked at, which takes seconds where
    /// they are long. It hears nothing where they are absent.
    pub fn peek_telling(directory: &Path, told: impl FnOnce(Position)) -> Peek {
        let path = directory.join("views.db");
        if std::fs::metadata(&path).is_ok_and(|file| !file.is_file()) {
            return Peek::Broken("it is no file".to_owned());
        }
        peek_at(&path, told).unwrap_or_else(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Peek::Broken(error.to_string())
            }
            // Not there, or what a crash has left of one that was being made.
            _ => Peek::Absent,
        })
    }

    /// How far the views are, now and whenever they move.
    pub fn checkpoint(&self) -> watch::Receiver<Position> {
        self.inner.checkpoint.subscribe()
    }

    /// Folds records in, exactly once: those at or before the checkpoint are passed over. Blocks.
    pub fn apply(&self, records: &[impl Borrow<Recorded<Event>>]) -> Result<(), ViewError> {
        self.apply_chained(records, None)
    }

    /// The same, with the log's chain after the last of them. Blocks.
    pub fn apply_chained(
        &self,
        records: &[impl Borrow<Recorded<Event>>],
        chain: Option<Chain>,
    ) -> Result<(), ViewError> {
        let mut writer = self
            .inner
            .writer
            .lock()
            .map_err(|_| ViewError::Failed("the views' writer has failed before".to_owned()))?;
        let Writer { connection, sums, open } = &mut *writer;
        let checkpoint = *self.inner.checkpoint.borrow();
        let mut fresh = records
            .iter()
            .map(Borrow::borrow)
            .filter(|record| record.position > checkpoint)
            .peekable();
        if fresh.peek().is_none() {
            return Ok(());
        }
        let written = write(connection, sums, open, fresh, chain);
        if written.is_err() {
            sums.forget();
            // The open orders in memory are ahead of the rows: take them from the rows again.
            *open = row::open_rows(connection).map_err(failed)?;
        }
        self.inner.checkpoint.send_replace(written.map_err(failed)?);
        Ok(())
    }

    /// Changes rows beside the log: what they say of what was erased there. Blocks.
    pub(crate) fn change(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), ViewError> {
        let writer = self.inner.writer.lock();
        let mut writer = writer
            .map_err(|_| ViewError::Failed("the views' writer has failed before".to_owned()))?;
        let Writer { connection, sums, .. } = &mut *writer;
        let changed = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            work(&transaction)?;
            sums.write(&transaction)?;
            transaction.commit()?;
            // What was there is in the journal until it is folded into the file.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        changed().map_err(|error| {
            sums.forget();
            failed(error)
        })
    }

    /// Waits until the views have `position`.
    pub async fn reach(&self, position: Position) -> Result<(), ViewError> {
        if *self.inner.checkpoint.borrow() >= position {
            return Ok(());
        }
        self.inner.wanted.notify_one();
        let mut checkpoint = self.checkpoint();
        let reached =
            tokio::time::timeout(PATIENCE, checkpoint.wait_for(|reached| *reached >= position))
                .await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(ViewError::Behind),
        }
    }

    /// Returns once somebody waits for the views to move.
    pub(crate) async fn wanted(&self) {
        self.inner.wanted.notified().await;
    }

    /// Reads on a thread that may block.
    pub async fn read<T, F>(&self, read: F) -> Result<T, ViewError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let views = self.clone();
        let work = move || views.read_blocking(read);
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| ViewError::Failed(error.to_string()))?
    }

    /// Reads on this thread.
    pub fn read_blocking<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ViewError> {
        let idle = || self.inner.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pooled = idle().pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => open_reader(&self.inner.path).map_err(failed)?,
        };
        let outcome = read(&connection).map_err(failed);
        let mut idle = idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        outcome
    }
}

fn peek_at(path: &Path, told: impl FnOnce(Position)) -> rusqlite::Result<Peek> {
    let mut connection = open_reader(path)?;
    // One transaction: everything is of the same moment.
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != SCHEMA_VERSION {
        return Ok(Peek::Absent);
    }
    let (position, chain) = checkpoint(&transaction)?;
    told(position);
    if !are_as_written(&transaction, path)? {
        return Ok(Peek::Broken("rows or pages are not those that were written".to_owned()));
    }
    let accounts = accounts::all(&transaction)?;
    Ok(Peek::Whole(Peeked { position, chain, accounts }))
}

/// Whether every page is whole, every index has its rows, and every row is the one that was
/// written: pages and indexes on a thread of their own, rows on this one.
fn are_as_written(connection: &Connection, path: &Path) -> rusqlite::Result<bool> {
    std::thread::scope(|scope| {
        let whole = scope.spawn(|| is_whole(&open_reader(path)?));
        let sums = sums::hold(connection);
        // A check that did not come to its end has found nothing whole.
        let whole = whole.join().unwrap_or(Ok(false));
        Ok(whole? && sums?)
    })
}

fn is_whole(connection: &Connection) -> rusqlite::Result<bool> {
    let found: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    Ok(found == "ok")
}

fn write<'a>(
    connection: &mut Connection,
    sums: &Changes,
    open: &mut BTreeMap<OrderId, OrderRow>,
    records: impl Iterator<Item = &'a Recorded<Event>>,
    chain: Option<Chain>,
) -> rusqlite::Result<Position> {
    let transaction = connection.transaction()?;
    let mut batch = Batch::new(open);
    for record in records {
        batch.apply(record);
    }
    let position = batch.write(&transaction, chain)?;
    sums.write(&transaction)?;
    transaction.commit()?;
    Ok(position)
}

fn failed(error: rusqlite::Error) -> ViewError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ViewError::NoRoom,
        _ => ViewError::Failed(error.to_string()),
    }
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<Changes> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The views can be rebuilt: a sync would only be a wait. The file stays consistent, for WAL
    // orders its writes.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    // What is erased must not stay in a page that is free.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.busy_timeout(Duration::from_secs(10))?;
    sums::prepare(connection)
}

/// The views as they were left, if they are whole and of this version.
fn open_existing(path: &Path) -> Option<((Connection, Changes), Position)> {
    if !path.exists() {
        return None;
    }
    let open = || -> rusqlite::Result<Option<((Connection, Changes), Position)>> {
        let connection = Connection::open(path)?;
        let sums = configure(&connection)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != SCHEMA_VERSION {
            return Ok(None);
        }
        // Written without syncs: after a power cut pages may be missing, and this is where it
        // shows; so do a page that has changed, an index that does not have its rows, and a row
        // that is not what was written.
        if !are_as_written(&connection, path)? {
            tracing::warn!(
                path = %path.display(),
                "the views are not as they were written; they are built anew"
            );
            return Ok(None);
        }
        let (position, _) = checkpoint(&connection)?;
        Ok(Some(((connection, sums), position)))
    };
    open().ok().flatten()
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<(Position, Option<Chain>)> {
    connection.query_row("SELECT position, chain FROM checkpoint", [], |row| {
        Ok((Position(column::count(row, 0)?), row.get(1)?))
    })
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let _ = std::fs::remove_file(PathBuf::from(file));
    }
}

pub fn create(path: &Path) -> rusqlite::Result<(Connection, Changes)> {
    remove(path);
    tracing::info!(path = %path.display(), "the views are built from the log");
    let connection = Connection::open(path)?;
    let sums = configure(&connection)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch(crate::deposits::SCHEMA)?;
    connection.execute_batch(crate::ends::SCHEMA)?;
    connection.execute_batch(crate::parts::SCHEMA)?;
    connection.execute_batch(crate::sources::SCHEMA)?;
    connection.execute_batch(crate::refusals::SCHEMA)?;
    connection.execute_batch(crate::reports::SCHEMA)?;
    connection.execute_batch(crate::strays::SCHEMA)?;
    connection.execute_batch(crate::accounts::SCHEMA)?;
    connection.execute_batch(crate::all_orders::SCHEMA)?;
    connection.execute_batch(crate::all_deliveries::SCHEMA)?;
    connection.execute_batch(crate::hourly::SCHEMA)?;
    sums::keep(&connection)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok((connection, sums))
}
