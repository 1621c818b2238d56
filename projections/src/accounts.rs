//! Accounts: the sums of each, and all of them in pages, newest first, for operators.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use events::account;
use events::account::statement::Statement;
use events::envelope::Position;
use events::id::AccountId;
use events::money::Money;
use events::time::Timestamp;
use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};

use crate::column::{count, id};
use crate::views::{ViewError, Views};

/// An account's ledger and orders in sums: the same as the fold of its stream, from a row.
pub use events::account::statement::Statement as AccountView;

/// What all accounts have together: those of tests apart, for no money is behind them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// What accounts have that pay.
    pub live: AccountView,
    /// What accounts for tests have.
    pub test: AccountView,
}

/// What a fact changes in `directory`.
#[derive(Debug, Clone)]
enum DirectoryChange {
    /// An account was opened.
    Registered(AccountId, Timestamp, Position),
    /// It is for tests.
    ForTests(AccountId),
    /// Its standing changed; `None` is good.
    Standing(AccountId, Option<String>),
    /// Whether it waits for an operator's approval.
    Waits(AccountId, bool),
}

/// Accounts of a batch's records.
#[derive(Debug, Default)]
pub struct Accounts {
    sums: BTreeMap<AccountId, Statement>,
    /// Those that were opened for tests in the batch.
    tests: BTreeSet<AccountId>,
    directory: Vec<DirectoryChange>,
    /// Those that were removed, and of which nothing came after that.
    removed: BTreeSet<AccountId>,
}

/// An account in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAccount {
    /// Where its registration stands in the log: the list's order.
    pub position: Position,
    /// Which account.
    pub account: AccountId,
    /// Since when.
    pub registered_at: Timestamp,
    /// Why it is suspended, if it is.
    pub suspended: Option<String>,
    /// Whether it is for tests.
    pub is_test: bool,
    /// Its money and orders.
    pub sums: AccountView,
}

/// Which accounts are wanted; each part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Only those opened before this place in the log.
    pub before: Option<Position>,
    /// Only this one.
    pub account: Option<AccountId>,
    /// Only those that are suspended.
    pub is_suspended: bool,
    /// Only those that wait for an operator's approval.
    pub is_waiting: bool,
    /// Only those for tests, or only the others.
    pub is_test: Option<bool>,
}

