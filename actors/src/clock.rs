//! The door of time: the only place that looks at a clock.

use std::time::Duration;

use events::time::Timestamp;
use tokio::time::Instant;

/// Tells the time of day. A simulated one follows tokio's clock, so that a paused test decides when time passes.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A moment, and how far tokio's clock has come since.
    Simulated {
        /// The moment it started at.
        started_at: Timestamp,
        /// Tokio's clock at that moment.
        start: Instant,
    },
}

impl Clock {
    /// A clock that starts at `started_at` and follows tokio's.
    pub fn simulated(started_at: Timestamp) -> Self {
        Self::Simulated { started_at, start: Instant::now() }
    }

    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => {
                let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
                Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Simulated { started_at, start } => started_at.plus(start.elapsed()),
        }
    }

    /// How long until `moment`; nothing if it has come.
    pub fn until(self, moment: Timestamp) -> Duration {
        moment.since(self.now())
    }
}

/// A stopwatch for durations that are measured, not decided upon (metrics, access log).
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
