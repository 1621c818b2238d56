//! All accounts, all orders and all deliveries in pages, newest first, for operators: each page is
//! found by an index, however long the lists are.

use std::fmt::Write;

use events::account;
use events::country::Country;
use events::envelope::{Position, Recorded};
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::Status;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, Transaction, params};

use crate::deliveries::{self, DeliveryRow};
use crate::queries::{self, ACCOUNT_COLUMNS, AccountView, account_row, count, id, parsed};
use crate::views::{ViewError, Views};

/// What a fact changes in `directory`.
#[derive(Debug, Clone)]
pub enum DirectoryChange {
    /// An account was opened.
    Registered(AccountId, Timestamp, Position),
    /// Its standing changed; `None` is good.
    Standing(AccountId, Option<String>),
}

/// An account in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAccount {
    /// Where its registration stands in the log: the list's order.
    pub position: Position,
    /// Which account.
    pub account: AccountId,
    /// Since when.
    pub registered_at: Timestamp,
    /// Why it is suspended, if it is.
    pub suspended: Option<String>,
    /// Its money and orders.
    pub sums: AccountView,
}

/// Which accounts are wanted; each part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Only those opened before this place in the log.
    pub before: Option<Position>,
    /// Only this one.
    pub account: Option<AccountId>,
    /// Only those that are suspended.
    pub is_suspended: bool,
}

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

/// Where a page of all deliveries ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPlace {
    /// When it became due.
    pub due_at: Timestamp,
    /// Whose.
    pub account: AccountId,
    /// Its number among the account's.
    pub sequence: u64,
}

/// A receiver that does not take what it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingReceiver {
    /// Whose.
    pub account: AccountId,
    /// Deliveries that wait after at least one attempt.
    pub waiting: u64,
    /// Deliveries given up.
    pub exhausted: u64,
    /// The last attempt.
    pub attempted_at: Option<Timestamp>,
}

/// The tables and indexes: of tables of other views as well, which must exist before.
pub const SCHEMA: &str = "
CREATE TABLE directory (
    position INTEGER PRIMARY KEY, account_id BLOB NOT NULL, registered_at INTEGER NOT NULL, \
    suspended TEXT
) STRICT;
CREATE UNIQUE INDEX directory_by_account ON directory (account_id);
CREATE INDEX directory_suspended ON directory (position) WHERE suspended IS NOT NULL;
CREATE INDEX orders_by_platform ON orders (platform, order_id);
CREATE INDEX orders_unserved ON orders (status, order_id) WHERE status IN ('cancelled', \
'expired', 'failed');
CREATE INDEX deliveries_by_due ON deliveries (due_at, account_id, sequence);
CREATE INDEX deliveries_undelivered ON deliveries (status, due_at, account_id, sequence) WHERE \
status <> 'delivered';
";

const REGISTER: &str =
    "INSERT OR IGNORE INTO directory (position, account_id, registered_at) VALUES (?1, ?2, ?3)";
const STANDING: &str = "UPDATE directory SET suspended = ?2 WHERE account_id = ?1";
const ORDER_COLUMNS: &str = "order_id, account_id, platform, country, price, status, placed_at, \
    assigned_at, ended_at, supplier, phone,
    ended_at IS NOT NULL AND over_at IS NULL, position";

impl DirectoryChange {
    /// What an account's fact changes, if anything.
    pub fn of(
        account: AccountId,
        event: &account::Event,
        record: &Recorded<events::Event>,
    ) -> Option<Self> {
        // The other facts of an account change its sums.
        if let account::Event::Registered { at, .. } = event {
            return Some(Self::Registered(account, *at, record.position));
        }
        if let account::Event::Suspended { reason, .. } = event {
            return Some(Self::Standing(account, Some(reason.clone())));
        }
        matches!(event, account::Event::Reinstated { .. }).then_some(Self::Standing(account, None))
    }

