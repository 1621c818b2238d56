//! A batch of records folded in memory, then written in one transaction: what many records say of
//! one row is one write.

use std::collections::BTreeMap;

use events::account;
use events::account::statement::Statement;
use events::envelope::{Position, Recorded};
use events::id::{AccountId, OrderId};
use events::order::{self, Status};
use events::{Event, webhook};
use rusqlite::{Transaction, params};

use crate::deliveries::DeliveryChange;
use crate::deposits::DepositChange;
use crate::directory::DirectoryChange;
use crate::ends::Ends;
use crate::hourly::Hours;
use crate::parts::PartChange;
use crate::reports::ReportChange;
use crate::row::OrderRow;
use crate::sources::{Served, SourceChange};
use crate::strays::Stray;
use crate::views::Chain;

pub const HOUR_MILLIS: i64 = 3_600_000;
/// Width of a bucket of recent outcomes: 24 hours are 144 of them.
pub const OUTCOME_BUCKET_MILLIS: i64 = 600_000;

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

/// Records folded so far. `open` outlives batches: it holds every order that is not over.
#[derive(Debug)]
pub struct Batch<'a> {
    open: &'a mut BTreeMap<OrderId, OrderRow>,
    changed: BTreeMap<OrderId, OrderRow>,
    accounts: BTreeMap<AccountId, Statement>,
    usage: BTreeMap<(AccountId, i64, &'static str, &'static str), UsageDelta>,
    outcomes: BTreeMap<(&'static str, &'static str, i64), OutcomeDelta>,
    served: BTreeMap<Served, i64>,
    deposits: Vec<DepositChange>,
    parts: Vec<PartChange>,
    sources: Vec<SourceChange>,
    strays: Vec<Stray>,
    reports: Vec<ReportChange>,
    deliveries: Vec<DeliveryChange>,
    directory: Vec<DirectoryChange>,
    hours: Hours,
    ends: Ends,
    last: Position,
}

impl<'a> Batch<'a> {
    /// An empty batch over the open orders.
    pub fn new(open: &'a mut BTreeMap<OrderId, OrderRow>) -> Self {
        Self {
            open,
            changed: BTreeMap::new(),
            accounts: BTreeMap::new(),
            usage: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            served: BTreeMap::new(),
            deposits: Vec::new(),
            parts: Vec::new(),
            sources: Vec::new(),
            strays: Vec::new(),
            reports: Vec::new(),
            deliveries: Vec::new(),
            directory: Vec::new(),
            hours: Hours::default(),
            ends: Ends::default(),
            last: Position(0),
        }
    }

    /// Folds one record in.
    pub fn apply(&mut self, record: &Recorded<Event>) {
        self.last = record.position;
        self.ends.see(record);
        match &record.event {
            Event::Account(event) => {
                if let Some(account) = record.stream.account_id() {
                    self.account(account, event, record);
                }
            }
            Event::Deposit(event) => {
                if let Some(deposit) = record.stream.deposit_id() {
                    self.deposits.push(DepositChange::Of(deposit, event.clone(), record.position));
                }
            }
            Event::Webhook(event) => {
                if let Some(account) = record.stream.webhook_account_id() {
                    self.webhook(account, event);
                }
            }
            Event::Number(event) => {
                if let Some(phone) = record.stream.phone() {
                    self.sources.extend(SourceChange::of_number(phone.clone(), event));
                    self.strays.extend(Stray::of_number(phone.clone(), event, record.position));
                    self.parts.extend(PartChange::of(phone, event));
                }
            }
            Event::Lease(event) => {
                self.sources.extend(SourceChange::of_lease(&record.stream, event));
                self.hours.leased(&record.stream, event);
            }
            // Kept in their own streams; no view asks for them.
            Event::Address(_) | Event::Chain(_) | Event::Purchase(_) | Event::Reveal(_) => {}
        }
    }

