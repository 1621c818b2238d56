//! Webhook deliveries in a view: what is due, what became of each, and which are open.

use events::envelope::Revision;
use events::id::{AccountId, OrderId};
use events::time::Timestamp;
use events::webhook::{self, Notice, Outcome};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::column::{count, id};
use crate::views::{ViewError, Views};

/// What a fact changes in `deliveries`.
#[derive(Debug, Clone)]
pub struct DeliveryChange {
    account: AccountId,
    sequence: u64,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Due { event: &'static str, order: Option<OrderId>, at: Timestamp, revision: Revision },
    Attempted { outcome: Outcome, next_at: Option<Timestamp>, at: Timestamp },
    Ended(&'static str),
    Again,
}

/// A delivery as the views know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The account's deliveries are counted from 1.
    pub sequence: u64,
    /// The event's name.
    pub event: String,
    /// The order it is about, if it is about one.
    pub order: Option<OrderId>,
    /// When it became due.
    pub due_at: Timestamp,
    /// Where its notice stands in the account's stream.
    pub revision: Revision,
    /// `pending`, `delivered` or `exhausted`.
    pub status: String,
    /// Attempts made.
    pub attempts: u64,
    /// When the last one was made.
    pub attempted_at: Option<Timestamp>,
    /// What it came to.
    pub outcome: Option<String>,
    /// The receiver's status, if it answered.
    pub http_status: Option<u16>,
    /// When the next one is due, if one is.
    pub next_at: Option<Timestamp>,
}

impl DeliveryChange {
    /// A delivery has become due.
    pub fn due(
        account: AccountId,
        sequence: u64,
        notice: &Notice,
        at: Timestamp,
        revision: Revision,
    ) -> Self {
        Self {
            account,
            sequence,
            change: Change::Due { event: notice.name(), order: notice.order(), at, revision },
        }
    }

    /// What a fact of the account's deliveries changes.
    pub fn of(account: AccountId, event: &webhook::Event) -> Self {
        let change = match event {
            webhook::Event::Attempted { outcome, next_at, at, .. } => {
                Change::Attempted { outcome: *outcome, next_at: *next_at, at: *at }
            }
            webhook::Event::Delivered { .. } => Change::Ended("delivered"),
            webhook::Event::Exhausted { .. } => Change::Ended("exhausted"),
            webhook::Event::RedeliveryRequested { .. } => Change::Again,
        };
        Self { account, sequence: event.sequence(), change }
    }

    /// Writes it, in the order of the log.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let (account, sequence) =
            (self.account.0.to_be_bytes(), i64::try_from(self.sequence).unwrap_or(i64::MAX));
        match &self.change {
            Change::Due { event, order, at, revision } => {
                let revision = i64::try_from(revision.0).unwrap_or(i64::MAX);
                transaction.prepare_cached(DUE)?.execute(params![
                    account,
                    sequence,
                    event,
                    order.map(|order| order.0.to_be_bytes()),
                    at.millis(),
                    revision
                ])?;
            }
            Change::Attempted { outcome, next_at, at } => {
                transaction.prepare_cached(ATTEMPTED)?.execute(params![
                    account,
                    sequence,
                    at.millis(),
                    outcome.name(),
                    outcome.status(),
                    next_at.map(Timestamp::millis)
                ])?;
            }
            Change::Ended(status) => {
                transaction.prepare_cached(ENDED)?.execute(params![account, sequence, status])?;
            }
            Change::Again => {
                transaction.prepare_cached(AGAIN)?.execute(params![account, sequence])?;
            }
        }
        Ok(())
    }
}

const DUE: &str = "INSERT INTO deliveries (account_id, sequence, event, order_id, due_at, \
    revision, status, attempts)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending', 0)";
const ATTEMPTED: &str = "UPDATE deliveries SET attempts = attempts + 1, attempted_at = ?3, \
    outcome = ?4, http_status = ?5, next_at = ?6
    WHERE account_id = ?1 AND sequence = ?2";
const ENDED: &str =
    "UPDATE deliveries SET status = ?3, next_at = NULL WHERE account_id = ?1 AND sequence = ?2";
