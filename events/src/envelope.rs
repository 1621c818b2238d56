//! What stands around an event in the log: its stream, its place, its causes.

use std::fmt;
use std::sync::Arc;

use crate::deposit::Currency;
use crate::id::{AccountId, CommandId, DepositId, EventId, OrderId, TermId};
use crate::lease::LeaseId;
use crate::phone::Phone;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// The name of one stream: `account-…`, `webhook-…`, `deposit-…`, `addresses-…`, `chain-…`,
/// `number-…`, `lease-…`, `purchases-…`, `reveal-…`, `provenance-…`,
/// `leadership-…`, `policy`, `invites`, `exports` or `erasures`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The account's stream: its own facts and those of its orders.
    pub fn account(id: AccountId) -> Self {
        Self(format!("account-{}", id.digits()).into())
    }

    /// The stream of the account's webhook deliveries.
    pub fn webhook(id: AccountId) -> Self {
        Self(format!("webhook-{}", id.digits()).into())
    }

    /// The stream of one chain output: whoever writes its first event has claimed it.
    pub fn deposit(id: DepositId) -> Self {
        Self(format!("deposit-{}", id.digits()).into())
    }

    /// The stream of a coin's deposit addresses.
    pub fn addresses(currency: Currency) -> Self {
        Self(format!("addresses-{currency}").into())
    }

    /// The stream of how far a coin's chain has been looked through.
    pub fn chain(currency: Currency) -> Self {
        Self(format!("chain-{currency}").into())
    }

    /// The stream of a number leased for an order.
    pub fn lease(id: &LeaseId) -> Self {
        Self(format!("lease-{}-{}", id.supplier, id.reference()).into())
    }

    /// The stream of the numbers bought from a telecom.
    pub fn purchases(supplier: &SupplierName) -> Self {
        Self(format!("purchases-{supplier}").into())
    }

    /// The stream of what operators have looked at, of one subject.
    pub fn reveal(subject: &str) -> Self {
        Self(format!("reveal-{subject}").into())
    }

    /// The stream of what orders are judged by.
    pub fn policy() -> Self {
        Self("policy".into())
    }

    /// The stream of the operator's invites.
    pub fn invites() -> Self {
        Self("invites".into())
    }

    /// The stream of what operators have taken out of the log.
    pub fn exports() -> Self {
        Self("exports".into())
    }

    /// The stream of one leadership over a shared log.
    pub fn leadership(id: TermId) -> Self {
        Self(format!("leadership-{}", id.digits()).into())
    }

    /// The leadership whose stream this is, if it is one's.
    pub fn term_id(&self) -> Option<TermId> {
        self.0
            .strip_prefix("leadership-")
            .and_then(|digits| crate::id::from_base62(digits).ok())
            .map(TermId)
    }

    /// The stream of what was erased of the log's secrets, and of holds.
    pub fn erasures() -> Self {
        Self("erasures".into())
    }

    /// The stream of where a supplier's numbers come from.
    pub fn provenance(supplier: &SupplierName) -> Self {
        Self(format!("provenance-{supplier}").into())
    }

    /// The supplier whose provenance stands in this stream, if one's does.
    pub fn provenance_supplier(&self) -> Option<SupplierName> {
        self.0.strip_prefix("provenance-").and_then(|name| name.parse().ok())
    }

    /// What was revealed, if this is the stream of a reveal.
    pub fn revealed(&self) -> Option<&str> {
        self.0.strip_prefix("reveal-")
    }

    /// The stream of a number: its listing, and messages that no order took.
    pub fn number(phone: &Phone) -> Self {
        Self(format!("number-{}", phone.as_str()).into())
    }

    /// The number whose messages stand in this stream, if they do.
    pub fn phone(&self) -> Option<Phone> {
        self.0.strip_prefix("number-").and_then(|digits| digits.parse().ok())
    }

    /// The lease whose stream this is, if it is a lease's.
    pub fn lease_id(&self) -> Option<LeaseId> {
        // A supplier's name may have dashes too.
        let (rest, attempt) = self.0.strip_prefix("lease-")?.rsplit_once('-')?;
        let (supplier, order) = rest.rsplit_once('-')?;
        LeaseId::of_reference(supplier.parse().ok()?, &format!("{order}-{attempt}"))
    }

    /// The telecom whose purchases stand in this stream, if they do.
    pub fn purchases_supplier(&self) -> Option<SupplierName> {
        self.0.strip_prefix("purchases-").and_then(|name| name.parse().ok())
    }

    /// A stream by its name, as the store gives it back.
    pub fn from_name(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account whose stream this is, if it is an account's.
    pub fn account_id(&self) -> Option<AccountId> {
        self.0
            .strip_prefix("account-")
            .and_then(|digits| crate::id::from_base62(digits).ok())
            .map(AccountId)
    }

    /// The account whose webhook deliveries stand in this stream, if they do.
    pub fn webhook_account_id(&self) -> Option<AccountId> {
        self.0
            .strip_prefix("webhook-")
            .and_then(|digits| crate::id::from_base62(digits).ok())
            .map(AccountId)
    }

    /// The coin whose addresses stand in this stream, if they do.
    pub fn addresses_currency(&self) -> Option<Currency> {
        self.0.strip_prefix("addresses-").and_then(|name| name.parse().ok())
    }

    /// The coin whose chain this stream follows, if it follows one.
    pub fn chain_currency(&self) -> Option<Currency> {
        self.0.strip_prefix("chain-").and_then(|name| name.parse().ok())
    }

    /// The deposit whose stream this is, if it is a deposit's.
    pub fn deposit_id(&self) -> Option<DepositId> {
        self.0
            .strip_prefix("deposit-")
            .and_then(|digits| crate::id::from_base62(digits).ok())
            .map(DepositId)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Place of an event in its stream, from 0, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// Place of an event in the whole log, from 1, strictly rising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The account's owner, by its key.
    Owner,
    /// A person with the admin token, by the name they gave.
    Operator(Arc<str>),
    /// A source of numbers.
    Supplier(SupplierName),
    /// A chain, real or simulated.
    Chain,
    /// The service itself: deadlines, routing, recovery.
    Service,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::Supplier(name) => write!(f, "supplier:{name}"),
            Self::Chain => f.write_str("chain"),
            Self::Service => f.write_str("service"),
        }
    }
}

/// What all events of one command have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The command that caused the event.
    pub causation: CommandId,
    /// The order it belongs to, if it belongs to one.
    pub correlation: Option<OrderId>,
    /// Who wanted it.
    pub actor: Actor,
    /// When it was decided.
    pub at: Timestamp,
}

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded<E> {
    /// Unique; the same at every retry of the same append.
    pub id: EventId,
    /// The stream it stands in.
    pub stream: StreamId,
    /// Its place there.
    pub revision: Revision,
    /// Its place in the log.
    pub position: Position,
    /// When it was decided.
    pub at: Timestamp,
    /// The order it belongs to, if it belongs to one.
    pub correlation: Option<OrderId>,
    /// What happened.
    pub event: E,
}
