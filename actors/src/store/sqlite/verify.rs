//! The walk along the chain: what an auditor runs over a log, while the service runs or not.
//! Records are read and checked on all cores, and judged in order.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use events::Event;
use events::codec::DecodeError;
use events::envelope::{Position, StreamId};

use super::audit_record::{AuditRecord, audited};
use super::held_index::HeldIndex;
use super::index::Digest;
use super::layout::StoredRecord;
use super::log::{Found, Log};
use super::reader;
use crate::store::chain;
use crate::store::port::ReadError;
use crate::vault::{self, Vault};

/// Positions looked at together.
const PAGE: u64 = 4_096;
/// Pages that wait for the judge, of each reader: more would only fill memory.
const WAITING: usize = 1;
/// Readers at most: the judge is one, and falls behind more of them.
const READERS: usize = 4;

/// Something in the log that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFinding {
    /// Where.
    pub position: u64,
    /// In which stream.
    pub stream: String,
    /// What is wrong.
    pub detail: String,
}

/// Walks `events.db` in `directory`, hands every readable record to `visit`, and returns what is
/// broken. A word stands in the place of each secret that is encrypted.
pub fn verify_chain(
    directory: &Path,
    visit: impl FnMut(&AuditRecord),
) -> Result<Vec<ChainFinding>, ReadError> {
    verify_chain_opened(directory, None, visit)
}

/// The same, with the secrets that the vault opens.
pub fn verify_chain_opened(
    directory: &Path,
    vault: Option<&Vault>,
    mut visit: impl FnMut(&AuditRecord),
) -> Result<Vec<ChainFinding>, ReadError> {
    verify_chain_while(directory, vault, |record| {
        visit(record);
        ControlFlow::Continue(())
    })
}

