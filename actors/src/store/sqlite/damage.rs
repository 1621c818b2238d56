//! The property of damage: whatever becomes of the files, the start is refused, or each answer is
//! the one of before, or the record is named.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use events::Event;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::AccountId;

use super::indexer::Indexer;
use super::opening::open_held;
use super::reader::Files;
use super::snapshots::Snapshots;
use super::{Loss, OpenError, SqliteStore, ended_early, inspect, reader, verify_chain};
use crate::store::conformance::credits;
use crate::store::port::{EventStore, Expected, ReadError, Snapshot};

const STREAMS: u128 = 3;

/// The files of a data directory, as a crash or a clean stop has left them, and what the log
/// answers.
struct Sound {
    files: BTreeMap<String, Vec<u8>>,
    streams: BTreeMap<StreamId, Vec<Recorded<Event>>>,
    log: Vec<Recorded<Event>>,
    snapshot: Snapshot,
}

fn stream(number: u128) -> StreamId {
    StreamId::account(AccountId(number))
}

/// A log of a few streams; `is_killed` leaves it as it is while the service runs, with a
/// write-ahead log.
async fn sound(is_killed: bool) -> Sound {
    let directory = tempfile::tempdir().unwrap();
    let store =
        SqliteStore::open(directory.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
    for round in 0..4u64 {
        for number in 1..=STREAMS {
            let expected = Expected::after(round.checked_sub(1).map(Revision));
            store
                .append(credits(number, expected, u128::from(round) * 10 + number, 1))
                .await
                .unwrap();
        }
    }
    let log = store
        .read_all(Position(0), 100)
        .await
        .unwrap()
        .iter()
        .map(|record| Recorded::clone(record))
        .collect();
    let mut streams = BTreeMap::new();
    for number in 1..=STREAMS {
        streams.insert(
            stream(number),
            store.read_stream(stream(number), Revision(0), 100).await.unwrap(),
        );
    }
    let last = streams[&stream(1)].last().unwrap();
    let snapshot = Snapshot { revision: last.revision, last_event: last.id, bytes: vec![7; 300] };
    store.save_snapshot(stream(1), snapshot.clone());
    while store.load_snapshot(stream(1)).await.is_none() {
        tokio::task::yield_now().await;
    }
    if !is_killed {
        store.close().await;
    }
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        // What stands in shared memory is made anew from the write-ahead log by the first who opens
        // it; an emptied one says nothing.
        if !name.ends_with("-shm") && !bytes.is_empty() {
            files.insert(name, bytes);
        }
    }
    assert_eq!(files.contains_key("events.db-wal"), is_killed, "{:?}", files.keys());
    Sound { files, streams, log, snapshot }
}

/// How a damaged directory behaved.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    refused: u32,
    named: u32,
    equal: u32,
}

/// So many cases of a file in every run, spread over all of it; with `TELENUMERUS_EVERY_BYTE` set,
/// every one.
const CASES: usize = 400;

/// How far apart the places of a file are that are damaged: an odd number, so that each bit of a
/// byte has its turn.
fn step(length: usize) -> usize {
    if std::env::var_os("TELENUMERUS_EVERY_BYTE").is_some() { 1 } else { (length / CASES) | 1 }
}

/// Where thousands of directories are laid out: in memory, where there is such a place.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

impl Sound {
    /// The directory with one file exchanged.
    fn lay(&self, directory: &Path, name: &str, bytes: &[u8]) {
        for entry in std::fs::read_dir(directory).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (file, sound) in &self.files {
            std::fs::write(directory.join(file), if file == name { bytes } else { sound }).unwrap();
        }
    }

