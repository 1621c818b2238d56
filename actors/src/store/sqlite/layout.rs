//! The tables of the log, and one record as a row of them: names stand once, and what follows from
//! another column is not stored.

use std::sync::Arc;

use events::envelope::{Position, Revision, StreamId};
use events::id::{CommandId, EventId};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};

use crate::store::chain::{self, Fields};
use crate::store::port::ReadError;
use crate::vault::Header;

/// The tables. An append touches the end of `events` and nothing else, but for a name that is new:
/// where the records of a stream stand is in a file of its own, `index.db`. A rowid table was
/// measured against WITHOUT ROWID, which was slower.
///
/// `streams`, `kinds` and `actors` hold each text once. The events of one command have its id, who
/// wanted it and when in common: they stand in the command's first record, and are NULL in the
/// `step`-th after it. `step` is an integer where the event's id is that of its command plus
/// `step`, as all are that this service writes, and the id itself elsewhere. `correlation` is where
/// the order's id stands in the payload, or the id itself.
pub const TABLES: &str = "
CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, UNIQUE \
(name, version)) STRICT;
CREATE TABLE actors (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE marks (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    position    INTEGER PRIMARY KEY,
    stream      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    step        ANY     NOT NULL,
    causation   BLOB,
    actor       INTEGER,
    at          INTEGER,
    correlation ANY,
    payload     BLOB    NOT NULL,
    checksum    INTEGER NOT NULL,
    chain       BLOB    NOT NULL
) STRICT;";

/// From this mark's position on no record is stamped before the one before it; earlier versions did
/// not hold to that.
pub const STAMPED_IN_ORDER: &str = "stamped_in_order_from";

/// The columns of a record, in the order `Compact::read` wants them.
pub const COLUMNS: &str = "position, stream, revision, kind, step, causation, actor, at, \
    correlation, payload, checksum, chain";

/// Writes a `Compact` row.
pub const INSERT: &str = "INSERT INTO events (position, stream, revision, kind, step, causation, \
    actor, at, correlation, payload, checksum, chain)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// A record as it is stored, with every field its digest is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Place in the log.
    pub position: Position,
    /// The stream's number; 0 in a log of the first layout.
    pub number: i64,
    /// The stream.
    pub stream: StreamId,
    /// Place in the stream.
    pub revision: Revision,
    /// The event's id.
    pub id: EventId,
    /// Name in the header.
    pub name: Arc<str>,
    /// Version in the header.
    pub version: u16,
    /// Milliseconds since 1970.
    pub at: i64,
    /// The command's id.
    pub causation: u128,
    /// The order's id, or zero.
    pub correlation: u128,
    /// Who wanted it.
    pub actor: Arc<str>,
    /// The payload.
    pub payload: Vec<u8>,
    /// The first bytes of the digest, as stored.
    pub checksum: i64,
    /// The chain after it, as stored.
    pub chain: chain::Hash,
}

impl StoredRecord {
    /// What its secrets are bound to.
    pub fn header(&self) -> Header<'_> {
        Header {
            stream: &self.stream,
            revision: self.revision,
            name: &self.name,
            version: self.version,
        }
    }

    /// What the digest is taken over.
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            stream: &self.stream,
            revision: self.revision,
            id: self.id,
            name: &self.name,
            version: self.version,
            at: self.at,
            causation: self.causation,
            correlation: self.correlation,
            actor: &self.actor,
            payload: &self.payload,
        }
    }

    /// The digest of what stands here now.
    pub fn digest(&self) -> chain::Hash {
        self.fields().digest()
    }
}

/// What the records of one command have in common; it stands in the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Where its first record stands.
    pub first: Position,
    /// Its id.
    pub causation: u128,
    /// Who wanted it: a row of `actors`.
    pub actor: i64,
    /// When it was decided.
    pub at: i64,
}

/// What is stored in an integer where it follows from something else, and as it is where it does
/// not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derived {
    /// How it follows.
    From(u32),
    /// The thing itself.
    Itself(u128),
}

impl ToSql for Derived {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::From(how) => ToSqlOutput::from(*how),
            Self::Itself(value) => ToSqlOutput::from(value.to_be_bytes().to_vec()),
        })
    }
}

/// How an event's id follows from its command's.
pub fn step(id: EventId, causation: u128) -> Derived {
    u32::try_from(id.0.wrapping_sub(causation)).map_or(Derived::Itself(id.0), Derived::From)
}

/// The event's id again.
pub fn event_id(step: Derived, causation: u128) -> EventId {
    match step {
        Derived::From(steps) => CommandId(causation).event(steps as usize),
        Derived::Itself(id) => EventId(id),
    }
}

