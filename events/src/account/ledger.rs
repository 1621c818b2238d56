//! The ledger: what each fact moves. Balance is the fold of these entries, in the account, in the
//! view and in the audit alike.

use super::event::Event;
use crate::id::OrderId;
use crate::money::Money;
use crate::order;

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An operator's credit.
    Credit,
    /// An operator's taking back.
    Debit,
    /// A deposit's credit.
    Deposit,
    /// A deposit's credit taken back: its chain does not have it any more.
    Reversal,
    /// Money set aside for an order.
    Hold,
    /// A hold spent.
    Capture,
    /// A hold given back.
    Release,
    /// What was paid for a wrong code, given back.
    Refund,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Credit,
        Self::Debit,
        Self::Deposit,
        Self::Reversal,
        Self::Hold,
        Self::Capture,
        Self::Release,
        Self::Refund,
    ];

    /// The word callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Deposit => "deposit",
            Self::Reversal => "reversal",
            Self::Hold => "hold",
            Self::Capture => "capture",
            Self::Release => "release",
            Self::Refund => "refund",
        }
    }
}

/// One movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Why.
    pub kind: Kind,
    /// Of which order, if of one.
    pub order: Option<OrderId>,
    /// Change of the spendable balance.
    pub balance: Money,
    /// Change of what is held.
    pub held: Money,
}

/// What an account has at a place of its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// What can be spent.
    pub balance: Money,
    /// What is held.
    pub held: Money,
}

impl Amounts {
    /// What it had before the movement after which it has these.
    #[must_use]
    pub fn before(self, entry: Entry) -> Self {
        Self { balance: self.balance - entry.balance, held: self.held - entry.held }
    }
}

/// What a fact of an order that holds `amount` does to its hold; both stand in one append.
pub fn settlement(order: OrderId, amount: Money, fact: &order::Event) -> Option<Event> {
    let at = fact.at();
    match fact {
        order::Event::Completed { .. } => Some(Event::HoldCaptured { order, amount, at }),
        order::Event::Cancelled { .. }
        | order::Event::Expired { .. }
        | order::Event::Failed { .. } => Some(Event::HoldReleased { order, amount, at }),
        order::Event::Refunded { .. } => Some(Event::CaptureRefunded { order, amount, at }),
        order::Event::Placed(_)
        | order::Event::ScenarioChosen { .. }
        | order::Event::Queued { .. }
        | order::Event::Started { .. }
        | order::Event::AttemptFailed { .. }
        | order::Event::NumberAssigned { .. }
        | order::Event::NumberReportedDead { .. }
        | order::Event::SmsReceived(_)
        | order::Event::SmsRepeated { .. }
        | order::Event::SmsHeld { .. }
        | order::Event::CodeReplaced { .. }
        | order::Event::Reported { .. }
        | order::Event::Finished { .. } => None,
    }
}

/// The movement that goes with a fact of an order that was placed at `price`.
pub fn entry_of_order(order: OrderId, price: Money, fact: &order::Event) -> Option<Entry> {
    let movement = if let order::Event::Placed(placed) = fact {
        Event::HoldTaken { order, amount: price, at: placed.at }
    } else {
        settlement(order, price, fact)?
    };
    entry(&movement)
}

/// The movement that `event` is, if it is one.
pub fn entry(event: &Event) -> Option<Entry> {
    let (kind, order, balance, held) = match event {
        Event::Credited { amount, .. } => (Kind::Credit, None, *amount, Money::ZERO),
        Event::Debited { amount, .. } => (Kind::Debit, None, -*amount, Money::ZERO),
        Event::DepositCredited { amount, .. } => (Kind::Deposit, None, *amount, Money::ZERO),
        Event::DepositReversed { amount, .. } => (Kind::Reversal, None, -*amount, Money::ZERO),
        Event::HoldTaken { order, amount, .. } => (Kind::Hold, Some(*order), -*amount, *amount),
        Event::HoldCaptured { order, amount, .. } => {
            (Kind::Capture, Some(*order), Money::ZERO, -*amount)
        }
        Event::HoldReleased { order, amount, .. } => {
            (Kind::Release, Some(*order), *amount, -*amount)
        }
        Event::CaptureRefunded { order, amount, .. } => {
            (Kind::Refund, Some(*order), *amount, Money::ZERO)
        }
        Event::Registered { .. }
        | Event::OpenedForTests { .. }
        | Event::Admitted { .. }
        | Event::Approved { .. }
        | Event::Declined { .. }
        | Event::TestAccountOpened { .. }
        | Event::DustKept { .. }
        | Event::DustDropped { .. }
        | Event::Suspended { .. }
        | Event::Reinstated { .. }
        | Event::Removed { .. }
        | Event::Reopened { .. }
        | Event::ClassSet { .. }
        | Event::OrderRefused(_)
        | Event::ApiKeyAdded { .. }
        | Event::ApiKeyRemoved { .. }
        | Event::ApiKeysReplaced { .. }
        | Event::BatchPlaced { .. }
        | Event::KeyUsed { .. }
        | Event::WebhookSet { .. }
        | Event::WebhookRemoved { .. }
        | Event::WebhookSecretRotated { .. }
        | Event::WebhookDue { .. }
        | Event::Order(..) => return None,
    };
    Some(Entry { kind, order, balance, held })
}
