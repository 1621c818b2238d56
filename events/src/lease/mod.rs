//! A number leased from a source that is asked for it: sought before the source is asked, released
//! when the order has no use for it.
//!
//! Holds: what a source was asked, what it answered, what it charges. Never holds: the order's
//! attempts (the order does), a request. Leans on: `order::State`, which says whether the lease is
//! still wanted. Proved by: `tests.rs` here.

mod reconcile;
mod step;
#[cfg(test)]
mod tests;

use std::fmt;

pub use reconcile::{Costs, Discrepancy, Theirs, costs, reconcile};
pub use step::{Step, next_step};

use crate::country::Country;
use crate::decider::Decider;
use crate::id::{AccountId, OrderId};
use crate::money::Money;
use crate::phone::Phone;
use crate::platform::Platform;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// Which lease: one for each source that an attempt of an order asks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId {
    /// Whom it is leased from.
    pub supplier: SupplierName,
    /// For which order.
    pub order: OrderId,
    /// For which of its attempts.
    pub attempt: u8,
}

impl LeaseId {
    /// What the source knows the lease by: the same at every retry of the same attempt.
    pub fn reference(&self) -> String {
        format!("{}-{}", self.order.digits(), self.attempt)
    }

    /// The lease that a source knows by `reference`; `None` if we never make such references.
    pub fn of_reference(supplier: SupplierName, reference: &str) -> Option<Self> {
        let (order, attempt) = reference.split_once('-')?;
        let order = OrderId(crate::id::from_base62(order).ok()?);
        Some(Self { supplier, order, attempt: attempt.parse().ok()? })
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.supplier, self.reference())
    }
}

/// What a source is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which lease.
    pub id: LeaseId,
    /// Whose order.
    pub account: AccountId,
    /// For whose messages.
    pub platform: Platform,
    /// Where the number is to be from.
    pub country: Country,
}

/// What became of a lease, as its source is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its code was used.
    Served,
    /// No code was used.
    Unused,
    /// The source itself said that the number does not work.
    Dead,
}

impl Outcome {
    /// The word sources are told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Unused => "unused",
            Self::Dead => "dead",
        }
    }
}

/// A fact of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The source is asked from here on: it may have leased a number, whatever is heard of it.
    Sought {
        /// For what.
        request: Request,
        /// When.
        at: Timestamp,
    },
    /// The source has leased a number.
    Obtained {
        /// The number.
        phone: Phone,
        /// What it costs.
        cost: Money,
        /// When.
        at: Timestamp,
    },
    /// The source has certainly leased nothing.
    Declined {
        /// When.
        at: Timestamp,
    },
    /// The order has no use for it any more: the source is told from here on.
    ReleaseSought {
        /// What became of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
    /// The source has taken it back.
    Released {
        /// What it charges in the end.
        charged: Money,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Sought { at, .. }
            | Self::Obtained { at, .. }
            | Self::Declined { at }
            | Self::ReleaseSought { at, .. }
            | Self::Released { at, .. } => *at,
        }
    }
}

/// What can be wanted of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask the source.
    Seek {
        /// For what.
        request: Request,
        /// Now.
        at: Timestamp,
    },
    /// The source says that it has leased a number.
    Obtain {
        /// The number.
        phone: Phone,
        /// What it costs.
        cost: Money,
        /// Now.
        at: Timestamp,
    },
    /// The source says that it has leased nothing.
    Decline {
        /// Now.
        at: Timestamp,
    },
    /// Have the source take it back.
    SeekRelease {
        /// What became of it.
        outcome: Outcome,
        /// Now.
        at: Timestamp,
    },
    /// The source says that it has taken it back.
    Release {
        /// What it charges in the end.
        charged: Money,
        /// Now.
        at: Timestamp,
    },
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody has sought such a lease.
    #[error("there is no such lease")]
    NotSought,
    /// The lease is on its way back, or ended; ask for another.
    #[error("the lease has ended or is being released")]
    Over,
    /// The source names another number than it has before; release the lease.
    #[error("the source names another number for the same lease")]
    AnotherNumber,
}

