//! How long a number rests after an order, where its source does not say when it received a
//! message: until what was still under way to that order has come, for nobody could tell it from
//! the next order's.

use std::sync::Arc;
use std::time::Duration;

use events::time::Timestamp;
use parking_lot::Mutex;

use crate::kernel::clock::Clock;

/// How long numbers of a pool rest after each order.
#[derive(Debug, Clone)]
pub enum Quarantine {
    /// As long as a message may be under way.
    Plain(Duration),
    /// The same, of a source that holds messages back while it has no session with us.
    Over(Arc<SessionAvailability>),
}

impl Default for Quarantine {
    fn default() -> Self {
        Self::Plain(Duration::ZERO)
    }
}

impl Quarantine {
    /// Until when a number rests that an order gave up at `released`.
    pub fn until(&self, released: Timestamp) -> Timestamp {
        match self {
            Self::Plain(length) => released.plus(*length),
            Self::Over(reach) => reach.rests_until(released),
        }
    }

    /// Whether messages can come just now.
    pub fn is_reached(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Over(reach) => reach.is_open(),
        }
    }
}

/// Whether messages reach us by a source's sessions, and since when.
#[derive(Debug)]
pub struct SessionAvailability {
    clock: Clock,
    sessions: usize,
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Sessions that are down.
    down: usize,
    /// When one last came up.
    up_at: Option<Timestamp>,
    /// Messages to orders that have ended since then may have been held back.
    held_since: Timestamp,
}

impl SessionAvailability {
    /// Of so many sessions, all down yet, for numbers that rest so long.
    pub const fn new(clock: Clock, sessions: usize, rest: Duration) -> Self {
        Self {
            clock,
            sessions,
            rest,
            state: Mutex::new(State {
                down: sessions,
                up_at: None,
                held_since: Timestamp::from_millis(0),
            }),
        }
    }

    /// A session has come up: what was held back for it comes now.
    pub fn gained(&self) {
        let mut state = self.state.lock();
        state.down -= 1;
        state.up_at = Some(self.clock.now());
    }

    /// A session that was up is down.
    pub fn lost(&self) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        // While another is down, or what it had held back is still coming, its time goes on.
        if state.down == 0 && state.up_at.is_some_and(|up_at| up_at.plus(self.rest) <= now) {
            state.held_since = now.minus(self.rest);
        }
        state.down += 1;
    }

    /// Whether a session is up.
    pub fn is_open(&self) -> bool {
        self.state.lock().down < self.sessions
    }

    fn rests_until(&self, released: Timestamp) -> Timestamp {
        if self.rest.is_zero() {
            return released;
        }
        let state = self.state.lock();
        // What may have been held back for the order has come only since then.
        let held_until = state.up_at.filter(|_| released >= state.held_since);
        held_until.map_or(released, |up_at| up_at.max(released)).plus(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn a_number_rests_until_what_was_held_back_has_come() {
        let start = Timestamp::from_millis(1_000_000_000);
        let clock = Clock::simulated(start);
        let at = |minute: u32| start.plus(MINUTE * minute);
        let reach = Arc::new(SessionAvailability::new(clock, 2, MINUTE));
        let rest = Quarantine::Over(Arc::clone(&reach));
        assert!(!rest.is_reached());
        tokio::time::advance(MINUTE * 10).await;
        reach.gained();
        assert!(rest.is_reached());
        // Of what was before this process nobody knows what came.
        assert_eq!((rest.until(at(1)), rest.until(at(12))), (at(11), at(13)));
        tokio::time::advance(MINUTE * 10).await;
        reach.gained();
        assert_eq!((rest.until(at(1)), rest.until(at(12))), (at(21), at(21)));

        tokio::time::advance(MINUTE * 10).await;
        reach.lost();
        assert!(rest.is_reached(), "the other is up");
        tokio::time::advance(MINUTE * 10).await;
        reach.lost();
        assert!(!rest.is_reached());
        tokio::time::advance(MINUTE * 10).await;
        reach.gained();
        // From the minute before the first was lost.
        assert_eq!(
            (rest.until(at(28)), rest.until(at(29)), rest.until(at(50))),
            (at(29), at(51), at(51))
        );
        // Lost again before all of it can have come.
        reach.lost();
        tokio::time::advance(MINUTE * 10).await;
        reach.gained();
        reach.gained();
        reach.lost();
        assert_eq!((rest.until(at(29)), rest.until(at(59))), (at(61), at(61)));
    }

    #[test]
    fn a_source_without_sessions_has_a_rest_and_one_without_a_rest_has_none() {
        let at = Timestamp::from_millis;
        assert_eq!(Quarantine::Plain(MINUTE).until(at(5)), at(60_005));
        let reach =
            Arc::new(SessionAvailability::new(Clock::simulated(at(1_000)), 1, Duration::ZERO));
        reach.gained();
        assert_eq!(Quarantine::Over(reach).until(at(5)), at(5));
        assert_eq!(Quarantine::default().until(at(5)), at(5));
    }
}
