//! The one writer: takes every append that waits, writes them in one transaction with one sync,
//! then answers them all.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use events::envelope::{Position, Revision, StreamId};
use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, ffi, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::head::HeadFile;
use super::names::Numbers;
use super::schema::{self, LastRecord};
use super::scribe::{self, Scribe};
use super::space::Space;
use super::{OnFatal, log};
use crate::store::chain::{Fields, Hash};
use crate::store::port::{Append, AppendError, Appended, Expected};

/// Appends in one transaction: more would only make the first wait for the last.
const GROUP: usize = 256;
/// Stream ends remembered, to save a look-up per append.
const REMEMBERED_HEADS: usize = 200_000;
/// Pages of the write-ahead log at which it is started anew: at half of what it may grow to, for
/// the last readers may take a while to leave it.
const RESTART_PAGES: u32 = schema::WAL_BYTES / schema::PAGE_BYTES / 2;
/// Further pages before the next try, if somebody still reads.
const RETRY_PAGES: u32 = RESTART_PAGES / 8;
/// How long appends wait for readers to leave the write-ahead log.
const RESTART_PATIENCE: Duration = Duration::from_millis(50);
/// How long the writer waits for another process's lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Something for the writer to do.
pub enum Job {
    /// Append, then answer.
    Append(Box<Prepared>),
    /// Stop after what came before.
    Close(oneshot::Sender<()>),
}

/// An append with everything computed that does not need the writer.
pub struct Prepared {
    append: Append,
    /// Of each event: who wanted it, as text, and its digest.
    digests: Vec<(String, Hash)>,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Job {
    /// Computes texts and digests on the caller's thread: the writer is the bottleneck.
    pub fn append(append: Append, reply: oneshot::Sender<Result<Appended, AppendError>>) -> Self {
        let first = append.expected.next().0;
        let digests = append.events.iter().zip(first..).map(|(event, revision)| {
            let actor = event.metadata.actor.to_string();
            let digest = Fields::of(&append.stream, Revision(revision), event, &actor).digest();
            (actor, digest)
        });
        let digests = digests.collect();
        Self::Append(Box::new(Prepared { append, digests, reply }))
    }
}

/// What the writer has done.
#[derive(Debug, Default)]
pub struct Statistics {
    events: AtomicU64,
    syncs: AtomicU64,
    is_failing: AtomicBool,
}

impl Statistics {
    /// Events and syncs so far.
    pub fn read(&self) -> (u64, u64) {
        (self.events.load(Ordering::Relaxed), self.syncs.load(Ordering::Relaxed))
    }

    /// Whether the last append could not be written.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }
}

struct Writer {
    connection: Connection,
    last: LastRecord,
    heads: HashMap<StreamId, End>,
    scribe: Scribe,
    publish: watch::Sender<Position>,
    statistics: Arc<Statistics>,
    head_file: Arc<HeadFile>,
    on_fatal: OnFatal,
    space: Arc<Space>,
    /// Pages in the write-ahead log after the last commit.
    wal_pages: Arc<AtomicU32>,
    restart_at: u32,
}

/// A stream that exists: its number, and where it ends.
#[derive(Clone, Copy)]
struct End {
    stream: i64,
    revision: Revision,
}

/// What one transaction has done so far; it becomes the writer's once committed.
struct Group {
    last: LastRecord,
    heads: HashMap<StreamId, End>,
    events: u64,
}

/// Starts the writer's thread.
pub fn start(
    mut connection: Connection,
    last: LastRecord,
    queue: mpsc::Receiver<Job>,
    publish: watch::Sender<Position>,
    (statistics, space, head_file): (Arc<Statistics>, Arc<Space>, Arc<HeadFile>),
    on_fatal: OnFatal,
) -> std::io::Result<()> {
    let wal_pages = Arc::new(AtomicU32::new(0));
    let after_commit = Arc::clone(&wal_pages);
    let count = move |_: &mut Wal, pages| {
        after_commit.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    };
    connection.wal_hook(Some(count)).map_err(std::io::Error::other)?;
    let writer = Writer {
        connection,
        last,
        heads: HashMap::new(),
        scribe: Scribe::default(),
        publish,
        statistics,
        head_file,
        on_fatal,
        space,
        wal_pages,
        restart_at: RESTART_PAGES,
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
            if !self.write(waiting) {
                break;
            }
        }
        queue.close();
        // Everything is in the file: leave no write-ahead log behind.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.head_file.sync();
        drop(self);
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    /// Writes a group and answers it; false if the sync failed, after which nothing is acknowledged
    /// any more.
    fn write(&mut self, waiting: Vec<Prepared>) -> bool {
        if waiting.is_empty() {
            return true;
        }
        let mut group = Group { last: self.last, heads: HashMap::new(), events: 0 };
        let outcomes = self.in_transaction(&waiting, &mut group);
        match outcomes {
            Ok(outcomes) => {
                self.adopt(group);
                for (prepared, outcome) in waiting.into_iter().zip(outcomes) {
                    let _ = prepared.reply.send(outcome);
                }
                self.keep_wal_small();
                true
            }
            Err(Failure::NotWritten(error)) => {
                self.statistics.is_failing.store(true, Ordering::Relaxed);
                let _ = self.connection.execute_batch("ROLLBACK");
                self.scribe.forget();
                let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
                if is_full {
                    self.space.was_refused();
                }
                for prepared in waiting {
                    let failed = if is_full {
                        AppendError::NoSpace
                    } else {
                        AppendError::Failed(error.to_string())
                    };
                    let _ = prepared.reply.send(Err(failed));
                }
                true
            }
            Err(Failure::Unknown(error)) => {
                (self.on_fatal)(&format!("the event log could not be synced: {error}"));
                false
            }
        }
    }

    fn in_transaction(
        &mut self,
        waiting: &[Prepared],
        group: &mut Group,
    ) -> Result<Vec<Result<Appended, AppendError>>, Failure> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(Failure::NotWritten)?;
        let mut outcomes = Vec::with_capacity(waiting.len());
        for prepared in waiting {
            outcomes.push(self.append(prepared, group).map_err(Failure::NotWritten)?);
        }
        self.connection.execute_batch("COMMIT").map_err(Failure::of_commit)?;
        Ok(outcomes)
    }

