//! Copies of a log: taken while the service runs or not, checked link by link on the way, and put
//! back.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use events::envelope::Position;
use rusqlite::Connection;
use thiserror::Error;

use super::copying::{self, Check};
use super::head::HeadFile;
use super::log::Log;
use super::schema::{self, LastRecord};
use crate::store::chain::Hash;
use crate::store::port::ReadError;

/// The log's file in any data directory.
const LOG: &str = "events.db";
/// What a restored log is called until it is whole. A start does not touch it.
const RESTORED: &str = "events.db.restored";
/// What can be built anew, and must not outlive the log it was built from.
const DERIVED: &[&str] = &["views.db", "snapshots.db", "index.db", "head"];
/// What belongs to one running service and to no other.
const OF_A_RUN: &[&str] = &["lock", "admin.addr", "http.addr"];
/// The vault and whatever stands beside it: keys that were erased would come back with a backup.
const OF_THE_VAULT: &str = "vault.";

/// A copy that was not made; nothing is half done.
#[derive(Debug, Error)]
pub enum CopyError {
    /// A file or directory.
    #[error("{path}: {source}")]
    Files {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is something where the copy should go.
    #[error("{0} is not empty; a backup goes into a directory of its own")]
    NotEmpty(PathBuf),
    /// A directory cannot be its own backup.
    #[error(
        "{0} is the data directory itself, or in it: a backup has a place of its own, on another \
         disk at best"
    )]
    Itself(PathBuf),
    /// There is no log to copy.
    #[error("{0} holds no event log")]
    NoLog(PathBuf),
    /// The log to copy is not as it was written.
    #[error("the log in {path} cannot be copied: {detail}")]
    Broken {
        /// Which.
        path: PathBuf,
        /// Where and what.
        detail: String,
    },
    /// What is there would be lost.
    #[error(
        "the log in {path} {what}, and what it holds beyond the backup (which ends at position \
         {backup}) would be lost"
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// How it differs.
        what: String,
        /// Where the backup ends.
        backup: u64,
    },
}

/// Copies the log of the data directory `from` and whatever else its service needs into the fresh
/// directory `to`; where the copy ends.
pub fn backup(from: &Path, to: &Path) -> Result<Position, CopyError> {
    if !from.join(LOG).is_file() {
        return Err(CopyError::NoLog(from.to_owned()));
    }
    if is_within(to, from) {
        return Err(CopyError::Itself(to.to_owned()));
    }
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CopyError::NotEmpty(to.to_owned()));
    }
    std::fs::create_dir_all(to).and_then(|()| owner_only(to, 0o700)).map_err(at(to))?;
    let copy = to.join(LOG);
    let last = copy_checked(from, &copy)?;
    copy_others(from, to)?;
    sync_directory(to)?;
    Ok(last.position)
}

/// Puts the backup in `from` in the place of the log of the data directory `to`, whose service is
/// stopped. What can be rebuilt is removed; a log that was there is kept beside it. One that the
/// backup does not continue is left alone unless `discard_newer`.
pub fn restore(from: &Path, to: &Path, discard_newer: bool) -> Result<Position, CopyError> {
    if !from.join(LOG).is_file() {
        return Err(CopyError::NoLog(from.to_owned()));
    }
    if std::fs::canonicalize(to)
        .is_ok_and(|to| std::fs::canonicalize(from).is_ok_and(|from| from == to))
    {
        return Err(CopyError::Itself(from.to_owned()));
    }
    std::fs::create_dir_all(to).and_then(|()| owner_only(to, 0o700)).map_err(at(to))?;
    let (copy, place) = (to.join(RESTORED), to.join(LOG));
    schema::remove(&copy);
    let last = copy_checked(from, &copy)?;
    let is_refused =
        if discard_newer || !place.is_file() { Ok(()) } else { refuse_newer(&place, &copy, last) };
    is_refused.and_then(|()| put_in_place(&copy, &place)).inspect_err(|_| schema::remove(&copy))?;
    copy_others(from, to)?;
    // Written last: a crash before this leaves a log without a head file, which starts, and never
    // one that contradicts it.
    HeadFile::open(to, last.mark()).map_err(at(to))?;
    sync_directory(to)?;
    Ok(last.position)
}

