//! Why the law says no to something wanted of an account.

use thiserror::Error;

use crate::id::OrderId;
use crate::money::Money;
use crate::order;

/// What the caller can do about it stands beside each.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such account; register one.
    #[error("there is no such account")]
    NotRegistered,
    /// The id is taken; take a fresh one.
    #[error("the account is already registered")]
    AlreadyRegistered,
    /// An operator has suspended the account; ask them.
    #[error("the account is suspended")]
    Suspended,
    /// The price is more than the spendable balance; deposit.
    #[error("the order costs ${needed} and ${available} is available")]
    InsufficientBalance {
        /// The order's price.
        needed: Money,
        /// What can be spent.
        available: Money,
    },
    /// The price is more than the caller's limit; raise it or leave it.
    #[error("the order costs ${price}, more than the max_price of ${max_price}")]
    PriceAboveMaximum {
        /// The order's price.
        price: Money,
        /// The caller's limit.
        max_price: Money,
    },
    /// Another order is open; wait for it or cancel it.
    #[error("{} of {allowed} concurrent orders in progress", open.len())]
    OrderInProgress {
        /// The open ones.
        open: Vec<OrderId>,
        /// How many may be.
        allowed: u32,
    },
    /// Too many orders were cancelled before any message came; wait.
    #[error("Too many orders were cancelled before a message came; the next one may be placed in {retry_after_seconds} seconds")]
    TooManyCancels {
        /// How long.
        retry_after_seconds: u64,
    },
    /// Too many webhook tests were asked for; wait.
    #[error("Too many webhook tests; the next one may be sent in {retry_after_seconds} seconds")]
    TooManyTests {
        /// How long.
        retry_after_seconds: u64,
    },
    /// The debit is more than can be spent; take less, or say that the balance may be below zero.
    #[error("${wanted} are more than the ${available} that can be spent")]
    DebitTooLarge {
        /// What was to be taken.
        wanted: Money,
        /// What can be spent.
        available: Money,
    },
    /// The amount is not positive or larger than any account may hold.
    #[error("an amount must be above zero and at most $1000000000")]
    AmountOutOfRange,
    /// A batch is 1 to 20 orders.
    #[error("a batch is 1 to 20 orders")]
    BatchSize,
    /// The idempotency key was used with another call or body; take another key.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The account has too many idempotency keys in use; wait until some are forgotten.
    #[error("the account has too many idempotency keys in use")]
    TooManyKeys,
    /// The account has as many keys as it may; remove one.
    #[error("the account has as many keys as it may have")]
    TooManyApiKeys,
    /// The account has no such key.
    #[error("the account has no such key")]
    ApiKeyNotFound,
    /// The account has no other key; add one first.
    #[error("the account's last key cannot be removed")]
    LastApiKey,
    /// The account has reported as many orders as it may in a day; wait.
    #[error("the account has reported as many orders as it may in a day")]
    TooManyReports,
    /// The account has no webhook; set one.
    #[error("the account has no webhook")]
    NoWebhook,
    /// No open or recently ended order of this account has this id; look among the older ones.
    #[error("the account has no such open order")]
    OrderNotFound,
    /// The order's own law says no.
    #[error(transparent)]
    Order(#[from] order::Refusal),
}