const AGAIN: &str = "UPDATE deliveries SET status = 'pending', next_at = NULL WHERE account_id = \
    ?1 AND sequence = ?2";
pub const COLUMNS: &str = "sequence, event, order_id, due_at, revision, status, attempts, \
    attempted_at, outcome, http_status, next_at";

impl Views {
    /// Accounts with deliveries that have not ended: what recovery lets go on.
    pub async fn accounts_with_open_deliveries(&self) -> Result<Vec<AccountId>, ViewError> {
        self.read(|connection| {
            let mut open = connection
                .prepare("SELECT DISTINCT account_id FROM deliveries WHERE status = 'pending'")?;
            open.query_map([], |row| Ok(AccountId(id(row, 0)?)))?.collect()
        })
        .await
    }

    /// How many deliveries have not ended, of all accounts.
    pub async fn deliveries_open(&self) -> Result<u64, ViewError> {
        self.read(|connection| {
            connection.query_row(
                "SELECT count(*) FROM deliveries WHERE status = 'pending'",
                [],
                |row| count(row, 0),
            )
        })
        .await
    }

    /// An account's deliveries that have not ended, oldest first, at most `limit`, after `after`.
    pub async fn open_deliveries(
        &self,
        account: AccountId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, ViewError> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM deliveries WHERE account_id = ?1 AND status = \
                    'pending' AND sequence > ?2 ORDER BY sequence LIMIT ?3"
            );
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            connection
                .prepare_cached(&sql)?
                .query_map(params![account.0.to_be_bytes(), after, limit], delivery_row)?
                .collect()
        })
        .await
    }

    /// One delivery of an account.
    pub async fn delivery(
        &self,
        account: AccountId,
        sequence: u64,
    ) -> Result<Option<DeliveryRow>, ViewError> {
        self.read(move |connection| {
            let sql =
                format!("SELECT {COLUMNS} FROM deliveries WHERE account_id = ?1 AND sequence = ?2");
            let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
            connection
                .prepare_cached(&sql)?
                .query_row(params![account.0.to_be_bytes(), sequence], delivery_row)
                .optional()
        })
        .await
    }

    /// An account's deliveries, the latest first, before `before`, of one status if given.
    pub async fn deliveries(
        &self,
        account: AccountId,
        before: Option<u64>,
        status: Option<&'static str>,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, ViewError> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM deliveries WHERE account_id = ?1 AND sequence < ?2 AND (?3 \
                 IS NULL OR status = ?3) ORDER BY sequence DESC LIMIT ?4"
            );
            let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
            connection
                .prepare_cached(&sql)?
                .query_map(params![account.0.to_be_bytes(), before, status, limit], delivery_row)?
                .collect()
        })
        .await
    }

    /// The sequences of an account's deliveries that have become due since `since`, oldest first,
    /// at most `limit`.
    pub async fn deliveries_since(
        &self,
        account: AccountId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<u64>, ViewError> {
        self.read(move |connection| {
            let sql = "SELECT sequence FROM deliveries WHERE account_id = ?1 AND due_at >= ?2 \
                ORDER BY sequence LIMIT ?3";
            connection
                .prepare_cached(sql)?
                .query_map(params![account.0.to_be_bytes(), since.millis(), limit], |row| {
                    count(row, 0)
                })?
                .collect()
        })
        .await
    }
}

pub fn delivery_row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let moment = |column: usize| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
    };
    let order = row.get::<_, Option<[u8; 16]>>(2)?.map(|bytes| OrderId(u128::from_be_bytes(bytes)));
    Ok(DeliveryRow {
        sequence: count(row, 0)?,
        event: row.get(1)?,
        order,
        due_at: Timestamp::from_millis(row.get(3)?),
        revision: Revision(count(row, 4)?),
        status: row.get(5)?,
        attempts: count(row, 6)?,
        attempted_at: moment(7)?,
        outcome: row.get(8)?,
        http_status: row.get(9)?,
        next_at: moment(10)?,
    })
}
