//! Usage of each account by the hour, and how recent orders ended.

use std::collections::BTreeMap;

use events::country::Country;
use events::id::AccountId;
use events::money::Money;
use events::order::Status;
use events::platform::Platform;
use events::time::Timestamp;
use rusqlite::{Row, Transaction, params};

use crate::column::{count, parsed};
use crate::row::OrderRow;
use crate::views::{ViewError, Views};

pub const HOUR_MILLIS: i64 = 3_600_000;
/// Width of a bucket of recent outcomes: 24 hours are 144 of them.
pub const OUTCOME_BUCKET_MILLIS: i64 = 600_000;

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

/// What a batch adds to an hour of an account's usage.
#[derive(Debug, Default)]
struct UsageDelta {
    orders: i64,
    completed: i64,
    cancelled: i64,
    expired: i64,
    failed: i64,
    spent: i64,
    delivery_millis: i64,
}

/// What a batch adds to the recent outcomes of a platform in a country.
#[derive(Debug, Default)]
struct OutcomeDelta {
    completed: i64,
    ended: i64,
    delivery_millis: i64,
}

/// Usage and outcomes of a batch's records.
#[derive(Debug, Default)]
pub struct Usage {
    hours: BTreeMap<(AccountId, i64, &'static str, &'static str), UsageDelta>,
    outcomes: BTreeMap<(&'static str, &'static str, i64), OutcomeDelta>,
}

impl Usage {
    /// An order was placed.
    pub fn placed(&mut self, row: &OrderRow) {
        self.of(row, row.placed_at.millis()).orders += 1;
    }

    /// What an order paid was given back.
    pub fn refunded(&mut self, row: &OrderRow, at: i64) {
        self.of(row, at).spent -= row.price.micros();
    }

    /// An order ended.
    pub fn ended(&mut self, row: &OrderRow, at: i64) {
        let delivery = row.delivery_millis();
        let usage = self.of(row, at);
        match row.status {
            Status::Queued | Status::Pending | Status::Active => {}
            Status::Completed => {
                usage.completed += 1;
                usage.spent += row.price.micros();
                usage.delivery_millis += delivery;
            }
            Status::Cancelled => usage.cancelled += 1,
            Status::Expired => usage.expired += 1,
            Status::Failed => usage.failed += 1,
        }
        // A caller who changes their mind says nothing about the numbers, and neither does a test.
        if row.status != Status::Cancelled && !row.is_test {
            let key =
                (row.platform.slug(), row.country.code(), at.div_euclid(OUTCOME_BUCKET_MILLIS));
            let outcome = self.outcomes.entry(key).or_default();
            outcome.ended += 1;
            outcome.completed += i64::from(row.status == Status::Completed);
            outcome.delivery_millis += delivery;
        }
    }

    fn of(&mut self, row: &OrderRow, at: i64) -> &mut UsageDelta {
        self.hours
            .entry((
                row.account,
                at.div_euclid(HOUR_MILLIS),
                row.platform.slug(),
                row.country.code(),
            ))
            .or_default()
    }

    /// Writes them.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut usage = transaction.prepare_cached(USAGE)?;
        for ((account, hour, platform, country), delta) in &self.hours {
            let UsageDelta {
                orders,
                completed,
                cancelled,
                expired,
                failed,
                spent,
                delivery_millis,
            } = delta;
            usage.execute(params![
                account.0.to_be_bytes(),
                hour,
                platform,
                country,
                orders,
                completed,
                cancelled,
                expired,
                failed,
                spent,
                delivery_millis
            ])?;
        }
        let mut outcomes = transaction.prepare_cached(OUTCOMES)?;
        for ((platform, country, bucket), delta) in &self.outcomes {
            outcomes.execute(params![
                platform,
                country,
                bucket,
                delta.completed,
                delta.ended,
                delta.delivery_millis
            ])?;
        }
        Ok(())
    }
}

const USAGE: &str = "INSERT INTO usage (account_id, hour, platform, country, orders, completed, \
    cancelled, expired, failed, spent, delivery_millis)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (account_id, hour, platform, country) DO UPDATE SET orders = orders + \
    excluded.orders, completed = completed + excluded.completed,
        cancelled = cancelled + excluded.cancelled, expired = expired + excluded.expired, failed \
        = failed + excluded.failed,
        spent = spent + excluded.spent, delivery_millis = delivery_millis + \
        excluded.delivery_millis";

const OUTCOMES: &str = "INSERT INTO outcomes (platform, country, bucket, completed, ended, \
    delivery_millis) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (platform, country, bucket) DO UPDATE SET completed = completed + \
    excluded.completed, ended = ended + excluded.ended,
        delivery_millis = delivery_millis + excluded.delivery_millis";

impl Views {
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
