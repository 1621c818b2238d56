//! Numbers held for nothing: cancelling costs nobody anything, up to so many an hour; past that a
//! pause grows with each.

use std::time::Duration;

use super::recent::Recent;
use super::refusal::PlacingRefusal;
use crate::time::Timestamp;

/// The operator's limits on cancels that no message came before. A completed order forgives all
/// before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelRules {
    /// Cancels in an hour that nothing follows from.
    pub free_per_hour: u32,
    /// After the first one more: how long until the next order. Doubled with each after it.
    /// Nothing: no pause at all.
    pub pause_seconds: u32,
    /// The longest pause.
    pub max_pause_seconds: u32,
}

impl Default for CancelRules {
    /// One in a minute, for an hour, is what callers do who change their minds or whose senders are
    /// slow.
    fn default() -> Self {
        Self { free_per_hour: 60, pause_seconds: 10, max_pause_seconds: 600 }
    }
}

impl CancelRules {
    /// The pause after so many cancels within an hour.
    pub fn pause(&self, cancels: usize) -> Duration {
        let free = usize::try_from(self.free_per_hour).unwrap_or(usize::MAX);
        let Some(doublings) = cancels.checked_sub(free).and_then(|over| over.checked_sub(1)) else {
            return Duration::ZERO;
        };
        let factor = u32::try_from(doublings)
            .ok()
            .and_then(|doublings| 2u32.checked_pow(doublings))
            .unwrap_or(u32::MAX);
        Duration::from_secs(
            self.pause_seconds.saturating_mul(factor).min(self.max_pause_seconds).into(),
        )
    }

    /// Whether an account with these cancels may order at `now`.
    pub(super) fn check(&self, cancels: &Recent, now: Timestamp) -> Result<(), PlacingRefusal> {
        let Some(last) = cancels.last() else { return Ok(()) };
        let wait = last.plus(self.pause(cancels.count(now))).since(now);
        if wait.is_zero() {
            Ok(())
        } else {
            Err(PlacingRefusal::TooManyCancels { retry_after_seconds: seconds_up(wait) })
        }
    }
}

/// Whole seconds, rounded up: who waits so long is not refused again for a fraction.
pub(super) fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
