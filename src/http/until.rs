//! How far an order is followed: to its code, or for as long as messages may come to its number.

use events::order::{Event, State};
use serde::Deserialize;

/// How far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// To its end: the code, or that none came.
    #[default]
    Code,
    /// To the moment its number goes back: further messages and codes too.
    Expiry,
}

impl Until {
    /// The words.
    pub const NAMES: [&str; 2] = ["code", "expiry"];

    /// How many of the order's facts are shown.
    pub fn facts(self, order: &State) -> usize {
        let all = order.history.len();
        match self {
            Self::Code => {
                order.history.iter().position(|fact| Event::is_end(fact)).map_or(all, |end| end + 1)
            }
            Self::Expiry => all,
        }
    }

    /// Whether no further one will be.
    pub fn is_reached(self, order: &State) -> bool {
        match self {
            Self::Code => order.status.is_end(),
            Self::Expiry => order.is_over(),
        }
    }
}
