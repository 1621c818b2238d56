//! A shared log in memory, whose next commits fail as a test orders.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use events::envelope::Position;
use events::id::TermId;
use parking_lot::Mutex;

use super::{Commit, Lead, SharedLog, SharedLogError, end_of};
use crate::kernel::clock::Stopwatch;
use crate::store::chain::Mark;
use crate::store::port::BoxFuture;
use crate::store::records::Record;

/// What happens to a commit instead of what should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is taken, and the answer is lost.
    LostAnswer,
    /// It is lost on its way.
    LostRequest,
    /// It is lost for its sender, and arrives before the next one.
    Late,
    /// It never leaves its sender.
    NotTaken,
    /// It is taken, the answer is lost, and the log does not answer the next two questions.
    Away,
}

/// The log.
#[derive(Debug, Default)]
pub struct MemorySharedLog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    records: Vec<Record>,
    faults: VecDeque<Fault>,
    late: Option<(Mark, Arc<[Record]>)>,
    /// Questions that are not answered.
    silent: u32,
    refused: u32,
    lead: Option<Lead>,
    /// Since the last sign of life.
    heard: Option<Stopwatch>,
}

impl MemorySharedLog {
    /// The next commit meets this.
    pub fn fail(&self, fault: Fault) {
        self.inner.lock().faults.push_back(fault);
    }

    /// From here on it answers no question, or all of them.
    pub fn be_silent(&self, is_silent: bool) {
        self.inner.lock().silent = if is_silent { u32::MAX } else { 0 };
    }

    /// Commits that were refused so far.
    pub fn refused(&self) -> u32 {
        self.inner.lock().refused
    }
}

impl Inner {
    fn head(&self) -> Mark {
        end_of(&self.records).unwrap_or(Mark::START)
    }

    fn take(&mut self, after: Mark, group: &[Record]) -> Commit {
        if self.head() != after {
            self.refused += 1;
            return Commit::Refused(self.head());
        }
        self.records.extend_from_slice(group);
        Commit::Taken
    }
}

impl SharedLog for MemorySharedLog {
    fn head(&self) -> BoxFuture<'_, Result<Mark, SharedLogError>> {
        let mut inner = self.inner.lock();
        let answer = match inner.silent {
            0 => Ok(inner.head()),
            silent => {
                inner.silent = silent - 1;
                Err(SharedLogError::Unavailable("it is away".to_owned()))
            }
        };
        Box::pin(std::future::ready(answer))
    }

    fn commit(&self, after: Mark, group: Arc<[Record]>) -> BoxFuture<'_, Commit> {
        let mut inner = self.inner.lock();
        if let Some((after, group)) = inner.late.take() {
            inner.take(after, &group);
        }
        let unknown = Commit::Unknown("the answer is lost".to_owned());
        let answer = match inner.faults.pop_front() {
            None => inner.take(after, &group),
            Some(Fault::LostAnswer) => {
                inner.take(after, &group);
                unknown
            }
            Some(Fault::LostRequest) => unknown,
            Some(Fault::Late) => {
                inner.late = Some((after, group));
                unknown
            }
            Some(Fault::NotTaken) => Commit::NotTaken("there is no way to it".to_owned()),
            Some(Fault::Away) => {
                inner.take(after, &group);
                inner.silent = 2;
                unknown
            }
        };
        Box::pin(std::future::ready(answer))
    }

    fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, SharedLogError>> {
        let from = usize::try_from(after.0).unwrap_or(usize::MAX);
        let records = self.inner.lock().records.iter().skip(from).take(limit).cloned().collect();
        Box::pin(std::future::ready(Ok(records)))
    }

    fn leader(&self) -> BoxFuture<'_, Result<Option<Lead>, SharedLogError>> {
        Box::pin(std::future::ready(Ok(self.inner.lock().lead.clone())))
    }

    fn lead(&self, lead: Lead) -> BoxFuture<'_, Result<bool, SharedLogError>> {
        let mut inner = self.inner.lock();
        let is_later = inner.lead.as_ref().is_none_or(|former| former.since <= lead.since);
        if is_later {
            inner.lead = Some(lead);
            inner.heard = Some(Stopwatch::start());
        }
        Box::pin(std::future::ready(Ok(is_later)))
    }

    fn heard(&self) -> BoxFuture<'_, Result<Option<Duration>, SharedLogError>> {
        let heard = self.inner.lock().heard.map(Stopwatch::elapsed);
        Box::pin(std::future::ready(Ok(heard)))
    }

    fn beat(&self, term: TermId, is_released: bool) -> BoxFuture<'_, Result<bool, SharedLogError>> {
        let mut inner = self.inner.lock();
        let current = inner.lead.as_mut().filter(|lead| lead.term == term);
        let is_current = current.map(|lead| {
            lead.beat += 1;
            lead.is_released = is_released;
        });
        let is_current = is_current.is_some();
        if is_current {
            inner.heard = Some(Stopwatch::start());
        }
        Box::pin(std::future::ready(Ok(is_current)))
    }
}
