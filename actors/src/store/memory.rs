//! The store in memory: for simulation, with faults to order. Same rules, no disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use events::Event;
use events::codec::{self, Encoded};
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::{CommandId, EventId, OrderId};
use events::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::chain::{self, Fields, Hash};
use super::port::{
    Append, AppendError, Appended, BoxFuture, EventStore, Expected, ReadError, Snapshot,
};
use super::records::{Record, Records};

/// How the next append is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is written, and the caller is told so.
    BeforeWriting,
    /// Nothing is written, and the caller is told that nobody knows.
    Lost,
    /// Everything is written, and the caller is told that nobody knows: as when the reply is lost.
    AfterWriting,
}

impl Failure {
    /// The append, with the failure that was ordered for it, if one was.
    pub async fn of(
        ordered: Option<Self>,
        append: impl Future<Output = Result<Appended, AppendError>>,
    ) -> Result<Appended, AppendError> {
        let unknown = || AppendError::Unknown("ordered to fail".to_owned());
        match ordered {
            None => append.await,
            Some(Self::BeforeWriting) => {
                Err(AppendError::NotWritten("ordered to fail before writing".to_owned()))
            }
            Some(Self::Lost) => Err(unknown()),
            Some(Self::AfterWriting) => append.await.and_then(|_| Err(unknown())),
        }
    }
}

#[derive(Debug, Clone)]
struct Stored {
    id: EventId,
    stream: StreamId,
    revision: Revision,
    at: Timestamp,
    causation: CommandId,
    correlation: Option<OrderId>,
    actor: Arc<str>,
    encoded: Encoded,
    digest: Hash,
    /// The chain after it.
    chain: Hash,
    /// An append is all or nothing: a crash leaves the log behind one of these.
    ends_append: bool,
}

#[derive(Debug, Default)]
struct Log {
    records: Vec<Stored>,
    streams: HashMap<StreamId, Vec<usize>>,
    snapshots: BTreeMap<StreamId, Snapshot>,
    failures: VecDeque<Option<Failure>>,
}

/// A log that lives as long as its last handle. Cloning shares it: a crash is to drop everything
/// else.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    log: Arc<Mutex<Log>>,
    head: Arc<watch::Sender<Position>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { log: Arc::default(), head: Arc::new(watch::Sender::new(Position(0))) }
    }
}

impl MemoryStore {
    /// The next appends fail so, in this order; `None` lets one succeed.
    pub fn fail_next(&self, failures: impl IntoIterator<Item = Option<Failure>>) {
        self.log.lock().failures.extend(failures);
    }

    /// How many events the log holds.
    pub fn len(&self) -> usize {
        self.log.lock().records.len()
    }

    /// Whether the log is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events the log held after each append: where a crash can have stopped it.
    pub fn stops(&self) -> Vec<usize> {
        self.log
            .lock()
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.ends_append)
            .map(|(place, _)| place + 1)
            .collect()
    }

    /// The log cut behind its first `events` events: what a crash then would have left.
    #[must_use]
    pub fn cut(&self, events: usize) -> Self {
        let cut = Self::default();
        {
            let (from, mut to) = (self.log.lock(), cut.log.lock());
            for record in from.records.iter().take(events) {
                to.push(record.clone());
            }
            cut.head.send_replace(Position(to.records.len() as u64));
        }
        cut
    }

    fn append_now(&self, append: &Append) -> Result<Appended, AppendError> {
        let mut log = self.log.lock();
        let last = log.places(&append.stream).len().checked_sub(1);
        let actual = last.map(|last| Revision(last as u64));
        if Expected::after(actual) != append.expected {
            return log.already_appended(append).ok_or(AppendError::Conflict { actual });
        }
        let last = append.events.last().map(|event| event.id);
        let not_before = log.records.last().map(|record| record.at);
        for (event, revision) in append.events.iter().zip(append.expected.next().0..) {
            let before = log.records.last().map_or(chain::GENESIS, |record| record.chain);
            let position = Position(log.records.len() as u64 + 1);
            let actor = event.metadata.actor.to_string();
            // As the file does: the log's times never run backwards.
            let at = not_before.map_or(event.metadata.at, |before| before.max(event.metadata.at));
            let fields = Fields {
                at: at.millis(),
                ..Fields::of(&append.stream, Revision(revision), event, &actor)
            };
            let digest = fields.digest();
            log.push(Stored {
                chain: chain::link(&before, position, &digest),
                ends_append: Some(event.id) == last,
                id: event.id,
                stream: append.stream.clone(),
                revision: Revision(revision),
                at,
                causation: event.metadata.causation,
                correlation: event.metadata.correlation,
                actor: actor.into(),
                digest,
                encoded: event.encoded.clone(),
            });
        }
        let position = Position(log.records.len() as u64);
        let revision = Revision(append.expected.next().0 + append.events.len() as u64 - 1);
        self.head.send_replace(position);
        Ok(Appended { revision, position })
    }
}

