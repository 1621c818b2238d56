//! The hash chain: each record's digest, and the chain that binds every record to all before it.

use events::codec::Encoded;
use events::envelope::{Position, Revision, StreamId};
use events::id::EventId;
use ring::digest::{SHA256, digest};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the chain starts from.
pub const GENESIS: Hash = [0; 32];

/// A place in the log, and the chain after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The position; 0 for an empty log.
    pub position: Position,
    /// The chain after it.
    pub chain: Hash,
}

impl Mark {
    /// Where every log starts.
    pub const START: Self = Self { position: Position(0), chain: GENESIS };
}

/// What a record's digest is taken over, as stored.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    /// The stream.
    pub stream: &'a StreamId,
    /// The place in it.
    pub revision: Revision,
    /// The event's id.
    pub id: EventId,
    /// The event's name.
    pub name: &'a str,
    /// The version of its shape.
    pub version: u16,
    /// Milliseconds since 1970.
    pub at: i64,
    /// The command's id.
    pub causation: u128,
    /// The order's id, or zero.
    pub correlation: u128,
    /// Who wanted it, as text.
    pub actor: &'a str,
    /// The payload, codec byte included.
    pub payload: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of an event on its way into the log; `actor` is its metadata's, as text.
    pub fn of(
        stream: &'a StreamId,
        revision: Revision,
        event: &'a super::NewEvent,
        actor: &'a str,
    ) -> Self {
        let Encoded { name, version, payload } = &event.encoded;
        let metadata = &event.metadata;
        Self {
            stream,
            revision,
            id: event.id,
            name,
            version: *version,
            at: metadata.at.millis(),
            causation: metadata.causation.0,
            correlation: metadata.correlation.map_or(0, |order| order.0),
            actor,
            payload,
        }
    }

    /// SHA-256 over every field, each text behind its length, so that no two records share bytes.
    pub fn digest(&self) -> Hash {
        let mut bytes = Vec::with_capacity(192 + self.payload.len());
        let mut put = |field: &[u8]| {
            bytes.extend_from_slice(
                &u32::try_from(field.len())
                    .expect("fields are far shorter than 4 GB")
                    .to_be_bytes(),
            );
            bytes.extend_from_slice(field);
        };
        put(self.stream.as_str().as_bytes());
        put(&self.revision.0.to_be_bytes());
        put(&self.id.0.to_be_bytes());
        put(self.name.as_bytes());
        put(&self.version.to_be_bytes());
        put(&self.at.to_be_bytes());
        put(&self.causation.to_be_bytes());
        put(&self.correlation.to_be_bytes());
        put(self.actor.as_bytes());
        put(self.payload);
        sha256(&bytes)
    }
}

/// The part of a digest that stands beside each record, so that a single one can be checked without
/// its predecessor.
pub fn checksum(digest: &Hash) -> i64 {
    let (head, _) = digest.split_at(8);
    i64::from_be_bytes(head.try_into().expect("a split at 8 leaves 8 bytes"))
}

/// The chain after a record: over the chain before it, its position and its digest.
pub fn link(before: &Hash, position: Position, record: &Hash) -> Hash {
    let mut bytes = [0; 72];
    bytes[..32].copy_from_slice(before);
    bytes[32..40].copy_from_slice(&position.0.to_be_bytes());
    bytes[40..].copy_from_slice(record);
    sha256(&bytes)
}

/// A third of the time of an audit: in assembly it takes half as long.
fn sha256(bytes: &[u8]) -> Hash {
    digest(&SHA256, bytes).as_ref().try_into().expect("a SHA-256 has 32 bytes")
}
