//! Account facts as logs and failed assertions show them, and what all of them have.

use std::fmt;

use super::Event;
use crate::id::OrderId;
use crate::time::Timestamp;

/// As derived, but for the secrets: logs and failed assertions never show them.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { id, at, .. } => {
                write!(f, "Registered {{ id: {id}, secrets: hidden, at: {at} }}")
            }
            Self::OpenedForTests { of, at } => {
                write!(f, "OpenedForTests {{ of: {of:?}, at: {at} }}")
            }
            Self::TestAccountOpened { id, at } => {
                write!(f, "TestAccountOpened {{ id: {id}, at: {at} }}")
            }
            Self::Suspended { reason, at } => {
                write!(f, "Suspended {{ reason: {reason:?}, at: {at} }}")
            }
            Self::Reinstated { reason, at } => {
                write!(f, "Reinstated {{ reason: {reason:?}, at: {at} }}")
            }
            Self::Removed { unused_days, at } => {
                write!(f, "Removed {{ unused_days: {unused_days}, at: {at} }}")
            }
            Self::Reopened { at } => write!(f, "Reopened {{ at: {at} }}"),
            Self::Admitted { kind, terms, at } => {
                write!(f, "Admitted {{ kind: {kind:?}, terms: {terms:?}, at: {at} }}")
            }
            Self::Approved { reason, at } => {
                write!(f, "Approved {{ reason: {reason:?}, at: {at} }}")
            }
            Self::Declined { reason, at } => {
                write!(f, "Declined {{ reason: {reason:?}, at: {at} }}")
            }
            Self::ApiKeyAdded { id, name, at, .. } => {
                write!(f, "ApiKeyAdded {{ id: {id}, name: {name:?}, at: {at} }}")
            }
            Self::ApiKeyRemoved { id, at } => write!(f, "ApiKeyRemoved {{ id: {id}, at: {at} }}"),
            Self::ApiKeysReplaced { id, reason, at, .. } => {
                write!(f, "ApiKeysReplaced {{ id: {id}, reason: {reason:?}, at: {at} }}")
            }
            Self::KeyUsed { key, effect, at, .. } => {
                write!(f, "KeyUsed {{ key: {key:?}, effect: {effect:?}, at: {at} }}")
            }
            Self::WebhookSet { threshold, at, .. } => {
                write!(f, "WebhookSet {{ threshold: {threshold:?}, at: {at} }}")
            }
            Self::WebhookRemoved { at } => write!(f, "WebhookRemoved {{ at: {at} }}"),
            Self::WebhookSecretRotated { at, .. } => {
                write!(f, "WebhookSecretRotated {{ secret: hidden, at: {at} }}")
            }
            Self::WebhookDue { sequence, notice, at } => {
                write!(f, "WebhookDue {{ sequence: {sequence}, notice: {notice:?}, at: {at} }}")
            }
            Self::ClassSet { class, reason, at } => {
                write!(f, "ClassSet {{ class: {class:?}, reason: {reason:?}, at: {at} }}")
            }
            Self::OrderRefused(refused) => write!(f, "{refused:?}"),
            Self::Order(order, event) => write!(f, "Order({order}, {event:?})"),
            Self::Credited { .. }
            | Self::Debited { .. }
            | Self::DepositCredited { .. }
            | Self::DustKept { .. }
            | Self::DustDropped { .. }
            | Self::DepositReversed { .. }
            | Self::HoldTaken { .. }
            | Self::HoldCaptured { .. }
            | Self::HoldReleased { .. }
            | Self::CaptureRefunded { .. }
            | Self::BatchPlaced { .. } => self.show_money(f),
        }
    }
}

