//! A batch: orders wanted together, each accepted or refused alone, run within the account's
//! concurrency.

use thiserror::Error;

use super::command::PlaceOrder;
use super::judged::PolicyRefusal;
use super::refusal::Refusal;
use crate::id::OrderId;
use crate::money::Money;
use crate::time::Timestamp;

/// The guide: "Batch (up to 20)".
pub const MAX_BATCH: usize = 20;

/// Orders as they are wanted, in the order they are to run in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceBatch {
    /// The orders, 1 to [`MAX_BATCH`].
    pub orders: Vec<PlaceOrder>,
    /// Now.
    pub at: Timestamp,
}

/// What became of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// The id it was wanted under; an order's, unless it was refused.
    pub order: OrderId,
    /// Why it was refused, if it was.
    pub refused: Option<ItemRefusal>,
}

/// Why one order of a batch was refused, and the others were not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ItemRefusal {
    /// What the orders before it left is not enough.
    #[error("the order costs ${needed} and ${available} is available")]
    InsufficientBalance {
        /// The order's price.
        needed: Money,
        /// What could be spent.
        available: Money,
    },
    /// Its price is more than its limit.
    #[error("the order costs ${price}, more than the max_price of ${max_price}")]
    PriceAboveMaximum {
        /// The order's price.
        price: Money,
        /// The caller's limit.
        max_price: Money,
    },
    /// The service takes no such orders, or none of this account; its policy says why.
    #[error("the service's policy does not allow the order: {0}")]
    Policy(PolicyRefusal),
}

impl ItemRefusal {
    /// The item's own refusal in `refusal`, unless it concerns the whole batch.
    pub fn of(refusal: Refusal) -> Result<Self, Refusal> {
        match refusal {
            Refusal::Item(item) => Ok(item),
            whole @ (Refusal::Standing(_)
            | Refusal::Placing(_)
            | Refusal::Idempotency(_)
            | Refusal::ApiKey(_)
            | Refusal::Operator(_)
            | Refusal::Removal(_)
            | Refusal::Webhook(_)
            | Refusal::Order(_)) => Err(whole),
        }
    }
}
