//! The commit point under the writer's group, where several nodes share one log: a group is in the
//! own copy only once the shared log has taken it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use events::envelope::Position;
use events::time::Timestamp;
use tokio::runtime::Handle;

use crate::store::chain::{Fields, Hash, Mark};
use crate::store::port::NewEvent;
use crate::store::records::Record;
use crate::store::shared::settlement::{Settlement, Step};
use crate::store::shared::{SharedLog, SharedLogError, end_of};

/// Between two questions about a commit of which nobody knows.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
];

/// Between two questions whether the log answers again.
const LOOK: Duration = Duration::from_millis(500);

/// The shared log, for the writer's thread.
#[derive(Debug)]
pub struct CommitPoint {
    log: Arc<dyn SharedLog>,
    runtime: Handle,
    is_silent: Arc<AtomicBool>,
}

/// Why a group is not to go into the own copy.
#[derive(Debug)]
pub enum NotShared {
    /// Nothing of it is in the shared log.
    NotWritten(String),
    /// Somebody else has written: this process is not the writer any more.
    Superseded(String),
    /// Nobody knows, and the store is to close.
    GivenUp,
}

impl CommitPoint {
    /// Over `log`, which is asked on the runtime of the caller; `is_silent` says whether it keeps
    /// an answer back.
    pub fn new(log: Arc<dyn SharedLog>, is_silent: Arc<AtomicBool>) -> Self {
        Self { log, runtime: Handle::current(), is_silent }
    }

    /// Has the shared log take the group after `after`. Where the answer is lost it asks until it
    /// knows; `goes_on` is called before each question, and says whether to ask it.
    pub fn commit(
        &self,
        after: Mark,
        group: Arc<[Record]>,
        goes_on: impl FnMut() -> bool,
    ) -> Result<(), NotShared> {
        let Some(end) = end_of(&group) else { return Ok(()) };
        let settled = self.settle(after, end, &group, goes_on);
        let is_silent = matches!(settled, Err(NotShared::NotWritten(_)));
        if !self.is_silent.swap(is_silent, Ordering::Relaxed) && is_silent {
            self.listen();
        }
        settled
    }

    /// Notices that the log answers again: where callers are sent elsewhere because it does not,
    /// nobody else would ask it.
    fn listen(&self) {
        let (log, is_silent) = (Arc::clone(&self.log), Arc::clone(&self.is_silent));
        self.runtime.spawn(async move {
            while is_silent.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK).await;
                if log.head().await.is_ok() {
                    is_silent.store(false, Ordering::Relaxed);
                }
            }
        });
    }

    fn settle(
        &self,
        after: Mark,
        end: Mark,
        group: &Arc<[Record]>,
        mut goes_on: impl FnMut() -> bool,
    ) -> Result<(), NotShared> {
        let mut settlement = Settlement::new(after, end);
        loop {
            let sent = self.runtime.block_on(self.log.commit(after, Arc::clone(group)));
            let mut step = settlement.answered(sent);
            if let Step::Ask(detail) = &step {
                self.is_silent.store(true, Ordering::Relaxed);
                tracing::warn!(
                    detail,
                    "whether the shared log has a commit is unknown; it is asked"
                );
                std::thread::sleep(PAUSES[0]);
                step = settlement.found(self.head(&mut goes_on)?);
            }
            match step {
                Step::Taken => return Ok(()),
                Step::NotWritten(detail) => return Err(NotShared::NotWritten(detail)),
                Step::Superseded(end) => return Err(superseded(end)),
                Step::Ask(_) | Step::Send => {}
            }
        }
    }

    /// Where the log ends, however long it takes to answer.
    fn head(&self, goes_on: &mut impl FnMut() -> bool) -> Result<Mark, NotShared> {
        let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(Duration::from_secs(1)));
        loop {
            if !goes_on() {
                return Err(NotShared::GivenUp);
            }
            match self.runtime.block_on(self.log.head()) {
                Ok(head) => return Ok(head),
                // It will never say what became of the commit; the next start refuses it, too.
                Err(error @ SharedLogError::Unusable(_)) => {
                    return Err(NotShared::Superseded(error.to_string()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a commit waits for the shared log");
                    std::thread::sleep(pauses.next().unwrap_or(Duration::from_secs(1)));
                }
            }
        }
    }
}

fn superseded(Position(end): Position) -> NotShared {
    NotShared::Superseded(format!(
        "another node writes the shared log, which ends at position {end} where this node did not \
         write it"
    ))
}

/// The record as it goes into a shared log.
pub fn record(
    position: Position,
    fields: &Fields<'_>,
    event: &NewEvent,
    digest: Hash,
    chain: Hash,
) -> Record {
    Record {
        position,
        stream: fields.stream.clone(),
        revision: fields.revision,
        id: fields.id,
        name: fields.name.into(),
        version: fields.version,
        at: Timestamp::from_millis(fields.at),
        causation: event.metadata.causation,
        correlation: event.metadata.correlation,
        actor: fields.actor.into(),
        payload: fields.payload.to_vec(),
        digest,
        chain,
    }
}