impl Event {
    /// Movements of money, and what they are for.
    fn show_money(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credited { amount, reason, at } => {
                write!(f, "Credited {{ amount: {amount:?}, reason: {reason:?}, at: {at} }}")
            }
            Self::Debited { amount, reason, overdraws, at } => {
                write!(
                    f,
                    "Debited {{ amount: {amount:?}, reason: {reason:?}, overdraws: {overdraws}, \
                     at: {at} }}"
                )
            }
            Self::DepositCredited { deposit, amount, at } => {
                write!(f, "DepositCredited {{ deposit: {deposit}, amount: {amount:?}, at: {at} }}")
            }
            Self::DustKept { deposit, amount, at } => {
                write!(f, "DustKept {{ deposit: {deposit}, amount: {amount:?}, at: {at} }}")
            }
            Self::DustDropped { deposit, amount, at } => {
                write!(f, "DustDropped {{ deposit: {deposit}, amount: {amount:?}, at: {at} }}")
            }
            Self::DepositReversed { deposit, amount, at } => {
                write!(f, "DepositReversed {{ deposit: {deposit}, amount: {amount:?}, at: {at} }}")
            }
            Self::HoldTaken { order, amount, at } => {
                write!(f, "HoldTaken {{ order: {order}, amount: {amount:?}, at: {at} }}")
            }
            Self::HoldCaptured { order, amount, at } => {
                write!(f, "HoldCaptured {{ order: {order}, amount: {amount:?}, at: {at} }}")
            }
            Self::HoldReleased { order, amount, at } => {
                write!(f, "HoldReleased {{ order: {order}, amount: {amount:?}, at: {at} }}")
            }
            Self::CaptureRefunded { order, amount, at } => {
                write!(f, "CaptureRefunded {{ order: {order}, amount: {amount:?}, at: {at} }}")
            }
            Self::BatchPlaced { items, at } => {
                write!(f, "BatchPlaced {{ items: {items:?}, at: {at} }}")
            }
            Self::Registered { .. }
            | Self::Admitted { .. }
            | Self::Approved { .. }
            | Self::Declined { .. }
            | Self::OpenedForTests { .. }
            | Self::TestAccountOpened { .. }
            | Self::Suspended { .. }
            | Self::Reinstated { .. }
            | Self::Removed { .. }
            | Self::Reopened { .. }
            | Self::ClassSet { .. }
            | Self::OrderRefused(_)
            | Self::ApiKeyAdded { .. }
            | Self::ApiKeyRemoved { .. }
            | Self::ApiKeysReplaced { .. }
            | Self::KeyUsed { .. }
            | Self::WebhookSet { .. }
            | Self::WebhookRemoved { .. }
            | Self::WebhookSecretRotated { .. }
            | Self::WebhookDue { .. }
            | Self::Order(..) => Ok(()),
        }
    }
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Order(_, event) => event.at(),
            Self::OrderRefused(refused) => refused.at,
            Self::Registered { at, .. }
            | Self::Admitted { at, .. }
            | Self::Approved { at, .. }
            | Self::Declined { at, .. }
            | Self::OpenedForTests { at, .. }
            | Self::TestAccountOpened { at, .. }
            | Self::Credited { at, .. }
            | Self::Debited { at, .. }
            | Self::DepositCredited { at, .. }
            | Self::DustKept { at, .. }
            | Self::DustDropped { at, .. }
            | Self::DepositReversed { at, .. }
            | Self::Suspended { at, .. }
            | Self::Reinstated { at, .. }
            | Self::ClassSet { at, .. }
            | Self::ApiKeyAdded { at, .. }
            | Self::ApiKeyRemoved { at, .. }
            | Self::ApiKeysReplaced { at, .. }
            | Self::HoldTaken { at, .. }
            | Self::HoldCaptured { at, .. }
            | Self::HoldReleased { at, .. }
            | Self::CaptureRefunded { at, .. }
            | Self::BatchPlaced { at, .. }
            | Self::KeyUsed { at, .. }
            | Self::WebhookSet { at, .. }
            | Self::WebhookRemoved { at }
            | Self::Removed { at, .. }
            | Self::Reopened { at }
            | Self::WebhookSecretRotated { at, .. }
            | Self::WebhookDue { at, .. } => *at,
        }
    }

    /// The order it belongs to, if it belongs to one.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Order(order, _)
            | Self::HoldTaken { order, .. }
            | Self::HoldCaptured { order, .. }
            | Self::HoldReleased { order, .. }
            | Self::CaptureRefunded { order, .. } => Some(*order),
            Self::OrderRefused(refused) => Some(refused.order),
            Self::WebhookDue { notice, .. } => notice.order(),
            Self::Registered { .. }
            | Self::Admitted { .. }
            | Self::Approved { .. }
            | Self::Declined { .. }
            | Self::OpenedForTests { .. }
            | Self::TestAccountOpened { .. }
            | Self::Credited { .. }
            | Self::Debited { .. }
            | Self::DepositCredited { .. }
            | Self::DustKept { .. }
            | Self::DustDropped { .. }
            | Self::DepositReversed { .. }
            | Self::Suspended { .. }
            | Self::Reinstated { .. }
            | Self::Removed { .. }
            | Self::Reopened { .. }
            | Self::ClassSet { .. }
            | Self::ApiKeyAdded { .. }
            | Self::ApiKeyRemoved { .. }
            | Self::ApiKeysReplaced { .. }
            | Self::BatchPlaced { .. }
            | Self::KeyUsed { .. }
            | Self::WebhookSet { .. }
            | Self::WebhookRemoved { .. }
            | Self::WebhookSecretRotated { .. } => None,
        }
    }
}
