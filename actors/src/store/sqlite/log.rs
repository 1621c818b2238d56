//! `events.db`, opened to read it: records of either layout, whole, in the order of the log or of
//! one stream.

use std::cell::RefCell;
use std::path::Path;

use events::envelope::{Position, StreamId};
use events::id::EventId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::layout::{self, Command, Compact, Derived, StoredRecord};
use super::names::{Names, Numbers};
use super::schema::{self, LastRecord};
use super::{failed, first_layout};
use crate::store::chain::GENESIS;
use crate::store::port::ReadError;

/// A record as it was found: one that cannot be put together is an error of its own, and those
/// around it are still there.
pub type Found = Result<StoredRecord, ReadError>;

/// A log on disk, also while the service writes it.
#[derive(Debug)]
pub struct Log {
    connection: Connection,
    version: i64,
    names: RefCell<Names>,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// In the log.
    pub position: u64,
    /// The number of its stream.
    pub stream: i64,
    /// In its stream.
    pub revision: u64,
}

impl Log {
    /// Opens the log at `path`, of whichever layout it is.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = schema::open_reader(path)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(Self { connection, version, names: RefCell::default() })
    }

    fn is_compact(&self) -> bool {
        self.version != schema::FIRST_VERSION
    }

    /// Whether it is of today's layout: the index by stream stands in a file of its own.
    pub fn is_current(&self) -> bool {
        self.version == schema::SCHEMA_VERSION
    }

    /// The log's records after `after`, at most `limit`.
    pub fn after(&self, after: Position, limit: usize) -> Result<Vec<Found>, ReadError> {
        self.found(
            "position > ?1 ORDER BY position LIMIT ?2",
            params![bounded(after.0), bounded(limit as u64)],
        )
    }

    /// The log's records after `after`, up to and with `through`.
    pub fn between(&self, after: Position, through: Position) -> Result<Vec<Found>, ReadError> {
        self.found(
            "position > ?1 AND position <= ?2 ORDER BY position",
            params![bounded(after.0), bounded(through.0)],
        )
    }

    /// Where the log ends, whatever stands there.
    pub fn end(&self) -> Result<Position, ReadError> {
        let end: Option<i64> = self
            .connection
            .query_row("SELECT max(position) FROM events", [], |row| row.get(0))
            .map_err(failed)?;
        Ok(Position(end.and_then(|end| u64::try_from(end).ok()).unwrap_or(0)))
    }

    /// The number of the stream; `None` if the log has no such stream.
    pub fn number_of(&self, stream: &StreamId) -> Result<Option<i64>, ReadError> {
        Numbers::find_stream(&self.connection, stream).map_err(failed)
    }

    /// The name of the stream with this number; `None` if there is none.
    pub fn name_of(&self, number: i64) -> Result<Option<StreamId>, ReadError> {
        self.names.borrow_mut().stream(&self.connection, number).map_err(failed)
    }

    /// The greatest number that a stream has.
    pub fn last_number(&self) -> Result<i64, ReadError> {
        let last: Option<i64> = self
            .connection
            .query_row("SELECT max(id) FROM streams", [], |row| row.get(0))
            .map_err(failed)?;
        Ok(last.unwrap_or(0))
    }

    /// Where the records after `after` stand, up to and with `through`, in a log of today's layout.
    pub fn places(&self, after: Position, through: Position) -> Result<Vec<Place>, ReadError> {
        let find = "SELECT position, stream, revision FROM events WHERE position > ?1 AND \
            position <= ?2 ORDER BY position";
        let mut find = self.connection.prepare_cached(find).map_err(failed)?;
        let read = |row: &Row<'_>| {
            Ok(Place {
                position: unsigned(row.get(0)?),
                stream: row.get(1)?,
                revision: unsigned(row.get(2)?),
            })
        };
        find.query_map(params![bounded(after.0), bounded(through.0)], read)
            .and_then(Iterator::collect)
            .map_err(failed)
    }

    /// The end of the log as it is on disk.
    pub fn last(&self) -> Result<LastRecord, ReadError> {
        let last =
            self.found("position = (SELECT max(position) FROM events)", [])?.pop().transpose()?;
        Ok(last
            .map_or(LastRecord { position: Position(0), chain: GENESIS, at: i64::MIN }, |last| {
                LastRecord { position: last.position, chain: last.chain, at: last.at }
            }))
    }

    /// From where on no record is stamped before the one before it; `None` if no such place is
    /// marked.
    pub fn stamped_in_order_from(&self) -> Result<Option<Position>, ReadError> {
        if !self.is_compact() {
            return Ok(None);
        }
        let find = "SELECT position FROM marks WHERE name = ?1";
        let found = self
            .connection
            .query_row(find, params![layout::STAMPED_IN_ORDER], |row| row.get::<_, i64>(0))
            .optional()
            .map_err(failed)?;
        Ok(found.and_then(|position| u64::try_from(position).ok()).map(Position))
    }

    fn found(
        &self,
        which: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<Found>, ReadError> {
        let columns = if self.is_compact() { layout::COLUMNS } else { first_layout::COLUMNS };
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {columns} FROM events WHERE {which}"))
            .map_err(failed)?;
        let mut rows = statement.query(parameters).map_err(failed)?;
        let (mut records, mut command) = (Vec::new(), None);
        while let Some(row) = rows.next().map_err(failed)? {
            let read = if self.is_compact() {
                self.whole(row, &mut command)
            } else {
                first_layout::read(row)
            };
            records.push(read.map_err(|error| named(error, row)));
        }
        Ok(records)
    }

    /// The record of a compact row; `command` is that of the row before, which most rows share.
    fn whole(&self, row: &Row<'_>, command: &mut Option<Command>) -> Found {
        let compact = Compact::read(row)?;
        let position = compact.position;
        let missing = |what: &str| ReadError::Corrupt {
            position: position.0,
            detail: format!("{what} is not in the file"),
        };
        let shared = self
            .command(&compact, *command)?
            .ok_or_else(|| missing("the first record of its command"))?;
        if shared.first == position {
            *command = Some(shared);
        }
        let correlation = layout::order_id(compact.correlation, &compact.payload)
            .ok_or_else(|| missing("its order"))?;
        let mut names = self.names.borrow_mut();
        let (name, version) = names
            .kind(&self.connection, compact.kind)
            .map_err(failed)?
            .ok_or_else(|| missing("its kind"))?;
        Ok(StoredRecord {
            position,
            number: compact.stream,
            stream: names
                .stream(&self.connection, compact.stream)
                .map_err(failed)?
                .ok_or_else(|| missing("its stream's name"))?,
            revision: compact.revision,
            id: layout::event_id(compact.step, shared.causation),
            name,
            version,
            at: shared.at,
            causation: shared.causation,
            correlation,
            actor: names
                .actor(&self.connection, shared.actor)
                .map_err(failed)?
                .ok_or_else(|| missing("its actor"))?,
            payload: compact.payload,
            checksum: compact.checksum,
            chain: compact.chain,
        })
    }

    /// What a row says of its command, or the first record of it; `None` if that is not there.
    fn command(
        &self,
        compact: &Compact,
        before: Option<Command>,
    ) -> Result<Option<Command>, ReadError> {
        if let Some((causation, actor, at)) = compact.command {
            return Ok(Some(Command { first: compact.position, causation, actor, at }));
        }
        let Derived::From(step) = compact.step else { return Ok(None) };
        let Some(first) = compact
            .position
            .0
            .checked_sub(step.into())
            .filter(|first| *first != compact.position.0)
            .map(Position)
        else {
            return Ok(None);
        };
        if let Some(command) = before.filter(|command| command.first == first) {
            return Ok(Some(command));
        }
        let find =
            "SELECT causation, actor, at FROM events WHERE position = ?1 AND causation IS NOT NULL";
        let mut find = self.connection.prepare_cached(find).map_err(failed)?;
        let found = find.query_row(params![bounded(first.0)], |row| {
            Ok(Command {
                first,
                causation: u128::from_be_bytes(row.get(0)?),
                actor: row.get(1)?,
                at: row.get(2)?,
            })
        });
        found.optional().map_err(failed)
    }
}

