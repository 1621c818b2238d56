//! Deposits in a view: whose each is, how far it has come, and which an operator should look at.

use events::account;
use events::chain::Block;
use events::deposit::Event;
use events::envelope::Position;
use events::id::{AccountId, DepositId};
use events::money::Money;
use events::time::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Connection, Row, Transaction, params};

use crate::column::{count, id};
use crate::views::{ViewError, Views};

/// What a fact changes in `deposits`.
#[derive(Debug, Clone)]
pub enum DepositChange {
    /// A deposit's own fact, and where it stands in the log.
    Of(DepositId, Event, Position),
    /// Whether its account keeps it as too small to be credited alone.
    Kept(DepositId, bool),
}

/// A deposit as the views know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositRow {
    /// Which deposit.
    pub deposit: DepositId,
    /// Where its first fact stands in the log: a list's order.
    pub position: Position,
    /// Whose, if somebody's.
    pub account: Option<AccountId>,
    /// On which chain.
    pub chain: String,
    /// The transaction.
    pub tx_hash: String,
    /// The output's number in it.
    pub output: u32,
    /// What was paid, in the coin's unit; empty until it is known.
    pub paid: String,
    /// The block that has it, if one has.
    pub block: Option<Block>,
    /// `pending`, `confirmed`, `credited`, `orphaned` or `settled`.
    pub status: String,
    /// What it is worth, once confirmed.
    pub amount: Option<Money>,
    /// Dollars for one coin, once confirmed.
    pub rate: Option<String>,
    /// Where the rate is from.
    pub rate_source: Option<String>,
    /// When it was claimed or first seen.
    pub since: Timestamp,
    /// When it was credited, if it is.
    pub credited_at: Option<Timestamp>,
    /// How often its credit went back.
    pub reversals: u64,
    /// Whether its account keeps it as too small to be credited alone.
    pub kept: bool,
}

/// Which deposits an operator wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// Somebody's, seen or claimed before this moment, and not credited yet.
    Stuck(Timestamp),
    /// Paid to a shared address, and claimed by nobody.
    Unknown,
    /// Too small to be credited alone.
    Dust,
    /// Taken back at least once.
    Reversed,
}

impl DepositRow {
    /// Whether its account has been credited and has it still.
    pub fn is_credited(&self) -> bool {
        self.credited_at.is_some()
    }
}

