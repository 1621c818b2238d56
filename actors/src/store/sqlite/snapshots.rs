//! `snapshots.db`: states at a revision, each with a digest. Whatever is wrong with one, it is
//! ignored, counted, and replayed instead.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use events::envelope::{Revision, StreamId};
use events::id::EventId;
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::index::{self, IndexFile};
use super::log::Log;
use super::{OpenError, reader, schema};
use crate::store::chain::Hash;
use crate::store::port::Snapshot;
use crate::vault::Vault;

/// Stands in every digest, and changes with what the digest is over.
const VERSION: u16 = 1;

// Snapshots of before they had digests stood in a table of another name.
const TABLE: &str = "DROP TABLE IF EXISTS snapshots;
CREATE TABLE IF NOT EXISTS states (
    stream     TEXT    PRIMARY KEY,
    revision   INTEGER NOT NULL,
    last_event BLOB    NOT NULL,
    bytes      BLOB    NOT NULL,
    digest     BLOB    NOT NULL
) STRICT, WITHOUT ROWID;";

const COLUMNS: &str = "stream, revision, last_event, bytes, digest";

/// The snapshots of a log. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Snapshots {
    connection: Arc<Mutex<Connection>>,
    ignored: Arc<AtomicU64>,
    vault: Option<Arc<Vault>>,
}

impl Snapshots {
    /// Opens the snapshots, encrypted if there is a vault; a broken file is thrown away.
    pub fn open(path: &Path, vault: Option<Arc<Vault>>) -> Result<Self, OpenError> {
        let connection = open(path).or_else(|error| {
            tracing::warn!(
                path = %path.display(), %error,
                "the snapshots are unreadable and are started anew"
            );
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
            }
            open(path).map_err(|source| OpenError::of_sqlite(path, source))
        })?;
        if vault.is_some() {
            // A snapshot that is thrown away may hold what is erased.
            connection
                .pragma_update(None, "secure_delete", "ON")
                .map_err(|source| OpenError::of_sqlite(path, source))?;
        }
        Ok(Self { connection: Arc::new(Mutex::new(connection)), ignored: Arc::default(), vault })
    }

    /// Throws away those whose last event is not where `log` has it: they are of another past. How
    /// many were.
    pub fn forget_other_pasts(&self, log: &Log, index: Option<&IndexFile>) -> u64 {
        let connection = self.connection.lock();
        let found = wrong(&connection, log, index).unwrap_or_default();
        for stream in &found {
            if let Err(error) =
                connection.execute("DELETE FROM states WHERE stream = ?1", params![stream])
            {
                tracing::warn!(%error, "a snapshot of another past could not be thrown away; it \
                    is ignored when it is asked for");
            }
        }
        let found = u64::try_from(found.len()).unwrap_or(u64::MAX);
        self.ignored.fetch_add(found, Ordering::Relaxed);
        found
    }

    /// Throws a stream's snapshot away. Blocks.
    pub fn remove(&self, stream: &StreamId) -> rusqlite::Result<()> {
        self.connection
            .lock()
            .execute("DELETE FROM states WHERE stream = ?1", params![stream.as_str()])
            .map(drop)
    }

    /// Folds the journal into the file, and empties it: what was removed is in neither. Blocks.
    pub fn fold(&self) -> rusqlite::Result<()> {
        self.connection.lock().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// Snapshots that were wrong and not used, since the store was opened.
    pub fn ignored(&self) -> u64 {
        self.ignored.load(Ordering::Relaxed)
    }

    /// One that was asked for did not fit the log.
    pub fn count_ignored(&self) {
        self.ignored.fetch_add(1, Ordering::Relaxed);
    }

    /// The stream's snapshot, if there is one and its digest is right. Blocks.
    pub fn load(&self, stream: &StreamId) -> Option<Snapshot> {
        let query = format!("SELECT {COLUMNS} FROM states WHERE stream = ?1");
        let row =
            self.connection.lock().query_row(&query, params![stream.as_str()], stored).optional();
        match row {
            Ok(None) => None,
            // The row may be another stream's that a broken page has led to.
            Ok(Some(Some((name, snapshot)))) if name == stream.as_str() => {
                self.opened(stream, snapshot)
            }
            Ok(Some(_)) | Err(_) => {
                self.count_ignored();
                tracing::error!(%stream, "a snapshot is not as it was written; it is ignored and \
                    the stream is replayed");
                None
            }
        }
    }

    fn opened(&self, stream: &StreamId, snapshot: Snapshot) -> Option<Snapshot> {
        let Some(vault) = &self.vault else { return Some(snapshot) };
        let bytes = vault.open_snapshot(stream, &snapshot.bytes);
        if bytes.is_none() {
            self.count_ignored();
            tracing::warn!(%stream, "a snapshot is not under the vault's key; it is ignored and \
                the stream is replayed");
        }
        Some(Snapshot { bytes: bytes?, ..snapshot })
    }

    /// Keeps a snapshot in place of an older one. Blocks.
    pub fn save(&self, stream: &StreamId, snapshot: &Snapshot) {
        let sealed = self.vault.as_ref().map(|vault| Snapshot {
            bytes: vault.seal_snapshot(stream, &snapshot.bytes),
            ..snapshot.clone()
        });
        let snapshot = sealed.as_ref().unwrap_or(snapshot);
        let Snapshot { revision, last_event, bytes } = snapshot;
        let saved = self.connection.lock().execute(
            "INSERT OR REPLACE INTO states (stream, revision, last_event, bytes, digest) VALUES \
             (?1, ?2, ?3, ?4, ?5)",
            params![
                stream.as_str(),
                i64::try_from(revision.0).unwrap_or(i64::MAX),
                last_event.0.to_be_bytes(),
                bytes,
                digest(stream.as_str(), snapshot)
            ],
        );
        if let Err(error) = saved {
            tracing::warn!(%stream, %error, "a snapshot was not saved; loading the stream will take longer");
        }
    }
}

