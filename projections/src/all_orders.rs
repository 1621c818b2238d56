//! All orders in pages, newest first, for operators: each page is found by an index, however long
//! the list is.

use std::fmt::Write;

use events::country::Country;
use events::envelope::Position;
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::Status;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use rusqlite::Row;
use rusqlite::types::ToSql;

use crate::column::{count, id, parsed, status};
use crate::views::{ViewError, Views};

/// An order in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOrder {
    /// Which order; ids rise in the order in which orders were placed: the list's order.
    pub order: OrderId,
    /// Whose.
    pub account: AccountId,
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
    /// When it got its number.
    pub assigned_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whose number it has or had last; empty before the first.
    pub supplier: String,
    /// Its number.
    pub phone: Option<String>,
    /// Whether it has its code, and keeps its number.
    pub listens: bool,
    /// Its last fact's place in the log.
    pub position: Position,
    /// Whether it is a test.
    pub is_test: bool,
}

/// Which of all orders are wanted; each part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnyOrderFilter {
    /// Only older ones than this.
    pub before: Option<OrderId>,
    /// Only this one.
    pub order: Option<OrderId>,
    /// Whose.
    pub account: Option<AccountId>,
    /// Which number they had last.
    pub phone: Option<Phone>,
    /// How they are.
    pub status: Option<Status>,
    /// Whether they are not over: without an end, or keeping their number.
    pub is_open: bool,
    /// For which platform.
    pub platform: Option<Platform>,
    /// In which country.
    pub country: Option<Country>,
    /// Whose number they had last.
    pub supplier: Option<SupplierName>,
}

/// The indexes of pages; the table of orders must exist before.
pub const SCHEMA: &str = "
CREATE INDEX orders_by_platform ON orders (platform, order_id);
CREATE INDEX orders_unserved ON orders (status, order_id) WHERE status IN ('cancelled', \
'expired', 'failed');
";

const ORDER_COLUMNS: &str = "order_id, account_id, platform, country, price, status, placed_at, \
    assigned_at, ended_at, supplier, phone,
    ended_at IS NOT NULL AND over_at IS NULL, position, is_test";

impl Views {
    /// All orders that fit, newest first, at most `limit`.
    pub async fn all_orders(
        &self,
        filter: AnyOrderFilter,
        limit: u32,
    ) -> Result<Vec<ListedOrder>, ViewError> {
        self.read(move |connection| {
            let (sql, values) = page(&filter, limit);
            connection
                .prepare_cached(&sql)?
                .query_map(rusqlite::params_from_iter(values), listed_order)?
                .collect()
        })
        .await
    }
}

fn boxed(value: impl ToSql + 'static) -> Box<dyn ToSql> {
    Box::new(value)
}

/// The conditions of a filter, and their values after the page's two.
fn conditions(filter: &AnyOrderFilter) -> (String, Vec<Box<dyn ToSql>>) {
    let AnyOrderFilter {
        before,
        order,
        account,
        phone,
        status,
        is_open,
        platform,
        country,
        supplier,
    } = filter;
    let before = before.map_or([0xff; 16], |before| before.0.to_be_bytes());
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(before)];
    let mut wanted = "order_id < ?1".to_owned();
    let mut also = |column: &str, value: Option<Box<dyn ToSql>>| {
        if let Some(value) = value {
            values.push(value);
            let _ = write!(wanted, " AND {column} = ?{}", values.len());
        }
    };
    also("order_id", order.map(|order| boxed(order.0.to_be_bytes())));
    also("account_id", account.map(|account| boxed(account.0.to_be_bytes())));
    also("phone", phone.as_ref().map(|phone| boxed(phone.as_str().to_owned())));
    also("status", status.map(|status| boxed(status.name())));
    also("platform", platform.map(|platform| boxed(platform.slug())));
    also("country", country.map(|country| boxed(country.code())));
    also("supplier", supplier.as_ref().map(|supplier| boxed(supplier.as_str().to_owned())));
    if *is_open {
        wanted += " AND over_at IS NULL";
    }
    // Said as the partial indexes say it, so that they are used.
    match status {
        Some(Status::Cancelled | Status::Expired | Status::Failed) => {
            wanted += " AND status IN ('cancelled', 'expired', 'failed')";
        }
        Some(Status::Queued | Status::Pending | Status::Active) => wanted += " AND over_at IS NULL",
        Some(Status::Completed) | None => {}
    }
    (wanted, values)
}

/// The question of a page, and its values.
pub fn page(filter: &AnyOrderFilter, limit: u32) -> (String, Vec<Box<dyn ToSql>>) {
    let (wanted, mut values) = conditions(filter);
    values.push(Box::new(limit));
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders WHERE {wanted} ORDER BY order_id DESC LIMIT ?{}",
        values.len()
    );
    (sql, values)
}

fn listed_order(row: &Row<'_>) -> rusqlite::Result<ListedOrder> {
    let moment = |column: usize| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    Ok(ListedOrder {
        order: OrderId(id(row, 0)?),
        account: AccountId(id(row, 1)?),
        platform: parsed(row, 2)?,
        country: parsed(row, 3)?,
        price: Money::from_micros(row.get(4)?),
        status: status(row, 5)?,
        placed_at: Timestamp::from_millis(row.get(6)?),
        assigned_at: moment(7)?,
        ended_at: moment(8)?,
        supplier: row.get(9)?,
        phone: row.get(10)?,
        listens: row.get(11)?,
        position: Position(count(row, 12)?),
        is_test: row.get(13)?,
    })
}