/// The table, and what is looked for in it.
pub const SCHEMA: &str = "
CREATE TABLE deposits (
    deposit_id BLOB PRIMARY KEY, position INTEGER NOT NULL, account_id BLOB, chain TEXT NOT NULL, \
    tx_hash TEXT NOT NULL, output INTEGER NOT NULL,
    paid TEXT NOT NULL, block_height INTEGER, block_hash TEXT, status TEXT NOT NULL, amount \
    INTEGER, rate TEXT, rate_source TEXT,
    since INTEGER NOT NULL, credited_at INTEGER, reversals INTEGER NOT NULL, kept INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deposits_open ON deposits (chain, deposit_id) WHERE status <> 'settled';
CREATE INDEX deposits_by_account ON deposits (account_id, position);
CREATE INDEX deposits_by_transaction ON deposits (tx_hash);
CREATE INDEX deposits_uncredited ON deposits (position) WHERE credited_at IS NULL;
CREATE INDEX deposits_dust ON deposits (position) WHERE kept = 1;
CREATE INDEX deposits_reversed ON deposits (position) WHERE reversals > 0;
";

const FIRST: &str = "INSERT INTO deposits (deposit_id, position, account_id, chain, tx_hash, \
    output, paid, status, since, reversals, kept)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, 0, 0)
    ON CONFLICT (deposit_id) DO UPDATE SET account_id = COALESCE(account_id, excluded.account_id)";
const SEEN: &str =
    "UPDATE deposits SET paid = ?2, block_height = ?3, block_hash = ?4 WHERE deposit_id = ?1";
const ORPHANED: &str = "UPDATE deposits SET block_height = NULL, block_hash = NULL,
    status = CASE status WHEN 'pending' THEN 'pending' ELSE 'orphaned' END WHERE deposit_id = ?1";
const CONFIRMED: &str = "UPDATE deposits SET status = 'confirmed', amount = ?2, paid = ?3, rate = \
    ?4, rate_source = ?5 WHERE deposit_id = ?1";
const CREDITED: &str =
    "UPDATE deposits SET status = 'credited', credited_at = ?2 WHERE deposit_id = ?1";
const REVERSED: &str = "UPDATE deposits SET status = 'pending', amount = NULL, rate = NULL, \
    rate_source = NULL, credited_at = NULL,
    reversals = reversals + 1 WHERE deposit_id = ?1";
const SETTLED: &str = "UPDATE deposits SET status = 'settled' WHERE deposit_id = ?1";
const KEPT: &str = "UPDATE deposits SET kept = ?2 WHERE deposit_id = ?1";

impl DepositChange {
    /// What an account's fact changes, if anything.
    pub fn in_account(event: &account::Event) -> Option<Self> {
        let (account::Event::DustKept { deposit, .. }
        | account::Event::DustDropped { deposit, .. }
        | account::Event::DepositCredited { deposit, .. }) = event
        else {
            return None;
        };
        Some(Self::Kept(*deposit, matches!(event, account::Event::DustKept { .. })))
    }

    /// Writes it, in the order of the log.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let run = |sql: &str, values: &[&dyn ToSql]| {
            transaction.prepare_cached(sql)?.execute(values).map(drop)
        };
        let (deposit, event, position) = match self {
            Self::Kept(deposit, kept) => return run(KEPT, params![deposit.0.to_be_bytes(), kept]),
            Self::Of(deposit, event, position) => {
                (deposit.0.to_be_bytes(), event, i64::try_from(position.0).unwrap_or(i64::MAX))
            }
        };
        let account_bytes = |account: &AccountId| account.0.to_be_bytes();
        match event {
            Event::Claimed { account, chain, tx_hash, output, at } => run(
                FIRST,
                params![
                    deposit,
                    position,
                    account_bytes(account),
                    chain,
                    tx_hash.as_str(),
                    output,
                    "",
                    at.millis()
                ],
            ),
            Event::Seen { sight, at } => {
                let account = sight.account.as_ref().map(account_bytes);
                run(
                    FIRST,
                    params![
                        deposit,
                        position,
                        account,
                        sight.chain,
                        sight.tx_hash.as_str(),
                        sight.output,
                        sight.paid,
                        at.millis()
                    ],
                )?;
                let height = i64::try_from(sight.block.height).unwrap_or(i64::MAX);
                run(SEEN, params![deposit, sight.paid, height, sight.block.hash])
            }
            Event::Orphaned { .. } => run(ORPHANED, params![deposit]),
            Event::Confirmed { amount, paid, rate, rate_source, .. } => {
                run(CONFIRMED, params![deposit, amount.micros(), paid, rate, rate_source])
            }
            Event::Credited { at } => run(CREDITED, params![deposit, at.millis()]),
            Event::Reversed { .. } => run(REVERSED, params![deposit]),
            Event::Settled { .. } => run(SETTLED, params![deposit]),
        }
    }
}

const COLUMNS: &str = "deposit_id, position, account_id, chain, tx_hash, output, paid, \
    block_height, block_hash, status, amount, rate, rate_source, since, \
    credited_at, reversals, kept";

impl Views {
    /// Deposits on `chain` that somebody must look at again: what recovery lets go on.
    pub async fn open_deposits(&self, chain: String) -> Result<Vec<DepositId>, ViewError> {
        self.read(move |connection| {
            // A deposit of the simulated chain is in no block, and ends with its credit.
            let sql = "SELECT deposit_id FROM deposits WHERE chain = ?1 AND status <> 'settled'
                AND NOT (status = 'credited' AND block_height IS NULL)";
            connection
                .prepare(sql)?
                .query_map(params![chain], |row| Ok(DepositId(id(row, 0)?)))?
                .collect()
        })
        .await
    }

