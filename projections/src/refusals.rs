//! Orders that the policy refused, or would have had reviewed, in a view: where an operator sees
//! what waits for a decision.

use events::account;
use events::country::Country;
use events::envelope::{Position, Recorded};
use events::id::{AccountId, OrderId};
use events::order;
use events::platform::Platform;
use events::policy::Verdict;
use events::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params, params_from_iter};

use crate::column::{count, id, parsed};
use crate::views::{ViewError, Views};

/// What a fact changes in `refusals`.
#[derive(Debug, Clone)]
pub enum RefusalChange {
    /// An order was refused.
    Refused(AccountId, Box<account::OrderRefused>, Position),
    /// An order went on that the policy would have had reviewed, were it enforced.
    Shadowed(AccountId, OrderId, Box<order::Placed>, Position),
    /// An operator said how well the account is known: whatever waited is decided.
    Decided(AccountId),
}

/// An order that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedOrder {
    /// Its place in the log.
    pub position: Position,
    /// Whose order.
    pub account: AccountId,
    /// The id it was wanted under.
    pub order: OrderId,
    /// For which platform.
    pub platform: Platform,
    /// In which country.
    pub country: Country,
    /// The policy's version.
    pub version: u32,
    /// The rule or the limit that decided.
    pub rule: String,
    /// A `Ruling`'s name.
    pub verdict: String,
    /// Why, as its caller was told.
    pub reason: String,
    /// Whether an operator has decided since.
    pub is_decided: bool,
    /// Whether the policy is tried only, and the order went on.
    pub is_shadow: bool,
    /// When.
    pub at: Timestamp,
}

/// The table.
pub const SCHEMA: &str = "
CREATE TABLE refusals (
    position INTEGER PRIMARY KEY, account_id BLOB NOT NULL, order_id BLOB NOT NULL, platform TEXT \
    NOT NULL, country TEXT NOT NULL, version INTEGER NOT NULL, rule TEXT NOT NULL, verdict TEXT \
    NOT NULL, reason TEXT NOT NULL, decided INTEGER NOT NULL, at INTEGER NOT NULL, \
    shadow INTEGER NOT NULL
) STRICT;
CREATE INDEX refusals_by_account ON refusals (account_id);
CREATE INDEX refusals_waiting ON refusals (position) WHERE decided = 0 AND verdict = 'review';
";

const KEEP: &str = "INSERT INTO refusals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, 0)";
/// An account waits once for each platform, country and rule: what goes on may come a thousand
/// times a day.
const SHADOW: &str = "INSERT INTO refusals SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'review', ?8, 0, ?9, \
    1 WHERE NOT EXISTS (SELECT 1 FROM refusals WHERE account_id = ?2 AND platform = ?4 AND \
    country = ?5 AND rule = ?7 AND verdict = 'review' AND decided = 0)";
const DECIDE: &str = "UPDATE refusals SET decided = 1 WHERE account_id = ?1 AND decided = 0";

impl RefusalChange {
    /// What an account's fact changes, if anything.
    pub fn of(
        account: AccountId,
        event: &account::Event,
        record: &Recorded<events::Event>,
    ) -> Option<Self> {
        if let account::Event::OrderRefused(refused) = event {
            return Some(Self::Refused(account, Box::new(refused.clone()), record.position));
        }
        if let account::Event::Order(order, order::Event::Placed(placed)) = event
            && placed.verdict.as_ref().is_some_and(Verdict::needs_review)
        {
            let placed = Box::new(placed.clone());
            return Some(Self::Shadowed(account, *order, placed, record.position));
        }
        matches!(event, account::Event::ClassSet { .. }).then_some(Self::Decided(account))
    }

    /// Writes it, in the order of the log.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Refused(account, refused, position) => {
                let verdict = &refused.verdict;
                transaction
                    .prepare_cached(KEEP)?
                    .execute(params![
                        i64::try_from(position.0).unwrap_or(i64::MAX),
                        account.0.to_be_bytes(),
                        refused.order.0.to_be_bytes(),
                        refused.platform.slug(),
                        refused.country.code(),
                        verdict.version,
                        verdict.decided_by(),
                        verdict.outcome().name(),
                        refused.reason,
                        refused.at.millis()
                    ])
                    .map(drop)
            }
            Self::Shadowed(account, order, placed, position) => {
                let Some(verdict) = &placed.verdict else { return Ok(()) };
                let (rule, reason) = verdict.review_wanted_by();
                transaction
                    .prepare_cached(SHADOW)?
                    .execute(params![
                        i64::try_from(position.0).unwrap_or(i64::MAX),
                        account.0.to_be_bytes(),
                        order.0.to_be_bytes(),
                        placed.platform.slug(),
                        placed.country.code(),
                        verdict.version,
                        rule,
                        reason,
                        placed.at.millis()
                    ])
                    .map(drop)
            }
            Self::Decided(account) => transaction
                .prepare_cached(DECIDE)?
                .execute(params![account.0.to_be_bytes()])
                .map(drop),
        }
    }
}

impl Views {
    /// Orders that the policy refused or would have had reviewed, the latest first, before a place
    /// in the log, at most `limit`; `undecided` leaves those for which a person is still to decide.
    pub async fn refusals(
        &self,
        undecided: bool,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<RefusedOrder>, ViewError> {
        self.read(move |connection| {
            let (sql, values) = page(undecided, before, limit);
            connection
                .prepare_cached(&sql)?
                .query_map(params_from_iter(values), refused_order)?
                .collect()
        })
        .await
    }
}

/// A page of the list, and its values.
pub fn page(undecided: bool, before: Option<Position>, limit: u32) -> (String, Vec<Value>) {
    let before = before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
    // Said as the partial index says it, so that it is used.
    let which = if undecided { " AND decided = 0 AND verdict = 'review'" } else { "" };
    let sql = format!(
        "SELECT position, account_id, order_id, platform, country, version, rule, verdict, reason, \
         decided, at, shadow FROM refusals WHERE position < ?1{which} ORDER BY position DESC LIMIT ?2"
    );
    (sql, vec![Value::from(before), Value::from(limit)])
}

fn refused_order(row: &Row<'_>) -> rusqlite::Result<RefusedOrder> {
    Ok(RefusedOrder {
        position: Position(count(row, 0)?),
        account: AccountId(id(row, 1)?),
        order: OrderId(id(row, 2)?),
        platform: parsed(row, 3)?,
        country: parsed(row, 4)?,
        version: row.get(5)?,
        rule: row.get(6)?,
        verdict: row.get(7)?,
        reason: row.get(8)?,
        is_decided: row.get(9)?,
        at: Timestamp::from_millis(row.get(10)?),
        is_shadow: row.get(11)?,
    })
}