/// Sums, the list of all accounts, and what they have together: the row of tests is 1.
pub const SCHEMA: &str = "
CREATE TABLE accounts (
    account_id BLOB PRIMARY KEY, balance INTEGER NOT NULL, held INTEGER NOT NULL, \
    spent INTEGER NOT NULL, orders INTEGER NOT NULL, completed INTEGER NOT NULL, \
    cancelled INTEGER NOT NULL, expired INTEGER NOT NULL, failed INTEGER NOT NULL, \
    refunded INTEGER NOT NULL, is_test INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE directory (
    position INTEGER PRIMARY KEY, account_id BLOB NOT NULL, registered_at INTEGER NOT NULL, \
    suspended TEXT, is_test INTEGER NOT NULL, waits INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX directory_by_account ON directory (account_id);
CREATE INDEX directory_suspended ON directory (position) WHERE suspended IS NOT NULL;
CREATE INDEX directory_waiting ON directory (position) WHERE waits = 1;
CREATE INDEX directory_by_mode ON directory (is_test, position);
CREATE TABLE totals (
    is_test INTEGER PRIMARY KEY, balance INTEGER NOT NULL, held INTEGER NOT NULL, \
    spent INTEGER NOT NULL, orders INTEGER NOT NULL, completed INTEGER NOT NULL, \
    cancelled INTEGER NOT NULL, expired INTEGER NOT NULL, failed INTEGER NOT NULL, \
    refunded INTEGER NOT NULL
) STRICT;
INSERT INTO totals VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
";

const REGISTER: &str = "INSERT OR IGNORE INTO directory (position, account_id, registered_at, \
    is_test) VALUES (?1, ?2, ?3, 0)";
const FOR_TESTS: &str = "UPDATE directory SET is_test = 1 WHERE account_id = ?1";
const STANDING: &str = "UPDATE directory SET suspended = ?2 WHERE account_id = ?1";
const WAITS: &str = "UPDATE directory SET waits = ?2 WHERE account_id = ?1";
const ADD: &str = "INSERT INTO accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
    coalesce((SELECT is_test FROM directory WHERE account_id = ?1), ?11))
    ON CONFLICT (account_id) DO UPDATE SET balance = balance + excluded.balance, \
    held = held + excluded.held, spent = spent + excluded.spent, \
    orders = orders + excluded.orders, completed = completed + excluded.completed, \
    cancelled = cancelled + excluded.cancelled, expired = expired + excluded.expired, \
    failed = failed + excluded.failed, refunded = refunded + excluded.refunded, \
    is_test = max(is_test, excluded.is_test)
    RETURNING is_test";
/// Its sums are zeros, and nobody asks for it; its line in the directory says what it was, should
/// it be opened again.
const REMOVE: &str = "DELETE FROM accounts WHERE account_id = ?1";
const TOTAL: &str = "UPDATE totals SET balance = balance + ?2, held = held + ?3, \
    spent = spent + ?4, orders = orders + ?5, completed = completed + ?6, \
    cancelled = cancelled + ?7, expired = expired + ?8, failed = failed + ?9, \
    refunded = refunded + ?10 WHERE is_test = ?1";

/// In the order of `columns`.
const ACCOUNT_COLUMNS: &str =
    "balance, held, spent, orders, completed, cancelled, expired, failed, refunded";

impl Accounts {
    /// What a fact of an account does.
    pub fn add(&mut self, account: AccountId, event: &account::Event, position: Position) {
        self.sums.entry(account).or_default().add(event);
        if let account::Event::Removed { .. } = event {
            self.removed.insert(account);
        } else {
            self.removed.remove(&account);
        }
        // The other facts of an account change its sums.
        if let account::Event::Registered { at, .. } = event {
            self.directory.push(DirectoryChange::Registered(account, *at, position));
        }
        if let account::Event::OpenedForTests { .. } = event {
            self.tests.insert(account);
            self.directory.push(DirectoryChange::ForTests(account));
        }
        if let account::Event::Suspended { reason, .. } = event {
            self.directory.push(DirectoryChange::Standing(account, Some(reason.clone())));
        }
        if let account::Event::Admitted { kind: account::RegistrationKind::Approval, .. } = event
            && !self.tests.contains(&account)
        {
            self.directory.push(DirectoryChange::Waits(account, true));
        }
        if let account::Event::Approved { .. } | account::Event::Declined { .. } = event {
            self.directory.push(DirectoryChange::Waits(account, false));
        }
        if let account::Event::Reinstated { .. } = event {
            self.directory.push(DirectoryChange::Standing(account, None));
        }
    }

    /// Writes them, and what they do to all accounts together.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        for change in &self.directory {
            change.write(transaction)?;
        }
        let mut add = transaction.prepare_cached(ADD)?;
        let mut totals = Totals::default();
        for (account, delta) in &self.sums {
            let id = Value::from(account.0.to_be_bytes().to_vec());
            let opened = Value::from(self.tests.contains(account));
            let values = iter::once(id).chain(columns(delta)).chain([opened]);
            let is_test: bool = add.query_row(params_from_iter(values), |row| row.get(0))?;
            let total = if is_test { &mut totals.test } else { &mut totals.live };
            *total = together(*total, *delta);
        }
        let mut remove = transaction.prepare_cached(REMOVE)?;
        for account in &self.removed {
            remove.execute(params![account.0.to_be_bytes()])?;
        }
        for (is_test, total) in [(false, totals.live), (true, totals.test)] {
            if total != Statement::default() {
                let values = iter::once(Value::from(is_test)).chain(columns(&total));
                transaction.prepare_cached(TOTAL)?.execute(params_from_iter(values))?;
            }
        }
        Ok(())
    }
}

/// The sums in the order of `ACCOUNT_COLUMNS`.
fn columns(sums: &Statement) -> [Value; 9] {
    let Statement { balance, held, spent, orders, completed, .. } = sums;
    let Statement { cancelled, expired, failed, refunded, .. } = sums;
    let count = |number: &u64| i64::try_from(*number).unwrap_or(i64::MAX);
    let (orders, completed, refunded) = (count(orders), count(completed), count(refunded));
    let (cancelled, expired, failed) = (count(cancelled), count(expired), count(failed));
    let (balance, held, spent) = (balance.micros(), held.micros(), spent.micros());
    [balance, held, spent, orders, completed, cancelled, expired, failed, refunded].map(Value::from)
}

fn together(left: Statement, right: Statement) -> Statement {
    Statement {
        balance: left.balance + right.balance,
        held: left.held + right.held,
        spent: left.spent + right.spent,
        orders: left.orders + right.orders,
        completed: left.completed + right.completed,
        cancelled: left.cancelled + right.cancelled,
        expired: left.expired + right.expired,
        failed: left.failed + right.failed,
        refunded: left.refunded + right.refunded,
    }
}

impl DirectoryChange {
    /// Writes it, in the order of the log.
    fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Registered(account, at, position) => {
                let position = i64::try_from(position.0).unwrap_or(i64::MAX);
                transaction.prepare_cached(REGISTER)?.execute(params![
                    position,
                    account.0.to_be_bytes(),
                    at.millis()
                ])
            }
            Self::ForTests(account) => {
                transaction.prepare_cached(FOR_TESTS)?.execute(params![account.0.to_be_bytes()])
            }
            Self::Waits(account, waits) => {
                transaction.prepare_cached(WAITS)?.execute(params![account.0.to_be_bytes(), waits])
            }
            Self::Standing(account, suspended) => transaction
                .prepare_cached(STANDING)?
                .execute(params![account.0.to_be_bytes(), suspended]),
        }
        .map(drop)
    }
}

impl Views {
    /// The account's sums; zeros for one that has none yet.
    pub async fn account(&self, account: AccountId) -> Result<AccountView, ViewError> {
        self.read(move |connection| account_view(connection, account)).await
    }

