//! Whole records for those who copy or tell the log, checked on the way as every read is.

use std::sync::Arc;

use events::Event;
use events::codec::DecodeError;
use events::envelope::{Position, Revision, StreamId};
use events::id::{CommandId, OrderId};
use events::time::Timestamp;
use tokio::sync::watch;

use super::SqliteStore;
use super::layout::StoredRecord;
use super::log::Log;
use super::reader::{self, Files, Link, Readers, following};
use super::streams::Streams;
use crate::store::chain::{self, Hash};
use crate::store::port::{BoxFuture, ReadError};
use crate::store::records::{Record, Records};
use crate::vault::{self, Header};

/// Records read between two looks at how large a page has become.
const STEP: usize = 32;
/// Of a page's payloads.
const PAGE_BYTES: usize = 512 * 1024;

/// Reads a log's files while its writer writes them.
#[derive(Debug, Clone)]
pub struct RecordReader {
    readers: Arc<Readers>,
    streams: Arc<Streams>,
    head: watch::Receiver<Position>,
}

impl RecordReader {
    /// Of the files that `readers` open, whose writer tells `streams` and `head` of each commit.
    pub(super) fn new(
        readers: Arc<Readers>,
        streams: Arc<Streams>,
        head: watch::Receiver<Position>,
    ) -> Self {
        Self { readers, streams, head }
    }

