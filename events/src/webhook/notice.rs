//! What an account's owner is told: decided with the fact it is about, in the same append.

use sha2::{Digest, Sha256};

use crate::id::{AccountId, DeliveryId, OrderId};
use crate::money::Money;

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A message arrived on an order's number.
    SmsReceived {
        /// Which order.
        order: OrderId,
        /// Which of its messages.
        message_id: String,
    },
    /// An order failed or expired.
    OrderFailed {
        /// Which order.
        order: OrderId,
    },
    /// The balance fell below the owner's threshold.
    BalanceLow {
        /// What can be spent now.
        balance: Money,
        /// What it fell below.
        threshold: Money,
    },
    /// The owner asked for a test.
    Test,
}

impl Notice {
    /// The event's name in the delivery; the first three are the guide's.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SmsReceived { .. } => "sms.received",
            Self::OrderFailed { .. } => "order.failed",
            Self::BalanceLow { .. } => "balance.low",
            Self::Test => "webhook.test",
        }
    }

    /// The order it is about, if it is about one.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::SmsReceived { order, .. } | Self::OrderFailed { order } => Some(*order),
            Self::BalanceLow { .. } | Self::Test => None,
        }
    }
}

/// The id of an account's `sequence`-th delivery: the same at every attempt, and after every
/// restart.
pub fn delivery_id(account: AccountId, sequence: u64) -> DeliveryId {
    let digest = Sha256::digest(format!("delivery:{account}:{sequence}"));
    let (head, _) = digest.split_at(16);
    DeliveryId(u128::from_be_bytes(head.try_into().expect("a split at 16 leaves 16 bytes")))
}
