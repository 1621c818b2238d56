//! An order as its facts have made it.

use std::sync::Arc;
use std::time::Duration;

use super::event::{Event, FailureReason, Placed, Sms};
use super::scenario::Scenario;
use crate::as_of::AsOf;
use crate::id::OrderId;
use crate::phone::Phone;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Its turn has not come; its hold is taken.
    Queued,
    /// A number is being sought.
    Pending,
    /// A number is assigned; its message is awaited.
    Active,
    /// The code came and was paid for.
    Completed,
    /// The caller gave up; nothing was paid.
    Cancelled,
    /// No code came in time; nothing was paid.
    Expired,
    /// No number could be had; nothing was paid.
    Failed,
}

impl Status {
    /// Every status, in the order of life.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Pending,
        Self::Active,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
        Self::Failed,
    ];

    /// The word callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The status that callers see as `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether the order has ended.
    pub const fn is_end(self) -> bool {
        match self {
            Self::Queued | Self::Pending | Self::Active => false,
            Self::Completed | Self::Cancelled | Self::Expired | Self::Failed => true,
        }
    }
}

/// The number an order holds, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The attempt that found it.
    pub attempt: u8,
    /// Whose number it is.
    pub supplier: SupplierName,
    /// The number.
    pub phone: Phone,
    /// Since when.
    pub assigned_at: Timestamp,
}

/// An order as its facts have made it. Its facts are kept: streams, histories and snapshots are
/// told from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Which order.
    pub id: OrderId,
    /// What it was accepted with.
    pub placed: Placed,
    /// What a test order does; `None` for a real one.
    pub scenario: Option<Scenario>,
    /// Where it is in its life.
    pub status: Status,
    /// Since when a number is sought.
    pub started_at: Timestamp,
    /// How many sources have been asked and have answered.
    pub attempts: u8,
    /// The number it holds or held last; `None` before the first and while a dead one is replaced.
    pub assignment: Option<Assignment>,
    /// When its life ends; known from the first number on.
    pub expires_at: Option<Timestamp>,
    /// The code, once completed: the last that took the place of the one before.
    pub code: Option<String>,
    /// Until when a completed order keeps its number.
    pub listens_until: Option<Timestamp>,
    /// When a completed order gave its number back, if it did.
    pub finished_at: Option<Timestamp>,
    /// Whether what was paid for its code was given back.
    pub is_refunded: bool,
    /// Why it failed, if it did.
    pub failure: Option<FailureReason>,
    /// When it ended, if it did.
    pub ended_at: Option<Timestamp>,
    /// Every fact so far, oldest first; shared, for a state is published after each.
    pub history: Vec<Arc<Event>>,
}

impl State {
    /// The order just accepted.
    pub fn new(id: OrderId, placed: Placed) -> Self {
        Self {
            id,
            history: vec![Arc::new(Event::Placed(placed.clone()))],
            started_at: placed.at,
            placed,
            scenario: None,
            status: Status::Pending,
            attempts: 0,
            assignment: None,
            expires_at: None,
            code: None,
            listens_until: None,
            finished_at: None,
            is_refunded: false,
            failure: None,
            ended_at: None,
        }
    }

    /// The order made of these facts, oldest first; `None` unless the first is its acceptance.
    pub fn from_history<'a>(
        id: OrderId,
        facts: impl IntoIterator<Item = &'a Event>,
    ) -> Option<Self> {
        let mut facts = facts.into_iter();
        match facts.next() {
            Some(Event::Placed(placed)) => {
                Some(crate::decider::fold(Self::new(id, placed.clone()), facts))
            }
            _ => None,
        }
    }

    /// The order as it was; `None` if it did not exist then.
    pub fn as_of(&self, as_of: AsOf) -> Option<Self> {
        let counts = |(facts, fact): &(u64, &Arc<Event>)| as_of.includes(*facts, fact.at());
        let facts = (1..).zip(&self.history).take_while(counts).map(|(_, fact)| fact.as_ref());
        Self::from_history(self.id, facts)
    }

    /// When something must happen at the latest: a number found, a code come, or a completed
    /// order's number given back. Of a queued order, nothing must.
    pub fn deadline(&self) -> Timestamp {
        if let Some(listens_until) = self.listens_until {
            return listens_until;
        }
        let seek_until = self.started_at.plus(Duration::from_secs(self.placed.seek_seconds.into()));
        self.expires_at.unwrap_or(seek_until)
    }

    /// How long until the deadline, at `now`. A clock that says less than the order's last fact is
    /// wrong: no more can be left than there was then.
    pub fn remaining(&self, now: Timestamp) -> Duration {
        let last = self.history.last().map_or(now, |fact| fact.at());
        self.deadline().since(now.max(last))
    }

    /// Whether it has its code and takes further messages on its number.
    pub fn is_listening(&self) -> bool {
        self.status == Status::Completed && self.finished_at.is_none()
    }

    /// Whether nothing more can come of it: it has ended, and its number is not on it.
    pub fn is_over(&self) -> bool {
        self.status.is_end() && !self.is_listening()
    }

    /// Every message on the order's number, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Sms> {
        self.history.iter().filter_map(|fact| {
            if let Event::SmsReceived(sms) = fact.as_ref() { Some(sms) } else { None }
        })
    }

    /// From the number to the code, in milliseconds.
    pub fn delivery_millis(&self) -> Option<u64> {
        let assigned_at = self.assignment.as_ref()?.assigned_at;
        let ended_at = self.ended_at.filter(|_| self.status == Status::Completed)?;
        u64::try_from(ended_at.since(assigned_at).as_millis()).ok()
    }
}
