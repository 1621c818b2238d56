//! Records as auditors and operators read them: with their causes, and with what proves them.

use std::path::Path;
use std::sync::Arc;

use events::Event;
use events::envelope::{Position, Recorded};

use super::layout::StoredRecord;
use super::log::Log;
use crate::store::chain;
use crate::store::port::ReadError;
use crate::vault::{self, Vault};

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
    /// SHA-256 over all that stands in the record.
    pub digest: chain::Hash,
    /// The hash chain after it.
    pub chain: chain::Hash,
}

/// The readable records after `after`, at most `limit`, each with who wanted it; unlike the walk,
/// nothing is checked but what reading them shows.
pub fn records_between(
    directory: &Path,
    after: Position,
    limit: usize,
    vault: Option<&Vault>,
) -> Result<Vec<AuditRecord>, ReadError> {
    if super::is_unwritten(directory)? {
        return Ok(Vec::new());
    }
    let path = directory.join("events.db");
    let log = Log::open(&path)
        .map_err(|error| ReadError::Failed(format!("{}: {error}", path.display())))?;
    let read = log.after(after, limit)?.into_iter().filter_map(Result::ok);
    let decoded = read.filter_map(|record| {
        let event = vault::event_as_far_as_open(vault, record.header(), &record.payload).ok()?;
        let digest = record.digest();
        Some(audited(record, digest, event))
    });
    Ok(decoded.collect())
}

pub(super) fn audited(record: StoredRecord, digest: chain::Hash, event: Event) -> AuditRecord {
    AuditRecord {
        recorded: Recorded {
            id: record.id,
            stream: record.stream,
            revision: record.revision,
            position: record.position,
            at: events::time::Timestamp::from_millis(record.at),
            correlation: (record.correlation != 0)
                .then_some(events::id::OrderId(record.correlation)),
            event,
        },
        name: record.name,
        version: record.version,
        causation: record.causation,
        actor: record.actor,
        digest,
        chain: record.chain,
    }
}
