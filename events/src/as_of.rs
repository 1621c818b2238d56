//! A point in a history: a time, or one of its events.

use crate::time::Timestamp;

/// A point in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// After everything up to and including this time.
    Time(Timestamp),
    /// After the event of this number, from 1.
    Event(u64),
}

impl AsOf {
    /// Whether the event of this number, at this time, counts.
    pub fn includes(self, number: u64, at: Timestamp) -> bool {
        match self {
            Self::Time(time) => at <= time,
            Self::Event(last) => number <= last,
        }
    }
}
