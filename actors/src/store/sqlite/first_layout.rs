//! The log's first layout, which version 0.1 wrote before its release: every record had all its
//! texts. Read by audits and by the migration, never written.

use events::envelope::{Position, Revision, StreamId};
use events::id::EventId;
use rusqlite::Row;

use super::layout::StoredRecord;
use crate::store::port::ReadError;

/// The columns of a record, in the order `read` wants them.
pub const COLUMNS: &str = "position, stream, revision, event_id, name, version, at, causation, \
    correlation, actor, payload, checksum, chain";

/// The record in a row; a column that was never written so makes it a corrupt one.
pub fn read(row: &Row<'_>) -> Result<StoredRecord, ReadError> {
    let position: i64 = row.get(0).map_err(|error| ReadError::Failed(error.to_string()))?;
    let position = u64::try_from(position).unwrap_or(0);
    let read = || -> rusqlite::Result<StoredRecord> {
        let revision: i64 = row.get(2)?;
        Ok(StoredRecord {
            position: Position(position),
            number: 0,
            stream: StreamId::from_name(row.get_ref(1)?.as_str()?),
            revision: Revision(
                u64::try_from(revision)
                    .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(2, revision))?,
            ),
            id: EventId(u128::from_be_bytes(row.get(3)?)),
            name: row.get(4)?,
            version: row.get(5)?,
            at: row.get(6)?,
            causation: u128::from_be_bytes(row.get(7)?),
            correlation: u128::from_be_bytes(row.get(8)?),
            actor: row.get(9)?,
            payload: row.get(10)?,
            checksum: row.get(11)?,
            chain: row.get(12)?,
        })
    };
    read().map_err(|error| ReadError::Corrupt { position, detail: error.to_string() })
}
