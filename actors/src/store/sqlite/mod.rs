//! The embedded store: SQLite with a write-ahead log, one writer thread, one sync for all appends that wait.
//!
//! Holds: the schema, the writer, readers, snapshots. Never holds: what events mean.
//! Leans on: rusqlite. Proved by: the conformance suite in `tests/store.rs`, kill -9 in the root's `tests/it/recovery.rs`.

mod backup;
mod copying;
mod first_layout;
mod layout;
mod log;
mod migrate;
mod names;
mod reader;
mod schema;
mod scribe;
mod space;
mod stamps;
mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::EventId;
use events::time::Timestamp;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use super::port::{Append, AppendError, Appended, BoxFuture, EventStore, ReadError, Snapshot};
pub use backup::{CopyError, backup, restore};
pub use space::Room;
pub use stamps::Stamps;
pub use verify::{AuditRecord, ChainFinding, verify_chain};

/// Appends that may wait for the writer. Admission is limited far below, at the accounts.
const QUEUE: usize = 16_384;

/// What is called when a sync failed: it must end the process, for nothing more may be acknowledged.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// The store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// SQLite says no.
    #[error("cannot open {path}: {source}")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file is of a newer version of the service, or of another program.
    #[error("{path} is not an event log this version can write: {detail}")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The log of an earlier version could not be brought into today's layout; it is as it was.
    #[error("{path} is of an earlier version and could not be migrated, and is as it was: {detail}")]
    Migration {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        detail: String,
    },
    /// The log's last record could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The writer's thread could not be started.
    #[error("cannot start the writer thread: {0}")]
    Thread(std::io::Error),
}

/// The store over `events.db` in a data directory, with `snapshots.db` beside it.
pub struct SqliteStore {
    jobs: mpsc::Sender<writer::Job>,
    readers: Arc<reader::Readers>,
    head: watch::Receiver<Position>,
    snapshots: Arc<Mutex<Connection>>,
    statistics: Arc<writer::Statistics>,
    space: Arc<space::Space>,
    wal: PathBuf,
    last_stamp: Option<Timestamp>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("head", &*self.head.borrow()).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens or creates the store in `directory`.
    pub fn open(directory: &Path, on_fatal: OnFatal) -> Result<Self, OpenError> {
        let path = directory.join("events.db");
        let connection = schema::open_log(&path)?;
        let snapshots = schema::open_snapshots(&directory.join("snapshots.db"))?;
        let last = log::Log::open(&path).map_err(|source| OpenError::Sqlite { path: path.clone(), source })?.last()?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (publish, head) = watch::channel(last.position);
        let statistics = Arc::default();
        let space = Arc::new(space::Space::of(directory.to_owned()));
        writer::start(connection, last, queue, publish, Arc::clone(&statistics), Arc::clone(&space), on_fatal).map_err(OpenError::Thread)?;
        schema::start_checkpointer(path.clone(), head.clone()).map_err(OpenError::Thread)?;
        let wal = directory.join("events.db-wal");
        let last_stamp = (last.position.0 > 0).then_some(Timestamp::from_millis(last.at));
        let (readers, snapshots) = (Arc::new(reader::Readers::new(path)), Arc::new(Mutex::new(snapshots)));
        Ok(Self { jobs, readers, head, snapshots, statistics, space, wal, last_stamp })
    }

    /// Takes what is queued, then closes: later appends are refused.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.jobs.send(writer::Job::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }

    /// When the last record was decided that the log had when it was opened.
    pub fn last_stamp(&self) -> Option<Timestamp> {
        self.last_stamp
    }

    /// Keeps so many bytes of the disk for what is under way: below that there is no room for anything new.
    pub fn keep_free(&self, bytes: u64) {
        self.space.keep(bytes);
    }

    /// The room on the disk, now.
    pub fn room(&self) -> Room {
        self.space.look()
    }

    /// How long the write-ahead log is, in bytes.
    pub fn wal_bytes(&self) -> u64 {
        std::fs::metadata(&self.wal).map_or(0, |wal| wal.len())
    }

    /// Events and syncs since the store was opened.
    pub fn events_and_syncs(&self) -> (u64, u64) {
        self.statistics.read()
    }
}

impl EventStore for SqliteStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(async move {
            assert!(!append.events.is_empty(), "an append has at least one event");
            let (reply, answer) = oneshot::channel();
            self.jobs.send(writer::Job::append(append, reply)).await.map_err(|_| AppendError::Closed)?;
            answer.await.map_err(|_| AppendError::Closed)?
        })
    }

    fn read_stream(&self, stream: StreamId, from: Revision, limit: usize) -> BoxFuture<'_, Result<Vec<Recorded<Event>>, ReadError>> {
        Box::pin(self.readers.run(move |log| reader::read_stream(log, &stream, from, limit)))
    }

    fn read_all(&self, after: Position, limit: usize) -> BoxFuture<'_, Result<Vec<Recorded<Event>>, ReadError>> {
        Box::pin(self.readers.run(move |log| reader::read_all(log, after, limit)))
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }

    fn has_room(&self) -> bool {
        !self.space.look().is_low
    }

    fn load_snapshot(&self, stream: StreamId) -> BoxFuture<'_, Option<Snapshot>> {
        let snapshots = Arc::clone(&self.snapshots);
        let load = move || {
            let connection = snapshots.lock();
            let row = connection.query_row("SELECT revision, last_event, bytes FROM snapshots WHERE stream = ?1", params![stream.as_str()], |row| {
                let revision: i64 = row.get(0)?;
                let last_event: [u8; 16] = row.get(1)?;
                Ok(Snapshot {
                    revision: Revision(u64::try_from(revision).unwrap_or(0)),
                    last_event: EventId(u128::from_be_bytes(last_event)),
                    bytes: row.get(2)?,
                })
            });
            // A snapshot that cannot be read costs a replay, nothing else.
            row.optional().ok().flatten()
        };
        Box::pin(async move { tokio::task::spawn_blocking(load).await.ok().flatten() })
    }

    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) {
        let snapshots = Arc::clone(&self.snapshots);
        tokio::task::spawn_blocking(move || {
            let revision = i64::try_from(snapshot.revision.0).unwrap_or(i64::MAX);
            let saved = snapshots.lock().execute(
                "INSERT OR REPLACE INTO snapshots (stream, revision, last_event, bytes) VALUES (?1, ?2, ?3, ?4)",
                params![stream.as_str(), revision, snapshot.last_event.0.to_be_bytes(), snapshot.bytes],
            );
            if let Err(error) = saved {
                tracing::warn!(%stream, %error, "a snapshot was not saved; loading the stream will take longer");
            }
        });
    }
}

fn failed(error: rusqlite::Error) -> ReadError {
    // SQLite's own words for a page that is not what it wrote.
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            ReadError::Corrupt { position: 0, detail: error.to_string() }
        }
        _ => ReadError::Failed(error.to_string()),
    }
}