    fn account(&mut self, account: AccountId, event: &account::Event, record: &Recorded<Event>) {
        self.accounts.entry(account).or_default().add(event);
        self.directory.extend(DirectoryChange::of(account, event, record));
        match event {
            account::Event::Order(order, order::Event::Placed(placed)) => {
                let row =
                    OrderRow::placed(*order, account, placed, record.revision, record.position);
                self.usage_of(&row, placed.at.millis()).orders += 1;
                self.hours.placed(&row);
                self.changed.insert(*order, row.clone());
                self.open.insert(*order, row);
            }
            account::Event::Order(order, fact) => self.order(*order, fact, record),
            account::Event::WebhookDue { sequence, notice, at } => {
                self.deliveries.push(DeliveryChange::due(
                    account,
                    *sequence,
                    notice,
                    *at,
                    record.revision,
                ));
            }
            account::Event::DepositCredited { .. }
            | account::Event::DustKept { .. }
            | account::Event::DustDropped { .. } => {
                self.deposits.extend(DepositChange::in_account(event));
            }
            account::Event::Registered { .. }
            | account::Event::OpenedForTests { .. }
            | account::Event::TestAccountOpened { .. }
            | account::Event::Credited { .. }
            | account::Event::Debited { .. }
            | account::Event::DepositReversed { .. }
            | account::Event::Suspended { .. }
            | account::Event::Reinstated { .. }
            | account::Event::ApiKeyAdded { .. }
            | account::Event::ApiKeyRemoved { .. }
            | account::Event::ApiKeysReplaced { .. }
            | account::Event::HoldTaken { .. }
            | account::Event::HoldCaptured { .. }
            | account::Event::HoldReleased { .. }
            | account::Event::CaptureRefunded { .. }
            | account::Event::BatchPlaced { .. }
            | account::Event::KeyUsed { .. }
            | account::Event::WebhookSet { .. }
            | account::Event::WebhookRemoved { .. }
            | account::Event::WebhookSecretRotated { .. } => {}
        }
    }

    fn order(&mut self, order: OrderId, fact: &order::Event, record: &Recorded<Event>) {
        self.reports.extend(ReportChange::of(order, fact, record));
        let Some(row) = self.open.get_mut(&order) else { return };
        let was_test = row.is_test;
        row.apply(fact);
        let is_found_out = row.is_test && !was_test;
        self.strays.extend(Stray::of_order(row, fact, record.position));
        row.last = record.revision;
        row.position = record.position;
        let row = row.clone();
        if row.over_at.is_some() {
            self.open.remove(&order);
        }
        if is_found_out {
            self.hours.was_test(&row);
        }
        if fact.is_end() {
            self.end(&row, fact.at().millis());
        }
        if let order::Event::Refunded { at } = fact {
            self.usage_of(&row, at.millis()).spent -= row.price.micros();
            self.hours.refunded(&row, at.millis());
        }
        self.changed.insert(order, row);
    }

