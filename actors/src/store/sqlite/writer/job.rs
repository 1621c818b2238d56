//! What the writer is given to do, and what it says of its work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use events::envelope::Revision;
use tokio::sync::oneshot;

use crate::store::chain::{Fields, Hash};
use crate::store::port::{Append, AppendError, Appended};

/// Something for the writer to do.
pub enum Job {
    /// Append, then answer.
    Append(Box<Prepared>),
    /// Stop after what came before.
    Close(oneshot::Sender<()>),
}

/// An append with everything computed that does not need the writer.
pub struct Prepared {
    pub(super) append: Append,
    /// Of each event: who wanted it, as text, and its digest.
    pub(super) digests: Vec<(String, Hash)>,
    pub(super) reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Job {
    /// Computes texts and digests on the caller's thread: the writer is the bottleneck.
    pub fn append(append: Append, reply: oneshot::Sender<Result<Appended, AppendError>>) -> Self {
        let first = append.expected.next().0;
        let digests = append.events.iter().zip(first..).map(|(event, revision)| {
            let actor = event.metadata.actor.to_string();
            let digest = Fields::of(&append.stream, Revision(revision), event, &actor).digest();
            (actor, digest)
        });
        let digests = digests.collect();
        Self::Append(Box::new(Prepared { append, digests, reply }))
    }
}

/// What the writer has done.
#[derive(Debug, Default)]
pub struct Statistics {
    pub(super) events: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) is_failing: AtomicBool,
}

impl Statistics {
    /// Events and syncs so far.
    pub fn read(&self) -> (u64, u64) {
        (self.events.load(Ordering::Relaxed), self.syncs.load(Ordering::Relaxed))
    }

    /// Whether the last append could not be written.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }
}