    fn append(
        &mut self,
        prepared: &Prepared,
        group: &mut Group,
    ) -> rusqlite::Result<Result<Appended, AppendError>> {
        let Append { stream, expected, events } = &prepared.append;
        let end = self.end_of(stream, group)?;
        let actual = end.map(|end| end.revision);
        if Expected::after(actual) != *expected {
            return self
                .already_appended(&prepared.append, end)
                .map(|appended| appended.ok_or(AppendError::Conflict { actual }));
        }
        let number = match end {
            Some(end) => end.stream,
            None => Numbers::stream(&self.connection, stream)?,
        };
        let mut revision = expected.next();
        for (event, (actor, digest)) in events.iter().zip(&prepared.digests) {
            let mut fields = Fields::of(stream, revision, event, actor);
            let mut digest = *digest;
            if fields.at < group.last.at {
                // Decided before what was written first, or by a clock that was set back: the log's
                // times never run backwards.
                fields.at = group.last.at;
                digest = fields.digest();
            }
            let position = Position(group.last.position.0 + 1);
            let (checksum, chain) = scribe::seal(&group.last.chain, position, &digest);
            self.scribe.write(&self.connection, number, position, &fields, checksum, &chain)?;
            group.last = LastRecord { position, chain, at: fields.at };
            group.events += 1;
            revision = Revision(revision.0 + 1);
        }
        let revision = Revision(revision.0 - 1);
        group.heads.insert(stream.clone(), End { stream: number, revision });
        Ok(Ok(Appended { revision, position: group.last.position }))
    }

    fn end_of(&self, stream: &StreamId, group: &Group) -> rusqlite::Result<Option<End>> {
        if let Some(end) = group.heads.get(stream).or_else(|| self.heads.get(stream)) {
            return Ok(Some(*end));
        }
        let Some(number) = Numbers::find_stream(&self.connection, stream)? else { return Ok(None) };
        let mut last =
            self.connection.prepare_cached("SELECT max(revision) FROM events WHERE stream = ?1")?;
        let revision: Option<i64> = last.query_row(params![number], |row| row.get(0))?;
        Ok(revision.map(|revision| End { stream: number, revision: Revision(unsigned(revision)) }))
    }

    /// The earlier success of the same append: the same ids at the place it wants to write to.
    fn already_appended(
        &self,
        append: &Append,
        end: Option<End>,
    ) -> Result<Option<Appended>, rusqlite::Error> {
        let Some(end) = end else { return Ok(None) };
        let mut last = None;
        for (event, revision) in append.events.iter().zip(append.expected.next().0..) {
            match log::id_and_position(&self.connection, end.stream, Revision(revision))? {
                Some((id, position)) if id == event.id => {
                    last = Some(Appended { revision: Revision(revision), position });
                }
                _ => return Ok(None),
            }
        }
        Ok(last)
    }

    fn adopt(&mut self, group: Group) {
        if self.heads.len() + group.heads.len() > REMEMBERED_HEADS {
            self.heads.clear();
        }
        self.heads.extend(group.heads);
        self.last = group.last;
        // Before anybody is told: what was acknowledged and is not there any more is noticed.
        self.head_file.note(self.last.mark());
        self.statistics.is_failing.store(false, Ordering::Relaxed);
        self.statistics.events.fetch_add(group.events, Ordering::Relaxed);
        self.statistics.syncs.fetch_add(1, Ordering::Relaxed);
        self.publish.send_replace(group.last.position);
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

/// Why a group is not in the log.
enum Failure {
    /// Nothing of it is, and that is certain.
    NotWritten(rusqlite::Error),
    /// It may be, or not: nothing may be said any more.
    Unknown(rusqlite::Error),
}

impl Failure {
    /// A commit writes, then syncs. A write that failed leaves no whole commit behind; after a sync
    /// that failed nobody knows what is on disk.
    fn of_commit(error: rusqlite::Error) -> Self {
        let failed_to_write = error
            .sqlite_error()
            .is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_WRITE);
        if failed_to_write || error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
            Self::NotWritten(error)
        } else {
            Self::Unknown(error)
        }
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).expect("positions and revisions are written from unsigned numbers")
}
