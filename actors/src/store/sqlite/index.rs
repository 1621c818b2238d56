//! `index.db`: where in the log each stream's records stand. It is filled behind the log, in sorted
//! batches, and made of nothing else: whatever is wrong with it, it is thrown away and made anew.
//! An append never waits for it.

use std::path::Path;

use events::envelope::Position;
use rusqlite::{Connection, OpenFlags, params};

use super::log::{bounded, unsigned};
use super::schema;
use crate::store::chain::{GENESIS, Hash};

/// The file in a data directory.
pub const FILE: &str = "index.db";
/// "TNIX": marks the file as an index of a log.
const APPLICATION_ID: i64 = 0x544e_4958;
/// Rises when the tables change, or what the digest is taken over.
const VERSION: i64 = 1;
const PAGE_BYTES: u32 = 4_096;

/// `digest` is over every place that the runs name, so that one which is lost or changed shows.
const TABLES: &str = "
CREATE TABLE runs (
    stream   INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    position INTEGER NOT NULL,
    length   INTEGER NOT NULL,
    PRIMARY KEY (stream, revision)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    chain    BLOB    NOT NULL,
    digest   INTEGER NOT NULL
) STRICT;";

/// Records of one stream that stand one behind the other in the log: mostly those of one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRun {
    /// The first one's place in its stream.
    pub revision: u64,
    /// Its place in the log.
    pub position: u64,
    /// How many there are.
    pub length: u64,
}

impl RecordRun {
    /// The place in the stream behind the last one.
    pub fn end(&self) -> u64 {
        self.revision.saturating_add(self.length)
    }

    /// Takes `other` in, if it goes on where this one ends.
    pub fn extend(&mut self, other: Self) -> bool {
        let goes_on = other.revision == self.end()
            && other.position == self.position.saturating_add(self.length);
        if goes_on {
            self.length += other.length;
        }
        goes_on
    }

    /// What of it lies in the stream from `from` on, before `until`.
    pub fn part(&self, from: u64, until: u64) -> Option<Self> {
        let (first, end) = (self.revision.max(from), self.end().min(until));
        (first < end).then(|| Self {
            revision: first,
            position: self.position.saturating_add(first - self.revision),
            length: end - first,
        })
    }
}

/// How far the index goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record in it.
    pub position: Position,
    /// The log's chain there: the index of another log does not match.
    pub chain: Hash,
    /// Over all places in it.
    pub digest: Digest,
}

impl Checkpoint {
    /// Of an index that has nothing.
    pub const BEFORE_ALL: Self = Self { position: Position(0), chain: GENESIS, digest: Digest(0) };
}

/// A sum over places that does not depend on their order, nor on how they are cut into runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(u64);

impl Digest {
    /// Takes a record's place in.
    pub fn add(&mut self, stream: i64, revision: u64, position: u64) {
        let place = mixed(position ^ mixed(revision ^ mixed(stream.cast_unsigned())));
        self.0 = self.0.wrapping_add(place);
    }

    /// Takes the places of a run in.
    pub fn add_run(&mut self, stream: i64, run: RecordRun) {
        for step in 0..run.length {
            self.add(stream, run.revision.wrapping_add(step), run.position.wrapping_add(step));
        }
    }