/// Where an order's id stands in a payload, whose numbers are little-endian; `None` for no order.
pub fn correlation(order: u128, payload: &[u8]) -> Option<Derived> {
    let written = order.to_le_bytes();
    let place = || payload.windows(written.len()).position(|window| window == written);
    (order != 0).then(|| {
        place()
            .and_then(|place| u32::try_from(place).ok())
            .map_or(Derived::Itself(order), Derived::From)
    })
}

/// The order's id again; `None` if the payload has no such place.
pub fn order_id(correlation: Option<Derived>, payload: &[u8]) -> Option<u128> {
    match correlation {
        None => Some(0),
        Some(Derived::Itself(order)) => Some(order),
        Some(Derived::From(place)) => {
            payload.get(place as usize..)?.first_chunk().map(|bytes| u128::from_le_bytes(*bytes))
        }
    }
}

/// A row of `events`, with its names as their numbers.
#[derive(Debug)]
pub struct Compact {
    /// Place in the log.
    pub position: Position,
    /// A row of `streams`.
    pub stream: i64,
    /// Place in the stream.
    pub revision: Revision,
    /// A row of `kinds`.
    pub kind: i64,
    /// The event's id, from its command's.
    pub step: Derived,
    /// The command's id, who, and when; `None` where they stand `step` records before.
    pub command: Option<(u128, i64, i64)>,
    /// The order's id.
    pub correlation: Option<Derived>,
    /// The payload.
    pub payload: Vec<u8>,
    /// The first bytes of the digest.
    pub checksum: i64,
    /// The chain after it.
    pub chain: chain::Hash,
}

impl Compact {
    /// The row as it stands; a column that no version of the service writes so makes the record a
    /// corrupt one.
    pub fn read(row: &Row<'_>) -> Result<Self, ReadError> {
        let position: i64 = row.get(0).map_err(|error| ReadError::Failed(error.to_string()))?;
        let position = u64::try_from(position).unwrap_or(0);
        let corrupt =
            |error: rusqlite::Error| ReadError::Corrupt { position, detail: error.to_string() };
        let read = || -> rusqlite::Result<Self> {
            let revision: i64 = row.get(2)?;
            let causation: Option<[u8; 16]> = row.get(5)?;
            Ok(Self {
                position: Position(position),
                stream: row.get(1)?,
                revision: Revision(
                    u64::try_from(revision)
                        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(2, revision))?,
                ),
                kind: row.get(3)?,
                step: derived(row, 4)?.ok_or(rusqlite::Error::InvalidQuery)?,
                command: causation
                    .map(|causation| {
                        Ok::<_, rusqlite::Error>((
                            u128::from_be_bytes(causation),
                            row.get(6)?,
                            row.get(7)?,
                        ))
                    })
                    .transpose()?,
                correlation: derived(row, 8)?,
                payload: row.get(9)?,
                checksum: row.get(10)?,
                chain: row.get(11)?,
            })
        };
        read().map_err(corrupt)
    }
}

/// A column that holds something derived, or nothing.
pub fn derived(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Derived>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Integer(_) => Some(Derived::From(row.get(column)?)),
        ValueRef::Blob(_) | ValueRef::Real(_) | ValueRef::Text(_) => {
            Some(Derived::Itself(u128::from_be_bytes(row.get(column)?)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_command_s_and_a_step_or_itself() {
        for (id, causation) in [
            (7u128, 7u128),
            (9, 7),
            (7, 9),
            (0, u128::MAX),
            (u128::MAX, 0),
            (5, u128::MAX - 2),
            (1 << 33, 1),
        ] {
            assert_eq!(
                event_id(step(EventId(id), causation), causation),
                EventId(id),
                "{id} of {causation}"
            );
        }
        assert_eq!(
            step(EventId(0), u128::MAX),
            Derived::From(1),
            "ids wrap around as a command's events do"
        );
    }

    #[test]
    fn an_order_s_id_is_found_in_the_payload_or_kept() {
        let order = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128;
        let mut payload = vec![1, 0, 0, 0];
        payload.extend_from_slice(&order.to_le_bytes());
        assert_eq!(correlation(order, &payload), Some(Derived::From(4)));
        for (order, payload) in [
            (order, payload.as_slice()),
            (order, b"no order here".as_slice()),
            (order, &[]),
            (0, &[0; 40]),
            (1, &[0; 40]),
        ] {
            assert_eq!(order_id(correlation(order, payload), payload), Some(order));
        }
        assert_eq!(
            order_id(Some(Derived::From(30)), &payload),
            None,
            "a place behind the payload's end is damage"
        );
    }
}
