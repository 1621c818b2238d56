//! What callers say of their orders, in a view: where an operator sees who complains of which
//! source, and who was paid back.

use events::country::Country;
use events::envelope::{Position, Recorded, Revision};
use events::id::{AccountId, OrderId};
use events::order::{Complaint, Event};
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use rusqlite::{Row, Transaction, params};

use crate::column::{count, id, parsed};
use crate::views::{ViewError, Views};

/// What a fact changes in `reports`.
#[derive(Debug, Clone)]
pub enum ReportChange {
    /// An order was reported.
    Reported(OrderId, AccountId, Complaint, Timestamp, Position, Revision),
    /// Its price was given back.
    Refunded(OrderId),
}

/// A caller's word on an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its place in the log.
    pub position: Position,
    /// Whose order.
    pub account: AccountId,
    /// Which.
    pub order: OrderId,
    /// A `Complaint`'s name.
    pub complaint: String,
    /// Whose number it had.
    pub supplier: SupplierName,
    /// For which platform.
    pub platform: Platform,
    /// In which country.
    pub country: Country,
    /// Whether the order's price was given back for it.
    pub refunded: bool,
    /// When.
    pub at: Timestamp,
}

/// The table.
pub const SCHEMA: &str = "
CREATE TABLE reports (
    position INTEGER PRIMARY KEY, account_id BLOB NOT NULL, order_id BLOB NOT NULL, complaint \
    TEXT NOT NULL, refunded INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE INDEX reports_by_order ON reports (order_id);
";

const KEEP: &str = "INSERT INTO reports VALUES (?1, ?2, ?3, ?4, 0, ?5)";
// Also of an order that was over before: its history ends with the report.
const EXTEND: &str = "UPDATE orders SET last_revision = max(last_revision, ?2) WHERE order_id = ?1";
const REFUND: &str =
    "UPDATE reports SET refunded = 1 WHERE order_id = ?1 AND complaint = 'wrong_code'";

impl ReportChange {
    /// What an order's fact changes, if anything.
    pub fn of(order: OrderId, fact: &Event, record: &Recorded<events::Event>) -> Option<Self> {
        if let Event::Reported { complaint, at } = fact {
            return Some(Self::Reported(
                order,
                record.stream.account_id()?,
                *complaint,
                *at,
                record.position,
                record.revision,
            ));
        }
        matches!(fact, Event::Refunded { .. }).then_some(Self::Refunded(order))
    }

    /// Writes it, in the order of the log, after the orders.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Reported(order, account, complaint, at, position, revision) => {
                let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                let (order, account) = (order.0.to_be_bytes(), account.0.to_be_bytes());
                transaction.prepare_cached(KEEP)?.execute(params![
                    number(position.0),
                    account,
                    order,
                    complaint.name(),
                    at.millis()
                ])?;
                transaction
                    .prepare_cached(EXTEND)?
                    .execute(params![order, number(revision.0)])
                    .map(drop)
            }
            Self::Refunded(order) => transaction
                .prepare_cached(REFUND)?
                .execute(params![order.0.to_be_bytes()])
                .map(drop),
        }
    }
}

impl Views {
    /// What callers say of their orders, the latest first, before a place in the log, at most
    /// `limit`.
    pub async fn reports(
        &self,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<Report>, ViewError> {
        self.read(move |connection| {
            let before =
                before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
            let mut reports = connection.prepare(
                "SELECT r.position, r.account_id, r.order_id, r.complaint, o.supplier, \
                 o.platform, o.country, r.refunded, r.at
                 FROM reports AS r JOIN orders AS o ON o.order_id = r.order_id WHERE r.position < \
                 ?1 AND o.is_test = 0 ORDER BY r.position DESC LIMIT ?2",
            )?;
            reports.query_map(params![before, limit], report)?.collect()
        })
        .await
    }
}

fn report(row: &Row<'_>) -> rusqlite::Result<Report> {
    Ok(Report {
        position: Position(count(row, 0)?),
        account: AccountId(id(row, 1)?),
        order: OrderId(id(row, 2)?),
        complaint: row.get(3)?,
        supplier: parsed(row, 4)?,
        platform: parsed(row, 5)?,
        country: parsed(row, 6)?,
        refunded: row.get(7)?,
        at: Timestamp::from_millis(row.get(8)?),
    })
}
