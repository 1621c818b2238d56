//! The questions about orders: where one stands in the log, an account's, those that are open.

use events::country::Country;
use events::envelope::Revision;
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::Status;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use crate::column::{count, id, parsed, phone, status};
use crate::views::{ViewError, Views};

/// Where an order stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRef {
    /// Which order.
    pub order: OrderId,
    /// Whose.
    pub account: AccountId,
    /// Its first event in the account's stream.
    pub first: Revision,
    /// Its last event there, so far.
    pub last: Revision,
}

/// An open order's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Which order.
    pub order: OrderId,
    /// Whose.
    pub account: AccountId,
    /// For which platform.
    pub platform: Platform,
    /// In which country.
    pub country: Country,
    /// Whose number.
    pub supplier: SupplierName,
    /// The number.
    pub phone: Phone,
    /// Since when.
    pub at: Timestamp,
}

/// Which of an account's orders are wanted; each part that is given must fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only older ones than this.
    pub before: Option<OrderId>,
    /// How they are.
    pub status: Option<Status>,
    /// For which platform.
    pub platform: Option<Platform>,
    /// Placed at or after.
    pub from: Option<Timestamp>,
    /// Placed before.
    pub to: Option<Timestamp>,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSummary {
    /// Which order.
    pub order: OrderId,
    /// For which platform.
    pub platform: Platform,
    /// In which country.
    pub country: Country,
    /// Its price.
    pub price: Money,
    /// How it is.
    pub status: Status,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it ended, if it did.
    pub ended_at: Option<Timestamp>,
    /// Its number, if it has one.
    pub phone: Option<String>,
    /// Whether it has its code, and keeps its number.
    pub listens: bool,
}

impl Views {
    /// Where an order stands in the log.
    pub async fn order(&self, order: OrderId) -> Result<Option<OrderRef>, ViewError> {
        self.read(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT order_id, account_id, \
                first_revision, last_revision FROM orders WHERE order_id = ?1",
            )?;
            find.query_row(params![order.0.to_be_bytes()], order_ref).optional()
        })
        .await
    }

    /// The account's orders that fit, newest first, at most `limit`.
    pub async fn orders(
        &self,
        account: AccountId,
        filter: OrderFilter,
        limit: u32,
    ) -> Result<Vec<OrderSummary>, ViewError> {
        self.read(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT order_id, platform, country, price, status, placed_at, ended_at, phone, \
                 ended_at IS NOT NULL AND over_at IS NULL FROM orders
                 WHERE account_id = ?1 AND order_id < ?2 AND (?3 IS NULL OR status = ?3) AND (?4 \
                 IS NULL OR platform = ?4)
                     AND placed_at >= ?5 AND placed_at < ?6 ORDER BY order_id DESC LIMIT ?7",
            )?;
            let rows = find.query_map(
                params![
                    account.0.to_be_bytes(),
                    filter.before.map_or([0xff; 16], |before| before.0.to_be_bytes()),
                    filter.status.map(Status::name),
                    filter.platform.map(Platform::slug),
                    filter.from.map_or(i64::MIN, Timestamp::millis),
                    filter.to.map_or(i64::MAX, Timestamp::millis),
                    limit
                ],
                order_summary,
            )?;
            rows.collect()
        })
        .await
    }

    /// All orders of an account.
    pub async fn places_of(&self, account: AccountId) -> Result<Vec<OrderRef>, ViewError> {
        self.read(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT order_id, account_id, \
                first_revision, last_revision FROM orders WHERE account_id = ?1",
            )?;
            find.query_map(params![account.0.to_be_bytes()], order_ref)?.collect()
        })
        .await
    }

    /// Orders that were over after one moment and not after another, the first ones first, at most
    /// `limit`, and when each was.
    pub async fn over_between(
        &self,
        after: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(OrderRef, Timestamp)>, ViewError> {
        self.read(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT order_id, account_id, first_revision, last_revision, over_at FROM orders \
                 WHERE over_at > ?1 AND over_at <= ?2 ORDER BY over_at LIMIT ?3",
            )?;
            let rows = find.query_map(params![after.millis(), until.millis(), limit], |row| {
                Ok((order_ref(row)?, Timestamp::from_millis(row.get(4)?)))
            })?;
            rows.collect()
        })
        .await
    }

    /// Orders that are not over: what recovery lets go on.
    pub async fn open_orders(&self) -> Result<Vec<OrderRef>, ViewError> {
        self.read(|connection| {
            let mut open = connection.prepare(
                "SELECT order_id, account_id, first_revision, \
                last_revision FROM orders WHERE over_at IS NULL",
            )?;
            open.query_map([], order_ref)?.collect()
        })
        .await
    }

    /// How many orders are tests that have not ended.
    pub async fn open_tests(&self) -> Result<u64, ViewError> {
        self.read(|connection| {
            let sql = "SELECT count(*) FROM orders WHERE over_at IS NULL AND ended_at IS NULL AND \
                is_test = 1";
            connection.prepare_cached(sql)?.query_row([], |row| count(row, 0))
        })
        .await
    }

    /// The numbers of those of these orders that have one.
    pub async fn assigned(&self, orders: Vec<OrderId>) -> Result<Vec<Assigned>, ViewError> {
        self.read(move |connection| {
            let mut find = connection.prepare(
                "SELECT order_id, account_id, platform, country, supplier, phone, assigned_at \
                 FROM orders
                 WHERE order_id = ?1 AND phone IS NOT NULL AND assigned_at IS NOT NULL",
            )?;
            let mut found = Vec::new();
            for order in orders {
                found.extend(find.query_row(params![order.0.to_be_bytes()], assigned).optional()?);
            }
            Ok(found)
        })
        .await
    }

    /// The last orders that `phone` was on, the latest first.
    pub async fn orders_of_phone(
        &self,
        phone: Phone,
        limit: u32,
    ) -> Result<Vec<OrderRef>, ViewError> {
        self.read(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT order_id, account_id, first_revision, last_revision FROM orders WHERE \
                 phone = ?1 ORDER BY assigned_at DESC LIMIT ?2",
            )?;
            find.query_map(params![phone.as_str(), limit], order_ref)?.collect()
        })
        .await
    }
}

fn order_summary(row: &Row<'_>) -> rusqlite::Result<OrderSummary> {
    Ok(OrderSummary {
        order: OrderId(id(row, 0)?),
        platform: parsed(row, 1)?,
        country: parsed(row, 2)?,
        price: Money::from_micros(row.get(3)?),
        status: status(row, 4)?,
        placed_at: Timestamp::from_millis(row.get(5)?),
        ended_at: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
        phone: row.get(7)?,
        listens: row.get(8)?,
    })
}

pub fn order_ref(row: &Row<'_>) -> rusqlite::Result<OrderRef> {
    Ok(OrderRef {
        order: OrderId(id(row, 0)?),
        account: AccountId(id(row, 1)?),
        first: Revision(count(row, 2)?),
        last: Revision(count(row, 3)?),
    })
}

fn assigned(row: &Row<'_>) -> rusqlite::Result<Assigned> {
    Ok(Assigned {
        order: OrderId(id(row, 0)?),
        account: AccountId(id(row, 1)?),
        platform: parsed(row, 2)?,
        country: parsed(row, 3)?,
        supplier: parsed(row, 4)?,
        phone: phone(row, 5)?,
        at: Timestamp::from_millis(row.get(6)?),
    })
}
