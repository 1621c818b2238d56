//! The file: `views.db`, its tables and its checkpoint. Whatever is wrong with it, it is thrown away and built anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use events::Event;
use events::envelope::{Position, Recorded};
use events::id::{AccountId, OrderId};
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;
use tokio::sync::{Notify, watch};

use crate::batch::Batch;
use crate::queries::{self, AccountView};
use crate::row::OrderRow;

/// Rises when a table or the meaning of a row changes: older files are rebuilt.
const SCHEMA_VERSION: i64 = 7;
/// Connections kept open for the next reader.
const IDLE: usize = 4;
/// How long a reply waits for the views to have its own append.
const PATIENCE: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
CREATE TABLE checkpoint (position INTEGER NOT NULL) STRICT;
INSERT INTO checkpoint VALUES (0);
CREATE TABLE accounts (
    account_id BLOB PRIMARY KEY, balance INTEGER NOT NULL, held INTEGER NOT NULL, spent INTEGER NOT NULL, orders INTEGER NOT NULL,
    completed INTEGER NOT NULL, cancelled INTEGER NOT NULL, expired INTEGER NOT NULL, failed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE orders (
    order_id BLOB PRIMARY KEY, account_id BLOB NOT NULL, platform TEXT NOT NULL, country TEXT NOT NULL, price INTEGER NOT NULL, status TEXT NOT NULL,
    placed_at INTEGER NOT NULL, assigned_at INTEGER, ended_at INTEGER, supplier TEXT NOT NULL, phone TEXT,
    first_revision INTEGER NOT NULL, last_revision INTEGER NOT NULL, position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_open ON orders (order_id) WHERE ended_at IS NULL;
CREATE INDEX orders_by_account ON orders (account_id, order_id);
CREATE INDEX orders_by_end ON orders (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX orders_by_phone ON orders (phone, assigned_at) WHERE phone IS NOT NULL;
CREATE TABLE usage (
    account_id BLOB NOT NULL, hour INTEGER NOT NULL, platform TEXT NOT NULL, country TEXT NOT NULL, orders INTEGER NOT NULL, completed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL, expired INTEGER NOT NULL, failed INTEGER NOT NULL, spent INTEGER NOT NULL, delivery_millis INTEGER NOT NULL,
    PRIMARY KEY (account_id, hour, platform, country)
) STRICT, WITHOUT ROWID;
CREATE TABLE outcomes (
    platform TEXT NOT NULL, country TEXT NOT NULL, bucket INTEGER NOT NULL, completed INTEGER NOT NULL, ended INTEGER NOT NULL, delivery_millis INTEGER NOT NULL,
    PRIMARY KEY (country, bucket, platform)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX outcomes_key ON outcomes (platform, country, bucket);
CREATE TABLE deliveries (
    account_id BLOB NOT NULL, sequence INTEGER NOT NULL, event TEXT NOT NULL, order_id BLOB, due_at INTEGER NOT NULL, revision INTEGER NOT NULL,
    status TEXT NOT NULL, attempts INTEGER NOT NULL, attempted_at INTEGER, outcome TEXT, http_status INTEGER, next_at INTEGER,
    PRIMARY KEY (account_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_open ON deliveries (account_id, sequence) WHERE status = 'pending';
";

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
    open: BTreeMap<OrderId, OrderRow>,
}

impl Views {
    /// Opens `views.db` in `directory`; one that is missing, broken or of another version starts empty.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join("views.db");
        let failed = |source| OpenError { path: path.clone(), source };
        let (connection, position) = match open_existing(&path) {
            Some(found) => found,
            None => (create(&path).map_err(failed)?, Position(0)),
        };
        let open = queries::open_rows(&connection).map_err(failed)?;
        let writer = Mutex::new(Writer { connection, open });
        Ok(Self { inner: Arc::new(Inner { path, writer, idle: Mutex::default(), checkpoint: watch::Sender::new(position), wanted: Notify::new() }) })
    }

    /// The checkpoint and every account's sums of the views in `directory`, as an auditor sees them; `None` if there are none.
    pub fn peek(directory: &Path) -> Option<(Position, BTreeMap<AccountId, AccountView>)> {
        let mut connection = open_reader(&directory.join("views.db")).ok()?;
        // One transaction: both are of the same moment.
        let transaction = connection.transaction().ok()?;
        let position: i64 = transaction.query_row("SELECT position FROM checkpoint", [], |row| row.get(0)).ok()?;
        let accounts = queries::all_accounts(&transaction).ok()?;
        Some((Position(u64::try_from(position).ok()?), accounts))
    }

    /// How far the views are, now and whenever they move.
    pub fn checkpoint(&self) -> watch::Receiver<Position> {
        self.inner.checkpoint.subscribe()
    }

    /// Folds records in, exactly once: those at or before the checkpoint are passed over. Blocks.
    pub fn apply(&self, records: &[Recorded<Event>]) -> Result<(), ViewError> {
        let mut writer = self.inner.writer.lock().map_err(|_| ViewError::Failed("the views' writer has failed before".to_owned()))?;
        let Writer { connection, open } = &mut *writer;
        let checkpoint = *self.inner.checkpoint.borrow();
        let mut fresh = records.iter().filter(|record| record.position > checkpoint).peekable();
        if fresh.peek().is_none() {
            return Ok(());
        }
        let written = write(connection, open, fresh);
        if written.is_err() {
            // The open orders in memory are ahead of the rows: take them from the rows again.
            *open = queries::open_rows(connection).map_err(failed)?;
        }
        self.inner.checkpoint.send_replace(written.map_err(failed)?);
        Ok(())
    }

    /// Waits until the views have `position`.
    pub async fn reach(&self, position: Position) -> Result<(), ViewError> {
        if *self.inner.checkpoint.borrow() >= position {
            return Ok(());
        }
        self.inner.wanted.notify_one();
        let mut checkpoint = self.checkpoint();
        let reached = tokio::time::timeout(PATIENCE, checkpoint.wait_for(|reached| *reached >= position)).await;
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
        tokio::task::spawn_blocking(work).await.map_err(|error| ViewError::Failed(error.to_string()))?
    }

    /// Reads on this thread.
    pub fn read_blocking<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, ViewError> {
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

fn write<'a>(
    connection: &mut Connection,
    open: &mut BTreeMap<OrderId, OrderRow>,
    records: impl Iterator<Item = &'a Recorded<Event>>,
) -> rusqlite::Result<Position> {
    let transaction = connection.transaction()?;
    let mut batch = Batch::new(open);
    for record in records {
        batch.apply(record);
    }
    let position = batch.write(&transaction)?;
    transaction.commit()?;
    Ok(position)
}

fn failed(error: rusqlite::Error) -> ViewError {
    ViewError::Failed(error.to_string())
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The views can be rebuilt: a sync would only be a wait. The file stays consistent, for WAL orders its writes.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.busy_timeout(Duration::from_secs(10))
}

/// The views as they were left, if they are whole and of this version.
fn open_existing(path: &Path) -> Option<(Connection, Position)> {
    if !path.exists() {
        return None;
    }
    let open = || -> rusqlite::Result<Option<(Connection, Position)>> {
        let connection = Connection::open(path)?;
        configure(&connection)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        // Written without syncs: after a power cut pages may be missing, and this is where it shows.
        let whole: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if version != SCHEMA_VERSION || whole != "ok" {
            return Ok(None);
        }
        let position: i64 = connection.query_row("SELECT position FROM checkpoint", [], |row| row.get(0))?;
        Ok(Some((connection, Position(u64::try_from(position).unwrap_or(0)))))
    };
    open().ok().flatten()
}

fn create(path: &Path) -> rusqlite::Result<Connection> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let _ = std::fs::remove_file(PathBuf::from(file));
    }
    tracing::info!(path = %path.display(), "the views are built from the log");
    let connection = Connection::open(path)?;
    configure(&connection)?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch(crate::deposits::SCHEMA)?;
    connection.execute_batch(crate::parts::SCHEMA)?;
    connection.execute_batch(crate::sources::SCHEMA)?;
    connection.execute_batch(crate::strays::SCHEMA)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(connection)
}
