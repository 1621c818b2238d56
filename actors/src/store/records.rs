//! The log record by record, with everything a digest is taken over: what a copy, an auditor or
//! another program needs of it.

use std::sync::Arc;

use events::Event;
use events::codec::{self, DecodeError};
use events::envelope::{Position, Revision, StreamId};
use events::id::{CommandId, EventId, OrderId};
use events::time::Timestamp;
use tokio::sync::watch;

use super::chain::{Fields, Hash};
use super::port::{BoxFuture, ReadError};

/// A record of the log, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Place in the log.
    pub position: Position,
    /// The stream.
    pub stream: StreamId,
    /// Place in the stream.
    pub revision: Revision,
    /// The event's id.
    pub id: EventId,
    /// The event's name.
    pub name: Arc<str>,
    /// The version of its shape.
    pub version: u16,
    /// When it was decided.
    pub at: Timestamp,
    /// The command that caused it.
    pub causation: CommandId,
    /// The order it belongs to, if it belongs to one.
    pub correlation: Option<OrderId>,
    /// Who wanted it, as text.
    pub actor: Arc<str>,
    /// The event's bytes.
    pub payload: Vec<u8>,
    /// The digest of all this but the position.
    pub digest: Hash,
    /// The chain after it.
    pub chain: Hash,
}

impl Record {
    /// What the digest is taken over.
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            stream: &self.stream,
            revision: self.revision,
            id: self.id,
            name: &self.name,
            version: self.version,
            at: self.at.millis(),
            causation: self.causation.0,
            correlation: self.correlation.map_or(0, |order| order.0),
            actor: &self.actor,
            payload: &self.payload,
        }
    }

    /// What happened; an error, if its secrets are encrypted.
    pub fn event(&self) -> Result<Event, DecodeError> {
        codec::decode(&self.name, self.version, &self.payload)
    }
}

/// Reads records from either end of the log or of a stream. A page ends early where its records are
/// large, and has at least one if there is any.
pub trait Records: Send + Sync + std::fmt::Debug + 'static {
    /// After a position, oldest first: each bound to the one before it by the chain.
    fn stored(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>>;

    /// Before a position, newest first.
    fn stored_before(
        &self,
        before: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>>;

    /// Of a stream, from a revision on, oldest first.
    fn stored_in(
        &self,
        stream: StreamId,
        from: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>>;

    /// Of a stream, before a revision, newest first.
    fn stored_in_before(
        &self,
        stream: StreamId,
        before: Revision,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, ReadError>>;

    /// What happened, by a record of this log.
    fn event_of(&self, record: &Record) -> Result<Event, DecodeError> {
        record.event()
    }

    /// The log's last durable position, now and whenever it moves.
    fn end(&self) -> watch::Receiver<Position>;
}
