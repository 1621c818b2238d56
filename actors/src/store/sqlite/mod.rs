//! The embedded store: SQLite with a write-ahead log, one writer thread, one sync for all appends
//! that wait.
//!
//! Holds: the schema, the writer, readers, snapshots. Never holds: what events mean.
//! Leans on: rusqlite. Proved by: the conformance suite in `tests/store.rs`, kill -9 in the root's
//! `tests/it/recovery.rs`.

mod audit_record;
mod backup;
#[cfg(test)]
mod behind;
mod commit_point;
mod copying;
#[cfg(test)]
mod damage;
mod first_layout;
mod head;
mod held_index;
mod index;
mod indexer;
mod inspect;
mod layout;
mod log;
mod migrate;
mod names;
mod opening;
mod reader;
mod recent;
mod records;
mod replica;
mod reserve;
mod rewrite;
mod schema;
mod scribe;
mod snapshots;
mod space;
mod stamps;
mod streams;
mod unwritten;
mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::time::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use super::chain::{Hash, Mark};
use super::port::{
    Append, AppendError, Appended, BoxFuture, EventStore, ReadError, Snapshot, Witness,
};
use super::shared::SharedLog;
use crate::vault::{MasterKey, Vault};
pub use audit_record::{AuditRecord, records_between};
pub use backup::{CopyError, backup, restore};
pub use inspect::{chain_in, end_in, inspect, is_unwritten, last_record, walk_chain};
pub use opening::{Loss, OpenError};
pub use records::RecordReader;
pub use replica::{Replica, ReplicaError};
pub use reserve::give_up as give_up_reserve;
pub use rewrite::{RewriteError, Rewritten, rewrite};
pub use space::{Room, free_in};
pub use stamps::Stamps;
pub use verify::{
    ChainFinding, records_after, verify_chain, verify_chain_opened, verify_chain_while,
};

/// Appends that may wait for the writer. Admission is limited far below, at the accounts.
const QUEUE: usize = 16_384;

/// What is called when a sync failed, or another node writes the log: it must end the process, for
/// nothing more may be acknowledged.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// The store over `events.db` in a data directory, with `snapshots.db` beside it.
pub struct SqliteStore {
    jobs: mpsc::Sender<writer::Job>,
    readers: Arc<reader::Readers>,
    indexer: Arc<indexer::Indexer>,
    head: watch::Receiver<Position>,
    snapshots: snapshots::Snapshots,
    vault: Option<Arc<Vault>>,
    statistics: Arc<writer::Statistics>,
    space: Arc<space::Space>,
    wal: PathBuf,
    last_stamp: Option<Timestamp>,
    witness: Arc<OnceLock<Arc<dyn Witness>>>,
    end: Mark,
    /// Whether the shared log keeps an answer back.
    is_silent: Arc<AtomicBool>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("head", &*self.head.borrow()).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens or creates the store in `directory`; a log that has lost something is refused.
    pub fn open(directory: &Path, on_fatal: OnFatal) -> Result<Self, OpenError> {
        Self::open_with(directory, on_fatal, Loss::Refused)
    }

    /// Opens or creates the store in `directory`.
    pub fn open_with(directory: &Path, on_fatal: OnFatal, loss: Loss) -> Result<Self, OpenError> {
        Self::open_under(directory, on_fatal, loss, None, None)
    }

    /// Opens or creates the store in `directory`. With a master key, secrets are encrypted from
    /// here on. Under a shared log it is this node's copy of it: then an append is taken once that
    /// log has it; the copy must end where the shared log does, and a runtime must be at hand.
    pub fn open_under(
        directory: &Path,
        on_fatal: OnFatal,
        loss: Loss,
        master: Option<&MasterKey>,
        shared_log: Option<Arc<dyn SharedLog>>,
    ) -> Result<Self, OpenError> {
        let path = directory.join("events.db");
        let (connection, log, last) = opening::open_held(directory, loss)?;
        let vault = opening::open_vault(directory, &log, loss, master)?.map(Arc::new);
        let head_file = Arc::new(opening::say_synced(directory, last.mark())?);
        let indexer = Arc::new(indexer::Indexer::load(directory, &log, last.mark())?);
        let snapshots = snapshots::Snapshots::open(&directory.join("snapshots.db"), vault.clone())?;
        let forgotten = snapshots.forget_other_pasts(
            &log,
            index::IndexFile::open_reader(&directory.join(index::FILE)).as_ref(),
        );
        if forgotten > 0 {
            tracing::warn!(forgotten, "snapshots of another past than the log's are thrown away");
        }
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (publish, head) = watch::channel(last.position);
        let statistics = Arc::default();
        let space = Arc::new(space::Space::of(directory.to_owned()));
        let shared = writer::Shared {
            statistics: Arc::clone(&statistics),
            space: Arc::clone(&space),
            head_file: Arc::clone(&head_file),
            indexer: Arc::clone(&indexer),
        };
        let is_silent = Arc::<AtomicBool>::default();
        let commit_point =
            shared_log.map(|log| commit_point::CommitPoint::new(log, Arc::clone(&is_silent)));
        writer::start(connection, last, queue, publish, shared, on_fatal, commit_point)
            .map_err(OpenError::Thread)?;
        schema::start_checkpointer(path, head.clone(), head_file, Arc::clone(&indexer))
            .map_err(OpenError::Thread)?;
        let wal = directory.join("events.db-wal");
        let last_stamp = (last.position.0 > 0).then_some(Timestamp::from_millis(last.at));
        let readers = Arc::new(reader::Readers::new(directory.to_owned(), vault.clone()));
        Ok(Self {
            jobs,
            readers,
            indexer,
            head,
            snapshots,
            vault,
            statistics,
            space,
            wal,
            last_stamp,
            witness: Arc::default(),
            end: last.mark(),
            is_silent,
        })
    }