/// What SQLite finds wrong with something that a record needs is wrong with the record.
fn named(error: ReadError, row: &Row<'_>) -> ReadError {
    match error {
        ReadError::Corrupt { position: 0, detail } => ReadError::Corrupt {
            position: row
                .get::<_, i64>(0)
                .ok()
                .and_then(|position| u64::try_from(position).ok())
                .unwrap_or(0),
            detail,
        },
        other => other,
    }
}

/// The id of the record at `position`, for the writer.
pub fn id_at(connection: &Connection, position: u64) -> rusqlite::Result<Option<EventId>> {
    // The command's id stands in this record, or in the first one of the command.
    let find = "SELECT step, coalesce(causation, (SELECT causation FROM events AS first WHERE \
        first.position = events.position - events.step))
        FROM events WHERE position = ?1";
    let read = |row: &Row<'_>| {
        let step = layout::derived(row, 0)?.ok_or(rusqlite::Error::InvalidQuery)?;
        Ok(layout::event_id(step, u128::from_be_bytes(row.get(1)?)))
    };
    connection.prepare_cached(find)?.query_row(params![bounded(position)], read).optional()
}

/// One of SQLite's integers, which are signed: one that is negative was never written, and names no
/// place.
pub fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// SQLite's integers are signed.
pub fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
