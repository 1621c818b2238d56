//! Keeps the index behind the log: what it lacks is read from the log at the start, and taken from
//! memory, batch by batch, while the service runs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use events::envelope::Position;
use parking_lot::Mutex;

use super::index::{self, Checkpoint, Digest, IndexFile, RecordRun};
use super::log::{Log, Place};
use super::streams::{Streams, Tail, Written, set_length};
use super::{OpenError, reader};
use crate::kernel::clock::Stopwatch;
use crate::store::chain::Mark;
use crate::store::port::ReadError;

/// Runs taken in together: many of them share a page of the index, and after a crash they are read
/// from the log again, which takes a tenth of a second.
const BATCH: usize = 32_768;
/// The same while an index is made anew: each batch would go all over the file, so there are few of
/// them.
const LARGE_BATCH: usize = 32 * BATCH;
/// Rounds of the checkpointer without an append after which a smaller batch is taken in, too.
const QUIET_ROUNDS: u32 = 10;
/// Positions read together.
const PAGE: u64 = 4_096;
/// Between two lines about how far it is.
const NEWS_EVERY: Duration = Duration::from_secs(5);

/// The one that writes the index.
#[derive(Debug)]
pub struct Indexer {
    file: Mutex<IndexFile>,
    streams: Arc<Streams>,
    quiet: AtomicU32,
    is_failing: AtomicBool,
}

impl Indexer {
    /// The index in `directory` of a log that ends at `end`, as far as it goes there, or made anew;
    /// what it lacks then is a batch at most.
    pub fn load(directory: &Path, log: &Log, end: Mark) -> Result<Self, OpenError> {
        let path = directory.join(index::FILE);
        let sqlite = |source| OpenError::of_sqlite(&path, source);
        let broken = |source| OpenError::Broken { path: directory.join("events.db"), source };
        let (file, checkpoint, lengths) = match sound(&path, log, end) {
            Some(sound) => sound,
            None => (IndexFile::create(&path).map_err(sqlite)?, Checkpoint::BEFORE_ALL, Vec::new()),
        };
        let last_number = log.last_number().map_err(broken)?;
        let mut filling = Filling {
            log,
            file: &file,
            lengths,
            last_number,
            batch: Vec::new(),
            position: checkpoint.position,
            end,
        };
        filling.run().map_err(|error| match error {
            FillError::Log(source) => broken(source),
            FillError::Index(source) => sqlite(source),
        })?;
        let Filling { lengths, batch, .. } = filling;
        let mut tail = Tail::default();
        for (number, run) in batch {
            // A name that the log does not have any more cannot be asked for.
            if let Some(stream) = log.name_of(number).map_err(broken)? {
                tail.add(Written { stream, number, run });
            }
        }
        Ok(Self {
            file: Mutex::new(file),
            streams: Arc::new(Streams::new(lengths, tail, end)),
            quiet: AtomicU32::new(0),
            is_failing: AtomicBool::new(false),
        })
    }

    /// What is known of the streams.
    pub fn streams(&self) -> &Arc<Streams> {
        &self.streams
    }

    /// Takes in what waits, if it is a batch, or has waited long while nothing was appended.
    pub fn take_in_if_due(&self, has_grown: bool) {
        let quiet =
            if has_grown { 0 } else { self.quiet.load(Ordering::Relaxed).saturating_add(1) };
        self.quiet.store(quiet, Ordering::Relaxed);
        let waiting = self.streams.waiting();
        if waiting >= BATCH || waiting > 0 && quiet == QUIET_ROUNDS {
            self.take_in();
        }
    }

    /// Takes in everything that waits. What cannot be written stays in memory, and is tried again
    /// with the next batch.
    pub fn take_in(&self) {
        let file = self.file.lock();
        let (tail, end) = self.streams.take();
        if tail.streams.is_empty() {
            return;
        }
        let mut runs: Vec<(i64, RecordRun)> = Vec::with_capacity(tail.runs);
        runs.extend(
            tail.streams
                .values()
                .flat_map(|stream| stream.runs.iter().map(|run| (stream.number, *run))),
        );
        sort(&mut runs);
        let written = file.put(&runs, end.position, end.chain);
        let failed_before = self.is_failing.swap(written.is_err(), Ordering::Relaxed);
        match written {
            Ok(()) => self.streams.indexed(),
            Err(error) if !failed_before => {
                tracing::warn!(%error, "the index by stream cannot be written; it is tried again, \
                    and the log does not wait for it");
            }
            Err(_) => {}
        }
    }
}

