//! What sources have for us, in views: numbers listed in pools, and leases that have not ended.

use events::country::Country;
use events::envelope::StreamId;
use events::id::OrderId;
use events::lease::{self, LeaseId};
use events::number::{self, Listing};
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Row, Transaction, params};

use crate::column::{count, id, parsed, phone};
use crate::row::OrderRow;
use crate::views::{ViewError, Views};

/// What a fact changes in `listings` or `leases`.
#[derive(Debug, Clone)]
pub enum SourceChange {
    /// A number's listing.
    Listed(Phone, Listing, Timestamp),
    /// The end of it, and why.
    Retired(Phone, String, Timestamp),
    /// A lease's fact.
    Lease(LeaseId, lease::Event),
}

/// A number that serves no further order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// The number.
    pub phone: Phone,
    /// Whose it was and what it served.
    pub listing: Listing,
    /// Since when.
    pub at: Timestamp,
    /// Why, in the operator's words.
    pub reason: String,
}

/// What a number has served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Served {
    supplier: String,
    phone: String,
    platform: &'static str,
}

/// Ended orders of a source's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplierOutcome {
    /// Whose numbers.
    pub supplier: SupplierName,
    /// Orders that ended with one of them, but for cancelled ones.
    pub ended: u64,
    /// Those of them that got their code.
    pub completed: u64,
}

/// The tables.
pub const SCHEMA: &str = "
CREATE TABLE listings (
    phone TEXT PRIMARY KEY, supplier TEXT NOT NULL, country TEXT NOT NULL, platforms TEXT, \
    listed_at INTEGER NOT NULL, retired_at INTEGER, reason TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX listings_by_supplier ON listings (supplier);
CREATE TABLE leases (
    supplier TEXT NOT NULL, order_id BLOB NOT NULL, attempt INTEGER NOT NULL, phone TEXT,
    PRIMARY KEY (supplier, order_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE served (
    supplier TEXT NOT NULL, phone TEXT NOT NULL, platform TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (supplier, phone, platform)
) STRICT, WITHOUT ROWID;
";

const LIST: &str = "INSERT OR REPLACE INTO listings VALUES (?1, ?2, ?3, ?4, ?5, NULL, NULL)";
const RETIRE: &str = "UPDATE listings SET reason = ?2, retired_at = ?3 WHERE phone = ?1";
const SEEK: &str = "INSERT OR IGNORE INTO leases (supplier, order_id, attempt) VALUES (?1, ?2, ?3)";
const OBTAIN: &str =
    "UPDATE leases SET phone = ?4 WHERE supplier = ?1 AND order_id = ?2 AND attempt = ?3";
const END: &str = "DELETE FROM leases WHERE supplier = ?1 AND order_id = ?2 AND attempt = ?3";

// Every start asks these, however many orders there have been: by their index.
const ON_ORDERS: &str = "SELECT phone, max(over_at) FROM (
        SELECT phone, over_at FROM orders INDEXED BY orders_by_over WHERE over_at >= ?1
        UNION ALL SELECT phone, over_at FROM orders INDEXED BY orders_open WHERE over_at IS NULL
    ) WHERE phone IS NOT NULL GROUP BY phone";
const OUTCOMES: &str =
    "SELECT supplier, count(*), sum(status = 'completed' AND NOT reported) FROM (
        SELECT supplier, status, EXISTS (SELECT 1 FROM reports WHERE reports.order_id = \
        o.order_id) AS reported
        FROM orders AS o INDEXED BY orders_by_end WHERE ended_at >= ?1 AND phone IS NOT NULL AND \
        is_test = 0
    ) WHERE status <> 'cancelled' OR reported GROUP BY supplier";
const SERVED: &str = "SELECT phone, platform, at FROM served WHERE supplier = ?1 AND at >= ?2";
const SERVE: &str = "INSERT INTO served VALUES (?1, ?2, ?3, ?4) ON CONFLICT (supplier, phone, \
    platform) DO UPDATE SET at = max(at, excluded.at)";

impl Served {
    /// What the number of an order that has its code has served.
    pub fn by(row: &OrderRow) -> Self {
        Self {
            supplier: row.supplier.clone(),
            phone: row.phone.clone(),
            platform: row.platform.slug(),
        }
    }

    /// Writes when it last did.
    pub fn write(&self, at: i64, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        transaction
            .prepare_cached(SERVE)?
            .execute(params![self.supplier, self.phone, self.platform, at])
            .map(drop)
    }
}

impl SourceChange {
    /// What a number's fact changes, if anything.
    pub fn of_number(phone: Phone, event: &number::Event) -> Option<Self> {
        match event {
            number::Event::Listed { listing, at } => {
                Some(Self::Listed(phone, listing.clone(), *at))
            }
            number::Event::Retired { reason, at } => {
                Some(Self::Retired(phone, reason.clone(), *at))
            }
            number::Event::SmsKept(_)
            | number::Event::PartKept { .. }
            | number::Event::PartsJoined { .. } => None,
        }
    }

    /// What a lease's fact changes.
    pub fn of_lease(stream: &StreamId, event: &lease::Event) -> Option<Self> {
        stream.lease_id().map(|id| Self::Lease(id, event.clone()))
    }

    /// Writes it, in the order of the log.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let run = |sql: &str, values: &[&dyn ToSql]| {
            transaction.prepare_cached(sql)?.execute(values).map(drop)
        };
        let (id, event) = match self {
            Self::Listed(phone, listing, at) => {
                let slugs = |platforms: &Vec<Platform>| {
                    platforms.iter().map(|platform| platform.slug()).collect::<Vec<_>>().join(" ")
                };
                let platforms = listing.platforms.as_ref().map(slugs);
                return run(
                    LIST,
                    params![
                        phone.as_str(),
                        listing.supplier.as_str(),
                        listing.country.code(),
                        platforms,
                        at.millis()
                    ],
                );
            }
            Self::Retired(phone, reason, at) => {
                return run(RETIRE, params![phone.as_str(), reason, at.millis()]);
            }
            Self::Lease(id, event) => (id, event),
        };
        let (supplier, order) = (id.supplier.as_str(), id.order.0.to_be_bytes());
        match event {
            lease::Event::Sought { .. } => run(SEEK, params![supplier, order, id.attempt]),
            lease::Event::Obtained { phone, .. } => {
                run(OBTAIN, params![supplier, order, id.attempt, phone.as_str()])
            }
            lease::Event::ReleaseSought { .. } => Ok(()),
            lease::Event::Declined { .. } | lease::Event::Released { .. } => {
                run(END, params![supplier, order, id.attempt])
            }
        }
    }
}

