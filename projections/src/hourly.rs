//! Every hour of the service in a view: orders, success, revenue, what sources charged, and how
//! long codes took.

use std::collections::BTreeMap;

use events::envelope::StreamId;
use events::lease;
use events::money::Money;
use events::order::Status;
use events::time::Timestamp;
use rusqlite::{Row, Transaction, params};

use crate::column::count;
use crate::row::OrderRow;
use crate::usage::HOUR_MILLIS;
use crate::views::{ViewError, Views};

/// Upper bounds of the histogram of delivery times, in milliseconds; what took longer stands in the
/// last.
pub const DELIVERY_BOUNDS: [i64; 18] = [
    1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 15_000, 20_000, 30_000, 45_000,
    60_000, 90_000, 120_000, 180_000, 300_000, 86_400_000,
];

/// An hour of a platform's orders in a country, with the numbers of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HourlyCell {
    /// Hours since 1970.
    pub hour: i64,
    /// The platform's slug; empty for what a source charged.
    pub platform: String,
    /// The country's code; empty for what a source charged.
    pub country: String,
    /// Whose numbers; empty for orders that had none yet.
    pub supplier: String,
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
    /// What the completed ones paid, less what was paid back.
    pub revenue: Money,
    /// What the source charged for its leases.
    pub cost: Money,
    /// How long the completed ones' codes took, in sum.
    pub delivery_millis: u64,
}

/// How many codes took at most so long, and longer than the bound before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryBucket {
    /// Whose numbers.
    pub supplier: String,
    /// The platform's slug.
    pub platform: String,
    /// One of `DELIVERY_BOUNDS`.
    pub bound_millis: i64,
    /// Codes.
    pub codes: u64,
}

/// What a batch adds to an hour.
#[derive(Debug, Default)]
struct Delta {
    orders: i64,
    completed: i64,
    cancelled: i64,
    expired: i64,
    failed: i64,
    revenue: i64,
    cost: i64,
    delivery_millis: i64,
}

type Cell = (i64, &'static str, &'static str, String);

/// Hours of a batch's records.
#[derive(Debug, Default)]
pub struct Hours {
    cells: BTreeMap<Cell, Delta>,
    times: BTreeMap<(i64, String, &'static str, i64), i64>,
}

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE hourly (
    hour INTEGER NOT NULL, platform TEXT NOT NULL, country TEXT NOT NULL, supplier TEXT NOT NULL, \
    orders INTEGER NOT NULL, completed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL, expired INTEGER NOT NULL, failed INTEGER NOT NULL, revenue \
    INTEGER NOT NULL, cost INTEGER NOT NULL,
    delivery_millis INTEGER NOT NULL, PRIMARY KEY (hour, platform, country, supplier)
) STRICT, WITHOUT ROWID;
CREATE TABLE delivery_times (
    hour INTEGER NOT NULL, supplier TEXT NOT NULL, platform TEXT NOT NULL, bound INTEGER NOT \
    NULL, codes INTEGER NOT NULL,
    PRIMARY KEY (hour, supplier, platform, bound)
) STRICT, WITHOUT ROWID;
";

const ADD: &str = "INSERT INTO hourly VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (hour, platform, country, supplier) DO UPDATE SET orders = orders + \
    excluded.orders, completed = completed + excluded.completed,
        cancelled = cancelled + excluded.cancelled, expired = expired + excluded.expired, failed \
        = failed + excluded.failed,
        revenue = revenue + excluded.revenue, cost = cost + excluded.cost, delivery_millis = \
        delivery_millis + excluded.delivery_millis";
const TOOK: &str = "INSERT INTO delivery_times VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (hour, supplier, platform, bound) DO UPDATE SET codes = codes + excluded.codes";
impl Hours {
    /// An order was placed.
    pub fn placed(&mut self, row: &OrderRow) {
        let key = (
            hour_of(row.placed_at.millis()),
            row.platform.slug(),
            row.country.code(),
            String::new(),
        );
        self.cells.entry(key).or_default().orders += 1;
    }

    /// An order that was counted when it was placed is a test: it says nothing of the service's
    /// hours.
    pub fn was_test(&mut self, row: &OrderRow) {
        let key = (
            hour_of(row.placed_at.millis()),
            row.platform.slug(),
            row.country.code(),
            String::new(),
        );
        self.cells.entry(key).or_default().orders -= 1;
    }

    /// An order ended; tests do not count.
    pub fn ended(&mut self, row: &OrderRow, at: i64) {
        if row.is_test {
            return;
        }
        let delivery = row.delivery_millis();
        let cell = self.cell(row, at);
        match row.status {
            Status::Queued | Status::Pending | Status::Active => {}
            Status::Completed => {
                cell.completed += 1;
                cell.revenue += row.price.micros();
                cell.delivery_millis += delivery;
                let bound = DELIVERY_BOUNDS
                    .into_iter()
                    .find(|bound| delivery <= *bound)
                    .unwrap_or(DELIVERY_BOUNDS[DELIVERY_BOUNDS.len() - 1]);
                *self
                    .times
                    .entry((hour_of(at), row.supplier.clone(), row.platform.slug(), bound))
                    .or_default() += 1;
            }
            Status::Cancelled => cell.cancelled += 1,
            Status::Expired => cell.expired += 1,
            Status::Failed => cell.failed += 1,
        }
    }

