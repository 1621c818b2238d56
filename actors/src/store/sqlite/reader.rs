//! Readers: any number of them beside the writer, each on a snapshot of its own. What they give was
//! checked on the way.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use events::Event;
use events::codec;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::OrderId;
use parking_lot::Mutex;

use super::failed;
use super::head::Mark;
use super::layout::StoredRecord;
use super::log::{Found, Log};
use crate::store::chain;
use crate::store::port::ReadError;

/// Connections kept open for the next reader.
const IDLE: usize = 4;
/// Damaged records that are told of, each once: the first ones say enough.
const TOLD: usize = 256;
/// Records read at a time while the chain is walked.
const PAGE: usize = 4_096;

/// A pool of read-only connections.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Log>>>,
    damage: Arc<Damage>,
}

/// What was found broken so far.
#[derive(Debug, Default)]
struct Damage {
    reads: AtomicU64,
    /// Records that an operator has been told of.
    told: Mutex<BTreeSet<u64>>,
}

impl Damage {
    fn note(&self, error: &ReadError) {
        let (ReadError::Corrupt { position, .. } | ReadError::Undecodable { position, .. }) = error
        else {
            return;
        };
        self.reads.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told.lock();
        if told.len() < TOLD && told.insert(*position) {
            tracing::error!(%error, "the log is damaged: what stands there is not served; \
                `telenumerus audit verify` names everything");
        }
    }
}

impl Readers {
    /// A pool over the log at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, idle: Arc::default(), damage: Arc::default() }
    }

    /// Reads that met a damaged record.
    pub fn damaged(&self) -> u64 {
        self.damage.reads.load(Ordering::Relaxed)
    }

    /// Runs `read` on a thread that may block.
    pub fn run<T, F>(
        &self,
        read: F,
    ) -> impl Future<Output = Result<T, ReadError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Log) -> Result<T, ReadError> + Send + 'static,
    {
        let (path, idle, damage) =
            (self.path.clone(), Arc::clone(&self.idle), Arc::clone(&self.damage));
        let work = move || {
            let pooled = idle.lock().pop();
            let log = pooled.map_or_else(|| Log::open(&path), Ok).map_err(failed)?;
            let outcome = read(&log).inspect_err(|error| damage.note(error));
            let mut idle = idle.lock();
            if idle.len() < IDLE {
                idle.push(log);
            }
            outcome
        };
        async move {
            tokio::task::spawn_blocking(work)
                .await
                .map_err(|error| ReadError::Failed(error.to_string()))?
        }
    }
}

/// The stream's records from `from` on: each of that stream, one revision after the other, as they
/// were written.
pub fn read_stream(
    log: &Log,
    stream: &StreamId,
    from: Revision,
    limit: usize,
) -> Result<Vec<Recorded<Event>>, ReadError> {
    let records = log.of_stream(stream, from, limit).map_err(|error| under(error, stream, from))?;
    let mut read = Vec::with_capacity(records.len());
    for (due, record) in (from.0..).zip(records) {
        let record = record?;
        let (position, found, revision) =
            (record.position.0, record.stream.clone(), record.revision.0);
        // The digest first: a record that was changed says so, whatever it says besides.
        let record = recorded(record)?;
        if found != *stream {
            return Err(ReadError::Corrupt {
                position,
                detail: format!("it is of {found} and was found under {stream}"),
            });
        }
        if revision != due {
            return Err(ReadError::Corrupt {
                position,
                detail: format!(
                    "{stream} goes on here with revision {revision} where {due} was due"
                ),
            });
        }
        read.push(record);
    }
    Ok(read)
}

/// The log's records after `after`: one position after the other up to `head` at least, each bound
/// to the one before it by the chain.
pub fn read_all(
    log: &Log,
    after: Position,
    limit: usize,
    head: Position,
) -> Result<Vec<Recorded<Event>>, ReadError> {
    let mut link = Link::behind(log, after)?;
    let mut read = Vec::new();
    for record in following(log, after, limit)? {
        let record = record?;
        link.step(&record)?;
        read.push(recorded(record)?);
    }
    if read.len() < limit && link.position < head {
        let detail = format!("it and what follows up to {} cannot be found", head.0);
        return Err(ReadError::Corrupt { position: link.position.0 + 1, detail });
    }
    Ok(read)
}

