//! The one writer: takes every append that waits, writes them in one transaction with one sync,
//! then answers them all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use events::envelope::{Position, Recorded, Revision};
use events::time::Timestamp;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};

use self::group::{Group, Outcome};
use self::job::Prepared;
pub use self::job::{Job, Statistics};
use super::OnFatal;
use super::commit_point::CommitPoint;
use super::head::HeadFile;
use super::index::{IndexFile, RecordRun};
use super::indexer::Indexer;
use super::recent::Kept;
use super::schema::{self, LastRecord};
use super::scribe::Scribe;
use super::space::Space;
use super::unwritten::Failure;
use crate::store::chain::Hash;
use crate::store::port::{Append, AppendError, NewEvent};

mod group;
mod job;

/// Appends in one transaction: more would only make the first wait for the last.
const GROUP: usize = 256;
/// Pages of the write-ahead log at which it is started anew: at half of what it may grow to, for
/// the last readers may take a while to leave it.
const RESTART_PAGES: u32 = schema::WAL_BYTES / schema::PAGE_BYTES / 2;
/// Further pages before the next try, if somebody still reads.
const RETRY_PAGES: u32 = RESTART_PAGES / 8;
/// How long appends wait for readers to leave the write-ahead log.
const RESTART_PATIENCE: Duration = Duration::from_millis(50);
/// How long the writer waits for another process's lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// What the writer shares with the rest of the store.
pub struct Shared {
    /// What it has done.
    pub statistics: Arc<Statistics>,
    /// Who knows that the disk is full.
    pub space: Arc<Space>,
    /// How far the log is synced.
    pub head_file: Arc<HeadFile>,
    /// Who keeps the index behind the log, and what is known of the streams.
    pub indexer: Arc<Indexer>,
}

struct Writer {
    connection: Connection,
    last: LastRecord,
    scribe: Scribe,
    publish: watch::Sender<Position>,
    shared: Shared,
    on_fatal: OnFatal,
    /// Pages in the write-ahead log after the last commit.
    wal_pages: Arc<AtomicU32>,
    restart_at: u32,
    /// For the places of appends that are tried again.
    index: Option<IndexFile>,
    /// Where the log is another's, too.
    commit_point: Option<CommitPoint>,
}

