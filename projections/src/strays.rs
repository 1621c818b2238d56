//! Messages that gave no order its code, in a view: where an operator finds them without knowing
//! their numbers. What they say stays in the log.

use std::fmt::Write;

use events::code::Verdict;
use events::envelope::Position;
use events::order::Sms;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use events::{number, order};
use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params, params_from_iter};

use crate::column::{count, parsed, phone};
use crate::row::OrderRow;
use crate::views::{ViewError, Views};

/// Why a message is here that says word for word what its order was told minutes before.
pub const REPEATED: &str = "repeated";
/// Why a message that is held back is listed: nobody sees it.
pub const HELD: &str = "held";

/// A message that gave no order its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its place in the log, where its text is.
    pub position: Position,
    /// The number it came to.
    pub phone: Phone,
    /// The source it came through.
    pub supplier: SupplierName,
    /// Why no order has its code: an `Unclaimed`'s or a `Verdict`'s name.
    pub why: String,
    /// When it was recorded.
    pub at: Timestamp,
}

/// Which of them.
#[derive(Debug, Clone, Default)]
pub struct StrayFilter {
    /// Only of this number.
    pub phone: Option<Phone>,
    /// Only for this reason.
    pub why: Option<String>,
    /// Only those before this place in the log.
    pub before: Option<Position>,
}

/// The table.
pub const SCHEMA: &str = "
CREATE TABLE strays (
    position INTEGER PRIMARY KEY, phone TEXT NOT NULL, supplier TEXT NOT NULL, why TEXT NOT NULL, \
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX strays_by_phone ON strays (phone, position);
CREATE INDEX strays_by_why ON strays (why, position);
";

const KEEP: &str = "INSERT INTO strays VALUES (?1, ?2, ?3, ?4, ?5)";

impl Stray {
    /// The message that a number keeps by itself, if that is what was recorded.
    pub fn of_number(phone: Phone, event: &number::Event, position: Position) -> Option<Self> {
        let number::Event::SmsKept(sms) = event else { return None };
        Some(Self {
            position,
            phone,
            supplier: sms.supplier.clone(),
            why: sms.why.name().to_owned(),
            at: sms.at,
        })
    }

    /// The message of an order, if it has no code in it.
    pub fn of_order(row: &OrderRow, fact: &order::Event, position: Position) -> Option<Self> {
        let (supplier, at, why) = match fact {
            order::Event::SmsRepeated { supplier, at, .. } => (supplier, at, REPEATED),
            order::Event::SmsHeld { supplier, at, .. } => (supplier, at, HELD),
            order::Event::SmsReceived(Sms { supplier, extraction, at, .. }) => {
                let why = match &extraction.verdict {
                    Verdict::Code(_) => return None,
                    why @ (Verdict::Unsure | Verdict::Nothing | Verdict::OtherBrand(_)) => {
                        why.name()
                    }
                };
                (supplier, at, why)
            }
            order::Event::Placed(_)
            | order::Event::Queued { .. }
            | order::Event::ScenarioChosen { .. }
            | order::Event::Started { .. }
            | order::Event::AttemptFailed { .. }
            | order::Event::NumberAssigned { .. }
            | order::Event::NumberReportedDead { .. }
            | order::Event::Completed { .. }
            | order::Event::CodeReplaced { .. }
            | order::Event::Reported { .. }
            | order::Event::Refunded { .. }
            | order::Event::Finished { .. }
            | order::Event::Cancelled { .. }
            | order::Event::Expired { .. }
            | order::Event::Failed { .. } => return None,
        };
        Some(Self {
            position,
            phone: Phone::of_log(&row.phone).ok()?,
            supplier: supplier.clone(),
            why: why.to_owned(),
            at: *at,
        })
    }

    /// Writes it.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let Self { position, phone, supplier, why, at } = self;
        let position = i64::try_from(position.0).unwrap_or(i64::MAX);
        transaction
            .prepare_cached(KEEP)?
            .execute(params![position, phone.as_str(), supplier.as_str(), why, at.millis()])
            .map(drop)
    }
}

impl Views {
    /// Messages that gave no order its code, the latest first, at most `limit`.
    pub async fn strays(&self, filter: StrayFilter, limit: u32) -> Result<Vec<Stray>, ViewError> {
        self.read(move |connection| {
            let (sql, values) = page(&filter, limit);
            connection.prepare(&sql)?.query_map(params_from_iter(values), stray)?.collect()
        })
        .await
    }
}

/// The question of a page, and its values.
pub fn page(filter: &StrayFilter, limit: u32) -> (String, Vec<Value>) {
    let StrayFilter { phone, why, before } = filter;
    let before = before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
    let mut values = vec![Value::from(before), Value::from(limit)];
    let mut wanted = "position < ?1".to_owned();
    let phone = phone.as_ref().map(|phone| phone.as_str().to_owned());
    for (column, value) in [("phone", phone), ("why", why.clone())] {
        if let Some(value) = value {
            values.push(Value::from(value));
            let _ = write!(wanted, " AND {column} = ?{}", values.len());
        }
    }
    let sql = format!(
        "SELECT position, phone, supplier, why, at FROM strays WHERE {wanted} ORDER BY position \
         DESC LIMIT ?2"
    );
    (sql, values)
}

fn stray(row: &Row<'_>) -> rusqlite::Result<Stray> {
    Ok(Stray {
        position: Position(count(row, 0)?),
        phone: phone(row, 1)?,
        supplier: parsed(row, 2)?,
        why: row.get(3)?,
        at: Timestamp::from_millis(row.get(4)?),
    })
}
