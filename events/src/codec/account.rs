//! Facts of an account in bytes.

use super::order;
use super::wire::{DecodeError, Encoded, Wire, facts, lifted, records, texts, write};
use crate::account::batch::{BatchItem, ItemRefusal};
use crate::account::idempotency::{Effect, Key};
use crate::account::{Event, OrderRefused, PolicyRefusal, RegistrationKind};
use crate::country::Country;
use crate::id::{AccountId, ApiKeyId, DepositId, InviteId, OrderId};
use crate::money::Money;
use crate::platform::Platform;
use crate::policy::{Class, Verdict};
use crate::time::Timestamp;
use crate::webhook::Notice;

facts! {
    Event after ();
    fields {
        "AccountRegistered" 1 Registered { id: AccountId, key_hash: [u8; 32], webhook_secret: String, at: Timestamp }
        "AccountOpenedForTests" 1 OpenedForTests { of: Option<AccountId>, at: Timestamp }
        "AccountTestAccountOpened" 1 TestAccountOpened { id: AccountId, at: Timestamp }
        "AccountAdmitted" 1 Admitted { kind: RegistrationKind, terms: Option<String>, at: Timestamp }
        "AccountApproved" 1 Approved { reason: String, at: Timestamp }
        "AccountDeclined" 1 Declined { reason: String, at: Timestamp }
        "AccountCredited" 1 Credited { amount: Money, reason: String, at: Timestamp }
        "AccountDebited" 1 Debited { amount: Money, reason: String, overdraws: bool, at: Timestamp }
        "AccountDepositCredited" 1 DepositCredited { deposit: DepositId, amount: Money, at: Timestamp }
        "AccountDustKept" 1 DustKept { deposit: DepositId, amount: Money, at: Timestamp }
        "AccountDustDropped" 1 DustDropped { deposit: DepositId, amount: Money, at: Timestamp }
        "AccountDepositReversed" 1 DepositReversed { deposit: DepositId, amount: Money, at: Timestamp }
        "AccountSuspended" 1 Suspended { reason: String, at: Timestamp }
        "AccountReinstated" 1 Reinstated { reason: String, at: Timestamp }
        "AccountRemoved" 1 Removed { unused_days: u32, at: Timestamp }
        "AccountReopened" 1 Reopened { at: Timestamp }
        "AccountApiKeyAdded" 1 ApiKeyAdded { id: ApiKeyId, name: String, hash: [u8; 32], at: Timestamp }
        "AccountApiKeyRemoved" 1 ApiKeyRemoved { id: ApiKeyId, at: Timestamp }
        "AccountApiKeysReplaced" 1 ApiKeysReplaced { id: ApiKeyId, hash: [u8; 32], reason: String, at: Timestamp }
        "AccountBatchPlaced" 2 BatchPlaced { items: Vec<BatchItem>, at: Timestamp }
        "AccountClassSet" 1 ClassSet { class: Class, reason: String, at: Timestamp }
        "AccountKeyUsed" 1 KeyUsed { key: Key, fingerprint: [u8; 32], effect: Effect, at: Timestamp }
        "AccountWebhookSet" 1 WebhookSet { url: String, threshold: Money, at: Timestamp }
        "AccountWebhookRemoved" 1 WebhookRemoved { at: Timestamp }
        "AccountWebhookSecretRotated" 1 WebhookSecretRotated { secret: String, at: Timestamp }
        "AccountWebhookDue" 1 WebhookDue { sequence: u64, notice: Notice, at: Timestamp }
        "HoldTaken" 1 HoldTaken { order: OrderId, amount: Money, at: Timestamp }
        "HoldCaptured" 1 HoldCaptured { order: OrderId, amount: Money, at: Timestamp }
        "HoldReleased" 1 HoldReleased { order: OrderId, amount: Money, at: Timestamp }
        "CaptureRefunded" 1 CaptureRefunded { order: OrderId, amount: Money, at: Timestamp }
    }
    values {
        "OrderRefused" 1 OrderRefused(OrderRefused)
    }
    former {
        // No policy refused an order then.
        "AccountBatchPlaced" 1 (Vec<ItemV1>, i64) => |(items, at)| {
            let items = items.into_iter().map(|(order, refused, first, second)| BatchItem::thaw((order, refused, first, second, None)));
            Event::BatchPlaced { items: items.collect::<Result<_, String>>()?, at: Timestamp::from_millis(at) }
        };
    }
    odd {}
    elsewhere {
        Event::Order(id, fact) => order::encode(id.freeze(), fact);
    }
}