    /// Asks the damaged directory everything; panics where an answer is neither the old one, nor an
    /// error that names what is broken.
    fn judge(&self, directory: &Path, case: &str, seen: &mut Seen) {
        let (connection, log, last) = match open_held(directory, Loss::Refused) {
            Ok(opened) => opened,
            Err(
                OpenError::Sqlite { .. }
                | OpenError::Full { .. }
                | OpenError::Foreign { .. }
                | OpenError::Lost { .. }
                | OpenError::OtherPast { .. },
            ) => {
                return seen.refused += 1;
            }
            Err(
                OpenError::HeadUnreadable { .. }
                | OpenError::Broken { .. }
                | OpenError::Migration { .. },
            ) => return seen.refused += 1,
            Err(error) => panic!("{case}: {error}"),
        };
        assert_eq!(last.position.0, self.log.len() as u64, "{case}: a start with another end");
        let mut named = false;
        let mut hold = |answer: Result<Vec<Recorded<Event>>, ReadError>,
                        sound: &Vec<Recorded<Event>>| match answer {
            Ok(records) => assert_eq!(records, *sound, "{case}: another answer"),
            Err(ReadError::Corrupt { .. } | ReadError::Undecodable { .. }) => named = true,
            Err(error @ ReadError::Failed(_)) => panic!("{case}: {error}"),
        };
        let indexer = match Indexer::load(directory, &log, last.mark()) {
            Ok(indexer) => indexer,
            Err(OpenError::Broken { .. }) => return seen.refused += 1,
            Err(error) => panic!("{case}: {error}"),
        };
        let files = Files::open(directory, None).unwrap();
        for (stream, records) in &self.streams {
            let end = records.last().map(|record| (record.revision, record.position));
            let read = reader::read_stream(&files, indexer.streams(), stream, Revision(0), 100);
            hold(read.and_then(|read| ended_early(stream, Revision(0), 100, read, end)), records);
        }
        let all = reader::read_all(&files, Position(0), 100, last.position);
        hold(
            all.map(|records| records.iter().map(|record| Recorded::clone(record)).collect()),
            &self.log,
        );
        drop((connection, log, files, indexer));
        let snapshot = Snapshots::open(&directory.join("snapshots.db"), None)
            .ok()
            .and_then(|snapshots| snapshots.load(&stream(1)));
        assert!(
            snapshot.is_none_or(|snapshot| snapshot == self.snapshot),
            "{case}: another snapshot"
        );
        if named {
            let is_told = verify_chain(directory, |_| {})
                .map_or(true, |findings| !findings.is_empty())
                || inspect(directory).map_or(true, |found| !found.is_empty());
            assert!(is_told, "{case}: a record is not served, and the audit does not say so");
        }
        if named { seen.named += 1 } else { seen.equal += 1 }
    }

    fn judge_all(&self, name: &str, cases: impl Iterator<Item = (String, Vec<u8>)>) -> Seen {
        let directory = scratch();
        let mut seen = Seen::default();
        for (case, bytes) in cases {
            self.lay(directory.path(), name, &bytes);
            self.judge(directory.path(), &format!("{name}: {case}"), &mut seen);
        }
        seen
    }

    /// One bit of a byte, another one each time, all over every file of the directory.
    fn flip(&self) -> BTreeMap<&str, Seen> {
        let flipped = |bytes: &Vec<u8>, place: usize| {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << (place % 8);
            (format!("bit {} of byte {place}", place % 8), bytes)
        };
        let judged = self.files.iter().map(|(name, bytes)| {
            (
                name.as_str(),
                self.judge_all(
                    name,
                    (0..bytes.len()).step_by(step(bytes.len())).map(|place| flipped(bytes, place)),
                ),
            )
        });
        judged.collect()
    }

    /// Cut at places all over it; every page dropped, repeated, zeroed, and in its neighbour's
    /// place.
    fn cut(&self) -> BTreeMap<&str, Seen> {
        let judged = self.files.iter().map(|(name, bytes)| {
            let cut = (0..bytes.len())
                .step_by(step(bytes.len()))
                .map(|length| (format!("cut to {length} bytes"), bytes[..length].to_vec()));
            let (start, page) = match name.as_str() {
                "events.db-wal" => (32, 24 + page_size(&self.files["events.db"], bytes)),
                name if name.ends_with("-wal") => (32, 24 + 4_096),
                "events.db" => (0, page_size(bytes, bytes)),
                _ => (0, 4_096),
            };
            let places = (start..bytes.len()).step_by(page);
            let pages = places.flat_map(|place| {
                let end = (place + page).min(bytes.len());
                let (before, this, after) = (&bytes[..place], &bytes[place..end], &bytes[end..]);
                let next = &after[..page.min(after.len())];
                [
                    (format!("without the page at {place}"), [before, after].concat()),
                    (format!("the page at {place} twice"), [before, this, this, after].concat()),
                    (
                        format!("the page at {place} of zeros"),
                        [before, &vec![0; this.len()], after].concat(),
                    ),
                    (
                        format!("the page at {place} after the next"),
                        [before, next, this, &after[next.len()..]].concat(),
                    ),
                ]
            });
            (name.as_str(), self.judge_all(name, cut.chain(pages)))
        });
        judged.collect()
    }
}

