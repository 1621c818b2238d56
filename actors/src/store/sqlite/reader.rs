//! Readers: any number of them beside the writer, each on a snapshot of its own.

use std::path::PathBuf;
use std::sync::Arc;

use events::Event;
use events::codec;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::OrderId;
use parking_lot::Mutex;

use super::failed;
use super::layout::StoredRecord;
use super::log::Log;
use crate::store::chain;
use crate::store::port::ReadError;

/// Connections kept open for the next reader.
const IDLE: usize = 4;

/// A pool of read-only connections.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Log>>>,
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
        F: FnOnce(&Log) -> Result<T, ReadError> + Send + 'static,
    {
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let work = move || {
            let pooled = idle.lock().pop();
            let log = pooled.map_or_else(|| Log::open(&path), Ok).map_err(failed)?;
            let outcome = read(&log);
            let mut idle = idle.lock();
            if idle.len() < IDLE {
                idle.push(log);
            }
            outcome
        };
        async move { tokio::task::spawn_blocking(work).await.map_err(|error| ReadError::Failed(error.to_string()))? }
    }
}

/// The stream's records from `from` on.
pub fn read_stream(log: &Log, stream: &StreamId, from: Revision, limit: usize) -> Result<Vec<Recorded<Event>>, ReadError> {
    log.of_stream(stream, from, limit)?.into_iter().map(|found| recorded(found?)).collect()
}

/// The log's records after `after`.
pub fn read_all(log: &Log, after: Position, limit: usize) -> Result<Vec<Recorded<Event>>, ReadError> {
    log.after(after, limit)?.into_iter().map(|found| recorded(found?)).collect()
}

/// The record as it is served: only if its bytes are those that were written.
fn recorded(record: StoredRecord) -> Result<Recorded<Event>, ReadError> {
    let position = record.position.0;
    if chain::checksum(&record.digest()) != record.checksum {
        return Err(ReadError::Corrupt { position, detail: "its bytes do not match their checksum".to_owned() });
    }
    let event = codec::decode(&record.name, record.version, &record.payload).map_err(|source| ReadError::Undecodable { position, source })?;
    Ok(Recorded {
        id: record.id,
        stream: record.stream,
        revision: record.revision,
        position: record.position,
        at: events::time::Timestamp::from_millis(record.at),
        correlation: (record.correlation != 0).then_some(OrderId(record.correlation)),
        event,
    })
}