    fn end(&mut self, row: &OrderRow, at: i64) {
        self.hours.ended(row, at);
        let delivery = row.delivery_millis();
        let usage = self.usage_of(row, at);
        match row.status {
            Status::Queued | Status::Pending | Status::Active => {}
            Status::Completed => {
                usage.completed += 1;
                usage.spent += row.price.micros();
                usage.delivery_millis += delivery;
                if !row.is_test {
                    self.served.insert(Served::by(row), at);
                }
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

    fn usage_of(&mut self, row: &OrderRow, at: i64) -> &mut UsageDelta {
        self.usage
            .entry((
                row.account,
                at.div_euclid(HOUR_MILLIS),
                row.platform.slug(),
                row.country.code(),
            ))
            .or_default()
    }

    fn webhook(&mut self, account: AccountId, event: &webhook::Event) {
        self.deliveries.push(DeliveryChange::of(account, event));
    }

    /// Writes what was folded, how far, and the log's chain there, in one transaction.
    pub fn write(
        self,
        transaction: &Transaction<'_>,
        chain: Option<Chain>,
    ) -> rusqlite::Result<Position> {
        write_orders(transaction, self.changed.values())?;
        let mut accounts = transaction.prepare_cached(ACCOUNTS)?;
        for (account, delta) in &self.accounts {
            let Statement {
                balance,
                held,
                spent,
                orders,
                completed,
                cancelled,
                expired,
                failed,
                refunded,
            } = delta;
            let count = |number: &u64| i64::try_from(*number).unwrap_or(i64::MAX);
            accounts.execute(params![
                account.0.to_be_bytes(),
                balance.micros(),
                held.micros(),
                spent.micros(),
                count(orders),
                count(completed),
                count(cancelled),
                count(expired),
                count(failed),
                count(refunded)
            ])?;
        }
        let mut usage = transaction.prepare_cached(USAGE)?;
        for ((account, hour, platform, country), delta) in &self.usage {
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
        for (served, at) in &self.served {
            served.write(*at, transaction)?;
        }
        for change in &self.parts {
            change.write(transaction)?;
        }
        for change in &self.sources {
            change.write(transaction)?;
        }
        for stray in &self.strays {
            stray.write(transaction)?;
        }
        for change in &self.reports {
            change.write(transaction)?;
        }
        for change in &self.deposits {
            change.write(transaction)?;
        }
        for change in &self.deliveries {
            change.write(transaction)?;
        }
        for change in &self.directory {
            change.write(transaction)?;
        }
        self.hours.write(self.accounts.values(), transaction)?;
        self.ends.write(transaction)?;
        let position = i64::try_from(self.last.0).unwrap_or(i64::MAX);
        transaction
            .prepare_cached("UPDATE checkpoint SET position = ?1, chain = ?2")?
            .execute(params![position, chain])?;
        Ok(self.last)
    }
}

fn write_orders<'a>(
    transaction: &Transaction<'_>,
    rows: impl Iterator<Item = &'a OrderRow>,
) -> rusqlite::Result<()> {
    let mut orders = transaction.prepare_cached(ORDERS)?;
    for row in rows {
        let revision = |revision: u64| i64::try_from(revision).unwrap_or(i64::MAX);
        orders.execute(params![
            row.order.0.to_be_bytes(),
            row.account.0.to_be_bytes(),
            row.platform.slug(),
            row.country.code(),
            row.price.micros(),
            row.status.name(),
            row.placed_at.millis(),
            row.assigned_at.map(events::time::Timestamp::millis),
            row.ended_at.map(events::time::Timestamp::millis),
            row.over_at.map(events::time::Timestamp::millis),
            row.supplier,
            (!row.phone.is_empty()).then_some(row.phone.as_str()),
            revision(row.first.0),
            revision(row.last.0),
            revision(row.position.0),
            row.is_test,
        ])?;
    }
    Ok(())
}

const ORDERS: &str = "INSERT INTO orders
    (order_id, account_id, platform, country, price, status, placed_at, assigned_at, ended_at, \
    over_at, supplier, phone, first_revision, last_revision, position, is_test)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (order_id) DO UPDATE SET is_test = excluded.is_test, status = excluded.status, \
    assigned_at = excluded.assigned_at, ended_at = excluded.ended_at, over_at = excluded.over_at,
        supplier = excluded.supplier, phone = excluded.phone, last_revision = \
        excluded.last_revision, position = excluded.position";

const ACCOUNTS: &str = "INSERT INTO accounts (account_id, balance, held, spent, orders, \
    completed, cancelled, expired, failed, refunded)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (account_id) DO UPDATE SET balance = balance + excluded.balance, held = held + \
    excluded.held, spent = spent + excluded.spent,
        orders = orders + excluded.orders, completed = completed + excluded.completed, cancelled \
        = cancelled + excluded.cancelled,
        expired = expired + excluded.expired, failed = failed + excluded.failed, refunded = \
        refunded + excluded.refunded";

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
