//! What a call wants to read, in one shape: where it starts, which way it goes, what it takes and
//! how much.

use std::sync::Arc;

use tonic::Status;

use crate::filter::Filter;
use crate::protocol::StreamIdentifier;
use crate::protocol::streams::ReadReq;
use crate::protocol::streams::read_req::Options;
use crate::protocol::streams::read_req::options::{
    CountOption, FilterOption, ReadDirection, StreamOption, all_options::AllOption,
    stream_options::RevisionOption, uuid_option,
};
use crate::refusal::invalid;

/// What some clients write for the end of the log.
const ENDS: [u64; 2] = [u64::MAX, i64::MAX as u64];

/// Of which records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The whole log.
    All,
    /// One stream.
    Stream(Arc<str>),
}

/// From where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The first record.
    First,
    /// The last one, or behind it.
    End,
    /// A position, or a revision.
    At(u64),
}

/// Which way, and to what end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Oldest first, so many.
    Forwards(u64),
    /// Newest first, so many.
    Backwards(u64),
    /// Oldest first, and on with what comes.
    Subscription,
}

/// A read or a subscription.
#[derive(Debug)]
pub struct Query {
    /// Of which records.
    pub scope: Scope,
    /// From where.
    pub start: Start,
    /// Which way.
    pub course: Course,
    /// Which of them; `None` for all.
    pub filter: Option<Filter>,
    /// Whether ids are wanted as text.
    pub textual_ids: bool,
    /// Whether the caller knows the message that ends a stream's read.
    pub tells_last: bool,
}

impl Query {
    /// Reads the call.
    pub fn of(request: ReadReq) -> Result<Self, Status> {
        let options = request.options.ok_or_else(|| invalid("options are missing"))?;
        let course = course(&options)?;
        let is_subscription = course == Course::Subscription;
        let (scope, start) = scope(&options)?;
        let filter = match &options.filter_option {
            Some(FilterOption::Filter(_)) if scope != Scope::All => {
                return Err(invalid("filters are for $all"));
            }
            Some(FilterOption::Filter(filter)) => Some(Filter::of(filter, is_subscription)?),
            Some(FilterOption::NoFilter(())) | None => None,
        };
        let textual_ids = matches!(
            options.uuid_option.and_then(|option| option.content),
            Some(uuid_option::Content::String(()))
        );
        let tells_last = options.control_option.is_some_and(|control| control.compatibility >= 1);
        Ok(Self { scope, start, course, filter, textual_ids, tells_last })
    }
}

fn course(options: &Options) -> Result<Course, Status> {
    let direction = ReadDirection::try_from(options.read_direction)
        .map_err(|_| invalid("a read goes forwards or backwards"))?;
    match (options.count_option, direction) {
        (Some(CountOption::Count(count)), ReadDirection::Forwards) => Ok(Course::Forwards(count)),
        (Some(CountOption::Count(count)), ReadDirection::Backwards) => Ok(Course::Backwards(count)),
        (Some(CountOption::Subscription(_)), ReadDirection::Forwards) => Ok(Course::Subscription),
        (Some(CountOption::Subscription(_)), ReadDirection::Backwards) => {
            Err(invalid("a subscription goes forwards"))
        }
        (None, _) => Err(invalid("a read says how many events it wants, or is a subscription")),
    }
}

fn scope(options: &Options) -> Result<(Scope, Start), Status> {
    match &options.stream_option {
        Some(StreamOption::Stream(stream)) => {
            let start = match stream.revision_option {
                Some(RevisionOption::Revision(revision)) => at(revision),
                Some(RevisionOption::Start(())) | None => Start::First,
                Some(RevisionOption::End(())) => Start::End,
            };
            Ok((Scope::Stream(name(stream.stream_identifier.as_ref())?), start))
        }
        Some(StreamOption::All(all)) => {
            let start = match all.all_option {
                Some(AllOption::Position(position)) => at(position.commit_position),
                Some(AllOption::Start(())) | None => Start::First,
                Some(AllOption::End(())) => Start::End,
            };
            Ok((Scope::All, start))
        }
        None => Err(invalid("a read is of a stream or of $all")),
    }
}

fn at(place: u64) -> Start {
    if ENDS.contains(&place) { Start::End } else { Start::At(place) }
}

fn name(identifier: Option<&StreamIdentifier>) -> Result<Arc<str>, Status> {
    let name = identifier.map(|identifier| identifier.stream_name.as_ref()).unwrap_or_default();
    match std::str::from_utf8(name) {
        Ok(name) if !name.is_empty() => Ok(name.into()),
        _ => Err(invalid("a stream's name is a text")),
    }
}
