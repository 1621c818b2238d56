//! Every fact the log can hold, by the kind of stream it stands in.

use crate::id::OrderId;
use crate::time::Timestamp;
use crate::{
    account, address, chain, deposit, erasure, export, invite, leadership, lease, number, policy,
    provenance, purchase, reveal, webhook,
};

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
    /// Of what operators have looked at.
    Reveal(reveal::Event),
    /// Of what orders are judged by.
    Policy(policy::Event),
    /// Of where a supplier's numbers come from.
    Provenance(provenance::Event),
    /// Of codes that operators give out.
    Invite(invite::Event),
    /// Of what operators have taken out of the log.
    Export(export::Event),
    /// Of which node writes the log.
    Leadership(leadership::Event),
    /// Of secrets that were erased, and holds.
    Erasure(erasure::Event),
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
            Self::Reveal(event) => event.at(),
            Self::Policy(event) => event.at(),
            Self::Provenance(event) => event.at(),
            Self::Invite(event) => event.at(),
            Self::Export(event) => event.at(),
            Self::Leadership(event) => event.at(),
            Self::Erasure(event) => event.at(),
        }
    }

    /// The order it belongs to, if it belongs to one.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Account(event) => event.order(),
            Self::Lease(lease::Event::Sought { request, .. }) => Some(request.id.order),
            Self::Deposit(_)
            | Self::Address(_)
            | Self::Chain(_)
            | Self::Webhook(_)
            | Self::Number(_)
            | Self::Lease(_)
            | Self::Purchase(_)
            | Self::Reveal(_)
            | Self::Policy(_)
            | Self::Provenance(_)
            | Self::Invite(_)
            | Self::Export(_)
            | Self::Leadership(_)
            | Self::Erasure(_) => None,
        }
    }
}

/// Facts of one aggregate are facts of the log; the way back is open to those that are its own.
macro_rules! facts_of {
    ($($kind:ident($module:ident)),+ $(,)?) => {$(
        impl From<$module::Event> for Event {
            fn from(event: $module::Event) -> Self {
                Self::$kind(event)
            }
        }

        impl TryFrom<Event> for $module::Event {
            type Error = Event;

            fn try_from(event: Event) -> Result<Self, Event> {
                if let Event::$kind(event) = event { Ok(event) } else { Err(event) }
            }
        }
    )+};
}

facts_of!(
    Account(account),
    Deposit(deposit),
    Address(address),
    Chain(chain),
    Webhook(webhook),
    Number(number),
    Lease(lease),
    Purchase(purchase),
    Reveal(reveal),
    Policy(policy),
    Provenance(provenance),
    Invite(invite),
    Export(export),
    Leadership(leadership),
    Erasure(erasure),
);