    /// From here on, a stream that comes out shorter than `witness` has seen it is not served.
    pub fn witnessed_by(&self, witness: Arc<dyn Witness>) {
        let _ = self.witness.set(witness);
    }

    /// The keys of its secrets, if they are encrypted.
    pub fn vault(&self) -> Option<&Arc<Vault>> {
        self.vault.as_ref()
    }

    /// Forgets what it has in memory and in snapshots of this stream's secrets, after their keys
    /// were erased. Blocks.
    pub fn forget_secrets(&self, streams: &[StreamId]) -> Result<(), ReadError> {
        self.indexer.streams().forget_recent();
        streams.iter().try_for_each(|stream| self.snapshots.remove(stream)).map_err(failed)?;
        self.snapshots.fold().map_err(failed)
    }

    /// Whether appends can be written, as far as the last one shows.
    pub fn takes_appends(&self) -> bool {
        !self.statistics.is_failing()
            && !self.jobs.is_closed()
            && !self.is_silent.load(Ordering::Relaxed)
    }

    /// Where the log ended when it was opened.
    pub fn end_when_opened(&self) -> Mark {
        self.end
    }

    /// Reads that met a record which is not as it was written, since the store was opened.
    pub fn damaged_reads(&self) -> u64 {
        self.readers.damaged()
    }

    /// Snapshots that were not as they were written, or of another past, since the store was
    /// opened.
    pub fn snapshots_ignored(&self) -> u64 {
        self.snapshots.ignored()
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

    /// Keeps so many bytes of the disk for what is under way: below that there is no room for
    /// anything new.
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
    fn append(&self, mut append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(async move {
            assert!(!append.events.is_empty(), "an append has at least one event");
            if let Some(vault) = &self.vault {
                vault
                    .seal(&mut append)
                    .map_err(|error| AppendError::NotWritten(error.to_string()))?;
            }
            let (reply, answer) = oneshot::channel();
            self.jobs
                .send(writer::Job::append(append, reply))
                .await
                .map_err(|_| AppendError::Closed)?;
            // The writer had it, and has ended: at which step, nobody can say.
            answer.await.map_err(|_| AppendError::Unknown("the writer has ended".to_owned()))?
        })
    }

    fn read_stream(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded<Event>>, ReadError>> {
        if let Some(recent) = self.indexer.streams().recent_of(&stream, from, limit) {
            return Box::pin(std::future::ready(Ok(recent)));
        }
        let (witness, streams) = (Arc::clone(&self.witness), Arc::clone(self.indexer.streams()));
        Box::pin(self.readers.run(move |files| {
            // Asked before the log is read: what is appended meanwhile is no contradiction.
            let seen = witness.get().and_then(|witness| witness.end_of(&stream));
            let read = reader::read_stream(files, &streams, &stream, from, limit)?;
            ended_early(&stream, from, limit, read, seen)
        }))
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Recorded<Event>>>, ReadError>> {
        if let Some(recent) = self.indexer.streams().recent_after(after, limit) {
            return Box::pin(std::future::ready(Ok(recent)));
        }
        let head = *self.head.borrow();
        Box::pin(self.readers.run(move |files| reader::read_all(files, after, limit, head)))
    }

    fn chain_at(&self, position: Position) -> BoxFuture<'_, Result<Option<Hash>, ReadError>> {
        if let Some(chain) = self.indexer.streams().recent_chain(position) {
            return Box::pin(std::future::ready(Ok(Some(chain))));
        }
        Box::pin(self.readers.run(move |files| reader::chain_at(&files.log, position)))
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }

    fn has_room(&self) -> bool {
        !self.space.look().is_low
    }

    fn room_was_refused(&self) {
        self.space.was_refused();
    }

    fn load_snapshot(&self, stream: StreamId) -> BoxFuture<'_, Option<Snapshot>> {
        let snapshots = self.snapshots.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || snapshots.load(&stream)).await.ok().flatten()
        })
    }

    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) {
        let snapshots = self.snapshots.clone();
        tokio::task::spawn_blocking(move || snapshots.save(&stream, &snapshot));
    }

    fn ignored_snapshot(&self, stream: &StreamId) {
        tracing::warn!(%stream, "a snapshot does not fit the log; it is ignored and the stream is \
            replayed");
        self.snapshots.count_ignored();
    }
}

/// The records, unless they end before the event of the stream that was seen.
fn ended_early(
    stream: &StreamId,
    from: Revision,
    limit: usize,
    read: Vec<Recorded<Event>>,
    seen: Option<(Revision, Position)>,
) -> Result<Vec<Recorded<Event>>, ReadError> {
    let next = from.0 + read.len() as u64;
    match seen.filter(|(end, _)| read.len() < limit && end.0 >= next) {
        Some((end, position)) => {
            let detail =
                format!("it is revision {} of {stream}, which ends before revision {next}", end.0);
            Err(ReadError::Corrupt { position: position.0, detail })
        }
        None => Ok(read),
    }
}

/// What an error of SQLite's is for whoever reads.
fn failed(error: rusqlite::Error) -> ReadError {
    // SQLite's own words for a page that is not what it wrote.
    let is_broken = match &error {
        // A value that is not of its column's kind, or no text: nobody wrote it.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => true,
        _ => matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        ),
    };
    if is_broken {
        ReadError::Corrupt { position: 0, detail: error.to_string() }
    } else {
        ReadError::Failed(error.to_string())
    }
}