type ItemV1 = (u128, u8, i64, i64);

texts! { "key" Key as_str }

records! {
    OrderRefused { order: OrderId, platform: Platform, country: Country, verdict: Verdict, reason: String, at: Timestamp }
    PolicyRefusal { verdict: Verdict, reason: String, retry_after_seconds: Option<u64> }
}

impl Wire for Effect {
    /// Its number, and the id it is about.
    type Disk = (u8, u128);

    fn freeze(&self) -> (u8, u128) {
        match self {
            Self::Order(order) => (0, order.0),
            Self::Batch => (1, 0),
            Self::Cancel(order) => (2, order.0),
            Self::Deposit(deposit) => (3, deposit.0),
            Self::Operator => (4, 0),
        }
    }

    fn thaw((kind, subject): (u8, u128)) -> Result<Self, String> {
        match kind {
            0 => Ok(Self::Order(OrderId(subject))),
            1 => Ok(Self::Batch),
            2 => Ok(Self::Cancel(OrderId(subject))),
            3 => Ok(Self::Deposit(DepositId(subject))),
            4 => Ok(Self::Operator),
            other => Err(format!("effect {other}")),
        }
    }
}

impl Wire for RegistrationKind {
    /// Its number, and the invite.
    type Disk = (u8, u128);

    fn freeze(&self) -> (u8, u128) {
        match self {
            Self::Open => (0, 0),
            Self::Approval => (1, 0),
            Self::Invite(invite) => (2, invite.0),
        }
    }

    fn thaw((kind, invite): (u8, u128)) -> Result<Self, String> {
        match kind {
            0 => Ok(Self::Open),
            1 => Ok(Self::Approval),
            2 => Ok(Self::Invite(InviteId(invite))),
            other => Err(format!("kind {other}")),
        }
    }
}

impl Wire for BatchItem {
    /// Its id, how it was refused, and the refusal's two amounts (needed and available, or price
    /// and limit) or the policy's refusal.
    type Disk = (u128, u8, i64, i64, Option<<PolicyRefusal as Wire>::Disk>);

    fn freeze(&self) -> Self::Disk {
        let of = |number: u8, first: Money, second: Money| {
            (self.order.0, number, first.micros(), second.micros(), None)
        };
        match &self.refused {
            None => of(0, Money::ZERO, Money::ZERO),
            Some(ItemRefusal::InsufficientBalance { needed, available }) => {
                of(1, *needed, *available)
            }
            Some(ItemRefusal::PriceAboveMaximum { price, max_price }) => of(2, *price, *max_price),
            Some(ItemRefusal::Policy(refusal)) => (self.order.0, 3, 0, 0, Some(refusal.freeze())),
        }
    }

    fn thaw((order, refused, first, second, policy): Self::Disk) -> Result<Self, String> {
        let (first, second) = (Money::from_micros(first), Money::from_micros(second));
        let refused = match (refused, policy) {
            (0, None) => None,
            (1, None) => {
                Some(ItemRefusal::InsufficientBalance { needed: first, available: second })
            }
            (2, None) => Some(ItemRefusal::PriceAboveMaximum { price: first, max_price: second }),
            (3, Some(refusal)) => Some(ItemRefusal::Policy(PolicyRefusal::thaw(refusal)?)),
            (other, _) => return Err(format!("refusal {other}")),
        };
        Ok(Self { order: OrderId(order), refused })
    }
}

impl Wire for Notice {
    /// Its number; the order, the message, the balance and the threshold that it tells of.
    type Disk = (u8, u128, String, i64, i64);

    fn freeze(&self) -> Self::Disk {
        let order = self.order().map_or(0, |order| order.0);
        match self {
            Self::SmsReceived { message_id, .. } => (0, order, message_id.clone(), 0, 0),
            Self::OrderFailed { .. } => (1, order, String::new(), 0, 0),
            Self::BalanceLow { balance, threshold } => {
                (2, order, String::new(), balance.micros(), threshold.micros())
            }
            Self::Test => (3, order, String::new(), 0, 0),
        }
    }

    fn thaw((kind, order, message_id, balance, threshold): Self::Disk) -> Result<Self, String> {
        let order = OrderId(order);
        match kind {
            0 => Ok(Self::SmsReceived { order, message_id }),
            1 => Ok(Self::OrderFailed { order }),
            2 => Ok(Self::BalanceLow {
                balance: Money::from_micros(balance),
                threshold: Money::from_micros(threshold),
            }),
            3 => Ok(Self::Test),
            other => Err(format!("notice {other}")),
        }
    }
}
