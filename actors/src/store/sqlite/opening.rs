//! How a log is opened to be written: only if it holds what was synced, unless an operator accepts
//! the loss.

use std::path::{Path, PathBuf};

use events::codec::SecretKind;
use events::envelope::Position;
use rusqlite::{Connection, ErrorCode};
use thiserror::Error;

use super::head::{self, HeadFile, Said};
use super::log::Log;
use super::reader;
use super::schema::{self, LastRecord};
use crate::store::chain::Mark;
use crate::store::port::ReadError;
use crate::vault::{self, KeyName, MasterKey, Vault, VaultError, keys_of};

/// Records looked at together.
const PAGE: u64 = 4_096;
/// Of the log's end, so many records are looked at for secrets at each start.
const LOOKED_AT: u64 = 4 * PAGE;
/// Up to where secrets may be under keys that the vault never had, in the vault.
const LOST_UP_TO: &str = "secrets lost up to";

/// The store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// SQLite says no.
    #[error("cannot open {path}: {source}")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// There is no room on the disk for what a start writes: an index or a layout made anew.
    #[error(
        "there is no room on the disk for {path}: {source}. Nothing is lost; make room and start \
         again"
    )]
    Full {
        /// Which file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is of a newer version of the service, or of another program.
    #[error("{path} is not an event log this version can write: {detail}")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The log of an earlier version could not be brought into today's layout; it is as it was.
    #[error(
        "{path} is of an earlier version and could not be migrated, and is as it was: {detail}"
    )]
    Migration {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        detail: String,
    },
    /// The log does not have what was synced: its end is lost, or another log stands in its place.
    #[error(
        "{path} has lost its end: it ends at position {ends_at}, and was synced up to position \
         {synced}. Restore a backup that reaches position {synced}, \
         or start with --accept-loss to go on from position {ends_at} without what came after it"
    )]
    Lost {
        /// Which file.
        path: PathBuf,
        /// Where the log ends.
        ends_at: u64,
        /// Up to where it was synced.
        synced: u64,
    },
    /// The log is long enough, and its record is not the one that was synced.
    #[error(
        "{path} is not the log that was synced up to position {synced}: another record stands \
         there (it ends at position {ends_at}). Restore the log that \
         belongs to this directory, or start with --accept-loss to go on with this one"
    )]
    OtherPast {
        /// Which file.
        path: PathBuf,
        /// Where the log ends.
        ends_at: u64,
        /// Up to where the other one was synced.
        synced: u64,
    },
    /// What the log was synced up to cannot be known.
    #[error(
        "{path} cannot be trusted: {why}, so that nobody knows whether the log, which ends at \
         position {ends_at}, is whole. Restore a backup, or start with \
         --accept-loss to go on from position {ends_at}"
    )]
    HeadUnreadable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
        /// Where the log ends.
        ends_at: u64,
    },
    /// The end of the log is broken: nothing can be appended to it.
    #[error("the end of {path} is broken: {source}. Restore a backup")]
    Broken {
        /// Which file.
        path: PathBuf,
        /// Where and how.
        source: ReadError,
    },
    /// The head file could not be read or written.
    #[error("the head file in {directory}: {source}")]
    Head {
        /// Where.
        directory: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The vault of the log's secrets.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The writer's thread could not be started.
    #[error("cannot start the writer thread: {0}")]
    Thread(std::io::Error),
}

impl OpenError {
    /// What SQLite's refusal of the file at `path` means to whoever starts the service.
    pub(super) fn of_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path, source },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// What is done with a log that has lost its end, or is not the one that was synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It is not opened.
    Refused,
    /// It is what there is: an operator has said so.
    Accepted,
}

/// Opens the log for the writer, and to read it, and holds it against the head file before anything
/// is written.
pub fn open_held(directory: &Path, loss: Loss) -> Result<(Connection, Log, LastRecord), OpenError> {
    let path = directory.join("events.db");
    let said = head::read(directory)
        .map_err(|source| OpenError::Head { directory: directory.to_owned(), source })?;
    let connection = schema::open_log(&path)?;
    let log = Log::open(&path).map_err(|source| OpenError::of_sqlite(&path, source))?;
    let last = log.last().map_err(|source| OpenError::Broken { path: path.clone(), source })?;
    hold_against(&log, &path, last.mark(), &said, loss)?;
    Ok((connection, log, last))
}

