//! What the store knows of its streams without asking the disk: where each one ends, where the
//! records stand that the index does not have yet, and the last records themselves. The writer
//! tells it of each commit once it is durable; readers and the index take it from here.

use std::collections::HashMap;
use std::sync::Arc;

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use parking_lot::RwLock;

use super::index::RecordRun;
use super::recent::{Kept, Recent};
use crate::store::chain::{Hash, Mark};

/// An append that is on disk.
#[derive(Debug, Clone)]
pub struct Written {
    /// The stream.
    pub stream: StreamId,
    /// Its number in the log.
    pub number: i64,
    /// Where the append's records stand.
    pub run: RecordRun,
}

/// A stream's records that the index does not have.
#[derive(Debug, Clone)]
pub struct TailStream {
    /// The stream's number in the log.
    pub number: i64,
    /// Where they stand, in the stream's order.
    pub runs: Vec<RecordRun>,
}

/// Where the records stand that the index does not have.
#[derive(Debug, Default)]
pub struct Tail {
    /// By stream.
    pub streams: HashMap<StreamId, TailStream>,
    /// Over all streams.
    pub runs: usize,
}

impl Tail {
    /// Takes an append's records in.
    pub fn add(&mut self, written: Written) {
        let Written { stream, number, run } = written;
        let known = self
            .streams
            .entry(stream)
            .or_insert_with(|| TailStream { number, runs: Vec::with_capacity(1) });
        if !known.runs.last_mut().is_some_and(|last| last.extend(run)) {
            known.runs.push(run);
            self.runs += 1;
        }
    }
}

/// Shared by the writer, the readers and the index.
#[derive(Debug)]
pub struct Streams {
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// How many events each stream has, by its number.
    lengths: Vec<u64>,
    /// What was appended since the index took its last batch.
    fresh: Tail,
    /// The batch that the index is taking, and where the log ended with it.
    taken: Arc<Tail>,
    taken_end: Mark,
    /// Where the log ends.
    end: Mark,
    recent: Recent,
}

impl Streams {
    /// Of a log that ends at `end`, whose streams are so long, and of which the index lacks `tail`.
    pub fn new(lengths: Vec<u64>, tail: Tail, end: Mark) -> Self {
        let inner = Inner {
            lengths,
            fresh: tail,
            taken: Arc::default(),
            taken_end: end,
            end,
            recent: Recent::after(end.position),
        };
        Self { inner: RwLock::new(inner) }
    }

    /// How many events the stream with this number has.
    pub fn length(&self, number: i64) -> u64 {
        place(number).and_then(|place| self.inner.read().lengths.get(place).copied()).unwrap_or(0)
    }

    /// The number of a stream that was written to lately.
    pub fn number(&self, stream: &StreamId) -> Option<i64> {
        let inner = self.inner.read();
        inner
            .fresh
            .streams
            .get(stream)
            .or_else(|| inner.taken.streams.get(stream))
            .map(|known| known.number)
    }

    /// Learns of a group of appends, in the log's order, that ends at `end`, with its records.
    /// Nobody may be told of them before.
    pub fn commit(&self, group: Vec<Written>, end: Mark, records: Vec<Kept>) {
        let mut inner = self.inner.write();
        for written in group {
            set_length(&mut inner.lengths, written.number, written.run.end());
            inner.fresh.add(written);
        }
        inner.end = end;
        let forgotten = inner.recent.push(records);
        drop(inner);
        // Not under the lock.
        drop(forgotten);
    }

    /// Where records of the stream stand that the index may not have: those from `from` on, before
    /// `until`. To be asked before the index is, which may take them in meanwhile.
    pub fn tail_of(&self, stream: &StreamId, from: u64, until: u64) -> Vec<RecordRun> {
        self.inner.read().tail_of(stream, from, until)
    }

    /// The stream's records from `from` on, at most `limit`, if all of them were appended lately.
    pub fn recent_of(
        &self,
        stream: &StreamId,
        from: Revision,
        limit: usize,
    ) -> Option<Vec<Recorded<Event>>> {
        let until = from.0.saturating_add(limit as u64);
        let inner = self.inner.read();
        let runs = inner.tail_of(stream, from.0, until);
        let is_whole = runs.first().is_some_and(|run| run.revision == from.0)
            && runs.is_sorted_by(|before, after| before.end() == after.revision);
        if !is_whole {
            return None;
        }
        let positions = runs.iter().flat_map(|run| run.position..run.position + run.length);
        positions
            .map(|position| {
                inner.recent.at(Position(position)).map(|kept| Recorded::clone(&kept.record))
            })
            .collect()
    }

    /// The log's records after `after`, at most `limit`, if all of them were appended lately.
    pub fn recent_after(&self, after: Position, limit: usize) -> Option<Vec<Arc<Recorded<Event>>>> {
        self.inner.read().recent.after_position(after, limit)
    }

    /// The chain after the record at `position`, if it was appended lately.
    pub fn recent_chain(&self, position: Position) -> Option<Hash> {
        self.inner.read().recent.at(position).map(|kept| kept.chain)
    }

    /// Forgets the last records, which are read from the log again.
    pub fn forget_recent(&self) {
        let mut inner = self.inner.write();
        let none = Recent::after(inner.end.position);
        let forgotten = std::mem::replace(&mut inner.recent, none);
        drop(inner);
        drop(forgotten);
    }

    /// How many runs wait for the index.
    pub fn waiting(&self) -> usize {
        self.inner.read().fresh.runs
    }

    /// What the index has to take in next, and where the log ended with it. It stays known until
    /// `indexed`.
    pub fn take(&self) -> (Arc<Tail>, Mark) {
        let mut inner = self.inner.write();
        // A batch that was not written is taken again, alone.
        if inner.taken.streams.is_empty() {
            inner.taken = Arc::new(std::mem::take(&mut inner.fresh));
            inner.taken_end = inner.end;
        }
        (Arc::clone(&inner.taken), inner.taken_end)
    }

    /// The index has what was taken.
    pub fn indexed(&self) {
        let taken = std::mem::take(&mut self.inner.write().taken);
        drop(taken);
    }
}

impl Inner {
    fn tail_of(&self, stream: &StreamId, from: u64, until: u64) -> Vec<RecordRun> {
        let tails = [&*self.taken, &self.fresh].into_iter();
        let runs = tails.filter_map(|tail| tail.streams.get(stream)).flat_map(|known| &known.runs);
        runs.filter_map(|run| run.part(from, until)).collect()
    }
}

/// Makes a stream at least so long, whose number must be one of the log's.
pub fn set_length(lengths: &mut Vec<u64>, number: i64, length: u64) {
    let Some(place) = place(number) else { return };
    if lengths.len() <= place {
        lengths.resize(place + 1, 0);
    }
    lengths[place] = lengths[place].max(length);
}

fn place(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}
