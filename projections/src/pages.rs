//! Every first page of operators' lists, and one in the middle, is found by an index in its own
//! order: eight times as many rows are no more work. Judged by the plan and by the steps that
//! SQLite's machine takes, never by time.

use events::envelope::Position;
use events::id::{AccountId, OrderId};
use events::order::Status;
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, StatementStatus};

use crate::accounts::{self, AccountFilter};
use crate::all_deliveries::{self, DeliveryPlace};
use crate::all_orders::{self, AnyOrderFilter};
use crate::deposits::{self, Concern};
use crate::refusals;
use crate::strays::{self, StrayFilter};
use crate::views;

/// A page, as the lists ask for it: with one more, by which they know that there is a next.
const PAGE: u32 = 51;
/// A list that should be few at any size of the tables may have so many steps more.
const SLACK: i32 = 400;
const ACCOUNTS: u32 = 40;

/// A question with its values, the index that answers it, and whether rows may be sorted.
struct Question {
    name: &'static str,
    sql: String,
    values: Vec<Box<dyn ToSql>>,
    index: &'static str,
    is_sorted: bool,
}

fn question(
    name: &'static str,
    (sql, values): (String, Vec<Box<dyn ToSql>>),
    index: &'static str,
) -> Question {
    Question { name, sql, values, index, is_sorted: false }
}

fn bytes(number: u128) -> [u8; 16] {
    format!("{number:016}").into_bytes().try_into().unwrap()
}

fn account(number: u128) -> AccountId {
    AccountId(u128::from_be_bytes(bytes(number)))
}

/// Tables of so many rows each: most orders have their code, most deposits are credited, most
/// deliveries are delivered.
fn filled(connection: &Connection, rows: u32) {
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})");
    let id = |number: &str| format!("CAST(printf('%016d', {number}) AS BLOB)");
    let (own, of) = (id("i"), id(&format!("i % {ACCOUNTS}")));
    for (table, values) in [
        (
            "orders",
            format!(
                "{own}, {of}, CASE i % 3 WHEN 0 THEN 'google' ELSE 'telegram' END, 'US', 500000, \
                 CASE i % 9 WHEN 0 THEN 'failed' ELSE 'completed' END, i, i, i, i, 'own', \
                 '+1202' || printf('%07d', i), 0, 1, i, 0"
            ),
        ),
        ("accounts", format!("{own}, 1, 0, 0, 1, 1, 0, 0, 0, 0, i % 5 = 0")),
        (
            "directory",
            format!("i, {own}, i, CASE i % 7 WHEN 0 THEN 'abuse' END, i % 5 = 0, i % 9 = 0"),
        ),
        (
            "deliveries",
            format!(
                "{of}, i, 'sms.received', NULL, i, i, CASE i % 8 WHEN 0 THEN 'exhausted' ELSE \
                 'delivered' END, 1, i, 'answered', 200, NULL"
            ),
        ),
        (
            "deposits",
            format!(
                "{own}, i, {of}, 'btc', {own} || '', 0, '1', 1, 'a', 'settled', 1, '1', 'fixed', i, i, 0, 0"
            ),
        ),
        (
            "strays",
            "i, '+1202' || printf('%07d', i % 20), 'own', CASE i % 6 WHEN 0 THEN 'unsure' ELSE \
             'not_assigned' END, i"
                .to_owned(),
        ),
        (
            "refusals",
            format!(
                "i, {of}, {own}, 'paypal', 'US', 1, 'financial', CASE i % 6 WHEN 0 THEN 'review' \
                 ELSE 'deny' END, 'no basis', i % 4 > 0, i, i % 3 = 0"
            ),
        ),
    ] {
        let sql = format!("INSERT INTO {table} {numbers} SELECT {values} FROM n");
        connection.execute(&sql, []).unwrap();
    }
}

fn of_orders(rows: u128) -> Vec<Question> {
    let all = AnyOrderFilter::default;
    let middle = Some(OrderId(u128::from_be_bytes(bytes(rows / 2))));
    let one = |name, filter: AnyOrderFilter, index| {
        question(name, all_orders::page(&filter, PAGE), index)
    };
    let phone: Phone = "+12020000123".parse().unwrap();
    vec![
        one("orders", all(), "PRIMARY KEY"),
        one("orders, middle", AnyOrderFilter { before: middle, ..all() }, "PRIMARY KEY"),
        one(
            "orders of a platform",
            AnyOrderFilter { platform: Some(Platform::Google), ..all() },
            "orders_by_platform",
        ),
        one(
            "orders of a platform, middle",
            AnyOrderFilter { platform: Some(Platform::Google), before: middle, ..all() },
            "orders_by_platform",
        ),
        one(
            "orders that failed",
            AnyOrderFilter { status: Some(Status::Failed), ..all() },
            "orders_unserved",
        ),
        one(
            "orders with a number",
            AnyOrderFilter { status: Some(Status::Active), ..all() },
            "orders_open",
        ),
        one("open orders", AnyOrderFilter { is_open: true, ..all() }, "orders_open"),
        one(
            "orders of an account",
            AnyOrderFilter { account: Some(account(7)), ..all() },
            "orders_by_account",
        ),
        // A number has had few orders: they may be sorted.
        Question {
            is_sorted: true,
            ..one(
                "orders of a number",
                AnyOrderFilter { phone: Some(phone), ..all() },
                "orders_by_phone",
            )
        },
    ]
}