/// Of the database, or, while it stands in the write-ahead log alone, as that says.
fn page_size(database: &[u8], log: &[u8]) -> usize {
    let size = if database.len() >= 18 {
        u32::from(u16::from_be_bytes([database[16], database[17]]))
    } else {
        u32::from_be_bytes(log[8..12].try_into().unwrap())
    };
    usize::try_from(size).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_never_served() {
    for is_killed in [false, true] {
        let sound = sound(is_killed).await;
        let seen = sound.flip();
        let log = seen["events.db"];
        if is_killed {
            assert!(seen["events.db-wal"].refused > 100, "{seen:?}");
        } else {
            assert!(log.refused > 0 && log.named > 10 && log.equal > 20, "{seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_short_or_with_other_pages_is_never_served() {
    for is_killed in [false, true] {
        let sound = sound(is_killed).await;
        let seen = sound.cut();
        assert!(seen["events.db"].refused + seen["events.db"].equal > 100, "{seen:?}");
    }
}

#[tokio::test]
async fn a_log_that_has_lost_its_end_starts_only_when_it_is_told_to() {
    let sound = sound(true).await;
    let directory = tempfile::tempdir().unwrap();
    let wal = &sound.files["events.db-wal"];
    // The last commit's frames: a bit of them is all that it takes.
    let mut bytes = wal.clone();
    let place = bytes.len() - 100;
    bytes[place] ^= 1;
    sound.lay(directory.path(), "events.db-wal", &bytes);
    let lost = SqliteStore::open(directory.path(), Arc::new(|_: &str| {})).unwrap_err();
    assert!(matches!(lost, OpenError::Lost { ends_at: 11, synced: 12, .. }), "{lost}");
    assert!(
        lost.to_string().contains("--accept-loss") && lost.to_string().contains("Restore"),
        "{lost}"
    );
    let findings = inspect(directory.path()).unwrap();
    assert!(findings.iter().any(|finding| finding.contains("position 12")), "{findings:?}");

    let store = SqliteStore::open_with(
        directory.path(),
        Arc::new(|reason: &str| panic!("{reason}")),
        Loss::Accepted,
    )
    .unwrap();
    assert_eq!(store.snapshots_ignored(), 0, "the snapshot is of before the loss");
    let next = store.append(credits(3, Expected::Exact(Revision(2)), 900, 2)).await.unwrap();
    assert_eq!(next.position, Position(13));
    store.close().await;
    drop(store);
    assert_eq!(inspect(directory.path()).unwrap(), Vec::<String>::new());
    assert_eq!(verify_chain(directory.path(), |_| {}).unwrap(), []);
    SqliteStore::open(directory.path(), Arc::new(|_: &str| {})).unwrap();
}

#[tokio::test]
async fn a_log_of_another_past_is_refused_and_its_snapshots_are_forgotten() {
    let (one, other) = (sound(false).await, tempfile::tempdir().unwrap());
    let store =
        SqliteStore::open(other.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
    store.append(credits(1, Expected::NoStream, 77, 20)).await.unwrap();
    store.close().await;
    drop(store);
    let directory = tempfile::tempdir().unwrap();
    one.lay(directory.path(), "events.db", &std::fs::read(other.path().join("events.db")).unwrap());
    let refused = SqliteStore::open(directory.path(), Arc::new(|_: &str| {})).unwrap_err();
    assert!(matches!(refused, OpenError::OtherPast { ends_at: 20, synced: 12, .. }), "{refused}");
    let store =
        SqliteStore::open_with(directory.path(), Arc::new(|_: &str| {}), Loss::Accepted).unwrap();
    assert_eq!((store.snapshots_ignored(), store.load_snapshot(stream(1)).await), (1, None));
}
