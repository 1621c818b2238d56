//! A log that was written without a vault, written anew with its secrets under keys: the same
//! records at the same places, under a chain of its own, which ends in a fact that names the other.

use std::path::{Path, PathBuf};

use events::Event;
use events::envelope::{Actor, Metadata, Position, Revision, StreamId};
use events::erasure;
use events::id::CommandId;
use events::time::Timestamp;
use thiserror::Error;

use super::backup::{CopyError, copy_others, sync_directory};
use super::log::Log;
use super::opening::OpenError;
use super::records::stored;
use super::replica::{Replica, ReplicaError};
use super::scribe;
use crate::kernel::entropy::Entropy;
use crate::store::chain::Mark;
use crate::store::port::{NewEvent, ReadError};
use crate::store::records::Record;
use crate::vault::{FILE, MasterKey, Vault, VaultError};

/// Records read and written together.
const PAGE: usize = 512;
/// What a directory is called until all is in it.
const UNFINISHED: &str = ".unfinished";

/// Nothing was rewritten; the log that was to be is as it was.
#[derive(Debug, Error)]
pub enum RewriteError {
    /// There is something where the new log should go.
    #[error("{0} is there already: name a directory that is not")]
    Taken(PathBuf),
    /// The new log would stand in the directory of the old one, which is to be destroyed.
    #[error("{0} is in the directory of the log itself: name one outside of it")]
    Within(PathBuf),
    /// There is no log.
    #[error("{0} holds no event log")]
    NoLog(PathBuf),
    /// It is of a layout that only a start brings up to date.
    #[error("{0}: its layout is of an older version: start the service on it once")]
    Former(PathBuf),
    /// A file or directory.
    #[error("{path}: {source}")]
    Files {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The log is not as it was written, or cannot be read.
    #[error("the log cannot be read: {0}")]
    Read(#[from] ReadError),
    /// A record cannot be read.
    #[error("record {0} cannot be read: {1}")]
    Undecodable(u64, String),
    /// The new log cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] ReplicaError),
    /// What belongs to the log cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewritten {
    /// Where the log ended, and its chain there.
    pub former: Mark,
    /// Records whose secrets are encrypted now.
    pub sealed: u64,
    /// Where the new one ends, and its chain there.
    pub head: Mark,
}

/// Writes the log of the data directory `from`, whose service is stopped, anew into the directory
/// `to`, which is not there yet, with its secrets under keys of a vault under `master`, and copies
/// what else the service needs. `from` is not changed; `to` is there once all of it is. `seen` is
/// told how far it is.
pub fn rewrite(
    from: &Path,
    to: &Path,
    master: &MasterKey,
    (who, at): (Actor, Timestamp),
    seen: impl Fn(Position),
) -> Result<Rewritten, RewriteError> {
    let source = from.join("events.db");
    if !source.is_file() {
        return Err(RewriteError::NoLog(from.to_owned()));
    }
    let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let unfinished = to.with_file_name(name + UNFINISHED);
    if to.exists() {
        return Err(RewriteError::Taken(to.to_owned()));
    }
    make_fresh(&unfinished)?;
    let is_within = unfinished
        .canonicalize()
        .and_then(|path| Ok(path.starts_with(from.canonicalize()?)))
        .map_err(files(&unfinished));
    let written = match is_within {
        Ok(true) => Err(RewriteError::Within(to.to_owned())),
        Ok(false) => write(&source, from, &unfinished, master, (who, at), seen),
        Err(error) => Err(error),
    };
    if written.is_err() {
        // With it goes a copy of the vault, whose keys no later erasure would reach.
        let _ = std::fs::remove_dir_all(&unfinished);
    }
    let written = written?;
    sync_directory(&unfinished)?;
    std::fs::rename(&unfinished, to).map_err(files(to))?;
    if let Some(above) = to.parent().filter(|above| !above.as_os_str().is_empty()) {
        sync_directory(above)?;
    }
    Ok(written)
}

/// Writes the log `source` of the directory `from` anew into the directory `unfinished`.
fn write(
    source: &Path,
    from: &Path,
    unfinished: &Path,
    master: &MasterKey,
    (who, at): (Actor, Timestamp),
    seen: impl Fn(Position),
) -> Result<Rewritten, RewriteError> {
    copy_vault(from, unfinished)?;
    // First of all there is a vault: by it the next run knows what a run before it has left.
    let vault = Vault::open(unfinished, master)?;
    copy_others(from, unfinished)?;
    let log = Log::open(source).map_err(|error| ReadError::Failed(error.to_string()))?;
    if !log.is_current() {
        return Err(RewriteError::Former(from.to_owned()));
    }
    let mut copy = Replica::open(unfinished)?;
    let (mut former, mut sealed, mut erasures) = (Mark::START, 0, 0);
    let end = log.end()?;
    loop {
        let page = stored(&log, former.position, PAGE, end)?;
        let Some(last) = page.last() else { break };
        former = Mark { position: last.position, chain: last.chain };
        let mut chain = copy.end().1;
        let mut records = Vec::with_capacity(page.len());
        for record in page {
            erasures += u64::from(record.stream == StreamId::erasures());
            let record = resealed(&vault, record, &mut sealed)?;
            let record = linked(record, &mut chain);
            records.push(record);
        }
        copy.extend(&records)?;
        seen(former.position);
    }
    let event =
        erasure::Event::Rewritten { position: former.position.0, chain: former.chain, sealed, at };
    let causation = CommandId(u128::from_be_bytes(Entropy::System.bytes()));
    let metadata = Metadata { causation, correlation: None, actor: who, at };
    let anchor = NewEvent::new(0, Event::Erasure(event), &metadata);
    let anchor = copy.next(&StreamId::erasures(), Revision(erasures), &anchor);
    copy.extend(&[anchor])?;
    let (position, chain) = copy.end();
    copy.close();
    drop(vault);
    Ok(Rewritten { former, sealed, head: Mark { position, chain } })
}

/// The directory, empty: what a run before this one has left unfinished goes.
fn make_fresh(directory: &Path) -> Result<(), RewriteError> {
    use std::os::unix::fs::DirBuilderExt;
    if directory.exists() {
        // Whatever else there may be is somebody's: only what a run makes is taken away.
        let mut all = std::fs::read_dir(directory).map_err(files(directory))?;
        if !directory.join(FILE).is_file() && all.next().is_some() {
            return Err(RewriteError::Taken(directory.to_owned()));
        }
        std::fs::remove_dir_all(directory).map_err(files(directory))?;
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(files(directory))
}

/// A log that is under a vault in part keeps its keys.
fn copy_vault(from: &Path, to: &Path) -> Result<(), RewriteError> {
    for suffix in ["", "-wal"] {
        let file = from.join(format!("{FILE}{suffix}"));
        if file.is_file() {
            let copy = to.join(format!("{FILE}{suffix}"));
            std::fs::copy(&file, &copy).map_err(files(&file))?;
        }
    }
    Ok(())
}

/// The record with its secrets encrypted, if it has any that are not.
fn resealed(vault: &Vault, mut record: Record, sealed: &mut u64) -> Result<Record, RewriteError> {
    if events::codec::read_sealed(&record.payload).is_some() {
        return Ok(record);
    }
    let event = record
        .event()
        .map_err(|error| RewriteError::Undecodable(record.position.0, error.to_string()))?;
    if let Some(encoded) = vault.sealed(&record.stream, record.revision, &event)? {
        (record.name, record.version) = (encoded.name.into(), encoded.version);
        record.payload = encoded.payload;
        *sealed += 1;
    }
    Ok(record)
}

/// The record at its place in the new chain.
fn linked(mut record: Record, chain: &mut crate::store::chain::Hash) -> Record {
    record.digest = record.fields().digest();
    (_, record.chain) = scribe::seal(chain, record.position, &record.digest);
    *chain = record.chain;
    record
}

fn files(path: &Path) -> impl FnOnce(std::io::Error) -> RewriteError + '_ {
    |source| RewriteError::Files { path: path.to_owned(), source }
}