impl Views {
    /// The numbers in a source's pool, by number.
    pub async fn listed(&self, supplier: String) -> Result<Vec<(Phone, Listing)>, ViewError> {
        self.read(move |connection| {
            let mut listed = connection.prepare(
                "SELECT phone, supplier, country, platforms FROM listings WHERE supplier \
                    = ?1 AND retired_at IS NULL ORDER BY phone",
            )?;
            listed
                .query_map(params![supplier], |row| Ok((phone(row, 0)?, listing(row)?)))?
                .collect()
        })
        .await
    }

    /// The numbers that serve no further order, by number.
    pub async fn retired(&self) -> Result<Vec<Retired>, ViewError> {
        self.read(|connection| {
            let mut retired = connection.prepare(
                "SELECT phone, supplier, country, platforms, retired_at, reason FROM listings \
                 WHERE retired_at IS NOT NULL ORDER BY phone",
            )?;
            let row = |row: &Row<'_>| {
                let (at, reason) = (Timestamp::from_millis(row.get(4)?), row.get(5)?);
                Ok(Retired { phone: phone(row, 0)?, listing: listing(row)?, at, reason })
            };
            retired.query_map([], row)?.collect()
        })
        .await
    }

    /// The platforms that numbers of a source have served since `since`, and when last.
    pub async fn served(
        &self,
        supplier: String,
        since: Timestamp,
    ) -> Result<Vec<(Phone, Platform, Timestamp)>, ViewError> {
        self.read(move |connection| {
            let mut served = connection.prepare(SERVED)?;
            let row = |row: &Row<'_>| {
                Ok((phone(row, 0)?, parsed(row, 1)?, Timestamp::from_millis(row.get(2)?)))
            };
            served.query_map(params![supplier, since.millis()], row)?.collect()
        })
        .await
    }

    /// The numbers that are on orders or were since `since`, and when the last of those orders that
    /// are over gave them up.
    pub async fn numbers_on_orders(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(Phone, Option<Timestamp>)>, ViewError> {
        self.read(move |connection| {
            let mut numbers = connection.prepare(ON_ORDERS)?;
            let number = |row: &Row<'_>| {
                Ok((phone(row, 0)?, row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis)))
            };
            numbers.query_map(params![since.millis()], number)?.collect()
        })
        .await
    }

    /// Leases of a source that have not ended, and their numbers where it has named them: what
    /// recovery lets go on.
    pub async fn open_leases(
        &self,
        supplier: String,
    ) -> Result<Vec<(LeaseId, Option<Phone>)>, ViewError> {
        self.read(move |connection| {
            let mut open = connection.prepare(
                "SELECT supplier, order_id, attempt, phone FROM leases WHERE supplier = ?1",
            )?;
            open.query_map(params![supplier], lease)?.collect()
        })
        .await
    }

    /// The sources that have leases that have not ended.
    pub async fn sources_with_open_leases(&self) -> Result<Vec<SupplierName>, ViewError> {
        self.read(|connection| {
            connection
                .prepare("SELECT DISTINCT supplier FROM leases")?
                .query_map([], |row| parsed(row, 0))?
                .collect()
        })
        .await
    }

    /// How the orders went that ended since `since`, by whose number they had.
    pub async fn supplier_outcomes(
        &self,
        since: Timestamp,
    ) -> Result<Vec<SupplierOutcome>, ViewError> {
        self.read(move |connection| {
            let mut outcomes = connection.prepare(OUTCOMES)?;
            let outcome = |row: &Row<'_>| {
                Ok(SupplierOutcome {
                    supplier: parsed(row, 0)?,
                    ended: count(row, 1)?,
                    completed: count(row, 2)?,
                })
            };
            outcomes.query_map(params![since.millis()], outcome)?.collect()
        })
        .await
    }
}

