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

use crate::queries::{count, id, parsed};
use crate::views::{ViewError, Views};

/// What a fact changes in `listings` or `leases`.
#[derive(Debug, Clone)]
pub enum SourceChange {
    /// A number's listing.
    Listed(Phone, Listing, Timestamp),
    /// The end of it.
    Retired(Phone),
    /// A lease's fact.
    Lease(LeaseId, lease::Event),
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
    phone TEXT PRIMARY KEY, supplier TEXT NOT NULL, country TEXT NOT NULL, platforms TEXT, listed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX listings_by_supplier ON listings (supplier);
CREATE TABLE leases (
    supplier TEXT NOT NULL, order_id BLOB NOT NULL, attempt INTEGER NOT NULL, phone TEXT,
    PRIMARY KEY (supplier, order_id, attempt)
) STRICT, WITHOUT ROWID;
";

const LIST: &str = "INSERT OR REPLACE INTO listings VALUES (?1, ?2, ?3, ?4, ?5)";
const RETIRE: &str = "DELETE FROM listings WHERE phone = ?1";
const SEEK: &str = "INSERT OR IGNORE INTO leases (supplier, order_id, attempt) VALUES (?1, ?2, ?3)";
const OBTAIN: &str = "UPDATE leases SET phone = ?4 WHERE supplier = ?1 AND order_id = ?2 AND attempt = ?3";
const END: &str = "DELETE FROM leases WHERE supplier = ?1 AND order_id = ?2 AND attempt = ?3";

impl SourceChange {
    /// What a number's fact changes, if anything.
    pub fn of_number(phone: Phone, event: &number::Event) -> Option<Self> {
        match event {
            number::Event::Listed { listing, at } => Some(Self::Listed(phone, listing.clone(), *at)),
            number::Event::Retired { .. } => Some(Self::Retired(phone)),
            number::Event::SmsKept(_) | number::Event::PartKept { .. } | number::Event::PartsJoined { .. } => None,
        }
    }

    /// What a lease's fact changes.
    pub fn of_lease(stream: &StreamId, event: &lease::Event) -> Option<Self> {
        stream.lease_id().map(|id| Self::Lease(id, event.clone()))
    }

    /// Writes it, in the order of the log.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let run = |sql: &str, values: &[&dyn ToSql]| transaction.prepare_cached(sql)?.execute(values).map(drop);
        let (id, event) = match self {
            Self::Listed(phone, listing, at) => {
                let slugs = |platforms: &Vec<Platform>| platforms.iter().map(|platform| platform.slug()).collect::<Vec<_>>().join(" ");
                let platforms = listing.platforms.as_ref().map(slugs);
                return run(LIST, params![phone.as_str(), listing.supplier.as_str(), listing.country.code(), platforms, at.millis()]);
            }
            Self::Retired(phone) => return run(RETIRE, params![phone.as_str()]),
            Self::Lease(id, event) => (id, event),
        };
        let (supplier, order) = (id.supplier.as_str(), id.order.0.to_be_bytes());
        match event {
            lease::Event::Sought { .. } => run(SEEK, params![supplier, order, id.attempt]),
            lease::Event::Obtained { phone, .. } => run(OBTAIN, params![supplier, order, id.attempt, phone.as_str()]),
            lease::Event::ReleaseSought { .. } => Ok(()),
            lease::Event::Declined { .. } | lease::Event::Released { .. } => run(END, params![supplier, order, id.attempt]),
        }
    }
}

impl Views {
    /// The numbers in a source's pool, by number.
    pub async fn listed(&self, supplier: String) -> Result<Vec<(Phone, Listing)>, ViewError> {
        self.read(move |connection| {
            let mut listed = connection.prepare("SELECT phone, supplier, country, platforms FROM listings WHERE supplier = ?1 ORDER BY phone")?;
            listed.query_map(params![supplier], |row| Ok((parsed(row, 0)?, listing(row)?)))?.collect()
        })
        .await
    }

    /// Leases of a source that have not ended, and their numbers where it has named them: what recovery lets go on.
    pub async fn open_leases(&self, supplier: String) -> Result<Vec<(LeaseId, Option<Phone>)>, ViewError> {
        self.read(move |connection| {
            let mut open = connection.prepare("SELECT supplier, order_id, attempt, phone FROM leases WHERE supplier = ?1")?;
            open.query_map(params![supplier], lease)?.collect()
        })
        .await
    }

    /// The sources that have leases that have not ended.
    pub async fn sources_with_open_leases(&self) -> Result<Vec<SupplierName>, ViewError> {
        self.read(|connection| connection.prepare("SELECT DISTINCT supplier FROM leases")?.query_map([], |row| parsed(row, 0))?.collect()).await
    }

    /// How the orders went that ended since `since`, by whose number they had.
    pub async fn supplier_outcomes(&self, since: Timestamp) -> Result<Vec<SupplierOutcome>, ViewError> {
        self.read(move |connection| {
            let mut outcomes = connection.prepare(
                "SELECT supplier, count(*), sum(status = 'completed') FROM orders
                 WHERE ended_at >= ?1 AND status <> 'cancelled' AND phone IS NOT NULL GROUP BY supplier",
            )?;
            let outcome = |row: &Row<'_>| Ok(SupplierOutcome { supplier: parsed(row, 0)?, ended: count(row, 1)?, completed: count(row, 2)? });
            outcomes.query_map(params![since.millis()], outcome)?.collect()
        })
        .await
    }
}

fn lease(row: &Row<'_>) -> rusqlite::Result<(LeaseId, Option<Phone>)> {
    let lease = LeaseId { supplier: parsed(row, 0)?, order: OrderId(id(row, 1)?), attempt: row.get(2)? };
    let phone = row.get::<_, Option<String>>(3)?.map(|_| parsed(row, 3)).transpose()?;
    Ok((lease, phone))
}

fn listing(row: &Row<'_>) -> rusqlite::Result<Listing> {
    let country: Country = parsed(row, 2)?;
    // A platform that a newer version knows and this one does not serves no order here.
    let platforms: Option<String> = row.get(3)?;
    let platforms = platforms.map(|slugs| slugs.split_whitespace().filter_map(|slug| slug.parse().ok()).collect());
    Ok(Listing { supplier: parsed(row, 1)?, country, platforms })
}
