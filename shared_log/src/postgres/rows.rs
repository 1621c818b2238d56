//! Records and leaders as rows, and back.

use std::time::Duration;

use actors::store::Record;
use actors::store::chain::{Hash, Mark};
use actors::store::shared::Lead;
use events::envelope::{Position, Revision, StreamId};
use events::id::{CommandId, EventId, OrderId, TermId};
use events::leadership::Leader;
use events::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

/// PostgreSQL has signed numbers alone; no log gets so long.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The columns of a group: one array each.
#[derive(Default)]
pub struct Columns<'a> {
    positions: Vec<i64>,
    streams: Vec<&'a str>,
    revisions: Vec<i64>,
    ids: Vec<Vec<u8>>,
    names: Vec<&'a str>,
    versions: Vec<i32>,
    times: Vec<i64>,
    causations: Vec<Vec<u8>>,
    correlations: Vec<Option<Vec<u8>>>,
    actors: Vec<&'a str>,
    payloads: Vec<&'a [u8]>,
    chains: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    /// Of these records; a text that the database cannot hold is an error.
    pub fn of(group: &'a [Record]) -> Result<Self, String> {
        let mut columns = Self::default();
        for record in group {
            if [record.stream.as_str(), &record.name, &record.actor]
                .iter()
                .any(|text| text.contains('\0'))
            {
                return Err(format!(
                    "record {} has a text that PostgreSQL cannot hold",
                    record.position.0
                ));
            }
            columns.positions.push(signed(record.position.0));
            columns.streams.push(record.stream.as_str());
            columns.revisions.push(signed(record.revision.0));
            columns.ids.push(record.id.0.to_be_bytes().into());
            columns.names.push(&record.name);
            columns.versions.push(record.version.into());
            columns.times.push(record.at.millis());
            columns.causations.push(record.causation.0.to_be_bytes().into());
            let correlation = record.correlation.map(|order| order.0.to_be_bytes().into());
            columns.correlations.push(correlation);
            columns.actors.push(&record.actor);
            columns.payloads.push(&record.payload);
            columns.chains.push(&record.chain);
        }
        Ok(columns)
    }

    /// In the order of the statement.
    pub fn parameters(&self) -> [&(dyn ToSql + Sync); 12] {
        [
            &self.positions,
            &self.streams,
            &self.revisions,
            &self.ids,
            &self.names,
            &self.versions,
            &self.times,
            &self.causations,
            &self.correlations,
            &self.actors,
            &self.payloads,
            &self.chains,
        ]
    }
}

/// A column's value, or what is wrong with it.
pub fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, String> {
    row.try_get(index).map_err(|error| error.to_string())
}

fn unsigned(row: &Row, index: usize) -> Result<u64, String> {
    u64::try_from(column::<i64>(row, index)?).map_err(|_| "a number is below zero".to_owned())
}

fn number(bytes: &[u8]) -> Result<u128, String> {
    bytes.try_into().map(u128::from_be_bytes).map_err(|_| "an id has not 16 bytes".to_owned())
}

fn hash(bytes: &[u8]) -> Result<Hash, String> {
    bytes.try_into().map_err(|_| "a hash has not 32 bytes".to_owned())
}

/// Where the log ends.
pub fn mark(row: &Row) -> Result<Mark, String> {
    Ok(Mark { position: Position(unsigned(row, 0)?), chain: hash(column(row, 1)?)? })
}

/// Who leads.
pub fn lead(row: &Row) -> Result<Lead, String> {
    Ok(Lead {
        term: TermId(number(column(row, 0)?)?),
        since: Position(unsigned(row, 1)?),
        leader: Leader {
            node: column(row, 2)?,
            url: column(row, 3)?,
            version: column(row, 4)?,
            configuration: hash(column(row, 5)?)?,
        },
        beat: unsigned(row, 6)?,
        is_released: column(row, 7)?,
    })
}

/// Milliseconds that have gone by; none, where the clock was set back meanwhile.
pub fn elapsed(row: &Row) -> Result<Duration, String> {
    let milliseconds: i64 = column(row, 0)?;
    Ok(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
}

/// The records after a position: one behind the other, without a gap.
pub fn records(after: Position, rows: &[Row]) -> Result<Vec<Record>, String> {
    let mut due = after.0;
    rows.iter()
        .map(|row| {
            due += 1;
            let record = record(row).map_err(|detail| format!("record {due}: {detail}"))?;
            if record.position.0 == due {
                Ok(record)
            } else {
                Err(format!("record {due} is missing"))
            }
        })
        .collect()
}

fn record(row: &Row) -> Result<Record, String> {
    let correlation: Option<&[u8]> = column(row, 8)?;
    let version: i32 = column(row, 5)?;
    let mut record = Record {
        position: Position(unsigned(row, 0)?),
        stream: StreamId::from_name(column(row, 1)?),
        revision: Revision(unsigned(row, 2)?),
        id: EventId(number(column(row, 3)?)?),
        name: column::<&str>(row, 4)?.into(),
        version: u16::try_from(version).map_err(|_| "its version is none".to_owned())?,
        at: Timestamp::from_millis(column(row, 6)?),
        causation: CommandId(number(column(row, 7)?)?),
        correlation: correlation.map(number).transpose()?.map(OrderId),
        actor: column::<&str>(row, 9)?.into(),
        payload: column(row, 10)?,
        digest: Hash::default(),
        chain: hash(column(row, 11)?)?,
    };
    record.digest = record.fields().digest();
    Ok(record)
}
