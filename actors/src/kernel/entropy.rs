//! Randomness: the only place that asks the operating system for some.

use std::cell::RefCell;
use std::sync::Arc;

use events::id::{AccountId, CommandId, InviteId, OrderId, time_ordered};
use events::time::Timestamp;
use parking_lot::Mutex;

/// A source of randomness: the system's, or a seed's so that a whole run can be repeated.
#[derive(Debug, Clone)]
pub enum Entropy {
    /// The operating system's.
    System,
    /// SplitMix64 from a seed: for simulation, never for secrets.
    Seeded(Arc<Mutex<Seeded>>),
}

/// What a seed has come to.
#[derive(Debug)]
pub struct Seeded {
    state: u64,
    last_id: u128,
}

/// The last time-ordered id that the system's entropy has given.
static LAST_ID: Mutex<u128> = Mutex::new(0);

/// Most that an id may be further than the one before it, of the same millisecond: enough that
/// nobody guesses the next.
const LARGEST_STEP: u128 = (1 << 64) - 1;

/// Random bytes of this thread that nobody has had yet: a system call for each id would cost as
/// much as the id's order.
struct Fetched {
    bytes: [u8; 1_024],
    used: usize,
}

thread_local! {
    static FETCHED: RefCell<Fetched> =
        const { RefCell::new(Fetched { bytes: [0; 1_024], used: 1_024 }) };
}

impl Fetched {
    #[expect(clippy::disallowed_methods, reason = "this is where it enters")]
    fn take(&mut self, into: &mut [u8]) {
        assert!(into.len() <= self.bytes.len(), "nobody wants a kilobyte of randomness at once");
        if self.bytes.len() - self.used < into.len() {
            getrandom::fill(&mut self.bytes).expect(
                "an operating system without randomness cannot run a service that keeps secrets",
            );
            self.used = 0;
        }
        let taken = &mut self.bytes[self.used..self.used + into.len()];
        into.copy_from_slice(taken);
        // A secret must not lie around in memory for longer than its owner has it.
        taken.fill(0);
        self.used += into.len();
    }
}

impl Entropy {
    /// The same throws for the same seed.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(Seeded { state: seed, last_id: 0 })))
    }

    /// 64 random bits.
    pub fn bits(&self) -> u64 {
        match self {
            Self::System => u64::from_ne_bytes(self.bytes()),
            Self::Seeded(seeded) => {
                let mut seeded = seeded.lock();
                seeded.state = seeded.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = seeded.state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                mixed ^ (mixed >> 31)
            }
        }
    }

    /// Random bytes. The system's are fetched by the kilobyte, and each is handed out once.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => FETCHED.with_borrow_mut(|fetched| fetched.take(&mut bytes)),
            Self::Seeded(_) => {
                for chunk in bytes.chunks_mut(8) {
                    chunk.copy_from_slice(&self.bits().to_ne_bytes()[..chunk.len()]);
                }
            }
        }
        bytes
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.bits()) * u128::from(bound)) >> 64)
            .expect("the upper half of 128 bits fits 64")
    }

    /// True `rate` of the time; `rate` is from 0.0 to 1.0.
    pub fn chance(&self, rate: f64) -> bool {
        self.fraction() < rate
    }

    /// From 0.0 up to but not including 1.0.
    pub fn fraction(&self) -> f64 {
        // 53 bits: all that an f64 can tell apart below 1.
        let bits = u32::try_from(self.bits() >> 32).expect("32 bits fit");
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    fn time_ordered(&self, now: Timestamp) -> u128 {
        let random = u128::from_ne_bytes(self.bytes());
        time_ordered(u64::try_from(now.millis()).unwrap_or(0), random)
    }

    /// The same, and greater than every one before: also within a millisecond, and when the clock
    /// is set back.
    fn rising(&self, now: Timestamp) -> u128 {
        let fresh = self.time_ordered(now);
        let step = 1 + (u128::from_ne_bytes(self.bytes()) & LARGEST_STEP);
        let next = |last: &mut u128| {
            *last = if fresh > *last { fresh } else { *last + step };
            *last
        };
        match self {
            Self::System => next(&mut LAST_ID.lock()),
            Self::Seeded(seeded) => next(&mut seeded.lock().last_id),
        }
    }

    /// A fresh account id.
    pub fn account_id(&self, now: Timestamp) -> AccountId {
        AccountId(self.time_ordered(now))
    }

    /// A fresh order id, greater than every one before: orders are listed in the order they were
    /// asked for.
    pub fn order_id(&self, now: Timestamp) -> OrderId {
        OrderId(self.rising(now))
    }

    /// A fresh invite's id.
    pub fn invite_id(&self, now: Timestamp) -> InviteId {
        InviteId(self.time_ordered(now))
    }

    /// A fresh command id.
    pub fn command_id(&self, now: Timestamp) -> CommandId {
        CommandId(self.time_ordered(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ids_rise_within_a_millisecond_and_when_the_clock_is_set_back() {
        for entropy in [Entropy::System, Entropy::seeded(7)] {
            let moments = std::iter::repeat_n(1_795_500_000_000, 1_000)
                .chain(std::iter::repeat_n(1_795_499_000_000, 1_000))
                .chain([1_795_500_000_001]);
            let ids: Vec<OrderId> =
                moments.map(|now| entropy.order_id(Timestamp::from_millis(now))).collect();
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
