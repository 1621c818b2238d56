//! What can be wanted of an account.

use super::admission::RegistrationKind;
use super::batch::PlaceBatch;
use super::cancels::CancelRules;
use super::idempotency::{Effect, KeyUse};
use crate::country::Country;
use crate::id::{AccountId, ApiKeyId, DepositId, OrderId};
use crate::money::Money;
use crate::order;
use crate::phone::Phone;
use crate::platform::Platform;
use crate::policy::{Class, Judge};
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// An intention; `at` is the moment it is decided at.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Open the account.
    Register {
        /// A fresh id.
        id: AccountId,
        /// SHA-256 of the key's secret part.
        key_hash: [u8; 32],
        /// A fresh webhook secret.
        webhook_secret: String,
        /// Now.
        at: Timestamp,
    },
    /// Open an account for tests that belongs to no other.
    RegisterForTests {
        /// A fresh id.
        id: AccountId,
        /// SHA-256 of the key's secret part.
        key_hash: [u8; 32],
        /// A fresh webhook secret.
        webhook_secret: String,
        /// Now.
        at: Timestamp,
    },
    /// Open an account under what the operator wants of every newcomer.
    RegisterUnder {
        /// How it is opened.
        register: Box<Command>,
        /// How it is admitted.
        kind: RegistrationKind,
        /// The version of the operator's terms that was accepted, if they have any.
        terms: Option<String>,
        /// Now.
        at: Timestamp,
    },
    /// Let an account that waits order and be paid into.
    Approve {
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Say no to an account that waits.
    Decline {
        /// Why; its owner may read it.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Give a live account's test account a key; the first one opens it.
    AddTestKey(TestKey),
    /// Note which test account a live account has.
    OpenTestAccount {
        /// A fresh id.
        id: AccountId,
        /// Now.
        at: Timestamp,
    },
    /// Give money, as an operator.
    Credit {
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Take money back, as an operator: a credit that was mistyped.
    Debit {
        /// How much.
        amount: Money,
        /// Why.
        reason: String,
        /// Whether the balance may be below zero after it.
        may_overdraw: bool,
        /// Now.
        at: Timestamp,
    },
    /// Credit a deposit that is final on its chain, or keep it until small ones come to enough.
    CreditDeposit {
        /// Which deposit.
        deposit: DepositId,
        /// What it was worth.
        amount: Money,
        /// Now.
        at: Timestamp,
    },
    /// Take back what a deposit brought: its chain does not have it any more.
    ReverseDeposit {
        /// Which deposit.
        deposit: DepositId,
        /// Now.
        at: Timestamp,
    },
    /// Stop the account from ordering.
    Suspend {
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Let the account order again.
    Reinstate {
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Close an account that never had money and never ordered.
    RemoveUnused {
        /// How many days it must have been so.
        unused_days: u32,
        /// Whether a payment to it is on its way, or its account for tests is in use.
        is_awaited: bool,
        /// Now.
        at: Timestamp,
    },
    /// Do something, unless the account never had money and has already caused so much log.
    Within {
        /// Bytes of the log.
        bytes: u64,
        /// What to do.
        command: Box<Command>,
    },
    /// Say how well the account is known.
    SetClass {
        /// How well.
        class: Class,
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Give the account a further key.
    AddApiKey {
        /// A fresh id.
        id: ApiKeyId,
        /// What its owner calls it.
        name: String,
        /// SHA-256 of the key's secret part.
        hash: [u8; 32],
        /// Now.
        at: Timestamp,
    },
    /// Take a key away.
    RemoveApiKey {
        /// Which.
        id: ApiKeyId,
        /// Now.
        at: Timestamp,
    },
    /// Put one key in the place of all, as an operator: their owner has lost them, or somebody else
    /// has them.
    ReplaceApiKeys {
        /// A fresh id.
        id: ApiKeyId,
        /// SHA-256 of the key's secret part.
        hash: [u8; 32],
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
    /// Order a number.
    PlaceOrder(PlaceOrder),
    /// Order numbers together.
    PlaceBatch(PlaceBatch),
    /// Do something once for a caller's key, whatever the number of its retries.
    Keyed {
        /// The key and what it is used for.
        used: KeyUse,
        /// What it will name.
        effect: Effect,
        /// What to do; `None` where it is done in another stream, under an id that makes repeating
        /// it harmless.
        command: Option<Box<Command>>,
    },
    /// Tell the owner, there.
    SetWebhook {
        /// Where.
        url: String,
        /// Balance below which to tell.
        threshold: Money,
        /// Now.
        at: Timestamp,
    },
    /// Tell the owner no more.
    RemoveWebhook {
        /// Now.
        at: Timestamp,
    },
    /// Sign with another secret.
    RotateWebhookSecret {
        /// A fresh secret.
        secret: String,
        /// Now.
        at: Timestamp,
    },
    /// Tell the owner something, to see that it works.
    TestWebhook {
        /// Now.
        at: Timestamp,
    },
    /// Do something with an order of this account.
    Order(OrderId, order::Command),
}

/// A key for tests, as it is wanted.
#[derive(Clone, PartialEq, Eq)]
pub struct TestKey {
    /// The test account.
    pub account: AccountId,
    /// The live account that it belongs to.
    pub live: AccountId,
    /// A fresh id.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the key's secret part.
    pub hash: [u8; 32],
    /// A fresh webhook secret, for an account that is opened by this.
    pub webhook_secret: String,
    /// Now.
    pub at: Timestamp,
}

/// What the first source has answered before the order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAnswer {
    /// Who was asked.
    pub supplier: SupplierName,
    /// The number it has reserved, or why it has none.
    pub answer: Result<Phone, order::AttemptFailure>,
}

impl FirstAnswer {
    /// The report of it, to the order.
    pub fn report(&self, at: Timestamp) -> order::Command {
        let supplier = self.supplier.clone();
        match &self.answer {
            Ok(phone) => {
                order::Command::AssignNumber { attempt: 1, supplier, phone: phone.clone(), at }
            }
            Err(reason) => {
                order::Command::FailAttempt { attempt: 1, supplier, reason: *reason, at }
            }
        }
    }
}

/// An order as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// A fresh id.
    pub order: OrderId,
    /// For whose messages.
    pub platform: Platform,
    /// Where the number is to be from.
    pub country: Country,
    /// The catalogue's price.
    pub list_price: Money,
    /// The most the caller will pay.
    pub max_price: Option<Money>,
    /// From the first number to expiry.
    pub lifetime_seconds: u32,
    /// How long a first number may be sought.
    pub seek_seconds: u32,
    /// How many sources may be asked.
    pub max_attempts: u8,
    /// How long the order keeps its number after the code.
    pub listen_seconds: u32,
    /// Open orders an account may have.
    pub max_concurrent: u32,
    /// How many numbers it may give back for nothing.
    pub cancels: CancelRules,
    /// By what the order is judged.
    pub judge: Judge,
    /// What a test order does; `None` for a real one.
    pub scenario: Option<order::Scenario>,
    /// The first source's answer, where it was at hand: the order then has its number (or its first
    /// failed attempt) in the same append.
    pub first_answer: Option<FirstAnswer>,
    /// Now.
    pub at: Timestamp,
}