    /// An account's deposits, the latest first, before `before`, at most `limit`.
    pub async fn deposits(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<DepositRow>, ViewError> {
        self.read(move |connection| {
            let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
            let fits = "account_id = ?1 AND position < ?2 ORDER BY position DESC LIMIT ?3";
            deposit_rows(connection, fits, params![account.0.to_be_bytes(), before, limit])
        })
        .await
    }

    /// An account's deposits of one transaction, on whichever chain, by their outputs.
    pub async fn deposits_of_transaction(
        &self,
        account: AccountId,
        tx_hash: String,
    ) -> Result<Vec<DepositRow>, ViewError> {
        self.read(move |connection| {
            let fits = "tx_hash = ?1 AND account_id = ?2 ORDER BY chain, output";
            deposit_rows(connection, fits, params![tx_hash, account.0.to_be_bytes()])
        })
        .await
    }

    /// The deposits that concern an operator, the oldest first, at most `limit`.
    pub async fn deposits_of_concern(
        &self,
        concern: Concern,
        limit: u32,
    ) -> Result<Vec<DepositRow>, ViewError> {
        self.read(move |connection| {
            let before =
                if let Concern::Stuck(before) = concern { before.millis() } else { i64::MAX };
            deposit_rows(connection, of_concern(concern), params![before, limit])
        })
        .await
    }
}

/// Which deposits a concern is about: said as the partial indexes say it, so that they are used.
fn of_concern(concern: Concern) -> &'static str {
    match concern {
        Concern::Stuck(_) => {
            "account_id IS NOT NULL AND credited_at IS NULL AND kept = 0 AND since < ?1 ORDER BY \
             position LIMIT ?2"
        }
        Concern::Unknown => "account_id IS NULL AND since < ?1 ORDER BY position LIMIT ?2",
        Concern::Dust => "kept = 1 AND since < ?1 ORDER BY position LIMIT ?2",
        Concern::Reversed => "reversals > 0 AND since < ?1 ORDER BY position LIMIT ?2",
    }
}

/// The question about a concern.
#[cfg(test)]
pub fn question(concern: Concern) -> String {
    format!("SELECT {COLUMNS} FROM deposits WHERE {}", of_concern(concern))
}

fn deposit_rows(
    connection: &Connection,
    fits: &str,
    values: &[&dyn ToSql],
) -> rusqlite::Result<Vec<DepositRow>> {
    let sql = format!("SELECT {COLUMNS} FROM deposits WHERE {fits}");
    connection.prepare_cached(&sql)?.query_map(values, deposit_row)?.collect()
}

fn deposit_row(row: &Row<'_>) -> rusqlite::Result<DepositRow> {
    let height = row.get::<_, Option<i64>>(7)?.map(|height| u64::try_from(height).unwrap_or(0));
    let hash: Option<String> = row.get(8)?;
    Ok(DepositRow {
        deposit: DepositId(id(row, 0)?),
        position: Position(count(row, 1)?),
        account: row
            .get::<_, Option<[u8; 16]>>(2)?
            .map(|bytes| AccountId(u128::from_be_bytes(bytes))),
        chain: row.get(3)?,
        tx_hash: row.get(4)?,
        output: row.get(5)?,
        paid: row.get(6)?,
        block: height.zip(hash).map(|(height, hash)| Block { height, hash }),
        status: row.get(9)?,
        amount: row.get::<_, Option<i64>>(10)?.map(Money::from_micros),
        rate: row.get(11)?,
        rate_source: row.get(12)?,
        since: Timestamp::from_millis(row.get(13)?),
        credited_at: row.get::<_, Option<i64>>(14)?.map(Timestamp::from_millis),
        reversals: count(row, 15)?,
        kept: row.get(16)?,
    })
}