/// Whether a directory, which may not be there yet, is another one or in it.
fn is_within(directory: &Path, other: &Path) -> bool {
    let Ok(other) = std::fs::canonicalize(other) else { return false };
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    absolute
        .ancestors()
        .find_map(|above| std::fs::canonicalize(above).ok())
        .is_some_and(|above| above.starts_with(other))
}

/// Makes the copy the log: what was made from the other one goes first, then one rename decides.
fn put_in_place(copy: &Path, place: &Path) -> Result<(), CopyError> {
    set_aside(place)?;
    for derived in DERIVED {
        schema::remove(&place.with_file_name(derived));
    }
    std::fs::rename(copy, place).map_err(at(place))
}

/// Copies a log that is whole, as far as it goes now.
fn copy_checked(from: &Path, copy: &Path) -> Result<LastRecord, CopyError> {
    let broken = |detail: String| CopyError::Broken { path: from.to_owned(), detail };
    let log = Log::open(&from.join(LOG)).map_err(|error| broken(error.to_string()))?;
    let last = copying::copy(&log, copy, Check::Chain).map_err(|detail| {
        schema::remove(copy);
        broken(detail)
    })?;
    owner_only(copy, 0o600)
        .and_then(|()| File::options().write(true).open(copy)?.sync_all())
        .map_err(at(copy))?;
    Ok(last)
}

/// The log in place may only be the beginning of the backup.
fn refuse_newer(place: &Path, copy: &Path, backup: LastRecord) -> Result<(), CopyError> {
    let newer =
        |what: String| CopyError::Newer { path: place.to_owned(), what, backup: backup.position.0 };
    let last = Log::open(place)
        .map_err(|error| ReadError::Failed(error.to_string()))
        .and_then(|log| log.last());
    let last = last.map_err(|error| newer(format!("cannot be read ({error})")))?;
    if last.position > backup.position {
        return Err(newer(format!("ends at position {}", last.position.0)));
    }
    if last.position.0 > 0 && chain_at(copy, last.position) != Some(last.chain) {
        return Err(newer(format!("is another one at position {}", last.position.0)));
    }
    Ok(())
}

fn chain_at(copy: &Path, position: Position) -> Option<Hash> {
    let before = Position(position.0.checked_sub(1)?);
    Some(Log::open(copy).ok()?.after(before, 1).ok()?.pop()?.ok()?.chain)
}

/// Keeps the log in place under another name, and parts it from its write-ahead log, which the
/// restored one must never meet.
fn set_aside(place: &Path) -> Result<(), CopyError> {
    if !place.is_file() {
        return Ok(());
    }
    let drained = Connection::open(place).and_then(|log| {
        log.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))
    });
    let number = (1..u32::MAX).find(|number| !aside(place, *number, "").exists()).unwrap_or(1);
    if !drained.is_ok_and(|mode| mode == "delete") {
        // Too damaged to be drained: its write-ahead log is kept with it.
        for suffix in ["-wal", "-shm"] {
            let companion = with_suffix(place, suffix);
            if companion.exists() {
                std::fs::rename(&companion, aside(place, number, suffix))
                    .map_err(at(&companion))?;
            }
        }
    }
    // A link, not a move: there is a log in place at every moment.
    std::fs::hard_link(place, aside(place, number, "")).map_err(at(place))
}

fn aside(place: &Path, number: u32, suffix: &str) -> PathBuf {
    with_suffix(place, &format!(".replaced-{number}{suffix}"))
}

/// Tokens and keys that the service keeps beside its log.
pub(super) fn copy_others(from: &Path, to: &Path) -> Result<(), CopyError> {
    for entry in std::fs::read_dir(from).map_err(at(from))? {
        let entry = entry.map_err(at(from))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.starts_with(LOG)
            || OF_A_RUN.contains(&name.as_str())
            || name.starts_with(OF_THE_VAULT)
            || DERIVED.iter().any(|derived| name.starts_with(derived));
        if is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) || to.join(&name).exists()
        {
            continue;
        }
        let copy = to.join(&name);
        std::fs::copy(entry.path(), &copy)
            .and_then(|_| owner_only(&copy, 0o600))
            .map_err(at(&copy))?;
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut file = path.as_os_str().to_owned();
    file.push(suffix);
    PathBuf::from(file)
}

pub(super) fn sync_directory(directory: &Path) -> Result<(), CopyError> {
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(at(directory))
}

fn owner_only(path: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> CopyError + '_ {
    |source| CopyError::Files { path: path.to_owned(), source }
}
