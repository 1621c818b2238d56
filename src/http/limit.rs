//! Rate limits: at most so many calls in any sixty seconds, exactly, in bounded memory.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use parking_lot::Mutex;

const WINDOW_MILLIS: i64 = 60_000;
/// Callers remembered; past it, those that have been quiet for a window are forgotten first.
const REMEMBERED: usize = 100_000;
const SHARDS: usize = 16;

/// Who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An address; of IPv6, its /64, for a household has as many addresses as it likes.
    Address(IpAddr),
    /// An account.
    Account(u128),
}

impl Subject {
    /// The subject that calls from `address` count for.
    pub fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self::Address(IpAddr::V6(network.into()))
            }
            v4 @ IpAddr::V4(_) => Self::Address(v4),
        }
    }

    fn shard(self) -> usize {
        let bits = match self {
            Self::Address(IpAddr::V4(address)) => u128::from(u32::from(address)),
            Self::Address(IpAddr::V6(address)) => u128::from(address) >> 64,
            Self::Account(bits) => bits,
        };
        usize::try_from(bits & 0xf).expect("four bits")
    }
}

/// What the limiter says of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Whether the call may go on.
    pub allowed: bool,
    /// Calls a minute.
    pub limit: u32,
    /// Calls left in this window.
    pub remaining: u32,
    /// Seconds until the oldest call leaves the window.
    pub reset_seconds: u64,
}

/// Counts calls by subject.
#[derive(Debug)]
pub struct Limiter {
    per_minute: u32,
    shards: Vec<Mutex<HashMap<Subject, VecDeque<i64>>>>,
}

impl Limiter {
    /// A limiter; 0 a minute allows everything.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Counts a call at `now` (milliseconds); `None` where there is no limit. Refused calls do not count.
    pub fn take(&self, subject: Subject, now: i64) -> Option<Allowance> {
        if self.per_minute == 0 {
            return None;
        }
        let limit = usize::try_from(self.per_minute).unwrap_or(usize::MAX);
        let mut shard = self.shards[subject.shard()].lock();
        if shard.len() >= REMEMBERED / SHARDS && !shard.contains_key(&subject) {
            shard.retain(|_, calls| calls.back().is_some_and(|last| now - last < WINDOW_MILLIS));
        }
        let calls = shard.entry(subject).or_default();
        while calls.front().is_some_and(|oldest| now - oldest >= WINDOW_MILLIS) {
            calls.pop_front();
        }
        let allowed = calls.len() < limit;
        if allowed {
            calls.push_back(now);
        }
        let oldest = calls.front().copied().unwrap_or(now);
        let reset_millis = u64::try_from(oldest + WINDOW_MILLIS - now).unwrap_or(0);
        let remaining = u32::try_from(limit - calls.len()).unwrap_or(0);
        Some(Allowance { allowed, limit: self.per_minute, remaining, reset_seconds: reset_millis.div_ceil(1_000).max(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Subject {
        Subject::address(text.parse().unwrap())
    }

    #[test]
    fn no_sliding_minute_holds_more_than_the_limit() {
        let limiter = Limiter::new(30);
        let mut taken: Vec<i64> = Vec::new();
        for now in (0..600_000).step_by(137) {
            if limiter.take(address("192.0.2.1"), now).unwrap().allowed {
                taken.push(now);
            }
        }
        for (index, start) in taken.iter().enumerate() {
            let within = taken[index..].iter().take_while(|call| **call - start < WINDOW_MILLIS).count();
            assert!(within <= 30, "{within} from {start}");
        }
        assert!(taken.len() >= 30 * 9);
    }

    #[test]
    fn the_allowance_says_when_to_come_back() {
        let limiter = Limiter::new(2);
        assert_eq!(limiter.take(address("192.0.2.1"), 0).unwrap().remaining, 1);
        assert!(limiter.take(address("192.0.2.1"), 10_000).unwrap().allowed);
        let refused = limiter.take(address("192.0.2.1"), 20_500).unwrap();
        assert_eq!((refused.allowed, refused.remaining, refused.reset_seconds), (false, 0, 40));
        assert!(limiter.take(address("192.0.2.2"), 20_500).unwrap().allowed);
        assert!(limiter.take(address("192.0.2.1"), 60_000).unwrap().allowed);
    }

    #[test]
    fn ipv6_counts_by_network_and_mapped_ipv4_as_ipv4() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
    }

    #[test]
    fn memory_stays_bounded_under_a_flood_of_addresses() {
        let limiter = Limiter::new(30);
        for number in 0..400_000u32 {
            limiter.take(Subject::address(IpAddr::V4(number.into())), i64::from(number));
        }
        let remembered: usize = limiter.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(remembered <= REMEMBERED + 60_000, "{remembered}");
    }

    #[test]
    fn zero_switches_the_limit_off() {
        assert_eq!(Limiter::new(0).take(address("192.0.2.1"), 0), None);
    }
}
