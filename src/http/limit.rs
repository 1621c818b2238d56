//! Rate limits: at most so many calls in any window, exactly, in bounded memory and without a
//! pause.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

use super::error::{ApiError, ErrorCode};
use crate::serve::network;

/// Callers remembered for a window. Past it those that have been quiet for longest are forgotten:
/// whoever has more addresses than that is not held by a limit of each.
const REMEMBERED: usize = 200_000;
const SHARDS: usize = 16;
/// Of each of the two generations of a shard.
const GENERATION: usize = REMEMBERED / SHARDS / 2;

/// Who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An address; of IPv6, its /64, for a household has as many addresses as it likes.
    Address(IpAddr),
    /// All accounts together that never had money, of those who call from an address: opening them
    /// costs nothing.
    Unfunded(IpAddr),
    /// An account.
    Account(u128),
    /// Whoever calls.
    Everybody,
}

impl Subject {
    /// The subject that calls from `address` count for.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(network(address))
    }

    /// The subject that calls of accounts that never had money count for.
    pub fn unfunded(address: IpAddr) -> Self {
        Self::Unfunded(network(address))
    }

    fn shard(self) -> usize {
        let bits = match self {
            Self::Address(IpAddr::V4(address)) | Self::Unfunded(IpAddr::V4(address)) => {
                u128::from(u32::from(address))
            }
            Self::Address(IpAddr::V6(address)) | Self::Unfunded(IpAddr::V6(address)) => {
                u128::from(address) >> 64
            }
            Self::Account(bits) => bits,
            Self::Everybody => 0,
        };
        usize::try_from(bits & 0xf).expect("four bits")
    }
}

/// What the limiter says of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Whether the call may go on.
    pub allowed: bool,
    /// Calls in a window.
    pub limit: u32,
    /// The window.
    pub window: Duration,
    /// Calls left in this window.
    pub remaining: u32,
    /// Seconds until the oldest call leaves the window.
    pub reset_seconds: u64,
}

/// Counts calls by subject. Moments are times since the start: a wall clock that is set back must
/// not lock anybody out.
#[derive(Debug)]
pub struct Limiter {
    limit: u32,
    window: Duration,
    shards: Vec<Mutex<Shard>>,
}

type Calls = HashMap<Subject, VecDeque<Duration>>;

/// Subjects in two generations: those seen since the last turn, and those seen in the turn before
/// and not since.
#[derive(Debug, Default)]
struct Shard {
    young: Calls,
    old: Calls,
    turned_at: Duration,
}

impl Limiter {
    /// A limiter; a limit of 0 allows everything.
    pub fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Counts a call at `now`; `None` where there is no limit. Refused calls do not count.
    pub fn take(&self, subject: Subject, now: Duration) -> Option<Allowance> {
        self.ask(subject, now, true)
    }

    /// Whether a call at `now` would be refused.
    pub fn is_exhausted(&self, subject: Subject, now: Duration) -> bool {
        self.ask(subject, now, false).is_some_and(|allowance| !allowance.allowed)
    }

    fn ask(&self, subject: Subject, now: Duration, counts: bool) -> Option<Allowance> {
        if self.limit == 0 {
            return None;
        }
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut shard = self.shards[subject.shard()].lock();
        let forgotten = shard.turn(now, self.window);
        let calls = shard.calls(subject);
        while calls.front().is_some_and(|oldest| now.saturating_sub(*oldest) >= self.window) {
            calls.pop_front();
        }
        let allowed = calls.len() < limit;
        if allowed && counts {
            calls.push_back(now);
        }
        let oldest = calls.front().copied().unwrap_or(now);
        let left = (oldest + self.window).saturating_sub(now);
        let remaining = u32::try_from(limit - calls.len()).unwrap_or(0);
        drop(shard);
        // Not under the lock: it takes a while.
        drop(forgotten);
        let reset_seconds =
            u64::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1);
        Some(Allowance {
            allowed,
            limit: self.limit,
            window: self.window,
            remaining,
            reset_seconds,
        })
    }
}

impl Shard {
    /// Makes the young ones old after a window, or when there are too many; what was old till then
    /// is to be dropped.
    fn turn(&mut self, now: Duration, window: Duration) -> Option<Calls> {
        if self.young.len() < GENERATION && now.saturating_sub(self.turned_at) < window {
            return None;
        }
        self.turned_at = now;
        let young = std::mem::take(&mut self.young);
        Some(std::mem::replace(&mut self.old, young))
    }

