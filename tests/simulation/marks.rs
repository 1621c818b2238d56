//! What must be seen over the seeds: a run in which nothing met proves nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

macro_rules! marks {
    ($($mark:ident),+ $(,)?) => {
        /// Something that happened in a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mark { $($mark),+ }

        impl Mark {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$mark),+];
        }
    };
}

marks! {
    // How orders ended, and who came too late.
    Completed, Cancelled, Expired, NoSourceLeft, AttemptsExhausted, SeekingTimedOut,
    CodeBeatCancel, CancelBeatCode, ExpiryBeatCancel, ExpiryBeatCode, FailureBeatCancel,
    FinishBeatCode, DeadNumber, DeadNumberReplaced, CodeReplaced, Refunded, BatchQueued,
    BatchStarted,
    // What sources did.
    NoNumber, SourceError, TimedOut, ForeignNumber,
    // What became of messages.
    Taken, Repeated, KeptNotAssigned, KeptUnknownNumber, KeptOrderEnded,
    ClockOf1970, ClockOfTheFuture, Late, WholeSeconds,
    // What became of webhooks and payments.
    Delivered, DeliveredAgain, DeliveryRefused, DeliveryTimedOut, Exhausted,
    DepositCredited, DepositReversed, PaymentUndone,
    // What callers were told.
    Placed, Replayed, BatchReplayed, CancelReplayed, KeyLetGo, InsufficientBalance,
    OrderInProgress, TooManyCancels, PolicyRefused, KeyReused, Suspended, NotFound, NotCompleted,
    NothingToReport, Reported, Finished, NotWritten, Unknown,
    // What the world did.
    AppendFailed, AppendLost, AppendUnanswered, ReadFailed, Crash, CrashBehindAppend,
    CrashWithOpenOrder, CrashWithListeningOrder, CrashWithoutAnswer, ExpiredWhileDown, ClockSet,
    ClockSlow,
}

/// How often each was seen. Cloning shares the counts.
#[derive(Debug, Clone, Default)]
pub struct Marks(Arc<Mutex<BTreeMap<Mark, usize>>>);

impl Marks {
    pub fn see(&self, mark: Mark) {
        *self.0.lock().entry(mark).or_default() += 1;
    }

    pub fn add(&self, other: &Self) {
        let other = other.0.lock().clone();
        for (mark, count) in other {
            *self.0.lock().entry(mark).or_default() += count;
        }
    }

    pub fn count(&self, mark: Mark) -> usize {
        self.0.lock().get(&mark).copied().unwrap_or(0)
    }

    /// What was never seen.
    pub fn missing(&self) -> Vec<Mark> {
        Mark::ALL.iter().copied().filter(|mark| self.count(*mark) == 0).collect()
    }
}
