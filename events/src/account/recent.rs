//! What an account did in the last hour: moments, bounded in number, from which limits are counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::time::Timestamp;

/// How long a moment counts.
pub const HOUR: Duration = Duration::from_hours(1);
/// Moments kept: more than any limit counts to.
pub const REMEMBERED: usize = 256;

/// Moments of the last hour, oldest first. Shared, for a state is cloned at every publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recent(Arc<VecDeque<Timestamp>>);

impl Recent {
    /// How many are less than an hour old at `now`.
    pub fn count(&self, now: Timestamp) -> usize {
        self.0.iter().filter(|at| now < at.plus(HOUR)).count()
    }

    /// The last one.
    pub fn last(&self) -> Option<Timestamp> {
        self.0.back().copied()
    }

    /// The oldest that still counts at `now`.
    pub fn oldest(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.iter().find(|at| now < at.plus(HOUR)).copied()
    }

    /// All that are kept, for snapshots.
    pub(super) fn moments(&self) -> impl Iterator<Item = Timestamp> {
        self.0.iter().copied()
    }

    /// Those of a snapshot.
    pub(super) fn from_moments(moments: impl IntoIterator<Item = Timestamp>) -> Self {
        let mut recent = Self::default();
        moments.into_iter().for_each(|at| recent.note(at));
        recent
    }

    /// Adds one; those that no longer count are forgotten.
    pub(super) fn note(&mut self, at: Timestamp) {
        let moments = Arc::make_mut(&mut self.0);
        while moments
            .front()
            .is_some_and(|oldest| moments.len() >= REMEMBERED || at >= oldest.plus(HOUR))
        {
            moments.pop_front();
        }
        moments.push_back(at);
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        if !self.0.is_empty() {
            self.0 = Arc::default();
        }
    }
}