    /// What an order paid was given back.
    pub fn refunded(&mut self, row: &OrderRow, at: i64) {
        if row.is_test {
            return;
        }
        self.cell(row, at).revenue -= row.price.micros();
    }

    /// A source has charged for a lease, if that is what its fact says.
    pub fn leased(&mut self, stream: &StreamId, event: &lease::Event) {
        let lease::Event::Released { charged, at } = event else { return };
        let Some(id) = stream.lease_id() else { return };
        self.cells
            .entry((hour_of(at.millis()), "", "", id.supplier.to_string()))
            .or_default()
            .cost += charged.micros();
    }

    fn cell(&mut self, row: &OrderRow, at: i64) -> &mut Delta {
        self.cells
            .entry((hour_of(at), row.platform.slug(), row.country.code(), row.supplier.clone()))
            .or_default()
    }

    /// Writes them.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut add = transaction.prepare_cached(ADD)?;
        for ((hour, platform, country, supplier), delta) in &self.cells {
            add.execute(params![
                hour,
                platform,
                country,
                supplier,
                delta.orders,
                delta.completed,
                delta.cancelled,
                delta.expired,
                delta.failed,
                delta.revenue,
                delta.cost,
                delta.delivery_millis
            ])?;
        }
        let mut took = transaction.prepare_cached(TOOK)?;
        for ((hour, supplier, platform, bound), codes) in &self.times {
            took.execute(params![hour, supplier, platform, bound, codes])?;
        }
        Ok(())
    }
}

const fn hour_of(millis: i64) -> i64 {
    millis.div_euclid(HOUR_MILLIS)
}

impl Views {
    /// The hours from `from` up to but not including `to` (hours since 1970), oldest first.
    pub async fn hourly(&self, from: i64, to: i64) -> Result<Vec<HourlyCell>, ViewError> {
        self.read(move |connection| {
            let mut hours = connection.prepare_cached(
                "SELECT * FROM hourly WHERE hour >= ?1 AND hour < ?2 ORDER BY hour",
            )?;
            hours.query_map(params![from, to], cell)?.collect()
        })
        .await
    }

    /// How long codes took in the hours from `from` up to but not including `to`.
    pub async fn delivery_times(
        &self,
        from: i64,
        to: i64,
    ) -> Result<Vec<DeliveryBucket>, ViewError> {
        self.read(move |connection| {
            let mut times = connection.prepare_cached(
                "SELECT supplier, platform, bound, sum(codes) FROM delivery_times WHERE hour >= \
                 ?1 AND hour < ?2
                 GROUP BY supplier, platform, bound ORDER BY supplier, platform, bound",
            )?;
            let bucket = |row: &Row<'_>| {
                Ok(DeliveryBucket {
                    supplier: row.get(0)?,
                    platform: row.get(1)?,
                    bound_millis: row.get(2)?,
                    codes: count(row, 3)?,
                })
            };
            times.query_map(params![from, to], bucket)?.collect()
        })
        .await
    }

    /// Orders that have got their code since `since`; tests do not count.
    pub async fn codes_since(&self, since: Timestamp) -> Result<u64, ViewError> {
        self.read(move |connection| {
            let sql = "SELECT count(*) FROM orders INDEXED BY orders_by_end WHERE ended_at >= ?1 \
                AND status = 'completed' AND is_test = 0";
            connection.prepare_cached(sql)?.query_row(params![since.millis()], |row| count(row, 0))
        })
        .await
    }
}

/// The time within which `percent` of the codes came, by the histogram: within its bucket as if
/// they had come evenly. `None` without codes.
pub fn percentile(buckets: &BTreeMap<i64, u64>, percent: u64) -> Option<i64> {
    let all: u64 = buckets.values().sum();
    let wanted = (all * percent).div_ceil(100).max(1);
    let mut before = 0;
    for (bound, codes) in buckets {
        if before + codes >= wanted {
            let lower = DELIVERY_BOUNDS.into_iter().rev().find(|lower| lower < bound).unwrap_or(0);
            let (part, whole) = (i64::try_from(wanted - before).ok()?, i64::try_from(*codes).ok()?);
            return Some(lower + (bound - lower).saturating_mul(part) / whole);
        }
        before += codes;
    }
    None
}

fn cell(row: &Row<'_>) -> rusqlite::Result<HourlyCell> {
    Ok(HourlyCell {
        hour: row.get(0)?,
        platform: row.get(1)?,
        country: row.get(2)?,
        supplier: row.get(3)?,
        orders: count(row, 4)?,
        completed: count(row, 5)?,
        cancelled: count(row, 6)?,
        expired: count(row, 7)?,
        failed: count(row, 8)?,
        revenue: Money::from_micros(row.get(9)?),
        cost: Money::from_micros(row.get(10)?),
        delivery_millis: count(row, 11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_lies_within_the_bucket_that_has_it() {
        let buckets = BTreeMap::from([(2_000, 50), (10_000, 40), (60_000, 10)]);
        assert_eq!(percentile(&buckets, 50), Some(2_000));
        assert_eq!(percentile(&buckets, 25), Some(1_500));
        assert_eq!(percentile(&buckets, 90), Some(10_000));
        assert_eq!(percentile(&buckets, 95), Some(52_500));
        assert_eq!(percentile(&BTreeMap::new(), 50), None);
    }
}
