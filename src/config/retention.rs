//! For how long secrets in the log are kept.

use schemars::JsonSchema;
use serde::Deserialize;

/// When secrets in the log are erased by themselves; only where there is a vault.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// What messages say, and codes: so many hours after the order is over; 0 is never.
    pub messages_hours: u32,
    /// Numbers of orders: so many days after the order is over; 0 is never. A keyed hash stays.
    pub numbers_days: u32,
}

impl Default for Retention {
    // A code is worth nothing after minutes; a day is for whoever complains. A month is for whoever
    // asks who had a number.
    fn default() -> Self {
        Self { messages_hours: 24, numbers_days: 30 }
    }
}
