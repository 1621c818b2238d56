//! Readers: any number of them beside the writer, each on a snapshot of its own.

use std::path::PathBuf;
use std::sync::Arc;

use events::Event;
use events::codec;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::{EventId, OrderId};
use parking_lot::Mutex;
use rusqlite::{Connection, Row, params};

use super::schema;
use crate::store::chain::{self, Fields};
use crate::store::port::ReadError;

/// Connections kept open for the next reader.
const IDLE: usize = 4;

/// The columns of a record, in the order `record` reads them.
const COLUMNS: &str = "position, stream, revision, event_id, name, version, at, causation, correlation, actor, payload, checksum, chain";

/// A pool of read-only connections.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// A pool over the log at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, idle: Arc::default() }
    }

    /// Runs `read` on a thread that may block.
    pub fn run<T, F>(&self, read: F) -> impl Future<Output = Result<T, ReadError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    {
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let work = move || {
            let pooled = idle.lock().pop();
            let connection = pooled.map_or_else(|| schema::open_reader(&path), Ok).map_err(failed)?;
            let outcome = read(&connection);
            let mut idle = idle.lock();
            if idle.len() < IDLE {
                idle.push(connection);
            }
            outcome
        };
        async move { tokio::task::spawn_blocking(work).await.map_err(|error| ReadError::Failed(error.to_string()))? }
    }
}

/// A record as it is stored, with its digest checked.
pub struct StoredRecord {
    /// Place in the log.
    pub position: Position,
    /// The stream.
    pub stream: StreamId,
    /// Place in the stream.
    pub revision: Revision,
    /// The event's id.
    pub id: EventId,
    /// Name in the header.
    pub name: String,
    /// Version in the header.
    pub version: u16,
    /// Milliseconds since 1970.
    pub at: i64,
    /// The command's id.
    pub causation: u128,
    /// The order's id, or zero.
    pub correlation: u128,
    /// Who wanted it.
    pub actor: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// The first bytes of the digest, as stored.
    pub checksum: i64,
    /// The chain after it, as stored.
    pub chain: chain::Hash,
}

impl StoredRecord {
    /// The digest of what stands here now.
    pub fn digest(&self) -> chain::Hash {
        let Self { stream, revision, id, name, version, at, causation, correlation, actor, payload, .. } = self;
        let fields = Fields {
            stream,
            revision: *revision,
            id: *id,
            name,
            version: *version,
            at: *at,
            causation: *causation,
            correlation: *correlation,
            actor,
            payload,
        };
        fields.digest()
    }

    fn recorded(self) -> Result<Recorded<Event>, ReadError> {
        let position = self.position.0;
        if chain::checksum(&self.digest()) != self.checksum {
            return Err(ReadError::Corrupt { position, detail: "its bytes do not match their checksum".to_owned() });
        }
        let event = codec::decode(&self.name, self.version, &self.payload).map_err(|source| ReadError::Undecodable { position, source })?;
        Ok(Recorded {
            id: self.id,
            stream: self.stream,
            revision: self.revision,
            position: self.position,
            at: events::time::Timestamp::from_millis(self.at),
            correlation: (self.correlation != 0).then_some(OrderId(self.correlation)),
            event,
        })
    }
}

/// The stream's records from `from` on.
pub fn read_stream(connection: &Connection, stream: &StreamId, from: Revision, limit: usize) -> Result<Vec<Recorded<Event>>, ReadError> {
    let query = format!("SELECT {COLUMNS} FROM events WHERE stream = ?1 AND revision >= ?2 ORDER BY revision LIMIT ?3");
    let records = stored(connection, &query, params![stream.as_str(), bounded(from.0), bounded(limit as u64)])?;
    records.into_iter().map(StoredRecord::recorded).collect()
}

/// The log's records after `after`.
pub fn read_all(connection: &Connection, after: Position, limit: usize) -> Result<Vec<Recorded<Event>>, ReadError> {
    stored_after(connection, after, limit)?.into_iter().map(StoredRecord::recorded).collect()
}

/// The log's records after `after`, as they are stored.
pub fn stored_after(connection: &Connection, after: Position, limit: usize) -> Result<Vec<StoredRecord>, ReadError> {
    let query = format!("SELECT {COLUMNS} FROM events WHERE position > ?1 ORDER BY position LIMIT ?2");
    stored(connection, &query, params![bounded(after.0), bounded(limit as u64)])
}

fn stored(connection: &Connection, query: &str, parameters: impl rusqlite::Params) -> Result<Vec<StoredRecord>, ReadError> {
    let mut statement = connection.prepare_cached(query).map_err(failed)?;
    let rows = statement.query_map(parameters, record).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

fn record(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    let position: i64 = row.get(0)?;
    let revision: i64 = row.get(2)?;
    Ok(StoredRecord {
        position: Position(u64::try_from(position).unwrap_or(0)),
        stream: StreamId::from_name(row.get_ref(1)?.as_str()?),
        revision: Revision(u64::try_from(revision).unwrap_or(0)),
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
}

fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn failed(error: rusqlite::Error) -> ReadError {
    // SQLite's own words for a page that is not what it wrote.
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            ReadError::Corrupt { position: 0, detail: error.to_string() }
        }
        _ => ReadError::Failed(error.to_string()),
    }
}
