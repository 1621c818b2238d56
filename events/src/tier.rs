//! Loyalty tiers: by completed orders, from the guide's table.

/// What an account's completed orders have earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// 0 to 19 completed orders, no discount.
    Standard,
    /// 20 to 49, 5 %.
    Silver,
    /// 50 to 99, 10 %.
    Gold,
    /// 100 and more, 15 %.
    Vip,
}

impl Tier {
    /// Every tier, lowest first.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Silver, Self::Gold, Self::Vip];

    /// The tier that `completed` orders have earned.
    pub fn of(completed: u64) -> Self {
        Self::ALL
            .into_iter()
            .rev()
            .find(|tier| completed >= tier.threshold())
            .unwrap_or(Self::Standard)
    }

    /// Completed orders from which the tier holds.
    pub const fn threshold(self) -> u64 {
        match self {
            Self::Standard => 0,
            Self::Silver => 20,
            Self::Gold => 50,
            Self::Vip => 100,
        }
    }

    /// Discount in basis points (1/100 of a percent).
    pub const fn discount_basis_points(self) -> u32 {
        match self {
            Self::Standard => 0,
            Self::Silver => 500,
            Self::Gold => 1_000,
            Self::Vip => 1_500,
        }
    }

    /// The name of the guide.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::Silver => "Silver",
            Self::Gold => "Gold",
            Self::Vip => "VIP",
        }
    }

    /// The tier above, if there is one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| *tier > self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_the_guide_are_exact() {
        let edges = [
            (0, Tier::Standard),
            (19, Tier::Standard),
            (20, Tier::Silver),
            (49, Tier::Silver),
            (50, Tier::Gold),
            (99, Tier::Gold),
            (100, Tier::Vip),
            (u64::MAX, Tier::Vip),
        ];
        for (completed, tier) in edges {
            assert_eq!(Tier::of(completed), tier, "{completed}");
        }
        assert_eq!(Tier::Silver.next(), Some(Tier::Gold));
        assert_eq!(Tier::Vip.next(), None);
    }
}