/// The streams in `directory` whose snapshot is broken or of another past than the log's, as an
/// auditor sees them; an error, if the file is not one that can be read.
pub fn wrong_in(directory: &Path) -> Result<Vec<String>, String> {
    let path = directory.join("snapshots.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(log) = Log::open(&directory.join("events.db")) else {
        return Ok(Vec::new());
    };
    let index = Some(&log)
        .filter(|log| log.is_current())
        .and_then(|_| IndexFile::open_reader(&directory.join(index::FILE)));
    let found = Connection::open_with_flags(&path, flags)
        .and_then(|connection| wrong(&connection, &log, index.as_ref()));
    // A file that is not whole is started anew: there is nothing in it that could be served.
    found.or_else(|_| schema::broken_file(&path).map_or(Ok(Vec::new()), Err))
}

fn wrong(
    snapshots: &Connection,
    log: &Log,
    index: Option<&IndexFile>,
) -> rusqlite::Result<Vec<String>> {
    let mut all = snapshots.prepare(&format!("SELECT {COLUMNS} FROM states"))?;
    let mut rows = all.query([])?;
    let (mut found, mut said, mut places) = (Vec::new(), Vec::new(), BTreeMap::new());
    while let Some(row) = rows.next()? {
        match stored(row)? {
            Some((stream, Snapshot { revision, last_event, .. })) => {
                places.insert(StreamId::from_name(&stream), revision);
                said.push((stream, last_event));
            }
            None => found.push(row.get(0)?),
        }
    }
    let ids = reader::ids_at(log, index, &places).unwrap_or_default();
    found.extend(
        said.into_iter()
            .filter(|(stream, id)| ids.get(&StreamId::from_name(stream)) != Some(id))
            .map(|(stream, _)| stream),
    );
    Ok(found)
}

/// The stream's name and its snapshot; `None` if they are not what was written.
fn stored(row: &Row<'_>) -> rusqlite::Result<Option<(String, Snapshot)>> {
    let (stream, revision): (String, i64) = (row.get(0)?, row.get(1)?);
    let last_event = EventId(u128::from_be_bytes(row.get(2)?));
    let Ok(revision) = u64::try_from(revision) else { return Ok(None) };
    let snapshot = Snapshot { revision: Revision(revision), last_event, bytes: row.get(3)? };
    let found: Hash = row.get(4)?;
    Ok((found == digest(&stream, &snapshot)).then_some((stream, snapshot)))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A lost snapshot is replayed, so no sync is worth waiting for.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.execute_batch(TABLE)?;
    Ok(connection)
}

/// SHA-256 over the version, the stream, the place, the last event and the state, the texts behind
/// their lengths.
fn digest(stream: &str, snapshot: &Snapshot) -> Hash {
    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes();
    let mut hasher = Sha256::new();
    hasher.update(VERSION.to_be_bytes());
    hasher.update(length(stream.as_bytes()));
    hasher.update(stream.as_bytes());
    hasher.update(snapshot.revision.0.to_be_bytes());
    hasher.update(snapshot.last_event.0.to_be_bytes());
    hasher.update(length(&snapshot.bytes));
    hasher.update(&snapshot.bytes);
    hasher.finalize().into()
}
