//! Readers: any number of them beside the writer, each on a snapshot of its own. What they give was
//! checked on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::{EventId, OrderId};
use parking_lot::Mutex;

use super::failed;
use super::index::{self, IndexFile, RecordRun};
use super::layout::StoredRecord;
use super::log::{Found, Log};
use super::streams::Streams;
use crate::store::chain;
use crate::store::chain::Mark;
use crate::store::port::ReadError;
use crate::vault::{self, Vault};

/// Connections kept open for the next reader.
const IDLE: usize = 4;
/// Damaged records that are told of, each once: the first ones say enough.
const TOLD: usize = 256;
/// Records read at a time while the chain is walked.
const PAGE: usize = 4_096;

/// A pool of read-only connections.
#[derive(Debug)]
pub struct Readers {
    directory: PathBuf,
    idle: Arc<Mutex<Vec<Files>>>,
    damage: Arc<Damage>,
    vault: Option<Arc<Vault>>,
}

/// A log and its index, opened to read them.
#[derive(Debug)]
pub struct Files {
    /// The log.
    pub log: Log,
    /// Where the streams' records stand in it.
    pub index: IndexFile,
    /// The keys of its secrets, if they are encrypted.
    pub vault: Option<Arc<Vault>>,
}

impl Files {
    /// Those of a data directory that has been opened for writing.
    pub fn open(directory: &Path, vault: Option<Arc<Vault>>) -> Result<Self, ReadError> {
        let log = Log::open(&directory.join("events.db")).map_err(failed)?;
        let index = IndexFile::open_reader(&directory.join(index::FILE));
        Ok(Self {
            log,
            index: index.ok_or_else(|| {
                ReadError::Failed("index.db cannot be read; a start makes it anew".to_owned())
            })?,
            vault,
        })
    }
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
    /// A pool over the log in `directory`.
    pub fn new(directory: PathBuf, vault: Option<Arc<Vault>>) -> Self {
        Self { directory, idle: Arc::default(), damage: Arc::default(), vault }
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
        F: FnOnce(&Files) -> Result<T, ReadError> + Send + 'static,
    {
        let (directory, idle, damage) =
            (self.directory.clone(), Arc::clone(&self.idle), Arc::clone(&self.damage));
        let vault = self.vault.clone();
        let work = move || {
            let pooled = idle.lock().pop();
            let files = pooled.map_or_else(|| Files::open(&directory, vault), Ok)?;
            let outcome = read(&files).inspect_err(|error| damage.note(error));
            let mut idle = idle.lock();
            if idle.len() < IDLE {
                idle.push(files);
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

/// The stream's records from `from` on: each of that stream, one revision after the other, up to
/// where it ends, as they were written.
pub fn read_stream(
    files: &Files,
    streams: &Streams,
    stream: &StreamId,
    from: Revision,
    limit: usize,
) -> Result<Vec<Recorded<Event>>, ReadError> {
    let Some((number, length)) = extent(files, streams, stream)? else { return Ok(Vec::new()) };
    let until = length.min(from.0.saturating_add(limit as u64));
    let mut read =
        Vec::with_capacity(usize::try_from(until.saturating_sub(from.0)).unwrap_or(0).min(PAGE));
    for run in runs(files, streams, stream, number, from.0, until)? {
        for (revision, record) in (run.revision..).zip(in_run(files, stream, run)?) {
            read.push(of_stream(record, stream, revision, files.vault.as_deref())?);
        }
    }
    Ok(read)
}

/// The stream's number and how many events it has now: what is appended meanwhile comes with the
/// next read. `None` if there is no such stream.
pub fn extent(
    files: &Files,
    streams: &Streams,
    stream: &StreamId,
) -> Result<Option<(i64, u64)>, ReadError> {
    let known = streams.number(stream);
    let number = known.map_or_else(|| files.log.number_of(stream), |number| Ok(Some(number)))?;
    Ok(number.map(|number| (number, streams.length(number))))
}

/// The records that stand in a run of the stream, each in its place; they are not checked any
/// further.
pub fn in_run(
    files: &Files,
    stream: &StreamId,
    run: RecordRun,
) -> Result<Vec<StoredRecord>, ReadError> {
    let found =
        files.log.between(Position(run.position - 1), Position(run.position + run.length - 1));
    let mut found =
        found.map_err(|error| under(error, stream, Revision(run.revision)))?.into_iter();
    let mut records = Vec::with_capacity(found.len());
    for (revision, position) in (run.revision..run.end()).zip(run.position..) {
        let missing = || ReadError::Corrupt {
            position,
            detail: format!("it is revision {revision} of {stream}, and cannot be found"),
        };
        let record = found.next().ok_or_else(missing)??;
        if record.position.0 != position {
            return Err(missing());
        }
        records.push(record);
    }
    Ok(records)
}

/// Where the stream's records from `from` on stand, before `until`, without a gap.
pub fn runs(
    files: &Files,
    streams: &Streams,
    stream: &StreamId,
    number: i64,
    from: u64,
    until: u64,
) -> Result<Vec<RecordRun>, ReadError> {
    if from >= until {
        return Ok(Vec::new());
    }
    // Before the index is asked, which may take it in meanwhile.
    let tail = streams.tail_of(stream, from, until);
    let runs = files.index.before_tail(number, from, until, tail);
    let runs = runs.map_err(|error| under(failed(error), stream, Revision(from)))?;
    let mut due = from;
    let mut whole: Vec<RecordRun> = Vec::with_capacity(runs.len());
    for run in runs {
        if run.revision != due || run.position == 0 {
            break;
        }
        due = run.end();
        if !whole.last_mut().is_some_and(|last| last.extend(run)) {
            whole.push(run);
        }
    }
    if due != until {
        let position = whole.last().map_or(0, |last| last.position + last.length - 1);
        let detail = format!(
            "the index does not say where {stream} goes on with revision {due}; the next start \
             makes it anew"
        );
        return Err(ReadError::Corrupt { position, detail });
    }
    Ok(whole)
}

/// The record, if it is the one that was to stand there.
fn of_stream(
    record: StoredRecord,
    stream: &StreamId,
    revision: u64,
    vault: Option<&Vault>,
) -> Result<Recorded<Event>, ReadError> {
    let (position, found_stream, found) =
        (record.position.0, record.stream.clone(), record.revision.0);
    // The digest first: a record that was changed says so, whatever it says besides.
    let record = recorded(record, vault)?;
    if found_stream != *stream {
        return Err(ReadError::Corrupt {
            position,
            detail: format!("it is of {found_stream} and was found under {stream}"),
        });
    }
    if found != revision {
        return Err(ReadError::Corrupt {
            position,
            detail: format!("{stream} goes on here with revision {found} where {revision} was due"),
        });
    }
    Ok(record)
}

/// The log's records after `after`: one position after the other up to `head` at least, each bound
/// to the one before it by the chain.
pub fn read_all(
    files: &Files,
    after: Position,
    limit: usize,
    head: Position,
) -> Result<Vec<Arc<Recorded<Event>>>, ReadError> {
    let mut link = Link::behind(&files.log, after)?;
    let mut read = Vec::new();
    for record in following(&files.log, after, limit)? {
        let record = record?;
        link.step(&record)?;
        read.push(Arc::new(recorded(record, files.vault.as_deref())?));
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
fn under(error: ReadError, stream: &StreamId, from: Revision) -> ReadError {
    match error {
        ReadError::Corrupt { position, detail } => ReadError::Corrupt {
            position,
            detail: format!("{stream} from revision {} on: {detail}", from.0),
        },
        other => other,
    }
}

/// The ids of the events that stand at these places of streams, each checked; for those of a log
/// whose index is not there, the log is walked.
pub fn ids_at(
    log: &Log,
    index: Option<&IndexFile>,
    wanted: &BTreeMap<StreamId, Revision>,
) -> Result<BTreeMap<StreamId, EventId>, ReadError> {
    let mut ids = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(ids);
    }
    let mut take = |found: Found| {
        // Who reads the log finds what is broken in it; here it is no id.
        if let Ok(record) = found
            && wanted.get(&record.stream) == Some(&record.revision)
            && checked(&record).is_ok()
        {
            ids.insert(record.stream, record.id);
        }
    };
    let checkpoint = index
        .and_then(|index| index.checkpoint().ok())
        .map(|checkpoint| (checkpoint.position, checkpoint.chain));
    let mut position = Position(0);
    if let (Some(index), Some((indexed, chain))) = (index, checkpoint)
        && matches!(chain_at(log, indexed), Ok(Some(found)) if found == chain)
    {
        position = indexed;
        for (stream, revision) in wanted {
            let Some(number) = log.number_of(stream)? else { continue };
            for run in index.of_stream(number, revision.0, 1).unwrap_or_default() {
                let found =
                    log.between(Position(run.position.saturating_sub(1)), Position(run.position));
                found.into_iter().flatten().for_each(&mut take);
            }
        }
    }
    let end = log.end()?;
    while position < end {
        let through = Position(position.0 + PAGE as u64);
        log.between(position, through).into_iter().flatten().for_each(&mut take);
        position = through;
    }
    Ok(ids)
}

/// Whether the record's bytes are those that were written.
fn checked(record: &StoredRecord) -> Result<(), ReadError> {
    let position = record.position.0;
    if chain::checksum(&record.digest()) != record.checksum {
        return Err(ReadError::Corrupt {
            position,
            detail: "its bytes do not match their checksum".to_owned(),
        });
    }
    Ok(())
}

/// The record as it is served: only if its bytes are those that were written.
fn recorded(record: StoredRecord, vault: Option<&Vault>) -> Result<Recorded<Event>, ReadError> {
    checked(&record)?;
    let position = record.position.0;
    let event = vault::event_of(vault, record.header(), &record.payload)
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