    fn calls(&mut self, subject: Subject) -> &mut VecDeque<Duration> {
        let old = &mut self.old;
        self.young.entry(subject).or_insert_with(|| old.remove(&subject).unwrap_or_default())
    }
}

/// Whether a call is within what its subject may ask.
pub fn within(allowance: Option<Allowance>) -> Result<(), ApiError> {
    match allowance {
        Some(Allowance { allowed: false, limit, window, reset_seconds, .. }) => {
            let text = format!(
                "Too many requests: at most {limit} in {} seconds. Wait {reset_seconds} seconds.",
                window.as_secs()
            );
            Err(ApiError::new(ErrorCode::RateLimited, text).retry_after(reset_seconds))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn address(text: &str) -> Subject {
        Subject::address(text.parse().unwrap())
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    proptest::proptest! {
        #[test]
        fn no_sliding_window_holds_more_than_the_limit(
            steps in proptest::collection::vec((0u64..20_000, 0u32..3), 1..400), limit in 1u32..6
        ) {
            let limiter = Limiter::new(limit, MINUTE);
            let (mut now, mut taken) = (0, vec![Vec::new(); 3]);
            for (step, who) in steps {
                now += step;
                let calls: &mut Vec<u64> = &mut taken[who as usize];
                let within = calls.iter().filter(|call| now - **call < 60_000).count();
                let allowance = limiter.take(Subject::Account(who.into()), at(now)).unwrap();
                assert_eq!(allowance.allowed, within < limit as usize, "exactly, at {now}");
                if allowance.allowed {
                    calls.push(now);
                }
            }
        }
    }

    #[test]
    fn the_allowance_says_when_to_come_back() {
        let limiter = Limiter::new(2, MINUTE);
        assert_eq!(limiter.take(address("192.0.2.1"), at(0)).unwrap().remaining, 1);
        assert!(limiter.take(address("192.0.2.1"), at(10_000)).unwrap().allowed);
        let refused = limiter.take(address("192.0.2.1"), at(20_500)).unwrap();
        assert_eq!((refused.allowed, refused.remaining, refused.reset_seconds), (false, 0, 40));
        assert!(limiter.is_exhausted(address("192.0.2.1"), at(20_500)));
        assert!(limiter.take(address("192.0.2.2"), at(20_500)).unwrap().allowed);
        assert!(!limiter.is_exhausted(address("192.0.2.1"), at(60_000)), "asking counts nothing");
        assert!(limiter.take(address("192.0.2.1"), at(60_000)).unwrap().allowed);
    }

    #[test]
    fn ipv6_counts_by_network_and_mapped_ipv4_as_ipv4() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(Subject::unfunded("192.0.2.1".parse().unwrap()), address("192.0.2.1"));
    }

    #[test]
    fn memory_stays_bounded_under_a_flood_of_addresses_that_do_not_pause() {
        let limiter = Limiter::new(30, MINUTE);
        for number in 0..1_000_000u32 {
            limiter.take(Subject::address(IpAddr::V4(number.into())), at(u64::from(number) / 100));
        }
        let size = |shard: &Mutex<Shard>| {
            let shard = shard.lock();
            shard.young.len() + shard.old.len()
        };
        let remembered: usize = limiter.shards.iter().map(size).sum();
        assert!((REMEMBERED / 2..=REMEMBERED).contains(&remembered), "{remembered}");
    }

    #[test]
    fn whoever_keeps_calling_is_remembered_through_a_flood() {
        let limiter = Limiter::new(30, MINUTE);
        let mut allowed = 0;
        for number in 0..1_000_000u32 {
            limiter.take(Subject::address(IpAddr::V4((number + 1).into())), at(0));
            if number % 1_000 == 0 {
                allowed += u32::from(limiter.take(address("0.0.0.0"), at(0)).unwrap().allowed);
            }
        }
        assert_eq!(allowed, 30);
    }

    #[test]
    fn zero_switches_the_limit_off() {
        assert_eq!(Limiter::new(0, MINUTE).take(address("192.0.2.1"), at(0)), None);
    }
}
