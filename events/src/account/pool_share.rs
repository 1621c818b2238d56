//! What unproven accounts hold of a pool of numbers: a part of it, so that whoever takes numbers
//! for nothing leaves some for the others.

use super::state::State;

/// The part of a country's numbers in a pool that unproven accounts hold at once, resting ones
/// included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolShare {
    percent: u32,
}

impl Default for PoolShare {
    /// Half: a day on which every caller is unproven still has numbers, and no crowd of them takes
    /// all.
    fn default() -> Self {
        Self { percent: 50 }
    }
}

impl PoolShare {
    /// Everything: no account is told from another.
    pub const WHOLE: Self = Self { percent: 100 };

    /// A share of so many percent; beyond 100 it is everything.
    pub const fn percent(percent: u32) -> Self {
        Self { percent }
    }

    /// How many of `numbers` that is: rounded up, so that a pool of one serves everybody.
    pub fn of(self, numbers: usize) -> usize {
        let percent = usize::try_from(self.percent.min(100)).unwrap_or(100);
        numbers.saturating_mul(percent).div_ceil(100)
    }
}

impl State {
    /// Whether it has had numbers, and no code came of any. An account's first number is no
    /// different from anybody's.
    pub fn is_unproven(&self) -> bool {
        // Orders that found no number push the others out of memory; cancels are remembered on
        // their own.
        self.completed == 0
            && (self.cancels.last().is_some()
                || self.recent.iter().any(|order| order.assignment.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_never_more_than_there_is() {
        let of = |percent, numbers| PoolShare::percent(percent).of(numbers);
        assert_eq!([of(50, 0), of(50, 1), of(50, 2), of(50, 3), of(50, 100)], [0, 1, 1, 2, 50]);
        assert_eq!(
            [of(1, 1), of(1, 100), of(1, 101), of(100, 7), of(u32::MAX, 7)],
            [1, 1, 2, 7, 7]
        );
        assert_eq!(PoolShare::WHOLE.of(usize::MAX / 100), usize::MAX / 100);
    }
}
