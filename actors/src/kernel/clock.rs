//! The clock: the only place that asks the operating system for the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use events::time::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Nobody sets the clock of most tests.
static UNSET: AtomicI64 = AtomicI64::new(0);

/// Tells the time of day, which people and programs may set, and how much time has passed, which
/// nobody can. A simulated one follows tokio's clock, so that a paused test decides when time
/// passes.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The machine's clock, as long as it goes forward: when it is set back, time goes on from
    /// where it was.
    System,
    /// A moment, and how far tokio's clock has come since.
    Simulated {
        /// The moment it started at.
        started_at: Timestamp,
        /// Tokio's clock at that moment.
        start: Instant,
        /// By how many milliseconds the time of day was set ahead since, or back.
        set_by: &'static AtomicI64,
    },
}

/// A moment of elapsed time, which means something in this process only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elapsed(Duration);

impl Elapsed {
    /// The moment so much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// How long since `earlier`; nothing if it is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Clock {
    /// A clock that starts at `started_at` and follows tokio's.
    pub fn simulated(started_at: Timestamp) -> Self {
        Self::settable(started_at, &UNSET)
    }

    /// The same, of which `set_by` says by how many milliseconds its time of day is set ahead, or
    /// back.
    pub fn settable(started_at: Timestamp, set_by: &'static AtomicI64) -> Self {
        Self::Simulated { started_at, start: Instant::now(), set_by }
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "this is where it enters")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => {
                let wall = self.wall();
                FORWARD
                    .lock()
                    .get_or_insert_with(|| Forward { moment: wall, at: std::time::Instant::now() })
                    .now(wall, std::time::Instant::now())
            }
            Self::Simulated { started_at, start, set_by } => {
                let told = started_at.plus(start.elapsed()).millis();
                Timestamp::from_millis(told.saturating_add(set_by.load(Ordering::Relaxed)))
            }
        }
    }

    /// What the machine's clock says, also where the time of day is ahead of it. Other machines
    /// compare what they are told with theirs.
    #[expect(clippy::disallowed_methods, reason = "this is where it enters")]
    pub fn wall(self) -> Timestamp {
        match self {
            Self::System => {
                let since_epoch = std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or(Duration::ZERO);
                Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Simulated { .. } => self.now(),
        }
    }

    /// By how much the time of day is ahead of the machine's clock, which was set back, or had been
    /// ahead when the log's last record was written.
    pub fn ahead(self) -> Duration {
        self.now().since(self.wall())
    }

    /// A moment that another machine's clock has told, in the time of day of this one.
    pub fn of_other(self, told: Timestamp) -> Timestamp {
        told.plus(self.ahead())
    }

    /// How much time has passed, also while the machine slept. Deadlines and limits are kept by it:
    /// a clock that is set moves none of them.
    pub fn elapsed(self) -> Elapsed {
        match self {
            Self::System => {
                let since_boot = clock_gettime(ClockId::Boottime);
                let (seconds, nanos) = (
                    u64::try_from(since_boot.tv_sec).unwrap_or(0),
                    u32::try_from(since_boot.tv_nsec).unwrap_or(0),
                );
                Elapsed(Duration::new(seconds, nanos))
            }
            Self::Simulated { start, .. } => Elapsed(start.elapsed()),
        }
    }

    /// From here on, the machine's clock is never taken to be before `moment`.
    #[expect(clippy::disallowed_methods, reason = "this is where it enters")]
    pub fn not_before(moment: Timestamp) {
        if Self::System.now() < moment {
            *FORWARD.lock() = Some(Forward { moment, at: std::time::Instant::now() });
        }
    }

    /// How long until `moment`; nothing if it has come.
    pub fn until(self, moment: Timestamp) -> Duration {
        moment.since(self.now())
    }

    /// When `moment` will have come, if nobody sets the clock.
    pub fn when(self, moment: Timestamp) -> Elapsed {
        self.elapsed().plus(self.until(moment))
    }
}

/// What the machine's clock has said last where it was ahead.
static FORWARD: Mutex<Option<Forward>> = Mutex::new(None);

/// Of how many milliseconds one is left out while time waits for the clock to catch up: what lives
/// by it lives hardly longer.
const WAITING: u32 = 128;

/// Time that never goes back and never stands still: the wall clock's where that is ahead, and else
/// on from where it was ahead last.
#[derive(Debug, Clone, Copy)]
struct Forward {
    moment: Timestamp,
    at: std::time::Instant,
}

impl Forward {
    fn now(&mut self, wall: Timestamp, at: std::time::Instant) -> Timestamp {
        let elapsed = at.saturating_duration_since(self.at);
        let running = self.moment.plus(elapsed.saturating_sub(elapsed / WAITING));
        if wall >= running {
            *self = Self { moment: wall, at };
            return wall;
        }
        running
    }
}

/// A stopwatch for durations that are measured, not decided upon (metrics, access log).
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is where it enters")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_795_500_000_000;

    /// What is told when the wall clock says so many milliseconds, and so many have passed since
    /// the start.
    fn told(readings: &[(i64, u64)]) -> Vec<i64> {
        let start = Stopwatch::start().0;
        let mut forward = Forward { moment: Timestamp::from_millis(START), at: start };
        let now = |(wall, passed): &(i64, u64)| {
            forward
                .now(Timestamp::from_millis(START + wall), start + Duration::from_millis(*passed))
                .millis()
                - START
        };
        readings.iter().map(now).collect()
    }

    #[test]
    fn a_clock_that_is_set_back_neither_turns_time_back_nor_stops_it() {
        assert_eq!(
            told(&[
                (0, 0),
                (1_000, 1_000),
                (-3_600_000, 1_000),
                (-3_599_000, 2_280),
                (-3_472_000, 129_000)
            ]),
            [0, 1_000, 1_000, 2_270, 128_000]
        );
    }

    #[test]
    fn a_clock_that_is_set_forward_is_followed() {
        assert_eq!(
            told(&[(0, 0), (1_000, 1_000), (600_000, 1_500), (600_500, 2_000)]),
            [0, 1_000, 600_000, 600_500]
        );
    }

    #[test]
    fn a_clock_that_is_slowed_down_is_waited_for() {
        // Half a second behind: after 64 seconds of slower time the clock has caught up, and is
        // followed again.
        assert_eq!(
            told(&[
                (10_000, 10_000),
                (9_500, 10_000),
                (73_500, 74_000),
                (73_600, 74_100),
                (74_000, 74_500)
            ]),
            [10_000, 10_000, 73_500, 73_600, 74_000]
        );
    }
}