/// Starts the writer's thread.
pub fn start(
    mut connection: Connection,
    last: LastRecord,
    queue: mpsc::Receiver<Job>,
    publish: watch::Sender<Position>,
    shared: Shared,
    on_fatal: OnFatal,
    commit_point: Option<CommitPoint>,
) -> std::io::Result<()> {
    let wal_pages = Arc::new(AtomicU32::new(0));
    let after_commit = Arc::clone(&wal_pages);
    let count = move |_: &mut Wal, pages| {
        after_commit.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    };
    connection.wal_hook(Some(count)).map_err(std::io::Error::other)?;
    let (scribe, restart_at, index) = (Scribe::default(), RESTART_PAGES, None);
    let writer = Writer {
        connection,
        last,
        scribe,
        publish,
        shared,
        on_fatal,
        wal_pages,
        restart_at,
        index,
        commit_point,
    };
    std::thread::Builder::new()
        .name("event-writer".to_owned())
        .spawn(move || writer.run(queue))
        .map(drop)
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut closing = None;
        while closing.is_none() {
            let Some(first) = queue.blocking_recv() else { break };
            let mut waiting = Vec::new();
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Append(prepared) => waiting.push(*prepared),
                    Job::Close(done) => closing = Some(done),
                }
                next = if waiting.len() < GROUP && closing.is_none() {
                    queue.try_recv().ok()
                } else {
                    None
                };
            }
            if !self.write(waiting, &mut Meanwhile { queue: &mut queue, closing: &mut closing }) {
                break;
            }
        }
        queue.close();
        // Everything is in the file: leave no write-ahead log behind.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.shared.head_file.sync();
        self.shared.indexer.take_in();
        drop(self);
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    /// Writes a group and answers it; false if the sync failed, after which nothing is acknowledged
    /// any more.
    fn write(&mut self, waiting: Vec<Prepared>, meanwhile: &mut Meanwhile<'_>) -> bool {
        if waiting.is_empty() {
            return true;
        }
        let mut group = Group::after(self.last, waiting.len(), self.commit_point.is_some());
        match self.in_transaction(&waiting, &mut group, meanwhile) {
            Ok(outcomes) => {
                self.adopt(waiting, outcomes, group);
                self.keep_wal_small();
                true
            }
            Err(Failure::NotWritten(error)) => {
                self.shared.statistics.is_failing.store(true, Ordering::Relaxed);
                let _ = self.connection.execute_batch("ROLLBACK");
                self.scribe.forget();
                let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
                if is_full {
                    self.shared.space.was_refused();
                }
                for prepared in waiting {
                    let failed = if is_full {
                        AppendError::NoSpace
                    } else {
                        AppendError::NotWritten(error.to_string())
                    };
                    let _ = prepared.reply.send(Err(failed));
                }
                true
            }
            Err(Failure::NotShared(detail)) => {
                let _ = self.connection.execute_batch("ROLLBACK");
                self.scribe.forget();
                for prepared in waiting {
                    let _ = prepared.reply.send(Err(AppendError::Away(detail.clone())));
                }
                true
            }
            Err(Failure::Unknown(error)) => {
                (self.on_fatal)(&format!("the event log could not be synced: {error}"));
                false
            }
            Err(Failure::Superseded(detail)) => {
                (self.on_fatal)(&detail);
                false
            }
            // The next start finds the group in the shared log, or does not.
            Err(Failure::GivenUp) => {
                for prepared in waiting {
                    let detail = "the store is closed".to_owned();
                    let _ = prepared.reply.send(Err(AppendError::Unsettled(detail)));
                }
                false
            }
        }
    }

    fn in_transaction(
        &mut self,
        waiting: &[Prepared],
        group: &mut Group,
        meanwhile: &mut Meanwhile<'_>,
    ) -> Result<Vec<Outcome>, Failure> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(Failure::NotWritten)?;
        let mut outcomes = Vec::with_capacity(waiting.len());
        for prepared in waiting {
            outcomes.push(self.append(prepared, group).map_err(Failure::NotWritten)?);
        }
        let is_shared = self.share(group, meanwhile)?;
        // What the shared log has is in the log, whatever becomes of this copy of it.
        let failed = if is_shared { Failure::Unknown } else { Failure::of_commit };
        self.connection.execute_batch("COMMIT").map_err(failed)?;
        Ok(outcomes)
    }

    /// Has the shared log take the group, if there is one; whether it did.
    fn share(&self, group: &mut Group, meanwhile: &mut Meanwhile<'_>) -> Result<bool, Failure> {
        let (Some(point), Some(records)) = (&self.commit_point, group.records.take()) else {
            return Ok(false);
        };
        point.commit(self.last.mark(), records.into(), || meanwhile.turn_away())?;
        Ok(true)
    }

    /// Makes what was committed known, then answers.
    fn adopt(&mut self, waiting: Vec<Prepared>, outcomes: Vec<Outcome>, group: Group) {
        let events = group.sealed.len();
        let (mut written, mut sealed) = (group.written.iter(), group.sealed.into_iter());
        let (mut records, mut answers) =
            (Vec::with_capacity(events), Vec::with_capacity(waiting.len()));
        for (Prepared { append, reply, .. }, outcome) in waiting.into_iter().zip(outcomes) {
            let answer = match outcome {
                Outcome::Answered(answer) => answer,
                Outcome::Written(appended) => {
                    if let Some(written) = written.next() {
                        keep(append, written.run, &mut sealed, &mut records);
                    }
                    Ok(appended)
                }
            };
            answers.push((reply, answer));
        }
        self.last = group.last;
        // Before anybody is told: what was acknowledged and is not there any more is noticed.
        self.shared.head_file.note(self.last.mark());
        self.shared.indexer.streams().commit(group.written, self.last.mark(), records);
        let statistics = &self.shared.statistics;
        statistics.is_failing.store(false, Ordering::Relaxed);
        statistics.events.fetch_add(events as u64, Ordering::Relaxed);
        statistics.syncs.fetch_add(1, Ordering::Relaxed);
        self.publish.send_replace(self.last.position);
        for (reply, answer) in answers {
            let _ = reply.send(answer);
        }
    }

    /// Moves the write-ahead log into the file and starts it anew once it is long. The checkpointer
    /// alone would never get there under load: it starts anew only when everything in it is in the
    /// file and nobody reads from it, and by then there is always another commit.
    fn keep_wal_small(&mut self) {
        let pages = self.wal_pages.load(Ordering::Relaxed);
        if pages < self.restart_at {
            return;
        }
        let _ = self.connection.busy_timeout(RESTART_PATIENCE);
        let is_held = self
            .connection
            .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, bool>(0))
            .unwrap_or(true);
        let _ = self.connection.busy_timeout(LOCK_PATIENCE);
        if is_held && pages >= 2 * RESTART_PAGES && self.restart_at < 2 * RESTART_PAGES {
            tracing::warn!(
                pages,
                "the write-ahead log grows beyond its bound: somebody has been reading the same \
                 moment of events.db for long"
            );
        }
        self.restart_at = if is_held { pages + RETRY_PAGES } else { RESTART_PAGES };
    }
}

/// What comes while a group waits for the shared log.
struct Meanwhile<'a> {
    queue: &'a mut mpsc::Receiver<Job>,
    closing: &'a mut Option<oneshot::Sender<()>>,
}

impl Meanwhile<'_> {
    /// Nobody waits behind a log that does not answer: what is queued is told so. False if the
    /// store is to close.
    fn turn_away(&mut self) -> bool {
        while let Ok(job) = self.queue.try_recv() {
            match job {
                Job::Append(prepared) => {
                    let detail = "the shared log does not answer".to_owned();
                    let _ = prepared.reply.send(Err(AppendError::Away(detail)));
                }
                Job::Close(done) => *self.closing = Some(done),
            }
        }
        self.closing.is_none()
    }
}

/// Keeps an append's records for whoever reads them soon.
fn keep(
    append: Append,
    run: RecordRun,
    sealed: &mut impl Iterator<Item = (i64, Hash)>,
    records: &mut Vec<Kept>,
) {
    let Append { stream, events, .. } = append;
    for (step, (event, (at, chain))) in (0..).zip(events.into_iter().zip(sealed)) {
        let NewEvent { id, encoded, metadata, event } = event;
        let record = Recorded {
            id,
            stream: stream.clone(),
            revision: Revision(run.revision + step),
            position: Position(run.position + step),
            at: Timestamp::from_millis(at),
            correlation: metadata.correlation,
            event,
        };
        records.push(Kept { record: Arc::new(record), chain, bytes: encoded.payload.len() });
    }
}
