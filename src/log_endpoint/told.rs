//! A log as the protocol sees it: records by page, and what a reader is told of each.

use std::sync::Arc;

use actors::store::{ReadError, Record, Records};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use esdb::{Event, Log, Page};
use events::envelope::{Position, Revision, StreamId};
use serde_json::{Value, json};
use tokio::sync::watch;
use tonic::Status;

use super::readers::Reader;
use crate::description::{self, hex};

/// A store's log, or a node's copy of a shared one.
pub struct StoredLog {
    store: Arc<dyn Records>,
    head: watch::Receiver<u64>,
}

impl StoredLog {
    /// Follows the log's end as long as it is written.
    pub fn new(store: Arc<dyn Records>) -> Self {
        let mut end = store.end();
        let (send, head) = watch::channel(end.borrow_and_update().0);
        tokio::spawn(async move {
            while end.changed().await.is_ok() && send.send(end.borrow_and_update().0).is_ok() {}
        });
        Self { store, head }
    }
}

/// A record, by its place and name.
pub struct Stored(Record);

impl esdb::Record for Stored {
    fn position(&self) -> u64 {
        self.0.position.0
    }

    fn stream(&self) -> &str {
        self.0.stream.as_str()
    }

    fn revision(&self) -> u64 {
        self.0.revision.0
    }

    fn name(&self) -> &str {
        &self.0.name
    }
}

impl Log for StoredLog {
    type Record = Stored;
    type Reader = Reader;

    fn head(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }

    async fn read(&self, page: Page, limit: usize) -> Result<Vec<Stored>, Status> {
        let read = match page {
            Page::After(position) => self.store.stored(Position(position), limit).await,
            Page::Before(position) => self.store.stored_before(Position(position), limit).await,
            Page::StreamFrom(stream, revision) => {
                self.store.stored_in(StreamId::from_name(&stream), Revision(revision), limit).await
            }
            Page::StreamBefore(stream, revision) => {
                self.store
                    .stored_in_before(StreamId::from_name(&stream), Revision(revision), limit)
                    .await
            }
        };
        Ok(read.map_err(refused)?.into_iter().map(Stored).collect())
    }

    fn tell(&self, Stored(record): &Stored, reader: &Reader) -> Result<Event, Status> {
        let event = self.store.event_of(record).map_err(|source| {
            refused(ReadError::Undecodable { position: record.position.0, source })
        })?;
        Ok(Event {
            id: record.id.0,
            stream: record.stream.as_str().to_owned(),
            revision: record.revision.0,
            position: record.position.0,
            name: record.name.to_string(),
            at: record.at.millis(),
            data: description::data(&event, reader.reveals).to_string().into_bytes(),
            metadata: metadata(record, reader).to_string().into_bytes(),
        })
    }
}

/// What stands around the event. Whoever has the digest of an event and all of it but a code of six
/// digits has the code after a million tries: digest and chain are for those who may see the code
/// anyway.
fn metadata(record: &Record, reader: &Reader) -> Value {
    let mut metadata = json!({
        "id": record.id.to_string(),
        "at": record.at.to_string(),
        "actor": &*record.actor,
        "causation": record.causation.to_string(),
        "correlation": record.correlation.map(|order| order.to_string()),
        "version": record.version,
    });
    if reader.reveals || reader.has_bytes {
        metadata["digest"] = json!(hex(&record.digest));
        metadata["chain"] = json!(hex(&record.chain));
    }
    if reader.has_bytes {
        metadata["payload"] = json!(STANDARD.encode(&record.payload));
    }
    metadata
}

/// The error as a reader is told it.
fn refused(error: ReadError) -> Status {
    match error {
        ReadError::Corrupt { .. } | ReadError::Undecodable { .. } => {
            esdb::corrupt(crate::read_model::chain_of(&error))
        }
        ReadError::Failed(_) => esdb::unavailable("the log cannot be read just now"),
    }
}
