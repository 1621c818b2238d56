//! The walk along the chain: what an auditor runs over a log, while the service runs or not.

use std::path::Path;
use std::sync::Arc;

use events::Event;
use events::codec;
use events::envelope::{Position, Recorded, Revision, StreamId};
use std::collections::HashMap;

use super::layout::StoredRecord;
use super::log::Log;
use crate::store::chain;
use crate::store::port::ReadError;

/// Records read at a time.
const PAGE: usize = 4_096;

/// Something in the log that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFinding {
    /// Where.
    pub position: u64,
    /// In which stream.
    pub stream: String,
    /// What is wrong.
    pub detail: String,
}

/// A record as an auditor sees it: with its causes and who wanted it.
#[derive(Debug, Clone)]
pub struct AuditRecord {
    /// The event and its place.
    pub recorded: Recorded<Event>,
    /// Name in the header.
    pub name: Arc<str>,
    /// Version in the header.
    pub version: u16,
    /// The command's id.
    pub causation: u128,
    /// Who wanted it.
    pub actor: Arc<str>,
}

/// Walks `events.db` in `directory`, hands every readable record to `visit`, and returns what is broken.
pub fn verify_chain(directory: &Path, mut visit: impl FnMut(&AuditRecord)) -> Result<Vec<ChainFinding>, ReadError> {
    let path = directory.join("events.db");
    let log = Log::open(&path).map_err(|error| ReadError::Failed(format!("{}: {error}", path.display())))?;
    let mut walk = Walk { chain: Some(chain::GENESIS), position: Position(0), ends: HashMap::new(), findings: Vec::new() };
    loop {
        let page = log.after(walk.position, PAGE)?;
        if page.is_empty() {
            return Ok(walk.findings);
        }
        for found in page {
            match found {
                Ok(record) => {
                    if let Some(record) = walk.step(record) {
                        visit(&record);
                    }
                }
                Err(ReadError::Corrupt { position, detail }) if position > walk.position.0 => walk.pass_over(position, detail),
                Err(error) => return Err(error),
            }
        }
    }
}

struct Walk {
    /// After the record before; `None` where that one could not be read.
    chain: Option<chain::Hash>,
    position: Position,
    ends: HashMap<StreamId, Revision>,
    findings: Vec<ChainFinding>,
}

impl Walk {
    fn step(&mut self, record: StoredRecord) -> Option<AuditRecord> {
        let StoredRecord { position, revision, .. } = record;
        let digest = record.digest();
        if position.0 != self.position.0 + 1 {
            self.find(&record, format!("{} records before it are missing", position.0.saturating_sub(self.position.0 + 1)));
        }
        if chain::checksum(&digest) != record.checksum {
            self.find(&record, "its bytes do not match their checksum".to_owned());
        }
        if self.chain.is_some_and(|before| chain::link(&before, position, &digest) != record.chain) {
            self.find(&record, "the hash chain breaks here".to_owned());
        }
        let expected = self.ends.get(&record.stream).map_or(0, |end| end.0 + 1);
        if revision.0 != expected {
            self.find(&record, format!("revision {} where {expected} was due", revision.0));
        }
        // Go on from what is stored: one edited record is one finding, not one for every record after it.
        self.chain = Some(record.chain);
        self.position = position;
        self.ends.insert(record.stream.clone(), revision);
        match codec::decode(&record.name, record.version, &record.payload) {
            Ok(event) => Some(AuditRecord {
                recorded: Recorded {
                    id: record.id,
                    stream: record.stream,
                    revision,
                    position,
                    at: events::time::Timestamp::from_millis(record.at),
                    correlation: (record.correlation != 0).then_some(events::id::OrderId(record.correlation)),
                    event,
                },
                name: record.name,
                version: record.version,
                causation: record.causation,
                actor: record.actor,
            }),
            Err(error) => {
                self.find(&record, error.to_string());
                None
            }
        }
    }

    /// A record that cannot be put together: the chain goes on behind it.
    fn pass_over(&mut self, position: u64, detail: String) {
        self.findings.push(ChainFinding { position, stream: String::new(), detail });
        self.position = Position(position);
        self.chain = None;
    }

    fn find(&mut self, record: &StoredRecord, detail: String) {
        self.findings.push(ChainFinding { position: record.position.0, stream: record.stream.to_string(), detail });
    }
}
