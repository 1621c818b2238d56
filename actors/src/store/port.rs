//! What every event store can do.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use events::Event;
use events::codec::{self, DecodeError, Encoded};
use events::envelope::{Metadata, Position, Recorded, Revision, StreamId};
use events::id::EventId;
use thiserror::Error;
use tokio::sync::watch;

use super::chain::Hash;

/// A future behind a pointer: the port is used as `dyn EventStore`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a stream must end with for an append to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The stream must not exist.
    NoStream,
    /// The stream's last event must stand here.
    Exact(Revision),
}

impl Expected {
    /// What must be expected of a stream that ends so.
    pub fn after(last: Option<Revision>) -> Self {
        last.map_or(Self::NoStream, Self::Exact)
    }

    /// Where the first appended event will stand.
    pub fn next(self) -> Revision {
        match self {
            Self::NoStream => Revision(0),
            Self::Exact(last) => Revision(last.0 + 1),
        }
    }
}

/// An event on its way into the log.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The same at every retry.
    pub id: EventId,
    /// Name, version and bytes.
    pub encoded: Encoded,
    /// Causes and time.
    pub metadata: Metadata,
    /// What was encoded: whoever reads it back soon need not decode it.
    pub event: Event,
}

impl NewEvent {
    /// The `index`-th event of the command in `metadata`.
    pub fn new(index: usize, event: Event, metadata: &Metadata) -> Self {
        let metadata = Metadata { correlation: event.order(), ..metadata.clone() };
        Self {
            id: metadata.causation.event(index),
            encoded: codec::encode(&event),
            metadata,
            event,
        }
    }
}

/// Events for one stream: all are taken, or none.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream.
    pub stream: StreamId,
    /// What it must end with.
    pub expected: Expected,
    /// At least one event.
    pub events: Vec<NewEvent>,
}

/// The append is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Where the last event stands in its stream.
    pub revision: Revision,
    /// Where the last event stands in the log.
    pub position: Position,
}

/// The append was not taken: each kind says whether it is in the log, and what its caller does.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The stream ends elsewhere, and nothing was written; reload it and decide again.
    #[error("the stream does not end where the append expects (it ends at {actual:?})")]
    Conflict {
        /// Where it ends.
        actual: Option<Revision>,
    },
    /// The store is closing; nothing was written, and nothing more is taken.
    #[error("the store is closed")]
    Closed,
    /// There is no room left on the disk; nothing was written, and something may be once there is.
    #[error("there is no room left on the disk")]
    NoSpace,
    /// The store failed, and nothing was written: the same append may be tried again.
    #[error("the store failed, and nothing was written: {0}")]
    NotWritten(String),
    /// The log that several nodes share does not take it for now, and nothing was written: the
    /// same append may be tried again.
    #[error("the shared log takes nothing, and nothing was written: {0}")]
    Away(String),
    /// It is in the log, or it is not: only the stream itself says so, and nothing is decided
    /// before it was read again.
    #[error("the store failed, and whether the append was written is unknown: {0}")]
    Unknown(String),
    /// The log that several nodes share has it, or has not, and this node ends before it can learn
    /// which: its own copy of the stream does not say so.
    #[error("whether the shared log has the append is unknown, and it is not asked any more: {0}")]
    Unsettled(String),
}

/// The log could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A record's bytes are not those that were written. It is not served.
    #[error("record {position} is corrupt: {detail}")]
    Corrupt {
        /// Where it stands.
        position: u64,
        /// What is wrong.
        detail: String,
    },
    /// A record of a name or version that this program does not know.
    #[error("record {position} cannot be decoded")]
    Undecodable {
        /// Where it stands.
        position: u64,
        /// Why.
        source: DecodeError,
    },
    /// The storage failed.
    #[error("the store could not be read: {0}")]
    Failed(String),
}

/// A stream's state at a revision, in its own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last event in it.
    pub revision: Revision,
    /// That event's id: a snapshot of another log does not match.
    pub last_event: EventId,
    /// The state.
    pub bytes: Vec<u8>,
}

/// Append, read stream, read all, subscribe.
pub trait EventStore: Send + Sync + std::fmt::Debug + 'static {
    /// Takes all the events, durably, or none; where it cannot tell which, it says `Unknown`. The
    /// same event ids at the place they already stand are an append that succeeded before.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>>;

    /// The stream's events from `from` on, oldest first, at most `limit`.
    fn read_stream(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded<Event>>, ReadError>>;

    /// The log's events after `after`, oldest first, at most `limit`.
    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Arc<Recorded<Event>>>, ReadError>>;

    /// The chain after the record at `position`, by which a copy or a view knows its own past;
    /// `None` if the log has no such record.
    fn chain_at(&self, position: Position) -> BoxFuture<'_, Result<Option<Hash>, ReadError>>;

    /// The log's last durable position, now and whenever it moves.
    fn head(&self) -> watch::Receiver<Position>;

    /// Whether there is room for what is new: orders and accounts. What is under way is appended as
    /// long as anything can be.
    fn has_room(&self) -> bool {
        true
    }

    /// Something beside the log found no room on the disk: what is held for such a moment is given
    /// up.
    fn room_was_refused(&self) {}

    /// The stream's snapshot, if there is one.
    fn load_snapshot(&self, stream: StreamId) -> BoxFuture<'_, Option<Snapshot>>;

    /// Keeps a snapshot in place of an older one. Losing it costs time, nothing else.
    fn save_snapshot(&self, stream: StreamId, snapshot: Snapshot);

    /// A snapshot did not fit the log, or was not understood, and is not used. To be counted.
    fn ignored_snapshot(&self, _stream: &StreamId) {}
}

/// Somebody who has seen the log besides its own index: a stream that comes out shorter than was
/// seen has lost its end.
pub trait Witness: Send + Sync + std::fmt::Debug + 'static {
    /// The last event of the stream that was seen: its place there and in the log. Blocks.
    fn end_of(&self, stream: &StreamId) -> Option<(Revision, Position)>;
}