    fn after(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<Record>, ReadError>> {
        let head = *self.head.borrow();
        Box::pin(self.readers.run(move |files| stored(&files.log, after, limit, head)))
    }

    fn before(
        &self,
        before: Position,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<Record>, ReadError>> {
        let head = *self.head.borrow();
        let before = before.min(Position(head.0.saturating_add(1)));
        let read = move |log: &Log, from: u64, count| {
            stored(log, Position(from.saturating_sub(1)), count, head)
        };
        Box::pin(self.readers.run(move |files| {
            backwards(before.0, limit, |from, count| read(&files.log, from, count))
        }))
    }

    fn of_stream(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<Record>, ReadError>> {
        let streams = Arc::clone(&self.streams);
        Box::pin(self.readers.run(move |files| stored_in(files, &streams, &stream, from, limit)))
    }

    fn of_stream_before(
        &self,
        stream: StreamId,
        before: Revision,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<Record>, ReadError>> {
        let streams = Arc::clone(&self.streams);
        Box::pin(self.readers.run(move |files| {
            let Some((_, length)) = reader::extent(files, &streams, &stream)? else {
                return Ok(Vec::new());
            };
            // Revisions start at 0: one more than each is counted down.
            let above = before.0.min(length).saturating_add(1);
            backwards(above, limit, |from, count| {
                stored_in(files, &streams, &stream, Revision(from - 1), count)
            })
        }))
    }
}

impl Records for RecordReader {
    fn stored(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.after(after, limit)
    }

    fn stored_before(
        &self,
        before: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.before(before, limit)
    }

    fn stored_in(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.of_stream(stream, from, limit)
    }

    fn stored_in_before(
        &self,
        stream: StreamId,
        before: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.of_stream_before(stream, before, limit)
    }

    fn end(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }
}

impl SqliteStore {
    fn records(&self) -> RecordReader {
        let streams = Arc::clone(self.indexer.streams());
        RecordReader::new(Arc::clone(&self.readers), streams, self.head.clone())
    }
}

impl Records for SqliteStore {
    fn stored(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.records().after(after, limit)
    }

    fn stored_before(
        &self,
        before: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.records().before(before, limit)
    }

    fn stored_in(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.records().of_stream(stream, from, limit)
    }

    fn stored_in_before(
        &self,
        stream: StreamId,
        before: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        self.records().of_stream_before(stream, before, limit)
    }

    fn event_of(&self, record: &Record) -> Result<Event, DecodeError> {
        let Record { stream, revision, name, version, payload, .. } = record;
        let header = Header { stream, revision: *revision, name, version: *version };
        vault::event_of(self.vault().map(Arc::as_ref), header, payload)
    }

    fn end(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }
}

/// The places from `above` down to 1, in steps that are each read forwards.
fn backwards(
    above: u64,
    limit: usize,
    read: impl Fn(u64, usize) -> Result<Vec<Record>, ReadError>,
) -> Result<Vec<Record>, ReadError> {
    let (mut page, mut above) = (Page::default(), above);
    while page.has_room(limit) && above > 1 {
        let count = STEP.min(limit - page.records.len());
        let from = above.saturating_sub(count as u64).max(1);
        let mut step = read(from, usize::try_from(above - from).unwrap_or(STEP))?;
        step.reverse();
        for record in step {
            page.take(record);
        }
        above = from;
    }
    Ok(page.records)
}

pub(super) fn stored(
    log: &Log,
    after: Position,
    limit: usize,
    head: Position,
) -> Result<Vec<Record>, ReadError> {
    let mut page = Page::default();
    // A place that the log does not have yet has nothing behind it.
    if after >= head && log.end()? <= after {
        return Ok(page.records);
    }
    let mut link = Link::behind(log, after)?;
    while page.has_room(limit) {
        let count = STEP.min(limit - page.records.len());
        let step = following(log, link.position, count)?;
        let read = step.len();
        for record in step {
            let record = record?;
            let digest = link.step(&record)?;
            page.take(whole(record, digest)?);
        }
        if read < count {
            if link.position < head {
                let detail = format!("it and what follows up to {} cannot be found", head.0);
                return Err(ReadError::Corrupt { position: link.position.0 + 1, detail });
            }
            break;
        }
    }
    Ok(page.records)
}

fn stored_in(
    files: &Files,
    streams: &Streams,
    stream: &StreamId,
    from: Revision,
    limit: usize,
) -> Result<Vec<Record>, ReadError> {
    let (mut page, mut due) = (Page::default(), from.0);
    let Some((number, length)) = reader::extent(files, streams, stream)? else {
        return Ok(page.records);
    };
    while page.has_room(limit) && due < length {
        let until = length.min(due + STEP.min(limit - page.records.len()) as u64);
        for run in reader::runs(files, streams, stream, number, due, until)? {
            for record in reader::in_run(files, stream, run)? {
                let digest = record.digest();
                let (position, revision) = (record.position.0, record.revision.0);
                if record.stream != *stream || revision != due {
                    let detail = format!(
                        "it is revision {revision} of {} where revision {due} of {stream} was due",
                        record.stream
                    );
                    return Err(ReadError::Corrupt { position, detail });
                }
                page.take(whole(record, digest)?);
                due += 1;
            }
        }
    }
    Ok(page.records)
}

/// What a read has gathered so far.
#[derive(Default)]
struct Page {
    records: Vec<Record>,
    bytes: usize,
}

impl Page {
    fn has_room(&self, limit: usize) -> bool {
        self.records.len() < limit && self.bytes < PAGE_BYTES
    }

    fn take(&mut self, record: Record) {
        self.bytes += record.payload.len();
        self.records.push(record);
    }
}

/// The record as it is served: only if its bytes are those that were written.
fn whole(record: StoredRecord, digest: Hash) -> Result<Record, ReadError> {
    if chain::checksum(&digest) != record.checksum {
        return Err(ReadError::Corrupt {
            position: record.position.0,
            detail: "its bytes do not match their checksum".to_owned(),
        });
    }
    Ok(Record {
        position: record.position,
        stream: record.stream,
        revision: record.revision,
        id: record.id,
        name: record.name,
        version: record.version,
        at: Timestamp::from_millis(record.at),
        causation: CommandId(record.causation),
        correlation: (record.correlation != 0).then_some(OrderId(record.correlation)),
        actor: record.actor,
        payload: record.payload,
        digest,
        chain: record.chain,
    })
}
