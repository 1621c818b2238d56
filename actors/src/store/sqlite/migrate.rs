//! Brings a log of an earlier layout into today's: a copy beside it, which takes its place once it
//! is whole and on disk.
//!
//! A crash at any moment leaves the old file or the new one, never a mixture: the change is one
//! rename.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::copying::{self, Check};
use super::log::Log;
use super::space::free_in;
use super::{OpenError, index, schema};

/// How long a start waits for others to leave the file.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the copy is called until it is whole.
const COPY: &str = "events.db.new";

/// Migrates the log at `path` if it is there and of an earlier layout; every record keeps its
/// place, its fields and its link of the chain.
pub fn migrate(path: &Path) -> Result<(), OpenError> {
    let copy = path.with_file_name(COPY);
    // Of a start that did not come to its end.
    schema::remove(&copy);
    if !path.is_file() {
        return Ok(());
    }
    let sqlite = |source| OpenError::of_sqlite(path, source);
    let old = Connection::open(path).map_err(sqlite)?;
    if !schema::is_of_earlier_layout(&old).map_err(sqlite)? {
        return Ok(());
    }
    let failed = |detail: String| OpenError::Migration { path: path.to_owned(), detail };
    has_room_for_copy(path).map_err(failed)?;
    detach_from_its_wal(&old).map_err(failed)?;
    // It would be of another log: numbers of streams are given out anew.
    schema::remove(&path.with_file_name(index::FILE));
    let copied = copy_log(path, &copy).and_then(|()| put_in_place(&copy, path));
    copied.map_err(|detail| {
        schema::remove(&copy);
        failed(detail)
    })
}

/// The copy is written beside the log: it needs about the log's own room once more.
fn has_room_for_copy(path: &Path) -> Result<(), String> {
    let needed = std::fs::metadata(path).map_or(0, |file| file.len());
    let free = path.parent().and_then(|directory| free_in(directory).ok());
    match free.filter(|free| *free < needed) {
        None => Ok(()),
        Some(free) => Err(format!(
            "a copy needs {needed} bytes on its disk, and {free} are free; make room and start \
             again"
        )),
    }
}

/// The new file must never meet the old one's write-ahead log: everything goes into the file first,
/// and nobody else may have it open.
fn detach_from_its_wal(old: &Connection) -> Result<(), String> {
    old.busy_timeout(PATIENCE).map_err(|error| error.to_string())?;
    let mode =
        old.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0));
    match mode {
        Ok(mode) if mode == "delete" => Ok(()),
        Ok(_) | Err(_) => {
            Err("another program has it open; end that one and start again".to_owned())
        }
    }
}

fn copy_log(path: &Path, copy: &Path) -> Result<(), String> {
    let old = Log::open(path).map_err(|error| error.to_string())?;
    tracing::info!(path = %path.display(), "the log is of an earlier version and is brought into \
        today's layout, once");
    copying::copy(&old, copy, Check::Keep).map(drop)
}

/// Makes the copy the log: on disk first, then by one rename, which is on disk too before anything
/// is appended.
fn put_in_place(copy: &Path, path: &Path) -> Result<(), String> {
    let put = || -> std::io::Result<()> {
        let whole = File::options().write(true).open(copy)?;
        whole.set_permissions(std::fs::metadata(path)?.permissions())?;
        whole.sync_all()?;
        std::fs::rename(copy, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    put().map_err(|error| error.to_string())?;
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    tracing::info!(path = %path.display(), bytes, "the log is in today's layout");
    Ok(())
}
