//! One order as the views know it.

use events::country::Country;
use events::envelope::{Position, Revision};
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::{Event, Placed, Status};
use events::platform::Platform;
use events::time::Timestamp;

/// A row of `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    pub order: OrderId,
    pub account: AccountId,
    pub platform: Platform,
    pub country: Country,
    pub price: Money,
    pub status: Status,
    pub placed_at: Timestamp,
    pub assigned_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// When its number went back: with its end, or later for an order that listened.
    pub over_at: Option<Timestamp>,
    pub supplier: String,
    pub phone: String,
    pub first: Revision,
    pub last: Revision,
    pub position: Position,
    /// Whether it follows a scenario: it says nothing of any source.
    pub is_test: bool,
}

impl OrderRow {
    /// The row of an order just placed.
    pub fn placed(
        order: OrderId,
        account: AccountId,
        placed: &Placed,
        revision: Revision,
        position: Position,
    ) -> Self {
        Self {
            order,
            account,
            platform: placed.platform,
            country: placed.country,
            price: placed.price,
            status: Status::Pending,
            placed_at: placed.at,
            assigned_at: None,
            ended_at: None,
            over_at: None,
            supplier: String::new(),
            phone: String::new(),
            first: revision,
            last: revision,
            position,
            is_test: false,
        }
    }

    /// What a fact makes of the row.
    pub fn apply(&mut self, fact: &Event) {
        match fact {
            Event::Placed(_)
            | Event::AttemptFailed { .. }
            | Event::SmsReceived(_)
            | Event::SmsRepeated { .. }
            | Event::CodeReplaced { .. }
            | Event::Reported { .. } => {}
            Event::ScenarioChosen { .. } => self.is_test = true,
            Event::Queued { .. } => self.status = Status::Queued,
            Event::NumberAssigned { supplier, phone, at, .. } => {
                self.status = Status::Active;
                self.assigned_at = Some(*at);
                supplier.as_str().clone_into(&mut self.supplier);
                phone.as_str().clone_into(&mut self.phone);
            }
            Event::Started { .. } | Event::NumberReportedDead { .. } => {
                self.status = Status::Pending;
            }
            Event::Completed { listens_until, at, .. } => {
                self.end(Status::Completed, *at);
                self.over_at = self.over_at.filter(|_| listens_until <= at);
            }
            Event::Refunded { at } | Event::Finished { at } => self.over_at = Some(*at),
            Event::Cancelled { at } => self.end(Status::Cancelled, *at),
            Event::Expired { at } => self.end(Status::Expired, *at),
            Event::Failed { at, .. } => self.end(Status::Failed, *at),
        }
    }

    fn end(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
        self.over_at = Some(at);
    }

    /// From the number to the code, in milliseconds; 0 unless completed.
    pub fn delivery_millis(&self) -> i64 {
        match (self.status, self.assigned_at, self.ended_at) {
            (Status::Completed, Some(assigned), Some(ended)) => {
                ended.millis().saturating_sub(assigned.millis()).max(0)
            }
            _ => 0,
        }
    }
}
