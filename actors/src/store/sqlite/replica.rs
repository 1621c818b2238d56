//! A copy of another log that is written as it is read there: each record is held against the chain
//! before it is taken.

use std::path::Path;
use std::sync::Arc;

use events::envelope::{Position, Revision, StreamId};
use events::time::Timestamp;
use rusqlite::{Connection, params};
use thiserror::Error;
use tokio::sync::watch;

use super::commit_point;
use super::head::HeadFile;
use super::index::RecordRun;
use super::indexer::Indexer;
use super::layout::STAMPED_IN_ORDER;
use super::log::{Log, bounded};
use super::names::Numbers;
use super::opening::{self, Loss, OpenError};
use super::reader::Readers;
use super::records::RecordReader;
use super::schema::LastRecord;
use super::scribe::{self, Scribe};
use super::streams::Written;
use crate::store::chain::{Fields, Hash};
use crate::store::port::NewEvent;
use crate::store::records::Record;

/// Pages of the write-ahead log at which it is moved into the file.
const CHECKPOINT_PAGES: u32 = 4_096;

/// Why records are not in the copy; none of them is.
#[derive(Debug, Error)]
pub enum ReplicaError {
    /// They do not continue it.
    #[error("record {position} does not continue this copy: {detail}")]
    Broken {
        /// The record's position.
        position: u64,
        /// What is wrong.
        detail: String,
    },
    /// They could not be written.
    #[error("the copy could not be written: {0}")]
    Failed(String),
}

/// The copy, opened to be written; one process at a time.
pub struct Replica {
    connection: Connection,
    scribe: Scribe,
    last: LastRecord,
    head_file: HeadFile,
    served: Option<Served>,
}

/// What those need who read the copy while it is written.
struct Served {
    indexer: Indexer,
    publish: watch::Sender<Position>,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Replica {
    /// Opens or creates the copy in `directory`; one that has lost its end, or is broken there, is
    /// refused.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let (connection, _, last) = opening::open_held(directory, Loss::Refused)?;
        let sqlite = |source| OpenError::of_sqlite(&directory.join("events.db"), source);
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(sqlite)?;
        let head_file = opening::say_synced(directory, last.mark())?;
        Ok(Self { connection, scribe: Scribe::default(), last, head_file, served: None })
    }

    /// Has others read the copy in `directory`, which it was opened in, while it is written: its
    /// index by stream is kept up from here on.
    pub fn serve(&mut self, directory: &Path) -> Result<RecordReader, OpenError> {
        let path = directory.join("events.db");
        let log = Log::open(&path).map_err(|source| OpenError::of_sqlite(&path, source))?;
        let indexer = Indexer::load(directory, &log, self.last.mark())?;
        let (publish, head) = watch::channel(self.last.position);
        let readers = Arc::new(Readers::new(directory.to_owned(), None));
        let reader = RecordReader::new(readers, Arc::clone(indexer.streams()), head);
        self.served = Some(Served { indexer, publish });
        Ok(reader)
    }

    /// Where it ends, and the chain there.
    pub fn end(&self) -> (Position, Hash) {
        (self.last.position, self.last.chain)
    }

    /// When its last record was decided; `None` before the first.
    pub fn last_stamp(&self) -> Option<Timestamp> {
        (self.last.position.0 > 0).then_some(Timestamp::from_millis(self.last.at))
    }

    /// The record that an event would be, next in the log, at this place in its stream.
    pub fn next(&self, stream: &StreamId, revision: Revision, event: &NewEvent) -> Record {
        let actor = event.metadata.actor.to_string();
        let mut fields = Fields::of(stream, revision, event, &actor);
        fields.at = fields.at.max(self.last.at);
        let (digest, position) = (fields.digest(), Position(self.last.position.0 + 1));
        let (_, chain) = scribe::seal(&self.last.chain, position, &digest);
        commit_point::record(position, &fields, event, digest, chain)
    }

    /// Takes the records, all of them, synced, or none.
    pub fn extend(&mut self, records: &[Record]) -> Result<(), ReplicaError> {
        let begun = self
            .connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|error| ReplicaError::Failed(error.to_string()));
        let mut places = Vec::new();
        let written = begun.and_then(|()| self.write(records, &mut places)).and_then(|last| {
            self.connection
                .execute_batch("COMMIT")
                .map_err(|error| ReplicaError::Failed(error.to_string()))?;
            Ok(last)
        });
        match written {
            Ok(last) => {
                self.last = last;
                self.head_file.note(last.mark());
                if let Some(Served { indexer, publish }) = &self.served {
                    indexer.streams().commit(places, last.mark(), Vec::new());
                    publish.send_replace(last.position);
                    indexer.take_in_if_due(true);
                }
                Ok(())
            }
            Err(error) => {
                let _ = self.connection.execute_batch("ROLLBACK");
                self.scribe.forget();
                Err(error)
            }
        }
    }

    /// Writes the records, and where each of them stands.
    fn write(
        &mut self,
        records: &[Record],
        places: &mut Vec<Written>,
    ) -> Result<LastRecord, ReplicaError> {
        let failed = |error: rusqlite::Error| ReplicaError::Failed(error.to_string());
        let mut last = self.last;
        for record in records {
            let broken =
                |detail: String| ReplicaError::Broken { position: record.position.0, detail };
            if record.position.0 != last.position.0 + 1 {
                return Err(broken(format!("position {} was due", last.position.0 + 1)));
            }
            let fields = record.fields();
            let (checksum, chain) = scribe::seal(&last.chain, record.position, &fields.digest());
            if chain != record.chain {
                return Err(broken("the hash chain breaks here".to_owned()));
            }
            if fields.at < last.at {
                // Of a version that did not hold to the order yet.
                let moved = "UPDATE marks SET position = ?1 WHERE name = ?2";
                self.connection
                    .execute(moved, params![bounded(record.position.0 + 1), STAMPED_IN_ORDER])
                    .map_err(failed)?;
            }
            let stream = Numbers::stream(&self.connection, &record.stream).map_err(failed)?;
            self.scribe
                .write(&self.connection, stream, record.position, &fields, checksum, &chain)
                .map_err(failed)?;
            if self.served.is_some() {
                let (revision, position) = (record.revision.0, record.position.0);
                let run = RecordRun { revision, position, length: 1 };
                places.push(Written { stream: record.stream.clone(), number: stream, run });
            }
            last = LastRecord { position: record.position, chain, at: fields.at };
        }
        Ok(last)
    }

    /// Leaves no write-ahead log behind.
    pub fn close(self) {
        if let Some(Served { indexer, .. }) = &self.served {
            indexer.take_in();
        }
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.head_file.sync();
    }
}
