//! The questions that views answer.

use std::collections::BTreeMap;
use std::fmt::Write;

use events::country::Country;
use events::envelope::{Position, Revision};
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::Status;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::batch::OUTCOME_BUCKET_MILLIS;
use crate::row::OrderRow;
use crate::views::{ViewError, Views};

/// An account's ledger and orders in sums: the same as the fold of its stream, from a row.
pub use events::account::statement::Statement as AccountView;

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

/// An hour of an account's usage of one platform in one country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageCell {
    /// Hours since 1970.
    pub hour: i64,
    /// Which platform.
    pub platform: Platform,
    /// Which country.
    pub country: Country,
    /// Orders placed in the hour.
    pub orders: u64,
    /// Orders completed in the hour, and so on.
    pub completed: u64,
    /// Orders cancelled.
    pub cancelled: u64,
    /// Orders expired.
    pub expired: u64,
    /// Orders failed.
    pub failed: u64,
    /// What the completed ones have cost.
    pub spent: Money,
    /// How long the completed ones' codes took, in sum.
    pub delivery_millis: u64,
}

/// How recent orders of a platform ended; cancelled ones do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// With a code.
    pub completed: u64,
    /// In all.
    pub ended: u64,
    /// How long the codes took, in sum.
    pub delivery_millis: u64,
}

impl Views {
    /// The account's sums; zeros for one that has none yet.
    pub async fn account(&self, account: AccountId) -> Result<AccountView, ViewError> {
        self.read(move |connection| account_view(connection, account)).await
    }

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

    /// The account's usage in the hours from `from` up to but not including `to` (hours since
    /// 1970), oldest first.
    pub async fn usage(
        &self,
        account: AccountId,
        from: i64,
        to: i64,
    ) -> Result<Vec<UsageCell>, ViewError> {
        self.read(move |connection| {
            let mut usage = connection.prepare_cached(
                "SELECT hour, platform, country, orders, completed, cancelled, expired, failed, \
                 spent, delivery_millis
                 FROM usage WHERE account_id = ?1 AND hour >= ?2 AND hour < ?3 ORDER BY hour",
            )?;
            usage.query_map(params![account.0.to_be_bytes(), from, to], usage_cell)?.collect()
        })
        .await
    }

    /// How orders in `country` have ended since `since`, by platform.
    pub async fn outcomes(
        &self,
        country: Country,
        since: Timestamp,
    ) -> Result<BTreeMap<Platform, Outcome>, ViewError> {
        self.read(move |connection| {
            let mut outcomes = connection.prepare_cached(
                "SELECT platform, sum(completed), sum(ended), sum(delivery_millis) FROM outcomes \
                 WHERE country = ?1 AND bucket > ?2 GROUP BY platform",
            )?;
            let oldest = since.millis().div_euclid(OUTCOME_BUCKET_MILLIS);
            let rows = outcomes.query_map(params![country.code(), oldest], |row| {
                Ok((
                    parsed(row, 0)?,
                    Outcome {
                        completed: count(row, 1)?,
                        ended: count(row, 2)?,
                        delivery_millis: count(row, 3)?,
                    },
                ))
            })?;
            rows.collect()
        })
        .await
    }

    /// Every row of every view as text, in order: two views that agree in it agree in everything.
    /// Blocks.
    pub fn dump(&self) -> Result<String, ViewError> {
        self.read_blocking(|connection| {
            let mut tables = connection.prepare(
                "SELECT name FROM sqlite_master WHERE type = \
                'table' AND name NOT IN ('checkpoint', 'sums')",
            )?;
            let tables: Vec<String> =
                tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let mut lines = Vec::new();
            for table in tables {
                let mut all = connection.prepare(&format!("SELECT * FROM {table}"))?;
                let columns = all.column_count();
                let mut rows = all.query([])?;
                while let Some(row) = rows.next()? {
                    let mut line = table.clone();
                    for column in 0..columns {
                        let _ = write!(line, " {:?}", row.get_ref(column)?);
                    }
                    lines.push(line);
                }
            }
            lines.sort_unstable();
            Ok(lines.join("\n"))
        })
    }
}

pub const ACCOUNT_COLUMNS: &str =
    "balance, held, spent, orders, completed, cancelled, expired, failed, refunded";

fn account_view(connection: &Connection, account: AccountId) -> rusqlite::Result<AccountView> {
    let mut find = connection
        .prepare_cached(&format!("SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE account_id = ?1"))?;
    let found =
        find.query_row(params![account.0.to_be_bytes()], |row| account_row(row, 0)).optional()?;
    Ok(found.unwrap_or_default())
}

/// Every account's sums.
pub fn all_accounts(connection: &Connection) -> rusqlite::Result<BTreeMap<AccountId, AccountView>> {
    let mut accounts =
        connection.prepare(&format!("SELECT account_id, {ACCOUNT_COLUMNS} FROM accounts"))?;
    let rows = accounts.query_map([], |row| Ok((AccountId(id(row, 0)?), account_row(row, 1)?)))?;
    rows.collect()
}

pub fn account_row(row: &Row<'_>, first: usize) -> rusqlite::Result<AccountView> {
    let money =
        |column: usize| Ok::<_, rusqlite::Error>(Money::from_micros(row.get(first + column)?));
    Ok(AccountView {
        balance: money(0)?,
        held: money(1)?,
        spent: money(2)?,
        orders: count(row, first + 3)?,
        completed: count(row, first + 4)?,
        cancelled: count(row, first + 5)?,
        expired: count(row, first + 6)?,
        failed: count(row, first + 7)?,
        refunded: count(row, first + 8)?,
    })
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

/// A word that is no status is a broken file, and no order's business.
pub fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<Status> {
    let name: String = row.get(column)?;
    let unknown = || {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            format!("{name} is no status").into(),
        )
    };
    Status::named(&name).ok_or_else(unknown)
}

fn order_ref(row: &Row<'_>) -> rusqlite::Result<OrderRef> {
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
        phone: parsed(row, 5)?,
        at: Timestamp::from_millis(row.get(6)?),
    })
}

fn usage_cell(row: &Row<'_>) -> rusqlite::Result<UsageCell> {
    Ok(UsageCell {
        hour: row.get(0)?,
        platform: parsed(row, 1)?,
        country: parsed(row, 2)?,
        orders: count(row, 3)?,
        completed: count(row, 4)?,
        cancelled: count(row, 5)?,
        expired: count(row, 6)?,
        failed: count(row, 7)?,
        spent: Money::from_micros(row.get(8)?),
        delivery_millis: count(row, 9)?,
    })
}

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

pub fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<u128> {
    Ok(u128::from_be_bytes(row.get(column)?))
}

pub fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

pub fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