/// Walks the chain from `from` to where the log ends; `from` must stand in the log as it is.
pub fn walk_from(log: &Log, from: Mark) -> Result<Mark, ReadError> {
    let mut link = Link { position: from.position, chain: from.chain };
    loop {
        let page = following(log, link.position, PAGE)?;
        let read = page.len();
        for record in page {
            link.step(&record?)?;
        }
        if read < PAGE {
            return Ok(Mark { position: link.position, chain: link.chain });
        }
    }
}

/// The chain after the record at `position`; `None` if the log has no such record.
pub fn chain_at(log: &Log, position: Position) -> Result<Option<chain::Hash>, ReadError> {
    let Some(before) = position.0.checked_sub(1) else { return Ok(Some(chain::GENESIS)) };
    let found = following(log, Position(before), 1)?.pop().transpose()?;
    Ok(found.filter(|record| record.position == position).map(|record| record.chain))
}

/// A place in the chain, from which the next record is checked.
pub(super) struct Link {
    pub(super) position: Position,
    chain: chain::Hash,
}

impl Link {
    pub(super) fn behind(log: &Log, position: Position) -> Result<Self, ReadError> {
        let chain = chain_at(log, position)?;
        let chain = chain.ok_or_else(|| ReadError::Corrupt {
            position: position.0,
            detail: "it cannot be found".to_owned(),
        })?;
        Ok(Self { position, chain })
    }

    pub(super) fn step(&mut self, record: &StoredRecord) -> Result<chain::Hash, ReadError> {
        let (position, due) = (record.position, Position(self.position.0 + 1));
        if position != due {
            return Err(ReadError::Corrupt {
                position: due.0,
                detail: "it cannot be found".to_owned(),
            });
        }
        let digest = record.digest();
        if chain::link(&self.chain, position, &digest) != record.chain {
            return Err(ReadError::Corrupt {
                position: position.0,
                detail: "the hash chain breaks here".to_owned(),
            });
        }
        *self = Self { position, chain: record.chain };
        Ok(digest)
    }
}

/// The log's records after `after`. SQLite names no record of a page that it cannot read; the place
/// says which it is.
pub(super) fn following(log: &Log, after: Position, limit: usize) -> Result<Vec<Found>, ReadError> {
    log.after(after, limit).map_err(|error| match error {
        ReadError::Corrupt { position: 0, detail } => ReadError::Corrupt {
            position: after.0 + 1,
            detail: format!("it or one of those after it: {detail}"),
        },
        other => other,
    })
}

/// The same of a stream.
pub(super) fn under(error: ReadError, stream: &StreamId, from: Revision) -> ReadError {
    match error {
        ReadError::Corrupt { position, detail } => ReadError::Corrupt {
            position,
            detail: format!("{stream} from revision {} on: {detail}", from.0),
        },
        other => other,
    }
}

/// The record as it is served: only if its bytes are those that were written.
fn recorded(record: StoredRecord) -> Result<Recorded<Event>, ReadError> {
    let position = record.position.0;
    if chain::checksum(&record.digest()) != record.checksum {
        return Err(ReadError::Corrupt {
            position,
            detail: "its bytes do not match their checksum".to_owned(),
        });
    }
    let event = codec::decode(&record.name, record.version, &record.payload)
        .map_err(|source| ReadError::Undecodable { position, source })?;
    Ok(Recorded {
        id: record.id,
        stream: record.stream,
        revision: record.revision,
        position: record.position,
        at: events::time::Timestamp::from_millis(record.at),
        correlation: (record.correlation != 0).then_some(OrderId(record.correlation)),
        event,
    })
}