    /// Writes it, in the order of the log.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Registered(account, at, position) => {
                let position = i64::try_from(position.0).unwrap_or(i64::MAX);
                transaction.prepare_cached(REGISTER)?.execute(params![
                    position,
                    account.0.to_be_bytes(),
                    at.millis()
                ])
            }
            Self::Standing(account, suspended) => transaction
                .prepare_cached(STANDING)?
                .execute(params![account.0.to_be_bytes(), suspended]),
        }
        .map(drop)
    }
}

impl Views {
    /// All accounts that fit, the latest first, at most `limit`.
    pub async fn all_accounts(
        &self,
        filter: AccountFilter,
        limit: u32,
    ) -> Result<Vec<ListedAccount>, ViewError> {
        self.read(move |connection| {
            let AccountFilter { before, account, is_suspended } = filter;
            let before =
                before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
            let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(before), Box::new(limit)];
            let mut wanted = "d.position < ?1".to_owned();
            if let Some(account) = account {
                wanted += " AND d.account_id = ?3";
                values.push(Box::new(account.0.to_be_bytes()));
            }
            if is_suspended {
                wanted += " AND d.suspended IS NOT NULL";
            }
            let sums = ACCOUNT_COLUMNS
                .split(", ")
                .map(|column| format!("a.{column}"))
                .collect::<Vec<_>>()
                .join(", ");
            let sql = format!(
                "SELECT d.position, d.account_id, d.registered_at, d.suspended, {sums} FROM \
                 directory AS d JOIN accounts AS a ON a.account_id = d.account_id
                 WHERE {wanted} ORDER BY d.position DESC LIMIT ?2"
            );
            connection
                .prepare_cached(&sql)?
                .query_map(rusqlite::params_from_iter(values), listed_account)?
                .collect()
        })
        .await
    }

    /// All orders that fit, newest first, at most `limit`.
    pub async fn all_orders(
        &self,
        filter: AnyOrderFilter,
        limit: u32,
    ) -> Result<Vec<ListedOrder>, ViewError> {
        self.read(move |connection| all_orders(connection, &filter, limit)).await
    }

    /// All deliveries, the latest due first, of one status if given, at most `limit`.
    pub async fn all_deliveries(
        &self,
        before: Option<DeliveryPlace>,
        status: Option<&'static str>,
        account: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<(AccountId, DeliveryRow)>, ViewError> {
        self.read(move |connection| {
            let place = before.map_or((i64::MAX, [0xff; 16], i64::MAX), |place| {
                (
                    place.due_at.millis(),
                    place.account.0.to_be_bytes(),
                    i64::try_from(place.sequence).unwrap_or(i64::MAX),
                )
            });
            let mut values: Vec<Box<dyn ToSql>> =
                vec![Box::new(place.0), Box::new(place.1), Box::new(place.2), Box::new(limit)];
            let mut wanted = "(due_at, account_id, sequence) < (?1, ?2, ?3)".to_owned();
            if let Some(status) = status {
                values.push(Box::new(status));
                let _ = write!(wanted, " AND status = ?{}", values.len());
                // Said as the index says it, so that it is used.
                wanted += if status == "delivered" { "" } else { " AND status <> 'delivered'" };
            }
            if let Some(account) = account {
                values.push(Box::new(account.0.to_be_bytes()));
                let _ = write!(wanted, " AND account_id = ?{}", values.len());
            }
            let sql = format!(
                "SELECT {}, account_id FROM deliveries WHERE {wanted} ORDER BY due_at DESC, \
                 account_id DESC, sequence DESC LIMIT ?4",
                deliveries::COLUMNS
            );
            let row = |row: &Row<'_>| Ok((AccountId(id(row, 11)?), deliveries::delivery_row(row)?));
            connection
                .prepare_cached(&sql)?
                .query_map(rusqlite::params_from_iter(values), row)?
                .collect()
        })
        .await
    }

    /// Receivers that have not taken what became due since `since`, the worst first, at most
    /// `limit`.
    pub async fn failing_receivers(
        &self,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<FailingReceiver>, ViewError> {
        self.read(move |connection| {
            let mut failing = connection.prepare_cached(
                "SELECT account_id, sum(status = 'pending'), sum(status = 'exhausted'), \
                 max(attempted_at) FROM deliveries
                 WHERE status IN ('pending', 'exhausted') AND status <> 'delivered' AND due_at >= \
                 ?1 AND attempts > 0
                 GROUP BY account_id ORDER BY 3 DESC, 2 DESC LIMIT ?2",
            )?;
            let receiver = |row: &Row<'_>| {
                Ok(FailingReceiver {
                    account: AccountId(id(row, 0)?),
                    waiting: count(row, 1)?,
                    exhausted: count(row, 2)?,
                    attempted_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
                })
            };
            failing.query_map(params![since.millis(), limit], receiver)?.collect()
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

fn all_orders(
    connection: &Connection,
    filter: &AnyOrderFilter,
    limit: u32,
) -> rusqlite::Result<Vec<ListedOrder>> {
    let (wanted, mut values) = conditions(filter);
    values.push(Box::new(limit));
    let sql = format!(
        "SELECT {ORDER_COLUMNS} FROM orders WHERE {wanted} ORDER BY order_id DESC LIMIT ?{}",
        values.len()
    );
    connection
        .prepare_cached(&sql)?
        .query_map(rusqlite::params_from_iter(values), listed_order)?
        .collect()
}

fn listed_account(row: &Row<'_>) -> rusqlite::Result<ListedAccount> {
    Ok(ListedAccount {
        position: Position(count(row, 0)?),
        account: AccountId(id(row, 1)?),
        registered_at: Timestamp::from_millis(row.get(2)?),
        suspended: row.get(3)?,
        sums: account_row(row, 4)?,
    })
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
        status: queries::status(row, 5)?,
        placed_at: Timestamp::from_millis(row.get(6)?),
        assigned_at: moment(7)?,
        ended_at: moment(8)?,
        supplier: row.get(9)?,
        phone: row.get(10)?,
        listens: row.get(11)?,
        position: Position(count(row, 12)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_page_of_orders_is_found_by_an_index_in_its_own_order() {
        let directory = tempfile::tempdir().unwrap();
        let views = Views::open(directory.path()).unwrap();
        let phone: Phone = "+12025550123".parse().unwrap();
        let filters = [
            (AnyOrderFilter::default(), "PRIMARY KEY"),
            (
                AnyOrderFilter { platform: Some(Platform::Google), ..AnyOrderFilter::default() },
                "orders_by_platform",
            ),
            (
                AnyOrderFilter { status: Some(Status::Failed), ..AnyOrderFilter::default() },
                "orders_unserved",
            ),
            (
                AnyOrderFilter { status: Some(Status::Active), ..AnyOrderFilter::default() },
                "orders_open",
            ),
            (AnyOrderFilter { is_open: true, ..AnyOrderFilter::default() }, "orders_open"),
            (
                AnyOrderFilter { account: Some(AccountId(1)), ..AnyOrderFilter::default() },
                "orders_by_account",
            ),
            (AnyOrderFilter { phone: Some(phone), ..AnyOrderFilter::default() }, "orders_by_phone"),
        ];
        for (filter, index) in filters {
            let is_of_phone = filter.phone.is_some();
            let steps: Vec<String> = views
                .read(move |connection| {
                    let (wanted, values) = conditions(&filter);
                    let sql = format!(
                        "EXPLAIN QUERY PLAN SELECT {ORDER_COLUMNS} FROM orders \
                        WHERE {wanted} ORDER BY order_id DESC LIMIT 51"
                    );
                    connection
                        .prepare(&sql)?
                        .query_map(rusqlite::params_from_iter(values), |row| row.get(3))?
                        .collect()
                })
                .await
                .unwrap();
            assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:?}");
            // A number has had few orders: they may be sorted.
            assert!(
                is_of_phone || !steps.iter().any(|step| step.contains("TEMP B-TREE")),
                "{steps:?}"
            );
        }
    }
}
