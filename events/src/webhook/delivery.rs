//! Deliveries of one account: attempts, the schedule, and the end of each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thiserror::Error;

use crate::decider::Decider;
use crate::time::Timestamp;

/// The contract: first try at once, then after 5 s, 30 s, 2 min, 10 min, 1 h.
pub const RETRY_AFTER: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
];
/// The contract: "+-10 % jitter", here in thousandths.
pub const JITTER_PER_MILLE: i32 = 100;

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered with this status; 2xx is success.
    Answered(u16),
    /// No answer within 15 s.
    TimedOut,
    /// No connection, or one that broke.
    ConnectionFailed,
    /// The name did not resolve.
    NotResolved,
    /// The target is not a public https address: no packet was sent.
    TargetRefused,
    /// The account has no webhook any more.
    NoWebhook,
}

impl Outcome {
    /// Whether the receiver has it.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }

    /// The word callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::TimedOut => "timed_out",
            Self::ConnectionFailed => "connection_failed",
            Self::NotResolved => "not_resolved",
            Self::TargetRefused => "target_refused",
            Self::NoWebhook => "no_webhook",
        }
    }

    /// The receiver's status, if it answered.
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Answered(status) => Some(status),
            Self::TimedOut
            | Self::ConnectionFailed
            | Self::NotResolved
            | Self::TargetRefused
            | Self::NoWebhook => None,
        }
    }
}

/// A fact of an account's deliveries; `sequence` says of which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// One attempt was made.
    Attempted {
        /// Of which delivery.
        sequence: u64,
        /// 1 for the first of its schedule.
        attempt: u16,
        /// What it came to.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        millis: u32,
        /// When the next one is due; `None` if this was the last.
        next_at: Option<Timestamp>,
        /// When.
        at: Timestamp,
    },
    /// The receiver has it.
    Delivered {
        /// Which.
        sequence: u64,
        /// When.
        at: Timestamp,
    },
    /// No attempt is left.
    Exhausted {
        /// Which.
        sequence: u64,
        /// When.
        at: Timestamp,
    },
    /// The owner wants it delivered once more.
    RedeliveryRequested {
        /// Which.
        sequence: u64,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Attempted { at, .. }
            | Self::Delivered { at, .. }
            | Self::Exhausted { at, .. }
            | Self::RedeliveryRequested { at, .. } => *at,
        }
    }

    /// Of which delivery.
    pub const fn sequence(&self) -> u64 {
        match self {
            Self::Attempted { sequence, .. }
            | Self::Delivered { sequence, .. }
            | Self::Exhausted { sequence, .. }
            | Self::RedeliveryRequested { sequence, .. } => *sequence,
        }
    }
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Record an attempt.
    RecordAttempt {
        /// Of which delivery.
        sequence: u64,
        /// What it came to.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        millis: u32,
        /// Chance's part in the next one's time, within [`JITTER_PER_MILLE`].
        jitter_per_mille: i32,
        /// Now.
        at: Timestamp,
    },
    /// Deliver it once more, from the start of the schedule.
    Redeliver {
        /// Which.
        sequence: u64,
        /// Now.
        at: Timestamp,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The delivery has ended; an attempt on it is nobody's wish.
    #[error("the delivery has ended")]
    AlreadyEnded,
}

/// How far an open delivery has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Attempts made of this schedule.
    pub attempts: u16,
    /// When the next is due; at once, if never told.
    pub next_at: Timestamp,
}

/// How long an answer may take of a receiver that keeps nobody waiting.
const QUICK_MILLIS: u32 = 5_000;

/// What is known of an account's receiver: among whose attempts its own wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It answered the last attempt, and soon, whatever it said.
    Answering,
    /// Nothing was sent there yet.
    Untried,
    /// It did not answer the last attempt, or after a long time.
    Silent,
}

impl Standing {
    /// The word operators see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answering => "answering",
            Self::Untried => "untried",
            Self::Silent => "silent",
        }
    }
}

/// How an account's receiver has fared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Whether it answered the last attempt soon, and when that was.
    last: Option<(bool, Timestamp)>,
}

