//! Why something wanted of an account is refused: one enum for each group of commands, and the one
//! that holds them all.

use thiserror::Error;

use super::batch::ItemRefusal;
use crate::id::OrderId;
use crate::money::Money;
use crate::order;
use crate::text::LONGEST_REASON;

/// The refusal of any command; what the caller can do about it stands beside each.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The account as a whole.
    #[error(transparent)]
    Standing(#[from] StandingRefusal),
    /// What one order costs.
    #[error(transparent)]
    Item(#[from] ItemRefusal),
    /// Orders that are placed.
    #[error(transparent)]
    Placing(#[from] PlacingRefusal),
    /// The idempotency key.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyRefusal),
    /// The API keys.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyRefusal),
    /// An operator's credit or debit.
    #[error(transparent)]
    Operator(#[from] OperatorRefusal),
    /// The account's end.
    #[error(transparent)]
    Removal(#[from] RemovalRefusal),
    /// The webhook.
    #[error(transparent)]
    Webhook(#[from] WebhookRefusal),
    /// One of the orders.
    #[error(transparent)]
    Order(#[from] OrderRefusal),
}

/// Refusals of an account that is not there, or may do nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StandingRefusal {
    /// There is no such account; register one.
    #[error("there is no such account")]
    NotRegistered,
    /// The id is taken; take a fresh one.
    #[error("the account is already registered")]
    AlreadyRegistered,
    /// An operator has suspended the account; ask them.
    #[error("the account is suspended")]
    Suspended,
    /// An operator has not looked at the account yet; wait, or ask them.
    #[error(
        "the account waits for the operator's approval; until then it orders nothing and has no \
         way to be paid into"
    )]
    AwaitsApproval,
    /// An operator has said no to the account; ask them.
    #[error("the operator has not approved the account: {reason}")]
    Declined {
        /// Why.
        reason: String,
    },
    /// The account was closed, for it was never used; money opens it again, or an operator.
    #[error("the account was removed: it was never used")]
    Removed,
    /// The account never had money, and has caused as much log as such a one may; give it money.
    #[error(
        "an account that never had money may change only so much: once there is money it may go on"
    )]
    NeverFunded,
    /// Test accounts order by scenarios and take no money; live accounts have no scenarios. Use a
    /// key of the other mode.
    #[error("test accounts order by scenarios and take no money; live accounts have no scenarios")]
    WrongMode,
}

/// Refusals of new orders, beside what each costs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlacingRefusal {
    /// Another order is open; wait for it or cancel it.
    #[error("{} of {allowed} concurrent orders in progress", open.len())]
    OrderInProgress {
        /// The open ones.
        open: Vec<OrderId>,
        /// How many may be.
        allowed: u32,
    },
    /// Too many orders were cancelled before any message came; wait.
    #[error(
        "Too many orders were cancelled before a message came; the next one may be placed in \
         {retry_after_seconds} seconds"
    )]
    TooManyCancels {
        /// How long.
        retry_after_seconds: u64,
    },
    /// A batch is 1 to 20 orders.
    #[error("a batch is 1 to 20 orders")]
    BatchSize,
}

/// Refusals of a call for its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdempotencyRefusal {
    /// The idempotency key was used with another call or body; take another key.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The account has too many idempotency keys in use; wait until some are forgotten.
    #[error("the account has too many idempotency keys in use")]
    TooManyKeys,
}

/// Refusals of changes of the account's API keys.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiKeyRefusal {
    /// The account has as many keys as it may; remove one.
    #[error("the account has as many keys as it may have")]
    TooManyApiKeys,
    /// The account has no such key.
    #[error("the account has no such key")]
    ApiKeyNotFound,
    /// The account has no other key; add one first.
    #[error("the account's last key cannot be removed")]
    LastApiKey,
}

/// Refusals of what an operator gives or takes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OperatorRefusal {
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
    /// The account may order already; suspend it, if need be.
    #[error("the account does not wait for approval; it can be suspended")]
    NothingAwaited,
    /// Say why, in not too many words.
    #[error("a reason is needed, of at most {LONGEST_REASON} characters, none of them hidden")]
    NoReason,
}

/// Refusals to close an account; each is a reason to leave it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RemovalRefusal {
    /// It had money or an order.
    #[error("the account had money or an order")]
    Used,
    /// It is not old enough, or there is no age at which accounts are closed.
    #[error("the account is not old enough")]
    TooYoung,
    /// A payment to it is on its way, or its account for tests is in use.
    #[error("the account waits for a payment, or its account for tests is in use")]
    Awaited,
    /// An operator has suspended it, and said why.
    #[error("an operator has suspended the account")]
    Suspended,
    /// It is a live account's account for tests, and goes with that.
    #[error("the account for tests goes with its live account")]
    OfLiveAccount,
}

/// Refusals of what is asked of the account's webhook.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WebhookRefusal {
    /// The account has no webhook; set one.
    #[error("the account has no webhook")]
    NoWebhook,
    /// Too many webhook tests were asked for; wait.
    #[error("Too many webhook tests; the next one may be sent in {retry_after_seconds} seconds")]
    TooManyTests {
        /// How long.
        retry_after_seconds: u64,
    },
}

/// Refusals of what is done to one of the account's orders.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderRefusal {
    /// No open or recently ended order of this account has this id; look among the older ones.
    #[error("the account has no such open order")]
    NotFound,
    /// The account has reported as many orders as it may in a day; wait.
    #[error("the account has reported as many orders as it may in a day")]
    TooManyReports,
    /// The order itself, as it is now, does not allow it.
    #[error(transparent)]
    Order(#[from] order::Refusal),
}

impl From<order::Refusal> for Refusal {
    fn from(refusal: order::Refusal) -> Self {
        Self::Order(OrderRefusal::Order(refusal))
    }
}
