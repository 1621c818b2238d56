//! Where each stream ends, as the views have seen it: what the log's own index says of a stream is
//! compared with it.

use std::collections::BTreeMap;

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::column::count;
use crate::views::Views;

pub const SCHEMA: &str = "
CREATE TABLE ends (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL, position INTEGER NOT NULL) \
STRICT, WITHOUT ROWID;
";

/// The last records of a batch's streams.
#[derive(Debug, Default)]
pub struct Ends(BTreeMap<StreamId, (Revision, Position)>);

impl Ends {
    /// Sees a record.
    pub fn see(&mut self, record: &Recorded<Event>) {
        self.0.insert(record.stream.clone(), (record.revision, record.position));
    }

    /// Writes what was seen.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut ends = transaction.prepare_cached(
            "INSERT INTO ends (stream, revision, position) VALUES (?1, ?2, ?3)
            ON CONFLICT (stream) DO UPDATE SET revision = excluded.revision, position = \
            excluded.position",
        )?;
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (stream, (revision, position)) in &self.0 {
            ends.execute(params![stream.as_str(), signed(revision.0), signed(position.0)])?;
        }
        Ok(())
    }
}

impl Views {
    /// The stream's last event that the views have: its place there and in the log. Blocks.
    pub fn end_of(&self, stream: &StreamId) -> Option<(Revision, Position)> {
        self.read_blocking(|connection| end_of(connection, stream)).ok().flatten()
    }
}

fn end_of(
    connection: &Connection,
    stream: &StreamId,
) -> rusqlite::Result<Option<(Revision, Position)>> {
    let mut find =
        connection.prepare_cached("SELECT revision, position FROM ends WHERE stream = ?1")?;
    find.query_row(params![stream.as_str()], |row| {
        Ok((Revision(count(row, 0)?), Position(count(row, 1)?)))
    })
    .optional()
}