fn of_accounts(rows: u64) -> Vec<Question> {
    let all = AccountFilter::default;
    let one = |name, filter, index| question(name, accounts::page(filter, PAGE), index);
    let before = Some(Position(rows / 2));
    vec![
        one("accounts", all(), "PRIMARY KEY"),
        question(
            "accounts nobody may have used",
            (
                accounts::oldest(),
                vec![
                    Box::new(0i64) as Box<dyn rusqlite::ToSql>,
                    Box::new(i64::MAX),
                    Box::new(PAGE),
                ],
            ),
            "PRIMARY KEY",
        ),
        one("accounts, middle", AccountFilter { before, ..all() }, "PRIMARY KEY"),
        one(
            "an account",
            AccountFilter { account: Some(account(9)), ..all() },
            "directory_by_account",
        ),
        one("accounts that wait", AccountFilter { is_waiting: true, ..all() }, "directory_waiting"),
        one(
            "suspended accounts",
            AccountFilter { is_suspended: true, ..all() },
            "directory_suspended",
        ),
        one(
            "accounts for tests",
            AccountFilter { is_test: Some(true), ..all() },
            "directory_by_mode",
        ),
    ]
}

fn of_deliveries(rows: u64) -> Vec<Question> {
    let middle = DeliveryPlace {
        due_at: Timestamp::from_millis(i64::try_from(rows / 2).unwrap()),
        account: account(5),
        sequence: rows / 2,
    };
    let one = |name, before, status, of, index| {
        question(name, all_deliveries::page(before, status, of, PAGE), index)
    };
    vec![
        one("deliveries", None, None, None, "deliveries_by_due"),
        one("deliveries, middle", Some(middle), None, None, "deliveries_by_due"),
        one("deliveries given up", None, Some("exhausted"), None, "deliveries_undelivered"),
        one("deliveries of an account", None, None, Some(account(5)), "PRIMARY KEY"),
        one(
            "deliveries of an account, middle",
            Some(middle),
            None,
            Some(account(5)),
            "PRIMARY KEY",
        ),
    ]
}

fn of_the_rest(rows: u64) -> Vec<Question> {
    let boxed = |(sql, values): (String, Vec<Value>)| {
        let values = values.into_iter().map(|value| Box::new(value) as Box<dyn ToSql>);
        (sql, values.collect())
    };
    let all = StrayFilter::default;
    let stray = |name, filter: StrayFilter, index| {
        question(name, boxed(strays::page(&filter, PAGE)), index)
    };
    let concern = |name, concern, index| {
        let values = vec![Value::from(i64::MAX), Value::from(PAGE)];
        question(name, boxed((deposits::question(concern), values)), index)
    };
    let before = Some(Position(rows / 2));
    let stuck = Concern::Stuck(Timestamp::from_millis(i64::MAX));
    vec![
        stray("messages", all(), "PRIMARY KEY"),
        stray("messages, middle", StrayFilter { before, ..all() }, "PRIMARY KEY"),
        stray(
            "unsure messages",
            StrayFilter { why: Some("unsure".to_owned()), ..all() },
            "strays_by_why",
        ),
        stray(
            "messages of a number",
            StrayFilter { phone: "+12020000007".parse().ok(), ..all() },
            "strays_by_phone",
        ),
        question("refused orders", boxed(refusals::page(false, before, PAGE)), "PRIMARY KEY"),
        question(
            "refused orders that wait",
            boxed(refusals::page(true, None, PAGE)),
            "refusals_waiting",
        ),
        concern("stuck deposits", stuck, "deposits_uncredited"),
        concern("deposits of nobody", Concern::Unknown, "deposits_by_account"),
        concern("dust", Concern::Dust, "deposits_dust"),
        concern("reversed deposits", Concern::Reversed, "deposits_reversed"),
    ]
}

/// The steps that each page takes.
fn steps(rows: u32) -> Vec<(&'static str, i32)> {
    let directory = tempfile::tempdir().unwrap();
    let (connection, _) = views::create(&directory.path().join("views.db")).unwrap();
    filled(&connection, rows);
    let questions = of_orders(rows.into())
        .into_iter()
        .chain(of_accounts(rows.into()))
        .chain(of_deliveries(rows.into()))
        .chain(of_the_rest(rows.into()));
    let measured = questions.map(|Question { name, sql, values, index, is_sorted }| {
        let values: Vec<&dyn ToSql> = values.iter().map(|value| &**value).collect();
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = explained
            .query_map(values.as_slice(), |row| row.get(3))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let by_index = plan.iter().any(|step| step.contains(index));
        // A table in the order of its rows is one: `SCAN` of the rowid is no search, and ends with
        // the page.
        assert!(by_index || index == "PRIMARY KEY", "{name} is not by {index}: {plan:?}");
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(is_sorted || !sorts, "{name} is sorted: {plan:?}");
        let mut statement = connection.prepare(&sql).unwrap();
        let mut found = statement.query(values.as_slice()).unwrap();
        while found.next().unwrap().is_some() {}
        drop(found);
        (name, statement.get_status(StatementStatus::VmStep))
    });
    measured.collect()
}

#[test]
fn a_page_of_eight_times_as_many_rows_is_no_more_work() {
    let (few, many) = (steps(4_000), steps(32_000));
    for ((name, few), (_, many)) in few.into_iter().zip(many) {
        assert!(few > 0, "{name}");
        assert!(many <= few + SLACK, "{name}: {few} steps of few rows, {many} of many");
    }
}