/// The same, until `visit` breaks off: the findings are then those so far.
pub fn verify_chain_while(
    directory: &Path,
    vault: Option<&Vault>,
    mut visit: impl FnMut(&AuditRecord) -> ControlFlow<()>,
) -> Result<Vec<ChainFinding>, ReadError> {
    if super::is_unwritten(directory)? {
        return Ok(Vec::new());
    }
    let path = directory.join("events.db");
    let open = || {
        Log::open(&path).map_err(|error| ReadError::Failed(format!("{}: {error}", path.display())))
    };
    let log = open()?;
    let pages = log.end()?.0.div_ceil(PAGE);
    let mut held = HeldIndex::of(directory, &log);
    let indexed = held.as_ref().map_or(Position(0), HeldIndex::position);
    let readers = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(READERS));
    let mut walk = Walk {
        chain: Some(chain::GENESIS),
        position: Position(0),
        due: Due::default(),
        findings: Vec::new(),
    };
    std::thread::scope(|scope| {
        let read: Vec<Receiver<_>> = (0..readers)
            .map(|reader| {
                let (send, receive) = sync_channel(WAITING);
                let open = &open;
                scope.spawn(move || {
                    let pages = (reader as u64..pages).step_by(readers);
                    read_pages(open, pages, (indexed, vault), &send);
                });
                receive
            })
            .collect();
        for receive in read.iter().cycle().take(usize::try_from(pages).unwrap_or(usize::MAX)) {
            let Page { records, places } = receive
                .recv()
                .map_err(|_| ReadError::Failed("a reader ended before its time".to_owned()))??;
            if let Some(held) = &mut held {
                held.should_have(places);
            }
            for found in records {
                match found {
                    Ok(checked) => {
                        if let Some(record) = walk.step(checked)
                            && visit(&record).is_break()
                        {
                            return Ok(walk.findings);
                        }
                    }
                    Err(ReadError::Corrupt { position, detail }) if position > walk.position.0 => {
                        walk.pass_over(position, detail);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        walk.findings.extend(held.and_then(|held| held.finding(&log)));
        Ok(walk.findings)
    })
}

/// Hands what was appended after `after` to `visit`, oldest first, and says where that ends. The
/// chain before it was walked already: it is checked from there on.
pub fn records_after(
    directory: &Path,
    after: Position,
    vault: Option<&Vault>,
    mut visit: impl FnMut(&AuditRecord),
) -> Result<(Position, Vec<ChainFinding>), ReadError> {
    if super::is_unwritten(directory)? {
        return Ok((after, Vec::new()));
    }
    let path = directory.join("events.db");
    let log = Log::open(&path)
        .map_err(|error| ReadError::Failed(format!("{}: {error}", path.display())))?;
    let mut walk = Walk {
        chain: reader::chain_at(&log, after)?,
        position: after,
        due: Due { is_midway: true, ..Due::default() },
        findings: Vec::new(),
    };
    loop {
        let until = log.end()?.0.min(walk.position.0 + PAGE);
        if until <= walk.position.0 {
            return Ok((walk.position, walk.findings));
        }
        let found = found_in(&log, walk.position.0, until)?;
        for found in check_page(found, Position(0), vault).records {
            match found {
                Ok(checked) => {
                    if let Some(record) = walk.step(checked) {
                        visit(&record);
                    }
                }
                Err(ReadError::Corrupt { position, detail }) if position > walk.position.0 => {
                    walk.pass_over(position, detail);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// What can be said of a record without the one before its page.
struct Checked {
    record: StoredRecord,
    digest: chain::Hash,
    /// Whether its link fits the record before it; `None` where that is on another page.
    is_linked: Option<bool>,
    event: Result<Event, DecodeError>,
}

struct Page {
    records: Vec<Result<Checked, ReadError>>,
    /// Of the places that the index should have.
    places: Digest,
}

/// Reads and checks the pages with these numbers, until nobody wants them any more.
fn read_pages(
    open: impl Fn() -> Result<Log, ReadError>,
    pages: impl Iterator<Item = u64>,
    (indexed, vault): (Position, Option<&Vault>),
    send: &SyncSender<Result<Page, ReadError>>,
) {
    let log = match open() {
        Ok(log) => log,
        Err(error) => return drop(send.send(Err(error))),
    };
    for page in pages {
        let found = found_in(&log, page * PAGE, (page + 1) * PAGE);
        let is_wanted = send.send(found.map(|found| check_page(found, indexed, vault)));
        if is_wanted.is_err() {
            return;
        }
    }
}

/// The records after one position up to another; where SQLite cannot read one of its pages, each by
/// itself, so that it is known which ones are gone.
fn found_in(log: &Log, after: u64, until: u64) -> Result<Vec<Found>, ReadError> {
    match log.between(Position(after), Position(until)) {
        Err(ReadError::Corrupt { .. }) => {}
        read => return read,
    }
    let mut found = Vec::new();
    for position in after + 1..=until {
        match log.between(Position(position - 1), Position(position)) {
            Ok(one) => found.extend(one),
            Err(ReadError::Corrupt { detail, .. }) => {
                found.push(Err(ReadError::Corrupt { position, detail }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn check_page(page: Vec<Found>, indexed: Position, vault: Option<&Vault>) -> Page {
    // `None` at first, then what the last record says of the chain after it, if it says anything.
    let mut before: Option<Option<chain::Hash>> = None;
    let mut places = Digest::default();
    let mut checked = Vec::with_capacity(page.len());
    for found in page {
        if let Ok(StoredRecord { number, revision, position, .. }) = &found
            && *position <= indexed
        {
            places.add(*number, revision.0, position.0);
        }
        checked.push(found.map(|record| {
            let digest = record.digest();
            let is_linked = before.map(|before| {
                before.is_none_or(|before| {
                    chain::link(&before, record.position, &digest) == record.chain
                })
            });
            let event = vault::event_as_far_as_open(vault, record.header(), &record.payload);
            Checked { record, digest, is_linked, event }
        }));
        before =
            Some(checked.last().and_then(|last| last.as_ref().ok()).map(|last| last.record.chain));
    }
    Page { records: checked, places }
}

struct Walk {
    /// After the record before; `None` where that one could not be read.
    chain: Option<chain::Hash>,
    position: Position,
    due: Due,
    findings: Vec<ChainFinding>,
}

/// Which revision of each stream comes next.
#[derive(Default)]
struct Due {
    /// By the stream's number: they are given out one after the other.
    by_number: Vec<u64>,
    /// In a log of the first layout, or a walk that begins midway.
    by_name: HashMap<StreamId, u64>,
    /// Whether each stream begins as its first record here says.
    is_midway: bool,
}

impl Due {
    /// The revision that is due where the record stands, which is then the one after it.
    fn next(&mut self, record: &StoredRecord) -> u64 {
        let next = record.revision.0.saturating_add(1);
        if self.is_midway {
            let due = self.by_name.insert(record.stream.clone(), next);
            return due.unwrap_or(record.revision.0);
        }
        // What is far beyond the last number is a damaged record's, whose name says no more.
        let place = usize::try_from(record.number)
            .ok()
            .filter(|place| *place > 0 && *place <= self.by_number.len() + 1);
        let Some(place) = place else {
            return self.by_name.insert(record.stream.clone(), next).unwrap_or(0);
        };
        if place > self.by_number.len() {
            self.by_number.push(0);
        }
        std::mem::replace(&mut self.by_number[place - 1], next)
    }
}

impl Walk {
    fn step(&mut self, checked: Checked) -> Option<AuditRecord> {
        let Checked { record, digest, is_linked, event } = checked;
        let StoredRecord { position, revision, .. } = record;
        if position.0 != self.position.0 + 1 {
            self.find(
                &record,
                format!(
                    "{} records before it are missing",
                    position.0.saturating_sub(self.position.0 + 1)
                ),
            );
        }
        if chain::checksum(&digest) != record.checksum {
            self.find(&record, "its bytes do not match their checksum".to_owned());
        }
        let fits = || {
            self.chain.is_none_or(|before| chain::link(&before, position, &digest) == record.chain)
        };
        if !is_linked.unwrap_or_else(fits) {
            self.find(&record, "the hash chain breaks here".to_owned());
        }
        let expected = self.due.next(&record);
        if revision.0 != expected {
            self.find(&record, format!("revision {} where {expected} was due", revision.0));
        }
        // Go on from what is stored: one edited record is one finding, not one for every record
        // after it.
        self.chain = Some(record.chain);
        self.position = position;
        match event {
            Ok(event) => Some(audited(record, digest, event)),
            Err(error) => {
                self.find(&record, error.to_string());
                None
            }
        }
    }

    /// A record that cannot be put together: the chain goes on behind it.
    fn pass_over(&mut self, position: u64, detail: String) {
        self.findings.push(ChainFinding { position, stream: String::new(), detail });
        self.position = Position(position);
        self.chain = None;
    }

    fn find(&mut self, record: &StoredRecord, detail: String) {
        self.findings.push(ChainFinding {
            position: record.position.0,
            stream: record.stream.to_string(),
            detail,
        });
    }
}
