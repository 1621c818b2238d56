//! Chance of a run: all of it comes from the seed.

use actors::kernel::entropy::Entropy;

/// Dice of a seed. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Dice(Entropy);

impl Dice {
    /// The dice of one of a seed's purposes: what one throws does not change another's throws.
    pub fn of(seed: u64, purpose: u64) -> Self {
        // Mixed first: neighbouring seeds of the generator are one sequence, a throw apart.
        Self(Entropy::seeded(Entropy::seeded(seed ^ (purpose << 56)).bits()))
    }

    /// A number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// The same, for places in lists.
    pub fn index(&self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).unwrap()
    }

    /// True so many times of a hundred.
    pub fn chance(&self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    /// One of them.
    pub fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.index(of.len())]
    }
}
