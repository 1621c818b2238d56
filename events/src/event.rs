//! Every fact the log can hold, by the kind of stream it stands in.

use crate::id::OrderId;
use crate::time::Timestamp;
use crate::{account, address, chain, deposit, lease, number, purchase, webhook};

/// A fact of any stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Of an account or one of its orders.
    Account(account::Event),
    /// Of a claimed chain output.
    Deposit(deposit::Event),
    /// Of a coin's deposit addresses.
    Address(address::Event),
    /// Of a coin's chain.
    Chain(chain::Event),
    /// Of an account's webhook deliveries.
    Webhook(webhook::Event),
    /// Of a number: its listing, and messages that no order took.
    Number(number::Event),
    /// Of a number leased for an order.
    Lease(lease::Event),
    /// Of the numbers bought from a telecom.
    Purchase(purchase::Event),
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Account(event) => event.at(),
            Self::Deposit(event) => event.at(),
            Self::Address(address::Event::Assigned(assigned)) => assigned.at,
            Self::Chain(event) => event.at(),
            Self::Webhook(event) => event.at(),
            Self::Number(event) => event.at(),
            Self::Lease(event) => event.at(),
            Self::Purchase(event) => event.at(),
        }
    }

    /// The order it belongs to, if it belongs to one.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Account(event) => event.order(),
            Self::Lease(lease::Event::Sought { request, .. }) => Some(request.id.order),
            Self::Deposit(_) | Self::Address(_) | Self::Chain(_) | Self::Webhook(_) | Self::Number(_) | Self::Lease(_) | Self::Purchase(_) => None,
        }
    }
}

impl From<account::Event> for Event {
    fn from(event: account::Event) -> Self {
        Self::Account(event)
    }
}

impl From<deposit::Event> for Event {
    fn from(event: deposit::Event) -> Self {
        Self::Deposit(event)
    }
}

impl From<address::Event> for Event {
    fn from(event: address::Event) -> Self {
        Self::Address(event)
    }
}

impl From<chain::Event> for Event {
    fn from(event: chain::Event) -> Self {
        Self::Chain(event)
    }
}

impl From<webhook::Event> for Event {
    fn from(event: webhook::Event) -> Self {
        Self::Webhook(event)
    }
}

impl From<number::Event> for Event {
    fn from(event: number::Event) -> Self {
        Self::Number(event)
    }
}

impl From<lease::Event> for Event {
    fn from(event: lease::Event) -> Self {
        Self::Lease(event)
    }
}

impl From<purchase::Event> for Event {
    fn from(event: purchase::Event) -> Self {
        Self::Purchase(event)
    }
}
