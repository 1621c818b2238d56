//! What an auditor asks of the files besides the chain: whether the index and the table agree,
//! whether the log has what was synced, whose the snapshots are.

use std::path::Path;

use events::envelope::Position;
use events::time::Timestamp;
use rusqlite::{Connection, ErrorCode};

use super::head::{self, Said};
use super::log::Log;
use super::{failed, reader, schema, snapshots};
use crate::store::chain::{Hash, Mark};
use crate::store::port::ReadError;

/// Findings of SQLite's own check that are reported: the first ones say what has happened.
const REPORTED: u32 = 1_000;

/// Whether `directory` has a log without any record: none yet, or one that a crash has left before
/// its first commit.
pub fn is_unwritten(directory: &Path) -> Result<bool, ReadError> {
    let path = directory.join("events.db");
    if !path.exists() {
        return Ok(true);
    }
    let tables = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
    };
    let read = schema::open_reader(&path).and_then(|connection| tables(&connection));
    let read = match read {
        // A crash while the file was made has left a journal, which only a writer may roll back: a
        // start would do nothing else.
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen)
            ) && journal(&path).exists() =>
        {
            Connection::open(&path).and_then(|connection| tables(&connection))
        }
        read => read,
    };
    read.map(|tables| tables == 0).map_err(failed)
}

fn journal(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}

/// The chain after the record at `position` of the log in `directory`; `None` if it has no such
/// record.
pub fn chain_in(directory: &Path, position: Position) -> Result<Option<Hash>, ReadError> {
    if is_unwritten(directory)? {
        return Ok((position == Position(0)).then_some(crate::store::chain::GENESIS));
    }
    let log = Log::open(&directory.join("events.db")).map_err(failed)?;
    reader::chain_at(&log, position)
}

/// Where the log in `directory` ends, and the chain there.
pub fn end_in(directory: &Path) -> Result<(Position, Hash), ReadError> {
    if is_unwritten(directory)? {
        return Ok((Position(0), crate::store::chain::GENESIS));
    }
    let Mark { position, chain } =
        Log::open(&directory.join("events.db")).map_err(failed)?.last()?.mark();
    Ok((position, chain))
}

/// Walks the chain of the log in `directory` from a place that it must have, to its end.
pub fn walk_chain(
    directory: &Path,
    (position, chain): (Position, Hash),
) -> Result<(Position, Hash), ReadError> {
    let corrupt =
        |detail: &str| ReadError::Corrupt { position: position.0, detail: detail.to_owned() };
    match chain_in(directory, position)? {
        Some(found) if found == chain => {}
        Some(_) => return Err(corrupt("another record stands there")),
        None => return Err(corrupt("the log has no such record: it has lost its end")),
    }
    if is_unwritten(directory)? {
        return Ok((position, chain));
    }
    let log = Log::open(&directory.join("events.db")).map_err(failed)?;
    let Mark { position, chain } = reader::walk_from(&log, Mark { position, chain })?;
    Ok((position, chain))
}

/// Where the log in `directory` ends, and when its last record was stamped; `None` for one without
/// any.
pub fn last_record(directory: &Path) -> Result<Option<(Position, Timestamp)>, ReadError> {
    if is_unwritten(directory)? {
        return Ok(None);
    }
    let last = Log::open(&directory.join("events.db")).map_err(failed)?.last()?;
    Ok((last.position > Position(0)).then(|| (last.position, Timestamp::from_millis(last.at))))
}

/// Everything that is wrong with the files of the log in `directory`, in words. Reads only, and may
/// run beside the service.
pub fn inspect(directory: &Path) -> Result<Vec<String>, ReadError> {
    // Before the log: one that grows meanwhile has what was said before.
    let said =
        head::read(directory).map_err(|error| ReadError::Failed(format!("head: {error}")))?;
    let mut found = Vec::new();
    found.extend(against_head(directory, &said));
    if is_unwritten(directory)? {
        return Ok(found);
    }
    match structure(&directory.join("events.db")) {
        Ok(broken) => found.extend(broken.into_iter().map(|what| format!("events.db: {what}"))),
        Err(error) => found.push(format!("events.db: {error}")),
    }
    match snapshots::wrong_in(directory) {
        Ok(foreign) => found.extend(foreign.into_iter().map(|stream| {
            format!(
                "snapshots.db: the snapshot of {stream} is not \
                of this log as it was written; it is not used"
            )
        })),
        Err(why) => found.push(format!("snapshots.db: {why}; the next start begins it anew")),
    }
    Ok(found)
}

fn against_head(directory: &Path, said: &Said) -> Option<String> {
    let Mark { position, chain } = match said {
        Said::Nothing => return None,
        Said::Unreadable(why) => {
            return Some(format!("head: {why}: whether the log has lost its end cannot be known"));
        }
        Said::Synced(mark) => *mark,
    };
    match chain_in(directory, position) {
        Ok(Some(found)) if found == chain => None,
        Ok(Some(_)) => Some(format!(
            "events.db is not the log that was synced up to position {}: another record stands there",
            position.0
        )),
        Ok(None) => Some(format!(
            "events.db has lost its end: it was synced up to position {}, where it has no record",
            position.0
        )),
        Err(error) => Some(format!(
            "events.db was synced up to position {}, which cannot be read: {error}",
            position.0
        )),
    }
}

/// What SQLite finds: pages that are not whole, names that their own indexes do not have, and the
/// other way round.
fn structure(path: &Path) -> rusqlite::Result<Vec<String>> {
    let connection = schema::open_reader(path)?;
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({REPORTED})"))?;
    let lines: Vec<String> =
        check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}