impl Receiver {
    /// What is known of the one that was set at `since`: what another one before it did says
    /// nothing.
    pub fn standing(self, since: Timestamp) -> Standing {
        match self.last.filter(|(_, at)| *at >= since) {
            None => Standing::Untried,
            Some((true, _)) => Standing::Answering,
            Some((false, _)) => Standing::Silent,
        }
    }
}

/// An account's deliveries as their facts have made them. Those never attempted are not in it: they
/// are due at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    open: BTreeMap<u64, Progress>,
    /// Every delivery up to this one has ended, but for those that are open.
    ended_up_to: u64,
    /// Those above it that have.
    ended_above: BTreeSet<u64>,
    receiver: Receiver,
}

impl State {
    /// How the account's receiver has fared.
    pub fn receiver(&self) -> Receiver {
        self.receiver
    }

    /// When the next attempt of a delivery is due; `None` once it has ended.
    pub fn due(&self, sequence: u64) -> Option<Progress> {
        if let Some(progress) = self.open.get(&sequence) {
            return Some(*progress);
        }
        let ended = sequence <= self.ended_up_to || self.ended_above.contains(&sequence);
        (!ended).then(Progress::default)
    }

    fn end(&mut self, sequence: u64) {
        self.open.remove(&sequence);
        if sequence > self.ended_up_to {
            self.ended_above.insert(sequence);
        }
        while self.ended_above.remove(&(self.ended_up_to + 1)) {
            self.ended_up_to += 1;
        }
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::RecordAttempt { sequence, outcome, millis, jitter_per_mille, at } => {
                let progress = self.due(*sequence).ok_or(Refusal::AlreadyEnded)?;
                let attempt = progress.attempts + 1;
                let retry_after = RETRY_AFTER
                    .get(usize::from(progress.attempts))
                    .filter(|_| *outcome != Outcome::NoWebhook);
                let next_at = retry_after
                    .filter(|_| !outcome.is_success())
                    .map(|delay| at.plus(jittered(*delay, *jitter_per_mille)));
                let attempted = Event::Attempted {
                    sequence: *sequence,
                    attempt,
                    outcome: *outcome,
                    millis: *millis,
                    next_at,
                    at: *at,
                };
                let end = match (outcome.is_success(), next_at) {
                    (true, _) => Some(Event::Delivered { sequence: *sequence, at: *at }),
                    (false, None) => Some(Event::Exhausted { sequence: *sequence, at: *at }),
                    (false, Some(_)) => None,
                };
                Ok(std::iter::once(attempted).chain(end).collect())
            }
            Command::Redeliver { sequence, at } => Ok(match self.due(*sequence) {
                // It is due at once already.
                Some(progress) if progress == Progress::default() => Vec::new(),
                Some(_) | None => vec![Event::RedeliveryRequested { sequence: *sequence, at: *at }],
            }),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        // Without a webhook nobody was asked anything.
        if let Event::Attempted { outcome, millis, at, .. } = event
            && *outcome != Outcome::NoWebhook
        {
            let answered = outcome.status().is_some() && *millis <= QUICK_MILLIS;
            self.receiver = Receiver { last: Some((answered, *at)) };
        }
        match event {
            Event::Attempted { sequence, attempt, next_at: Some(next_at), .. } => {
                self.open.insert(*sequence, Progress { attempts: *attempt, next_at: *next_at });
            }
            Event::Attempted { next_at: None, .. } => {}
            Event::Delivered { sequence, .. } | Event::Exhausted { sequence, .. } => {
                self.end(*sequence);
            }
            Event::RedeliveryRequested { sequence, .. } => {
                self.open.insert(*sequence, Progress::default());
            }
        }
        self
    }
}

fn jittered(delay: Duration, per_mille: i32) -> Duration {
    let per_mille = u32::try_from(1_000 + per_mille.clamp(-JITTER_PER_MILLE, JITTER_PER_MILLE))
        .expect("at least 900");
    delay * per_mille / 1_000
}