    /// What all accounts have together.
    pub async fn totals(&self) -> Result<Totals, ViewError> {
        self.read(|connection| {
            let sql = format!("SELECT {ACCOUNT_COLUMNS} FROM totals ORDER BY is_test");
            let mut totals = connection.prepare_cached(&sql)?;
            let mut rows = totals.query([])?;
            let mut next =
                || rows.next()?.map_or(Ok(Statement::default()), |row| account_row(row, 0));
            Ok(Totals { live: next()?, test: next()? })
        })
        .await
    }

    /// Accounts that were opened after a place in the log and before a moment, the oldest first, at
    /// most `limit`.
    pub async fn oldest_accounts(
        &self,
        after: Position,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ListedAccount>, ViewError> {
        self.read(move |connection| {
            let after = i64::try_from(after.0).unwrap_or(i64::MAX);
            connection
                .prepare_cached(&oldest())?
                .query_map(params![after, before.millis(), limit], listed_account)?
                .collect()
        })
        .await
    }

    /// All accounts that fit, the latest first, at most `limit`.
    pub async fn all_accounts(
        &self,
        filter: AccountFilter,
        limit: u32,
    ) -> Result<Vec<ListedAccount>, ViewError> {
        self.read(move |connection| {
            let (sql, values) = page(filter, limit);
            connection
                .prepare_cached(&sql)?
                .query_map(params_from_iter(values), listed_account)?
                .collect()
        })
        .await
    }
}

/// The question for the oldest accounts that are there.
pub fn oldest() -> String {
    let sums = ACCOUNT_COLUMNS.split(", ").map(|column| format!("a.{column}"));
    let sums = sums.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT d.position, d.account_id, d.registered_at, d.suspended, {sums}, d.is_test FROM \
         directory AS d JOIN accounts AS a ON a.account_id = d.account_id
         WHERE d.position > ?1 AND d.registered_at < ?2 ORDER BY d.position LIMIT ?3"
    )
}

/// The question of a page, and its values.
pub fn page(filter: AccountFilter, limit: u32) -> (String, Vec<Box<dyn ToSql>>) {
    let AccountFilter { before, account, is_suspended, is_waiting, is_test } = filter;
    let before = before.map_or(i64::MAX, |before| i64::try_from(before.0).unwrap_or(i64::MAX));
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(before), Box::new(limit)];
    let mut wanted = "d.position < ?1".to_owned();
    if let Some(account) = account {
        wanted += " AND d.account_id = ?3";
        values.push(Box::new(account.0.to_be_bytes()));
    }
    if is_suspended {
        wanted += " AND d.suspended IS NOT NULL";
    }
    if is_waiting {
        wanted += " AND d.waits = 1";
    }
    if let Some(is_test) = is_test {
        wanted += if is_test { " AND d.is_test = 1" } else { " AND d.is_test = 0" };
    }
    let sums = ACCOUNT_COLUMNS.split(", ").map(|column| format!("a.{column}"));
    let sums = sums.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT d.position, d.account_id, d.registered_at, d.suspended, {sums}, d.is_test FROM \
         directory AS d JOIN accounts AS a ON a.account_id = d.account_id
         WHERE {wanted} ORDER BY d.position DESC LIMIT ?2"
    );
    (sql, values)
}

fn account_view(connection: &Connection, account: AccountId) -> rusqlite::Result<AccountView> {
    let mut find = connection
        .prepare_cached(&format!("SELECT {ACCOUNT_COLUMNS} FROM accounts WHERE account_id = ?1"))?;
    let found =
        find.query_row(params![account.0.to_be_bytes()], |row| account_row(row, 0)).optional()?;
    Ok(found.unwrap_or_default())
}

/// Every account's sums.
pub fn all(connection: &Connection) -> rusqlite::Result<BTreeMap<AccountId, AccountView>> {
    let mut accounts =
        connection.prepare(&format!("SELECT account_id, {ACCOUNT_COLUMNS} FROM accounts"))?;
    let rows = accounts.query_map([], |row| Ok((AccountId(id(row, 0)?), account_row(row, 1)?)))?;
    rows.collect()
}

fn account_row(row: &Row<'_>, first: usize) -> rusqlite::Result<AccountView> {
    let money =
        |column: usize| Ok::<_, rusqlite::Error>(Money::from_micros(row.get(first + column)?));
    Ok(AccountView {
        balance: money(0)?,
        held: money(1)?,
        spent: money(2)?,
        orders: count(row, first + 3)?,
        completed: count(row, first + 4)?,
        cancelled: count(row, first + 5)?,
        expired: count(row, first + 6)?,
        failed: count(row, first + 7)?,
        refunded: count(row, first + 8)?,
    })
}

fn listed_account(row: &Row<'_>) -> rusqlite::Result<ListedAccount> {
    Ok(ListedAccount {
        position: Position(count(row, 0)?),
        account: AccountId(id(row, 1)?),
        registered_at: Timestamp::from_millis(row.get(2)?),
        suspended: row.get(3)?,
        sums: account_row(row, 4)?,
        is_test: row.get(13)?,
    })
}
