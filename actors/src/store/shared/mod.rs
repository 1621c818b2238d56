//! The log that several nodes share: where a commit is taken only if the log ends where its writer
//! believes it to end.
//!
//! Holds: the port, what follows from its answers, one in memory whose faults are to order, one
//! conformance suite for all. Never holds: who leads, or what events mean. Leans on: the chain and
//! whole records. Proved by: `conformance`, run over every implementation; `tests/shared_log.rs`
//! for the writer above it.

pub mod conformance;
pub mod memory;
pub mod settlement;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use events::envelope::Position;
use events::id::TermId;
use events::leadership::Leader;
use thiserror::Error;

use super::chain::Mark;
use super::port::BoxFuture;
use super::records::Record;

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// It is in the shared log, durably, all of it.
    Taken,
    /// The log does not end where the commit expects: nothing of it was taken now. A log that ends
    /// with this very group has it from an earlier attempt.
    Refused(Mark),
    /// Nothing of it is in the log, and nothing ever will be.
    NotTaken(String),
    /// It may be in the log, now or later: only the log itself says so.
    Unknown(String),
}

/// The shared log could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SharedLogError {
    /// It does not answer for now.
    #[error("the shared log does not answer: {0}")]
    Unavailable(String),
    /// It answers, and does not let this node in: a password, a database's name, a right. Whoever
    /// mends that mends it there, or here.
    #[error("the shared log does not let this node in: {0}")]
    Denied(String),
    /// It answers, and what it says cannot be used: asking again changes nothing.
    #[error("the shared log cannot be used: {0}")]
    Unusable(String),
}

/// One log for all nodes. A commit compares where the log ends, and swaps, in one step: whoever has
/// not read the log to its end cannot write to it, whenever its commit arrives.
pub trait SharedLog: Send + Sync + fmt::Debug + 'static {
    /// Where the log ends.
    fn head(&self) -> BoxFuture<'_, Result<Mark, SharedLogError>>;

    /// Takes the group, all of it, if the log ends at `after`, which the group continues by the
    /// chain. A group has at least one record.
    fn commit(&self, after: Mark, group: Arc<[Record]>) -> BoxFuture<'_, Commit>;

    /// Records after a position, oldest first. A page ends early where its records are large, and
    /// has at least one if there is any.
    fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, SharedLogError>>;

    /// Who said last that it leads. It says whom to wait for, never who may write.
    fn leader(&self) -> BoxFuture<'_, Result<Option<Lead>, SharedLogError>>;

    /// Says who leads from now on; false, and nothing is said, if somebody has taken the leadership
    /// after that.
    fn lead(&self, lead: Lead) -> BoxFuture<'_, Result<bool, SharedLogError>>;

    /// How long ago the leader gave its last sign of life, by the log's own clock; `None` where
    /// nobody has led. It is for people: who takes over asks its own clock.
    fn heard(&self) -> BoxFuture<'_, Result<Option<Duration>, SharedLogError>>;

    /// A sign of life of the leader of this term, or that it has stopped; false if another leads by
    /// now.
    fn beat(&self, term: TermId, is_released: bool) -> BoxFuture<'_, Result<bool, SharedLogError>>;
}

/// What a leader says of itself, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Its term.
    pub term: TermId,
    /// Where in the log it took its leadership.
    pub since: Position,
    /// Who it is.
    pub leader: Leader,
    /// Rises with every sign of life.
    pub beat: u64,
    /// Whether it has stopped.
    pub is_released: bool,
}

/// Where a log ends that ends with this group.
pub fn end_of(group: &[Record]) -> Option<Mark> {
    group.last().map(|last| Mark { position: last.position, chain: last.chain })
}