    /// Takes in what another one has.
    pub fn merge(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

/// The finalizer of SplitMix64: each bit of the input changes half of those of the output.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The index as it is on disk.
#[derive(Debug)]
pub struct IndexFile {
    connection: Connection,
}

impl IndexFile {
    /// Opens the index at `path` to write it; `None` if there is none that can be.
    pub fn open(path: &Path) -> Option<Self> {
        path.is_file()
            .then(|| Self::connect(path).ok())?
            .and_then(|connection| Self { connection }.of_this_version())
    }

    /// An empty one in place of whatever is there.
    pub fn create(path: &Path) -> rusqlite::Result<Self> {
        schema::remove(path);
        let connection = Self::connect(path)?;
        let stamp =
            format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};");
        connection.execute_batch(&format!("BEGIN; {TABLES} {stamp}"))?;
        connection.execute(
            "INSERT INTO checkpoint (id, position, chain, digest) VALUES (1, 0, ?1, 0)",
            params![GENESIS],
        )?;
        connection.execute_batch("COMMIT")?;
        Ok(Self { connection })
    }

    /// Opens the index at `path` to read it, also while the service writes it; `None` if there is
    /// none that can be read.
    pub fn open_reader(path: &Path) -> Option<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).ok()?;
        connection.busy_timeout(schema::PATIENCE).ok()?;
        Self { connection }.of_this_version()
    }

    fn of_this_version(self) -> Option<Self> {
        let pragma =
            |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).ok();
        let is_ours = (pragma("application_id"), pragma("user_version"))
            == (Some(APPLICATION_ID), Some(VERSION));
        is_ours.then_some(self)
    }

    fn connect(path: &Path) -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What a power cut takes of it is read from the log again.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.busy_timeout(schema::PATIENCE)?;
        Ok(connection)
    }

    /// How far it goes.
    pub fn checkpoint(&self) -> rusqlite::Result<Checkpoint> {
        self.connection.query_row("SELECT position, chain, digest FROM checkpoint", [], |row| {
            Ok(Checkpoint {
                position: Position(unsigned(row.get(0)?)),
                chain: row.get(1)?,
                digest: Digest(row.get::<_, i64>(2)?.cast_unsigned()),
            })
        })
    }

    /// How far it goes, and every run up to there, at one moment.
    pub fn walk(&self, mut visit: impl FnMut(i64, RecordRun)) -> rusqlite::Result<Checkpoint> {
        let moment = self.connection.unchecked_transaction()?;
        let checkpoint = self.checkpoint()?;
        let mut all =
            self.connection.prepare("SELECT stream, revision, position, length FROM runs")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let run = RecordRun {
                revision: unsigned(row.get(1)?),
                position: unsigned(row.get(2)?),
                length: unsigned(row.get(3)?),
            };
            // What lies beyond was never written here, and would take for ever to count.
            if run.position.saturating_add(run.length) > checkpoint.position.0.saturating_add(1) {
                return Err(rusqlite::Error::IntegralValueOutOfRange(3, row.get(3)?));
            }
            visit(row.get(0)?, run);
        }
        drop(rows);
        drop(all);
        moment.finish()?;
        Ok(checkpoint)
    }

    /// Takes the runs in, and goes as far as `position` from then on, after which the log's chain
    /// is `chain`. Of two runs that begin at one place, as only a damaged log has them, the first
    /// stays.
    pub fn put(
        &self,
        runs: &[(i64, RecordRun)],
        position: Position,
        chain: Hash,
    ) -> rusqlite::Result<()> {
        let all_or_none = self.connection.unchecked_transaction()?;
        let mut digest = self.checkpoint()?.digest;
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO runs (stream, \
            revision, position, length) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for (stream, run) in runs {
            let RecordRun { revision, position, length } = *run;
            if insert.execute(params![
                stream,
                bounded(revision),
                bounded(position),
                bounded(length)
            ])? > 0
            {
                digest.add_run(*stream, *run);
            }
        }
        drop(insert);
        let moved = "UPDATE checkpoint SET position = ?1, chain = ?2, digest = ?3";
        self.connection.prepare_cached(moved)?.execute(params![
            bounded(position.0),
            chain,
            digest.0.cast_signed()
        ])?;
        all_or_none.commit()
    }

    /// The stream's runs from `from` on, before `until`, of which `tail` are those that the index
    /// need not have: they are known without it, and were asked for before it.
    pub fn before_tail(
        &self,
        stream: i64,
        from: u64,
        until: u64,
        tail: Vec<RecordRun>,
    ) -> rusqlite::Result<Vec<RecordRun>> {
        let indexed_until = tail.first().map_or(until, |run| run.revision);
        if from >= indexed_until {
            return Ok(tail);
        }
        let mut runs = self.of_stream(stream, from, indexed_until - from)?;
        runs.extend(tail);
        Ok(runs)
    }

    /// The stream's runs from the one on that has `from`, until they have `wanted` records behind
    /// it.
    pub fn of_stream(
        &self,
        stream: i64,
        from: u64,
        wanted: u64,
    ) -> rusqlite::Result<Vec<RecordRun>> {
        let find = "SELECT revision, position, length FROM runs WHERE stream = ?1
            AND revision >= coalesce((SELECT max(revision) FROM runs WHERE stream = ?1 AND \
            revision <= ?2), ?2) ORDER BY revision";
        let mut find = self.connection.prepare_cached(find)?;
        let mut rows = find.query(params![stream, bounded(from)])?;
        let (mut runs, until) = (Vec::new(), from.saturating_add(wanted));
        while let Some(row) = rows.next()? {
            let run = RecordRun {
                revision: unsigned(row.get(0)?),
                position: unsigned(row.get(1)?),
                length: unsigned(row.get(2)?),
            };
            if run.revision >= until {
                break;
            }
            runs.extend(run.part(from, until));
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn run(revision: u64, position: u64, length: u64) -> RecordRun {
        RecordRun { revision, position, length }
    }

    #[test]
    fn a_run_is_cut_where_it_is_asked_and_goes_on_only_where_it_ends() {
        assert_eq!(run(3, 10, 4).part(0, 100), Some(run(3, 10, 4)));
        assert_eq!(run(3, 10, 4).part(5, 6), Some(run(5, 12, 1)));
        assert_eq!((run(3, 10, 4).part(7, 9), run(3, 10, 4).part(0, 3)), (None, None));
        let mut first = run(0, 1, 2);
        assert!(first.extend(run(2, 3, 1)) && first == run(0, 1, 3));
        assert!(!first.extend(run(3, 5, 1)) && !first.extend(run(4, 4, 1)));
    }

    #[test]
    fn a_stream_s_runs_are_found_from_the_middle_of_one() {
        let directory = tempfile::tempdir().unwrap();
        let index = IndexFile::create(&directory.path().join(FILE)).unwrap();
        let mut digest = Digest::default();
        let runs = [(1, run(0, 1, 3)), (1, run(3, 7, 2)), (1, run(5, 20, 1)), (2, run(0, 4, 3))];
        for (stream, run) in runs {
            digest.add_run(stream, run);
        }
        index.put(&runs, Position(20), [7; 32]).unwrap();
        let checkpoint = Checkpoint { position: Position(20), chain: [7; 32], digest };
        drop(index);
        let index = IndexFile::open(&directory.path().join(FILE)).unwrap();
        assert_eq!(
            index.of_stream(1, 0, 100).unwrap(),
            [run(0, 1, 3), run(3, 7, 2), run(5, 20, 1)]
        );
        assert_eq!(index.of_stream(1, 2, 2).unwrap(), [run(2, 3, 1), run(3, 7, 1)]);
        assert_eq!(index.of_stream(1, 6, 5).unwrap(), []);
        assert_eq!(index.of_stream(2, 1, 1).unwrap(), [run(1, 5, 1)]);
        assert_eq!(index.of_stream(3, 0, 9).unwrap(), []);
        let mut found = Digest::default();
        assert_eq!(index.walk(|stream, run| found.add_run(stream, run)).unwrap(), checkpoint);
        assert_eq!(found, digest);
    }

    #[test]
    fn a_digest_is_of_the_places_however_they_are_cut_and_in_whatever_order() {
        let whole = |runs: &[(i64, RecordRun)]| {
            let mut digest = Digest::default();
            for (stream, run) in runs {
                digest.add_run(*stream, *run);
            }
            digest
        };
        let one = whole(&[(1, run(0, 1, 3)), (2, run(0, 4, 1))]);
        assert_eq!(one, whole(&[(2, run(0, 4, 1)), (1, run(1, 2, 2)), (1, run(0, 1, 1))]));
        for other in [
            whole(&[(1, run(0, 1, 3))]),
            whole(&[(2, run(0, 1, 3)), (1, run(0, 4, 1))]),
            whole(&[(1, run(0, 1, 3)), (2, run(1, 4, 1))]),
        ] {
            assert_ne!(one, other);
        }
    }
}
