//! What sources have and had for us, in views: numbers listed in pools, and leases with what they cost.

use events::country::Country;
use events::envelope::StreamId;
use events::id::{AccountId, OrderId};
use events::lease::{self, LeaseId, Outcome};
use events::money::Money;
use events::number::{self, Listing};
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, Transaction, params};

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

/// A lease as the views know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Which lease.
    pub id: LeaseId,
    /// Whose order.
    pub account: AccountId,
    /// The number, if the source has named one.
    pub phone: Option<Phone>,
    /// `sought`, `obtained`, `releasing`, `released` or `declined`.
    pub status: String,
    /// What the source asked for it.
    pub cost: Option<Money>,
    /// What it charges in the end.
    pub charged: Option<Money>,
    /// What became of it, once that is known.
    pub outcome: Option<String>,
    /// When it was sought.
    pub sought_at: Timestamp,
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
    supplier TEXT NOT NULL, order_id BLOB NOT NULL, attempt INTEGER NOT NULL, account_id BLOB NOT NULL, phone TEXT, status TEXT NOT NULL,
    cost INTEGER, charged INTEGER, outcome TEXT, sought_at INTEGER NOT NULL,
    PRIMARY KEY (supplier, order_id, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX leases_open ON leases (supplier) WHERE status NOT IN ('released', 'declined');
CREATE INDEX leases_by_time ON leases (supplier, sought_at);
";

const LIST: &str = "INSERT OR REPLACE INTO listings VALUES (?1, ?2, ?3, ?4, ?5)";
const RETIRE: &str = "DELETE FROM listings WHERE phone = ?1";
const SEEK: &str = "INSERT OR IGNORE INTO leases (supplier, order_id, attempt, account_id, status, sought_at) VALUES (?1, ?2, ?3, ?4, 'sought', ?5)";
const LEASE_COLUMNS: &str = "supplier, order_id, attempt, account_id, phone, status, cost, charged, outcome, sought_at";

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
        let set = |what: &str, value: &dyn ToSql| {
            let sql = format!("UPDATE leases SET {what} WHERE supplier = ?1 AND order_id = ?2 AND attempt = ?3");
            run(&sql, &[&supplier, &order, &id.attempt, value])
        };
        match event {
            lease::Event::Sought { request, at } => run(SEEK, params![supplier, order, id.attempt, request.account.0.to_be_bytes(), at.millis()]),
            lease::Event::Obtained { phone, cost, .. } => {
                set("status = 'obtained', phone = ?4", &phone.as_str())?;
                set("cost = ?4", &cost.micros())
            }
            lease::Event::Declined { .. } => set("status = ?4", &"declined"),
            lease::Event::ReleaseSought { outcome, .. } => set("status = 'releasing', outcome = ?4", &Outcome::name(*outcome)),
            lease::Event::Released { charged, .. } => set("status = 'released', charged = ?4", &charged.micros()),
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

    /// Leases of a source that have not ended: what recovery lets go on.
    pub async fn open_leases(&self, supplier: String) -> Result<Vec<LeaseRow>, ViewError> {
        self.read(move |connection| lease_rows(connection, "supplier = ?1 AND status NOT IN ('released', 'declined')", params![supplier])).await
    }

    /// The sources that have leases that have not ended.
    pub async fn sources_with_open_leases(&self) -> Result<Vec<SupplierName>, ViewError> {
        self.read(|connection| {
            let mut sources = connection.prepare("SELECT DISTINCT supplier FROM leases WHERE status NOT IN ('released', 'declined')")?;
            sources.query_map([], |row| parsed(row, 0))?.collect()
        })
        .await
    }

    /// Leases of a source sought since `since`, and those from before that have not ended; the oldest first.
    pub async fn leases(&self, supplier: String, since: Timestamp) -> Result<Vec<LeaseRow>, ViewError> {
        self.read(move |connection| {
            let fits = "supplier = ?1 AND (sought_at >= ?2 OR status NOT IN ('released', 'declined')) ORDER BY sought_at";
            lease_rows(connection, fits, params![supplier, since.millis()])
        })
        .await
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

fn lease_rows(connection: &Connection, fits: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Vec<LeaseRow>> {
    connection.prepare_cached(&format!("SELECT {LEASE_COLUMNS} FROM leases WHERE {fits}"))?.query_map(values, lease_row)?.collect()
}

fn lease_row(row: &Row<'_>) -> rusqlite::Result<LeaseRow> {
    let money = |column: usize| row.get::<_, Option<i64>>(column).map(|micros| micros.map(Money::from_micros));
    Ok(LeaseRow {
        id: LeaseId { supplier: parsed(row, 0)?, order: OrderId(id(row, 1)?), attempt: row.get(2)? },
        account: AccountId(id(row, 3)?),
        phone: row.get::<_, Option<String>>(4)?.map(|_| parsed(row, 4)).transpose()?,
        status: row.get(5)?,
        cost: money(6)?,
        charged: money(7)?,
        outcome: row.get(8)?,
        sought_at: Timestamp::from_millis(row.get(9)?),
    })
}

fn listing(row: &Row<'_>) -> rusqlite::Result<Listing> {
    let country: Country = parsed(row, 2)?;
    // A platform that a newer version knows and this one does not serves no order here.
    let platforms: Option<String> = row.get(3)?;
    let platforms = platforms.map(|slugs| slugs.split_whitespace().filter_map(|slug| slug.parse().ok()).collect());
    Ok(Listing { supplier: parsed(row, 1)?, country, platforms })
}
