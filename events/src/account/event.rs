//! What can happen to an account.

mod shown;

use super::admission::RegistrationKind;
use super::batch::BatchItem;
use super::idempotency::{Effect, Key};
use super::judged::OrderRefused;

use crate::id::{AccountId, ApiKeyId, DepositId, OrderId};
use crate::money::Money;
use crate::order;
use crate::policy::Class;
use crate::time::Timestamp;
use crate::webhook::Notice;

/// A fact in an account's stream.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// The account exists from here on.
    Registered {
        /// Which account.
        id: AccountId,
        /// SHA-256 of the key's secret part; the secret itself is nowhere.
        key_hash: [u8; 32],
        /// Signs the account's webhooks; secret, and needed in full to sign.
        webhook_secret: String,
        /// When.
        at: Timestamp,
    },
    /// The account was opened under what the operator wants of every newcomer.
    Admitted {
        /// How; `approval` waits for an operator.
        kind: RegistrationKind,
        /// The version of the operator's terms that was accepted, if they had any.
        terms: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// An operator lets the account order and be paid into.
    Approved {
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// An operator has said no to the account.
    Declined {
        /// Why, in the operator's words, which its owner may read.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// The account is for tests: its orders are free and follow scenarios.
    OpenedForTests {
        /// The live account that it belongs to, if to one.
        of: Option<AccountId>,
        /// When.
        at: Timestamp,
    },
    /// A live account has an account for tests beside it.
    TestAccountOpened {
        /// Which.
        id: AccountId,
        /// When.
        at: Timestamp,
    },
    /// An operator gave money.
    Credited {
        /// How much; positive.
        amount: Money,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// An operator took money back.
    Debited {
        /// How much; positive.
        amount: Money,
        /// Why, in the operator's words.
        reason: String,
        /// Whether it took more than could be spent, as the operator wanted it.
        overdraws: bool,
        /// When.
        at: Timestamp,
    },
    /// A deposit was final on its chain.
    DepositCredited {
        /// Which deposit; credited once, ever.
        deposit: DepositId,
        /// What it was worth.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// A deposit was final, and too small to be credited alone.
    DustKept {
        /// Which deposit.
        deposit: DepositId,
        /// What it was worth.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// A deposit that was too small to be credited is not its chain's any more.
    DustDropped {
        /// Which deposit.
        deposit: DepositId,
        /// What it was worth.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// A deposit that was credited is not its chain's any more. The balance may be negative after
    /// it.
    DepositReversed {
        /// Which deposit.
        deposit: DepositId,
        /// What was credited for it.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// An operator stopped the account from ordering.
    Suspended {
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// An operator let the account order again.
    Reinstated {
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// The account was closed: it never had money and never ordered.
    Removed {
        /// For how many days it had been so, at least.
        unused_days: u32,
        /// When.
        at: Timestamp,
    },
    /// Money came for an account that was closed: it is its owner's again, with the keys it had.
    Reopened {
        /// When.
        at: Timestamp,
    },
    /// An operator said how well the account is known, which decides what waited for a review.
    ClassSet {
        /// How well.
        class: Class,
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// An order was refused by the service's policy, before anything was held for it.
    OrderRefused(OrderRefused),
    /// A further key opens the account.
    ApiKeyAdded {
        /// Which key.
        id: ApiKeyId,
        /// What its owner calls it.
        name: String,
        /// SHA-256 of the key's secret part; the secret itself is nowhere.
        hash: [u8; 32],
        /// When.
        at: Timestamp,
    },
    /// A key opens the account no more.
    ApiKeyRemoved {
        /// Which key.
        id: ApiKeyId,
        /// When.
        at: Timestamp,
    },
    /// An operator put one key in the place of all.
    ApiKeysReplaced {
        /// Which key.
        id: ApiKeyId,
        /// SHA-256 of the key's secret part; the secret itself is nowhere.
        hash: [u8; 32],
        /// Why, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Money was set aside for an order.
    HoldTaken {
        /// For which order.
        order: OrderId,
        /// The order's price.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// The order completed: its hold is spent.
    HoldCaptured {
        /// Of which order.
        order: OrderId,
        /// The order's price.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// The order ended without a code: its hold is back.
    HoldReleased {
        /// Of which order.
        order: OrderId,
        /// The order's price.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// What was paid for a wrong code was given back.
    CaptureRefunded {
        /// Of which order.
        order: OrderId,
        /// The order's price.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// Orders were wanted together; each that was not refused is placed in the same append.
    BatchPlaced {
        /// What became of each, in the order asked.
        items: Vec<BatchItem>,
        /// When.
        at: Timestamp,
    },
    /// A caller's key names the effect in the same append from here on.
    KeyUsed {
        /// The key.
        key: Key,
        /// SHA-256 of the call and its body.
        fingerprint: [u8; 32],
        /// What it names.
        effect: Effect,
        /// When.
        at: Timestamp,
    },
    /// The owner wants to be told, there.
    WebhookSet {
        /// Where.
        url: String,
        /// Balance below which to tell.
        threshold: Money,
        /// When.
        at: Timestamp,
    },
    /// The owner wants to be told no more.
    WebhookRemoved {
        /// When.
        at: Timestamp,
    },
    /// Webhooks are signed with another secret from here on, and with the one before for a while.
    WebhookSecretRotated {
        /// The new secret.
        secret: String,
        /// When.
        at: Timestamp,
    },
    /// The owner is to be told something.
    WebhookDue {
        /// The account's deliveries are counted from 1.
        sequence: u64,
        /// What.
        notice: Notice,
        /// When.
        at: Timestamp,
    },
    /// A fact of one of the account's orders.
    Order(OrderId, order::Event),
}