/// The index at `path`, how far it goes, and how long each stream is there; `None` unless all of it
/// is as it was written, and of this log.
fn sound(path: &Path, log: &Log, end: Mark) -> Option<(IndexFile, Checkpoint, Vec<u64>)> {
    let file = IndexFile::open(path)?;
    let last_number = log.last_number().ok()?;
    let (mut lengths, mut digest) = (Vec::new(), Digest::default());
    let walked = file.walk(|stream, run| {
        digest.add_run(stream, run);
        if stream <= last_number {
            set_length(&mut lengths, stream, run.end());
        }
    });
    let why = match walked {
        Err(error) => error.to_string(),
        Ok(checkpoint) if checkpoint.digest != digest => {
            "places in it are not as they were written".to_owned()
        }
        Ok(checkpoint) if checkpoint.position > end.position => {
            format!("it goes up to position {}", checkpoint.position.0)
        }
        Ok(checkpoint) => match reader::chain_at(log, checkpoint.position) {
            Ok(Some(chain)) if chain == checkpoint.chain => {
                return Some((file, checkpoint, lengths));
            }
            Ok(_) => format!(
                "it is of another log: another record stands at position {}",
                checkpoint.position.0
            ),
            Err(error) => error.to_string(),
        },
    };
    tracing::warn!(why, "the index by stream is not of this log as it is; it is made anew");
    None
}

/// Why the index could not be filled.
enum FillError {
    /// From the log.
    Log(ReadError),
    /// Into the file.
    Index(rusqlite::Error),
}

/// Reads places from the log that the index does not have.
struct Filling<'a> {
    log: &'a Log,
    file: &'a IndexFile,
    lengths: Vec<u64>,
    last_number: i64,
    batch: Vec<(i64, RecordRun)>,
    position: Position,
    end: Mark,
}

impl Filling<'_> {
    fn run(&mut self) -> Result<(), FillError> {
        let mut news = Stopwatch::start();
        while self.position < self.end.position {
            let through = Position((self.position.0 + PAGE).min(self.end.position.0));
            for place in places(self.log, self.position, through).map_err(FillError::Log)? {
                self.take(place);
            }
            self.position = through;
            let is_last = self.position == self.end.position;
            if self.batch.len() >= if is_last { BATCH } else { LARGE_BATCH } {
                self.put()?;
            }
            if news.elapsed() >= NEWS_EVERY {
                tracing::info!(
                    events = self.position.0,
                    of = self.end.position.0,
                    "the index by stream is being made"
                );
                news = Stopwatch::start();
            }
        }
        Ok(())
    }

    fn take(&mut self, Place { position, stream, revision }: Place) {
        // What was never given out as a number is a damaged record's.
        if !(1..=self.last_number).contains(&stream) {
            return;
        }
        let run = RecordRun { revision, position, length: 1 };
        set_length(&mut self.lengths, stream, run.end());
        let before = self.batch.last_mut().filter(|(last, _)| *last == stream);
        if !before.is_some_and(|(_, before)| before.extend(run)) {
            self.batch.push((stream, run));
        }
    }

    fn put(&mut self) -> Result<(), FillError> {
        let chain = reader::chain_at(self.log, self.position).map_err(FillError::Log)?;
        let missing = || {
            FillError::Log(ReadError::Corrupt {
                position: self.position.0,
                detail: "it cannot be found".to_owned(),
            })
        };
        sort(&mut self.batch);
        self.file
            .put(&self.batch, self.position, chain.ok_or_else(missing)?)
            .map_err(FillError::Index)?;
        self.batch.clear();
        Ok(())
    }
}

/// Where the records after one position stand, up to another; of a page that SQLite cannot read,
/// those that it can.
fn places(log: &Log, after: Position, through: Position) -> Result<Vec<Place>, ReadError> {
    match log.places(after, through) {
        Err(ReadError::Corrupt { .. }) => {}
        read => return read,
    }
    let mut found = Vec::new();
    for position in after.0 + 1..=through.0 {
        match log.places(Position(position - 1), Position(position)) {
            Ok(one) => found.extend(one),
            // It is named to whoever asks for its stream, and by the audit.
            Err(ReadError::Corrupt { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// As they stand in the file: each page is written once.
fn sort(runs: &mut [(i64, RecordRun)]) {
    runs.sort_unstable_by_key(|(stream, run)| (*stream, run.revision));
}