fn lease(row: &Row<'_>) -> rusqlite::Result<(LeaseId, Option<Phone>)> {
    let lease =
        LeaseId { supplier: parsed(row, 0)?, order: OrderId(id(row, 1)?), attempt: row.get(2)? };
    let phone = row.get::<_, Option<String>>(3)?.map(|_| phone(row, 3)).transpose()?;
    Ok((lease, phone))
}

fn listing(row: &Row<'_>) -> rusqlite::Result<Listing> {
    let country: Country = parsed(row, 2)?;
    // A platform that a newer version knows and this one does not serves no order here.
    let platforms: Option<String> = row.get(3)?;
    let platforms = platforms
        .map(|slugs| slugs.split_whitespace().filter_map(|slug| slug.parse().ok()).collect());
    Ok(Listing { supplier: parsed(row, 1)?, country, platforms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_every_start_asks_is_found_by_an_index() {
        let directory = tempfile::tempdir().unwrap();
        let views = Views::open(directory.path()).unwrap();
        for (sql, indexes) in [
            (ON_ORDERS, &["orders_by_over (over_at>?)", "orders_open"][..]),
            (OUTCOMES, &["orders_by_end (ended_at>?)"]),
            (SERVED, &["PRIMARY KEY (supplier=?)"]),
        ] {
            let steps: Vec<String> = views
                .read(move |connection| {
                    let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                    let nothing = vec![0; plan.parameter_count()];
                    plan.query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))?.collect()
                })
                .await
                .unwrap();
            let looked_up: Vec<&String> = steps
                .iter()
                .filter(|step| step.contains("orders") || step.contains("served"))
                .collect();
            assert_eq!(looked_up.len(), indexes.len(), "{steps:?}");
            assert!(
                indexes.iter().all(|index| looked_up.iter().any(|step| step.contains(index))),
                "{steps:?}"
            );
        }
    }
}
