//! One append of a group: whether it fits the log, and its records written.

use std::collections::HashMap;
use std::path::Path;

use events::envelope::{Position, Revision, StreamId};

use super::Writer;
use super::job::Prepared;
use crate::store::chain::{Fields, Hash};
use crate::store::port::{Append, AppendError, Appended, Expected};
use crate::store::records::Record;
use crate::store::sqlite::index::{self, IndexFile, RecordRun};
use crate::store::sqlite::names::Numbers;
use crate::store::sqlite::schema::LastRecord;
use crate::store::sqlite::streams::Written;
use crate::store::sqlite::{commit_point, log, scribe};

/// A stream that exists: its number, and how many events it has.
#[derive(Clone, Copy)]
pub(super) struct End {
    stream: i64,
    length: u64,
}

impl End {
    fn revision(self) -> Option<Revision> {
        self.length.checked_sub(1).map(Revision)
    }
}

/// What one transaction has done so far; it becomes the writer's once committed.
pub(super) struct Group {
    pub(super) last: LastRecord,
    heads: HashMap<StreamId, End>,
    pub(super) written: Vec<Written>,
    /// Of each event, in the log's order: its stamp, and the chain after it.
    pub(super) sealed: Vec<(i64, Hash)>,
    /// The records themselves, if they go into a shared log.
    pub(super) records: Option<Vec<Record>>,
}

impl Group {
    pub(super) fn after(last: LastRecord, appends: usize, is_shared: bool) -> Self {
        Self {
            records: is_shared.then(|| Vec::with_capacity(4 * appends)),
            last,
            heads: HashMap::with_capacity(appends),
            written: Vec::with_capacity(appends),
            sealed: Vec::with_capacity(4 * appends),
        }
    }
}

/// What became of one append of a group.
pub(super) enum Outcome {
    /// It was written.
    Written(Appended),
    /// It was not: it was there before, or is refused.
    Answered(Result<Appended, AppendError>),
}

impl Writer {
    /// Writes an append into the group's transaction, unless it is there already or is refused.
    pub(super) fn append(
        &mut self,
        prepared: &Prepared,
        group: &mut Group,
    ) -> rusqlite::Result<Outcome> {
        let Append { stream, expected, events } = &prepared.append;
        let end = self.end_of(stream, group)?;
        let actual = end.and_then(End::revision);
        if Expected::after(actual) != *expected {
            let before = self.already_appended(&prepared.append, end, group)?;
            return Ok(Outcome::Answered(before.ok_or(AppendError::Conflict { actual })));
        }
        let number = match end {
            Some(end) => end.stream,
            None => Numbers::stream(&self.connection, stream)?,
        };
        let first = expected.next();
        let run = RecordRun {
            revision: first.0,
            position: group.last.position.0 + 1,
            length: events.len() as u64,
        };
        for ((event, (actor, digest)), revision) in
            events.iter().zip(&prepared.digests).zip(first.0..)
        {
            let mut fields = Fields::of(stream, Revision(revision), event, actor);
            let mut digest = *digest;
            if fields.at < group.last.at {
                // Decided before what was written first, or by a clock that was set back: the log's
                // times never run backwards.
                fields.at = group.last.at;
                digest = fields.digest();
            }
            let position = Position(group.last.position.0 + 1);
            let (checksum, chain) = scribe::seal(&group.last.chain, position, &digest);
            self.scribe.write(&self.connection, number, position, &fields, checksum, &chain)?;
            group.last = LastRecord { position, chain, at: fields.at };
            group.sealed.push((fields.at, chain));
            if let Some(records) = &mut group.records {
                records.push(commit_point::record(position, &fields, event, digest, chain));
            }
        }
        group.heads.insert(stream.clone(), End { stream: number, length: run.end() });
        group.written.push(Written { stream: stream.clone(), number, run });
        Ok(Outcome::Written(Appended {
            revision: Revision(run.end() - 1),
            position: group.last.position,
        }))
    }

    fn end_of(&self, stream: &StreamId, group: &Group) -> rusqlite::Result<Option<End>> {
        if let Some(end) = group.heads.get(stream) {
            return Ok(Some(*end));
        }
        let streams = self.shared.indexer.streams();
        let known = streams.number(stream).map_or_else(
            || Numbers::find_stream(&self.connection, stream),
            |number| Ok(Some(number)),
        )?;
        Ok(known.map(|stream| End { stream, length: streams.length(stream) }))
    }

    /// The earlier success of the same append: the same ids at the place it wants to write to.
    fn already_appended(
        &mut self,
        append: &Append,
        end: Option<End>,
        group: &Group,
    ) -> rusqlite::Result<Option<Appended>> {
        let Some(end) = end else { return Ok(None) };
        let first = append.expected.next().0;
        let until = first + append.events.len() as u64;
        if until > end.length {
            return Ok(None);
        }
        let mut events = append.events.iter();
        let mut last = None;
        for run in self.runs(&append.stream, end.stream, first, until, group)? {
            for (position, revision) in (run.position..).zip(run.revision..run.end()) {
                let is_same = events.next().is_some_and(|event| {
                    log::id_at(&self.connection, position).is_ok_and(|id| id == Some(event.id))
                });
                if !is_same {
                    return Ok(None);
                }
                last =
                    Some(Appended { revision: Revision(revision), position: Position(position) });
            }
        }
        Ok(last.filter(|_| events.next().is_none()))
    }

    /// Where the stream's records stand from one place in it on, before another.
    fn runs(
        &mut self,
        stream: &StreamId,
        number: i64,
        from: u64,
        until: u64,
        group: &Group,
    ) -> rusqlite::Result<Vec<RecordRun>> {
        // Before the index is asked, which may take it in meanwhile.
        let mut tail = self.shared.indexer.streams().tail_of(stream, from, until);
        tail.extend(
            group
                .written
                .iter()
                .filter(|written| written.stream == *stream)
                .filter_map(|written| written.run.part(from, until)),
        );
        if self.index.is_none() {
            let path =
                self.connection.path().map(|path| Path::new(path).with_file_name(index::FILE));
            self.index = path.and_then(|path| IndexFile::open_reader(&path));
        }
        match &self.index {
            Some(index) => index.before_tail(number, from, until, tail),
            None => Ok(tail),
        }
    }
}
