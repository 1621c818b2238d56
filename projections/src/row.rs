//! One order as the views know it.

use std::collections::BTreeMap;

use events::country::Country;
use events::envelope::{Position, Revision};
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::{Event, Placed, Status};
use events::platform::Platform;
use events::time::Timestamp;
use rusqlite::{Connection, Transaction, params};

use crate::column::{count, id, parsed, status};

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
            | Event::SmsHeld { .. }
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

/// Writes the rows.
pub fn write<'a>(
    transaction: &Transaction<'_>,
    rows: impl Iterator<Item = &'a OrderRow>,
) -> rusqlite::Result<()> {
    let mut orders = transaction.prepare_cached(ORDERS)?;
    for row in rows {
        let revision = |revision: u64| i64::try_from(revision).unwrap_or(i64::MAX);
        orders.execute(params![
            row.order.0.to_be_bytes(),
            row.account.0.to_be_bytes(),
            row.platform.slug(),
            row.country.code(),
            row.price.micros(),
            row.status.name(),
            row.placed_at.millis(),
            row.assigned_at.map(events::time::Timestamp::millis),
            row.ended_at.map(events::time::Timestamp::millis),
            row.over_at.map(events::time::Timestamp::millis),
            row.supplier,
            (!row.phone.is_empty()).then_some(row.phone.as_str()),
            revision(row.first.0),
            revision(row.last.0),
            revision(row.position.0),
            row.is_test,
        ])?;
    }
    Ok(())
}

const ORDERS: &str = "INSERT INTO orders
    (order_id, account_id, platform, country, price, status, placed_at, assigned_at, ended_at, \
    over_at, supplier, phone, first_revision, last_revision, position, is_test)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (order_id) DO UPDATE SET is_test = excluded.is_test, status = excluded.status, \
    assigned_at = excluded.assigned_at, ended_at = excluded.ended_at, over_at = excluded.over_at,
        supplier = excluded.supplier, phone = excluded.phone, last_revision = \
        excluded.last_revision, position = excluded.position";

/// The orders that are not over, as the writer keeps them in memory.
pub fn open_rows(connection: &Connection) -> rusqlite::Result<BTreeMap<OrderId, OrderRow>> {
    let mut open = connection.prepare(
        "SELECT order_id, account_id, platform, country, price, status, placed_at, assigned_at, \
         supplier, phone, first_revision, last_revision, position, ended_at, is_test
         FROM orders WHERE over_at IS NULL",
    )?;
    let rows = open.query_map([], |row| {
        let order = OrderId(id(row, 0)?);
        Ok((
            order,
            OrderRow {
                order,
                account: AccountId(id(row, 1)?),
                platform: parsed(row, 2)?,
                country: parsed(row, 3)?,
                price: Money::from_micros(row.get(4)?),
                status: status(row, 5)?,
                placed_at: Timestamp::from_millis(row.get(6)?),
                assigned_at: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_millis),
                ended_at: row.get::<_, Option<i64>>(13)?.map(Timestamp::from_millis),
                over_at: None,
                supplier: row.get(8)?,
                phone: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
                first: Revision(count(row, 10)?),
                last: Revision(count(row, 11)?),
                position: Position(count(row, 12)?),
                is_test: row.get(14)?,
            },
        ))
    })?;
    rows.collect()
}
