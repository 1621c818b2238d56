//! Copies a log record by record into a new file of today's layout: for migrations and for backups.
//! It may be written meanwhile: what is there is for ever.

use std::path::Path;
use std::time::Duration;

use events::envelope::{Position, StreamId};
use rusqlite::Connection;

use super::layout::TABLES;
use super::log::Log;
use super::names::Numbers;
use super::schema::{self, LastRecord, PAGE_BYTES};
use super::scribe::Scribe;
use crate::kernel::clock::Stopwatch;
use crate::store::chain::{self, GENESIS, Hash};

/// Records copied at a time.
const PAGE: usize = 4_096;
/// Between two lines about how far it is.
const NEWS_EVERY: Duration = Duration::from_secs(5);

/// What becomes of records that are not as they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// They are copied as they are, and counted in the program's log: a migration changes nothing.
    Keep,
    /// They end the copy: a backup is whole.
    Chain,
}

/// Copies `log`, as far as it goes now, into the file `copy`, which is not there yet and is not
/// synced here; where it ends.
pub fn copy(log: &Log, copy: &Path, check: Check) -> Result<LastRecord, String> {
    let in_words = |error: rusqlite::Error| error.to_string();
    let last = log.last().map_err(|error| error.to_string())?;
    let new = Connection::open(copy).map_err(in_words)?;
    // Nobody knows the file yet, and it is synced as a whole before anybody does.
    for (pragma, value) in [
        ("page_size", PAGE_BYTES.to_string()),
        ("journal_mode", "OFF".to_owned()),
        ("synchronous", "OFF".to_owned()),
    ] {
        new.pragma_update(None, pragma, value).map_err(in_words)?;
    }
    new.pragma_update(None, "cache_size", -65_536).map_err(in_words)?;
    new.execute_batch(&format!("{TABLES} BEGIN;")).map_err(in_words)?;
    let damaged = Copying {
        scribe: Scribe::default(),
        chain: GENESIS,
        position: Position(0),
        end: last.position,
        check,
    }
    .run(log, &new)?;
    let ordered_from = log
        .stamped_in_order_from()
        .map_err(|error| error.to_string())?
        .unwrap_or(Position(last.position.0 + 1));
    let mark = schema::mark_stamped_in_order_from(ordered_from);
    new.execute_batch(&format!("{mark} COMMIT; {}", schema::stamp())).map_err(in_words)?;
    new.close().map_err(|(_, error)| in_words(error))?;
    let written = Log::open(copy).map_err(in_words)?.last().map_err(|error| error.to_string())?;
    if written != last {
        return Err("the copy does not end as the log does".to_owned());
    }
    if damaged > 0 {
        tracing::error!(
            records = damaged,
            "records were damaged before; they were kept as they are, and `telenumerus audit \
             verify` names them"
        );
    }
    Ok(last)
}

struct Copying {
    scribe: Scribe,
    chain: Hash,
    position: Position,
    end: Position,
    check: Check,
}

impl Copying {
    /// How many records are not as they were written.
    fn run(&mut self, log: &Log, new: &Connection) -> Result<u64, String> {
        let (mut news, mut damaged) = (Stopwatch::start(), 0);
        let mut stream: Option<(StreamId, i64)> = None;
        while self.position < self.end {
            let page = log.after(self.position, PAGE).map_err(|error| error.to_string())?;
            if page.is_empty() {
                return Err(format!(
                    "the records after position {} are not there",
                    self.position.0
                ));
            }
            for found in page {
                let record = found.map_err(|error| error.to_string())?;
                if record.position > self.end {
                    break;
                }
                let digest = record.digest();
                let is_whole = chain::checksum(&digest) == record.checksum
                    && record.position.0 == self.position.0 + 1
                    && chain::link(&self.chain, record.position, &digest) == record.chain;
                if !is_whole && self.check == Check::Chain {
                    return Err(format!(
                        "record {} is not as it was written; `telenumerus audit verify` says what \
                         is wrong",
                        record.position.0
                    ));
                }
                damaged += u64::from(!is_whole);
                let number = match &stream {
                    Some((name, number)) if *name == record.stream => *number,
                    _ => Numbers::stream(new, &record.stream).map_err(|error| error.to_string())?,
                };
                let written = self.scribe.write(
                    new,
                    number,
                    record.position,
                    &record.fields(),
                    record.checksum,
                    &record.chain,
                );
                written.map_err(|error| error.to_string())?;
                (self.chain, self.position) = (record.chain, record.position);
                stream = Some((record.stream, number));
            }
            if news.elapsed() >= NEWS_EVERY {
                tracing::info!(
                    events = self.position.0,
                    of = self.end.0,
                    "the log is being copied"
                );
                news = Stopwatch::start();
            }
        }
        Ok(damaged)
    }
}