/// Opens the vault of the log's secrets, if there is a key for one. One that is missing is not made
/// anew under secrets that are in the log already, and one that never had their keys is not taken,
/// unless an operator accepts their loss.
pub fn open_vault(
    directory: &Path,
    log: &Log,
    loss: Loss,
    master: Option<&MasterKey>,
) -> Result<Option<Vault>, OpenError> {
    let path = || directory.join(vault::FILE);
    let broken = |source| OpenError::Broken { path: directory.join("events.db"), source };
    let is_there = Vault::is_in(directory);
    let Some(master) = master else {
        if is_there {
            return Err(VaultError::Locked { path: path() }.into());
        }
        let has_secrets = !last_sealed(log, LOOKED_AT).map_err(broken)?.is_empty();
        return if has_secrets && loss == Loss::Refused {
            Err(VaultError::Unconfigured { directory: directory.to_owned() }.into())
        } else {
            Ok(None)
        };
    };
    if !is_there {
        let has_secrets = !last_sealed(log, u64::MAX).map_err(broken)?.is_empty();
        if has_secrets && loss == Loss::Refused {
            return Err(VaultError::Missing { path: path() }.into());
        }
        // They were written before anything was encrypted, or under keys that are lost.
        schema::remove(&directory.join("snapshots.db"));
    }
    let (vault, end) = (Vault::open(directory, master)?, log.end().map_err(broken)?.0);
    if loss == Loss::Accepted || !is_there {
        vault.set_progress(LOST_UP_TO, i64::try_from(end).unwrap_or(i64::MAX))?;
        return Ok(Some(vault));
    }
    let unknown = u64::try_from(vault.progress(LOST_UP_TO)?).unwrap_or(0);
    let names = last_sealed(log, LOOKED_AT.min(end.saturating_sub(unknown))).map_err(broken)?;
    if vault.knows(&names)? {
        Ok(Some(vault))
    } else {
        Err(VaultError::AnotherLogs { path: path() }.into())
    }
}

/// The keys of the last record with secrets among the last `most` of the log; none, if there is no
/// such record.
fn last_sealed(log: &Log, most: u64) -> Result<Vec<KeyName>, ReadError> {
    let mut through = log.end()?;
    let least = through.0.saturating_sub(most);
    while through.0 > least {
        let after = Position(through.0.saturating_sub(PAGE).max(least));
        let page = log.between(after, through)?;
        let found = page
            .into_iter()
            .flatten()
            .rev()
            .find_map(|record| keys_of(&record.payload, &SecretKind::ALL));
        // A record that cannot be read is found where it is wanted.
        if let Some(Ok(names)) = found {
            return Ok(names);
        }
        through = after;
    }
    Ok(Vec::new())
}

/// Has the head file say that the log, which ends at `mark`, is synced; it is, after this.
pub fn say_synced(directory: &Path, mark: Mark) -> Result<HeadFile, OpenError> {
    // A process that was killed may have left a commit that was written and not synced.
    let opened = sync_write_ahead_log(&directory.join("events.db"))
        .and_then(|()| HeadFile::open(directory, mark));
    opened.map_err(|source| OpenError::Head { directory: directory.to_owned(), source })
}

/// The database itself must not be opened past SQLite, whose locks on it would end with the second
/// handle; its write-ahead log is not locked.
fn sync_write_ahead_log(path: &Path) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    match std::fs::File::open(PathBuf::from(name)) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Compares the log with what the head file says of it. A log that is longer is the ordinary end of
/// a crash between a commit and its note.
fn hold_against(
    log: &Log,
    path: &Path,
    last: Mark,
    said: &Said,
    loss: Loss,
) -> Result<(), OpenError> {
    let broken = |source| OpenError::Broken { path: path.to_owned(), source };
    let ends_at = last.position.0;
    let contradiction = match *said {
        Said::Nothing => {
            if ends_at > 0 {
                tracing::warn!(
                    ends_at,
                    "there is no head file: whether the log has lost its end cannot be known; \
                     from now on it can"
                );
            }
            None
        }
        Said::Unreadable(why) => {
            Some(OpenError::HeadUnreadable { path: path.with_file_name("head"), why, ends_at })
        }
        Said::Synced(Mark { position, .. }) if ends_at < position.0 => {
            Some(OpenError::Lost { path: path.to_owned(), ends_at, synced: position.0 })
        }
        Said::Synced(Mark { position, chain }) => {
            let found = reader::chain_at(log, position).map_err(broken)?;
            (found != Some(chain)).then(|| OpenError::OtherPast {
                path: path.to_owned(),
                ends_at,
                synced: position.0,
            })
        }
    };
    let trusted = match (contradiction, said) {
        (Some(error), _) if loss == Loss::Refused => return Err(error),
        (None, Said::Synced(mark)) => *mark,
        (contradiction, _) => {
            if let Some(error) = contradiction {
                tracing::warn!(%error, "the loss is accepted: the log goes on from where it ends");
            }
            let before = Position(ends_at.saturating_sub(1));
            let chain = reader::chain_at(log, before).map_err(broken)?;
            let missing = || {
                broken(ReadError::Corrupt {
                    position: before.0,
                    detail: "it cannot be found".to_owned(),
                })
            };
            Mark { position: before, chain: chain.ok_or_else(missing)? }
        }
    };
    // What is appended next is chained to the last record: it must be as it was written.
    let walked = reader::walk_from(log, trusted).map_err(broken)?;
    if walked != last {
        return Err(broken(ReadError::Corrupt {
            position: ends_at,
            detail: "the log has two ends".to_owned(),
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_full_disk_is_named_and_says_what_to_do() {
        let full = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None);
        let told = OpenError::of_sqlite(Path::new("/data/index.db"), full).to_string();
        assert!(told.contains("/data/index.db") && told.contains("make room and start"), "{told}");
        let busy = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None);
        let told = OpenError::of_sqlite(Path::new("/data/index.db"), busy);
        assert!(matches!(told, OpenError::Sqlite { .. }), "{told}");
    }
}