impl Log {
    fn push(&mut self, record: Stored) {
        let place = self.records.len();
        self.streams.entry(record.stream.clone()).or_default().push(place);
        self.records.push(record);
    }

    /// Where the stream's records stand.
    fn places(&self, stream: &StreamId) -> &[usize] {
        self.streams.get(stream).map(Vec::as_slice).unwrap_or_default()
    }

    fn already_appended(&self, append: &Append) -> Option<Appended> {
        let places = self.places(&append.stream);
        let first = usize::try_from(append.expected.next().0).ok()?;
        let mut last = None;
        for (index, event) in append.events.iter().enumerate() {
            let place = *places.get(first + index)?;
            if self.records[place].id != event.id {
                return None;
            }
            last = Some(Appended {
                revision: Revision((first + index) as u64),
                position: Position(place as u64 + 1),
            });
        }
        last
    }

    fn record(&self, place: usize) -> Record {
        let stored = self.records[place].clone();
        let Encoded { name, version, payload } = stored.encoded;
        Record {
            position: Position(place as u64 + 1),
            stream: stored.stream,
            revision: stored.revision,
            id: stored.id,
            name: name.into(),
            version,
            at: stored.at,
            causation: stored.causation,
            correlation: stored.correlation,
            actor: stored.actor,
            payload,
            digest: stored.digest,
            chain: stored.chain,
        }
    }

    fn recorded(&self, place: usize) -> Result<Recorded<Event>, ReadError> {
        let record = &self.records[place];
        let position = place as u64 + 1;
        let Encoded { name, version, payload } = &record.encoded;
        let event = codec::decode(name, *version, payload)
            .map_err(|source| ReadError::Undecodable { position, source })?;
        Ok(Recorded {
            id: record.id,
            stream: record.stream.clone(),
            revision: record.revision,
            position: Position(position),
            at: record.at,
            correlation: record.correlation,
            event,
        })
    }
}

impl EventStore for MemoryStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(async move {
            let ordered = self.log.lock().failures.pop_front().flatten();
            Failure::of(ordered, async { self.append_now(&append) }).await
        })
    }

    fn read_stream(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded<Event>>, ReadError>> {
        Box::pin(async move {
            let log = self.log.lock();
            let places = log.places(&stream).iter().skip(index(from.0)).take(limit);
            places.map(|place| log.recorded(*place)).collect()
        })
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Recorded<Event>>>, ReadError>> {
        Box::pin(async move {
            let log = self.log.lock();
            (index(after.0)..log.records.len())
                .take(limit)
                .map(|place| log.recorded(place).map(Arc::new))
                .collect()
        })
    }

    fn chain_at(&self, position: Position) -> BoxFuture<'_, Result<Option<Hash>, ReadError>> {
        Box::pin(async move {
            let log = self.log.lock();
            let place = position.0.checked_sub(1).map(index);
            Ok(place.map_or(Some(chain::GENESIS), |place| {
                log.records.get(place).map(|record| record.chain)
            }))
        })
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn load_snapshot(&self, stream: StreamId) -> BoxFuture<'_, Option<Snapshot>> {
        Box::pin(async move { self.log.lock().snapshots.get(&stream).cloned() })
    }

    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot) {
        self.log.lock().snapshots.insert(stream, snapshot);
    }
}

impl Records for MemoryStore {
    fn stored(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move {
            let log = self.log.lock();
            Ok((index(after.0)..log.records.len())
                .take(limit)
                .map(|place| log.record(place))
                .collect())
        })
    }

    fn stored_before(
        &self,
        before: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move {
            let log = self.log.lock();
            let end = index(before.0.saturating_sub(1)).min(log.records.len());
            Ok((0..end).rev().take(limit).map(|place| log.record(place)).collect())
        })
    }

    fn stored_in(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move {
            let log = self.log.lock();
            let places = log.places(&stream).iter().skip(index(from.0)).take(limit);
            Ok(places.map(|place| log.record(*place)).collect())
        })
    }

    fn stored_in_before(
        &self,
        stream: StreamId,
        before: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>> {
        Box::pin(async move {
            let log = self.log.lock();
            let places = log.places(&stream);
            let end = index(before.0).min(places.len());
            Ok(places.iter().take(end).rev().take(limit).map(|place| log.record(*place)).collect())
        })
    }

    fn end(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}

fn index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