/// Where a lease is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody has sought it.
    #[default]
    Unknown,
    /// The source is being asked.
    Sought,
    /// The number is ours.
    Obtained,
    /// The source is being told that it can have it back.
    Releasing(Outcome),
    /// The source has it back.
    Released,
    /// There never was one.
    Declined,
}

impl Status {
    /// The word operators see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Sought => "sought",
            Self::Obtained => "obtained",
            Self::Releasing(_) => "releasing",
            Self::Released => "released",
            Self::Declined => "declined",
        }
    }
}

/// A lease as its facts have made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Where it is in its life.
    pub status: Status,
    /// What was asked for.
    pub request: Option<Request>,
    /// The number, once the source has named it.
    pub phone: Option<Phone>,
    /// Since when it is sought.
    pub sought_at: Timestamp,
    /// What the source asked for it.
    pub cost: Option<Money>,
    /// What became of it, once that is known.
    pub outcome: Option<Outcome>,
    /// What the source charges, once it has it back.
    pub charged: Option<Money>,
}

impl State {
    /// Whether its source has the number back, or never gave one.
    pub fn is_over(&self) -> bool {
        matches!(self.status, Status::Released | Status::Declined)
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Seek { request, at } => match self.status {
                Status::Unknown => Ok(vec![Event::Sought { request: request.clone(), at: *at }]),
                Status::Sought | Status::Obtained => Ok(Vec::new()),
                Status::Releasing(_) | Status::Released | Status::Declined => Err(Refusal::Over),
            },
            Command::Obtain { phone, cost, at } => match self.status {
                Status::Unknown => Err(Refusal::NotSought),
                Status::Sought => {
                    Ok(vec![Event::Obtained { phone: phone.clone(), cost: *cost, at: *at }])
                }
                Status::Obtained if self.phone.as_ref() != Some(phone) => {
                    Err(Refusal::AnotherNumber)
                }
                Status::Obtained => Ok(Vec::new()),
                // Its release goes by the reference: the source has it, or will have it, back.
                Status::Releasing(_) | Status::Released | Status::Declined => Err(Refusal::Over),
            },
            Command::Decline { at } => match self.status {
                Status::Unknown => Err(Refusal::NotSought),
                Status::Sought => Ok(vec![Event::Declined { at: *at }]),
                Status::Obtained => Err(Refusal::AnotherNumber),
                Status::Releasing(_) | Status::Released | Status::Declined => Err(Refusal::Over),
            },
            Command::SeekRelease { outcome, at } => match self.status {
                Status::Unknown => Err(Refusal::NotSought),
                Status::Sought | Status::Obtained => {
                    Ok(vec![Event::ReleaseSought { outcome: *outcome, at: *at }])
                }
                Status::Releasing(_) | Status::Released | Status::Declined => Ok(Vec::new()),
            },
            Command::Release { charged, at } => match self.status {
                Status::Unknown | Status::Sought | Status::Obtained => Err(Refusal::NotSought),
                Status::Releasing(_) => Ok(vec![Event::Released { charged: *charged, at: *at }]),
                Status::Released | Status::Declined => Ok(Vec::new()),
            },
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Sought { request, at } => {
                self.status = Status::Sought;
                self.sought_at = *at;
                self.request = Some(request.clone());
            }
            Event::Obtained { phone, cost, .. } => {
                self.status = Status::Obtained;
                self.cost = Some(*cost);
                self.phone = Some(phone.clone());
            }
            Event::Declined { .. } => self.status = Status::Declined,
            Event::ReleaseSought { outcome, .. } => {
                self.status = Status::Releasing(*outcome);
                self.outcome = Some(*outcome);
            }
            Event::Released { charged, .. } => {
                self.status = Status::Released;
                self.charged = Some(*charged);
            }
        }
        self
    }
}
