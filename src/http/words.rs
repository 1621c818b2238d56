//! Our values in the words of the API, for whoever writes to callers outside of a request.

use events::money::Money;
use serde_json::Value;

use super::error::value;
use super::json::SignedDollars;
pub use super::order_reply::failure_name as failure;

/// An amount as a JSON number of dollars.
pub fn dollars(amount: Money) -> Value {
    value(&SignedDollars(amount))
}
