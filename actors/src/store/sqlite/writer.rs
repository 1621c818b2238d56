//! The one writer: takes every append that waits, writes them in one transaction with one sync, then answers them all.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use events::envelope::{Position, Revision, StreamId};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::OnFatal;
use super::schema::LastRecord;
use crate::store::chain::{self, Fields, Hash};
use crate::store::port::{Append, AppendError, Appended, Expected};

/// Appends in one transaction: more would only make the first wait for the last.
const GROUP: usize = 256;
/// Stream ends remembered, to save a look-up per append.
const REMEMBERED_HEADS: usize = 200_000;
/// Write-ahead log pages (4 KiB each) past which the writer itself checkpoints: the background one has not kept up.
const WAL_PAGES: i64 = 32_768;
/// Groups between two looks at the write-ahead log's size.
const GROUPS_BETWEEN_LOOKS: u64 = 4_096;

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
}

impl Statistics {
    /// Events and syncs so far.
    pub fn read(&self) -> (u64, u64) {
        (self.events.load(Ordering::Relaxed), self.syncs.load(Ordering::Relaxed))
    }
}

struct Writer {
    connection: Connection,
    last: LastRecord,
    heads: HashMap<StreamId, Revision>,
    publish: watch::Sender<Position>,
    statistics: Arc<Statistics>,
    on_fatal: OnFatal,
    groups: u64,
}

/// What one transaction has done so far; it becomes the writer's once committed.
struct Group {
    last: LastRecord,
    heads: HashMap<StreamId, Revision>,
    events: u64,
}

/// Starts the writer's thread.
pub fn start(
    connection: Connection,
    last: LastRecord,
    queue: mpsc::Receiver<Job>,
    publish: watch::Sender<Position>,
    statistics: Arc<Statistics>,
    on_fatal: OnFatal,
) -> std::io::Result<()> {
    let writer = Writer { connection, last, heads: HashMap::new(), publish, statistics, on_fatal, groups: 0 };
    std::thread::Builder::new().name("event-writer".to_owned()).spawn(move || writer.run(queue)).map(drop)
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
                next = if waiting.len() < GROUP && closing.is_none() { queue.try_recv().ok() } else { None };
            }
            if !self.write(waiting) {
                break;
            }
        }
        queue.close();
        // Everything is in the file: leave no write-ahead log behind.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        drop(self);
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    /// Writes a group and answers it; false if the sync failed, after which nothing is acknowledged any more.
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
            Err(Failure::BeforeCommit(error)) => {
                let _ = self.connection.execute_batch("ROLLBACK");
                for prepared in waiting {
                    let _ = prepared.reply.send(Err(AppendError::Failed(error.to_string())));
                }
                true
            }
            Err(Failure::Commit(error)) => {
                (self.on_fatal)(&format!("the event log could not be synced: {error}"));
                false
            }
        }
    }

    fn in_transaction(&self, waiting: &[Prepared], group: &mut Group) -> Result<Vec<Result<Appended, AppendError>>, Failure> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(Failure::BeforeCommit)?;
        let mut insert = self.connection.prepare_cached(INSERT).map_err(Failure::BeforeCommit)?;
        let mut outcomes = Vec::with_capacity(waiting.len());
        for prepared in waiting {
            outcomes.push(self.append(&mut insert, prepared, group).map_err(Failure::BeforeCommit)?);
        }
        drop(insert);
        self.connection.execute_batch("COMMIT").map_err(Failure::Commit)?;
        Ok(outcomes)
    }

    fn append(&self, insert: &mut CachedStatement<'_>, prepared: &Prepared, group: &mut Group) -> rusqlite::Result<Result<Appended, AppendError>> {
        let Append { stream, expected, events } = &prepared.append;
        let actual = self.end_of(stream, group)?;
        if Expected::after(actual) != *expected {
            return self.already_appended(&prepared.append).map(|appended| appended.ok_or(AppendError::Conflict { actual }));
        }
        let mut revision = expected.next();
        for (event, (actor, digest)) in events.iter().zip(&prepared.digests) {
            let position = Position(group.last.position.0 + 1);
            let chain = chain::link(&group.last.chain, position, digest);
            let fields = Fields::of(stream, revision, event, actor);
            insert.execute(params![
                signed(position.0),
                fields.stream.as_str(),
                signed(fields.revision.0),
                fields.id.0.to_be_bytes(),
                fields.name,
                fields.version,
                fields.at,
                fields.causation.to_be_bytes(),
                fields.correlation.to_be_bytes(),
                fields.actor,
                fields.payload,
                chain::checksum(digest),
                chain,
            ])?;
            group.last = LastRecord { position, chain };
            group.events += 1;
            revision = Revision(revision.0 + 1);
        }
        let revision = Revision(revision.0 - 1);
        group.heads.insert(stream.clone(), revision);
        Ok(Ok(Appended { revision, position: group.last.position }))
    }

    fn end_of(&self, stream: &StreamId, group: &Group) -> rusqlite::Result<Option<Revision>> {
        if let Some(revision) = group.heads.get(stream).or_else(|| self.heads.get(stream)) {
            return Ok(Some(*revision));
        }
        let mut last = self.connection.prepare_cached("SELECT max(revision) FROM events WHERE stream = ?1")?;
        let revision: Option<i64> = last.query_row(params![stream.as_str()], |row| row.get(0))?;
        Ok(revision.map(|revision| Revision(unsigned(revision))))
    }

    /// The earlier success of the same append: the same ids at the place it wants to write to.
    fn already_appended(&self, append: &Append) -> rusqlite::Result<Option<Appended>> {
        let mut find = self.connection.prepare_cached("SELECT event_id, position FROM events WHERE stream = ?1 AND revision = ?2")?;
        let mut last = None;
        for (event, revision) in append.events.iter().zip(append.expected.next().0..) {
            let found: Option<([u8; 16], i64)> =
                find.query_row(params![append.stream.as_str(), signed(revision)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            match found {
                Some((id, position)) if id == event.id.0.to_be_bytes() => {
                    last = Some(Appended { revision: Revision(revision), position: Position(unsigned(position)) });
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
        self.statistics.events.fetch_add(group.events, Ordering::Relaxed);
        self.statistics.syncs.fetch_add(1, Ordering::Relaxed);
        self.publish.send_replace(group.last.position);
    }

    fn keep_wal_small(&mut self) {
        self.groups += 1;
        if self.groups.is_multiple_of(GROUPS_BETWEEN_LOOKS) {
            let pages = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1)).unwrap_or(0);
            if pages > WAL_PAGES {
                let _ = self.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
            }
        }
    }
}

enum Failure {
    BeforeCommit(rusqlite::Error),
    Commit(rusqlite::Error),
}

const INSERT: &str =
    "INSERT INTO events (position, stream, revision, event_id, name, version, at, causation, correlation, actor, payload, checksum, chain)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

/// SQLite's integers are signed; positions and revisions never come near their end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("a log of 2^63 events does not fit any disk")
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).expect("positions and revisions are written from unsigned numbers")
}
