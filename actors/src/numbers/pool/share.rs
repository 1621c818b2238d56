//! The numbers of a pool that unproven accounts hold, by country: those on their orders, and those
//! that rest because of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use events::account::PoolShare;
use events::country::Country;
use events::time::Timestamp;

/// What unproven accounts hold of a pool.
#[derive(Debug, Default)]
pub(super) struct Unproven {
    share: PoolShare,
    held: HashMap<Country, Held>,
}

/// Numbers by their places in the pool.
#[derive(Debug, Default)]
struct Held {
    leased: HashSet<usize>,
    resting: BTreeSet<(Timestamp, usize)>,
}

impl Unproven {
    /// They hold at most this share from here on.
    pub(super) fn limit_to(&mut self, share: PoolShare) {
        self.share = share;
    }

    /// Whether they may hold one more of the country's `numbers`.
    pub(super) fn may_take(&mut self, country: Country, numbers: usize, now: Timestamp) -> bool {
        let Some(held) = self.held.get_mut(&country) else { return true };
        while held.resting.first().is_some_and(|(until, _)| *until <= now) {
            held.resting.pop_first();
        }
        held.leased.len() + held.resting.len() < self.share.of(numbers)
    }

    /// One of them has the number.
    pub(super) fn took(&mut self, country: Country, index: usize) {
        self.held.entry(country).or_default().leased.insert(index);
    }

    /// Whoever had the number has given it back, and it rests until then; `was_of_use`: its code
    /// came.
    pub(super) fn gave_back(
        &mut self,
        country: Country,
        index: usize,
        rests_until: Timestamp,
        was_of_use: bool,
    ) {
        let Some(held) = self.held.get_mut(&country) else { return };
        if held.leased.remove(&index) && !was_of_use {
            held.resting.insert((rests_until, index));
        }
    }
}
