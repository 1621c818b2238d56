//! Keeps orders away from a source that fails, and lets one of them look whether it is back. No
//! clock: the moment is told.

use std::time::Duration;

use events::time::Timestamp;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it stays open the first time; twice as long each time after.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// A circuit breaker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    pause: Duration,
    /// From then on somebody may look whether the source is back; whoever does puts it off for the
    /// others.
    probe_at: Timestamp,
}

impl Breaker {
    /// Whether the source may be asked at `now`.
    pub fn lets_through(&self, now: Timestamp) -> bool {
        self.open.as_ref().is_none_or(|open| open.probe_at <= now)
    }

    /// Whether it keeps orders away.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The source is being asked: while it is open, nobody else asks for a while.
    pub fn asked(&mut self, now: Timestamp) {
        if let Some(open) = &mut self.open {
            open.probe_at = now.plus(open.pause);
        }
    }

    /// The source has answered.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// The source has failed.
    pub fn failed(&mut self, now: Timestamp) {
        self.failures += 1;
        let pause = match &self.open {
            Some(open) => (open.pause * 2).min(LONGEST_PAUSE),
            None if self.failures >= FAILURES => FIRST_PAUSE,
            None => return,
        };
        self.open = Some(Open { pause, probe_at: now.plus(pause) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_millis(0).plus(Duration::from_secs(second))
    }

    fn open() -> Breaker {
        let mut breaker = Breaker::default();
        (0..FAILURES).for_each(|_| breaker.failed(at(0)));
        breaker
    }

    #[test]
    fn it_opens_after_five_failures_in_a_row_and_not_before() {
        let mut breaker = Breaker::default();
        (1..FAILURES).for_each(|_| breaker.failed(at(0)));
        assert!(breaker.lets_through(at(0)) && !breaker.is_open());
        breaker.answered();
        (1..FAILURES).for_each(|_| breaker.failed(at(0)));
        assert!(!breaker.is_open());
        breaker.failed(at(0));
        assert!(!breaker.lets_through(at(29)) && breaker.is_open());
    }

    #[test]
    fn one_at_a_time_looks_whether_the_source_is_back() {
        let mut breaker = open();
        assert!(breaker.lets_through(at(30)));
        breaker.asked(at(30));
        assert!(!breaker.lets_through(at(31)));
        breaker.answered();
        assert!(breaker.lets_through(at(31)) && !breaker.is_open());
        // One who looked and was never heard of again does not keep it closed for ever.
        let mut breaker = open();
        breaker.asked(at(30));
        assert!(breaker.lets_through(at(60)));
    }

    #[test]
    fn it_waits_longer_each_time_up_to_ten_minutes() {
        let mut breaker = open();
        let mut pauses = Vec::new();
        let mut now = 0;
        for _ in 0..7 {
            let pause = (1..10_000).find(|pause| breaker.lets_through(at(now + pause))).unwrap();
            pauses.push(pause);
            now += pause;
            breaker.asked(at(now));
            breaker.failed(at(now));
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
    }
}
