//! All deliveries in pages, the latest due first, for operators, and receivers that fail.

use std::fmt::Write;

use events::id::AccountId;
use events::time::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Row, params};

use crate::column::{count, id};
use crate::deliveries::{self, DeliveryRow};
use crate::views::{ViewError, Views};

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

/// The indexes of pages; the table of deliveries must exist before.
pub const SCHEMA: &str = "
CREATE INDEX deliveries_by_due ON deliveries (due_at, account_id, sequence);
CREATE INDEX deliveries_undelivered ON deliveries (status, due_at, account_id, sequence) WHERE \
status <> 'delivered';
";

impl Views {
    /// All deliveries, the latest due first, of one status if given, at most `limit`.
    pub async fn all_deliveries(
        &self,
        before: Option<DeliveryPlace>,
        status: Option<&'static str>,
        account: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<(AccountId, DeliveryRow)>, ViewError> {
        self.read(move |connection| {
            let (sql, values) = page(before, status, account, limit);
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

/// The question of a page, and its values.
pub fn page(
    before: Option<DeliveryPlace>,
    status: Option<&'static str>,
    account: Option<AccountId>,
    limit: u32,
) -> (String, Vec<Box<dyn ToSql>>) {
    let (due_at, of, sequence) = before.map_or((i64::MAX, [0xff; 16], i64::MAX), |place| {
        let sequence = i64::try_from(place.sequence).unwrap_or(i64::MAX);
        (place.due_at.millis(), place.account.0.to_be_bytes(), sequence)
    });
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(limit), Box::new(sequence)];
    // An account's deliveries become due in their order: they are found by the account.
    let (mut wanted, order) = if let Some(account) = account {
        values.push(Box::new(account.0.to_be_bytes()));
        ("sequence < ?2 AND account_id = ?3".to_owned(), "sequence DESC")
    } else {
        values.push(Box::new(due_at));
        values.push(Box::new(of));
        let order = "due_at DESC, account_id DESC, sequence DESC";
        ("(due_at, account_id, sequence) < (?3, ?4, ?2)".to_owned(), order)
    };
    if let Some(status) = status {
        values.push(Box::new(status));
        let _ = write!(wanted, " AND status = ?{}", values.len());
        // Said as the index says it, so that it is used.
        wanted += if status == "delivered" { "" } else { " AND status <> 'delivered'" };
    }
    let columns = deliveries::COLUMNS;
    let sql = format!(
        "SELECT {columns}, account_id FROM deliveries WHERE {wanted} ORDER BY {order} LIMIT ?1"
    );
    (sql, values)
}
