//! A batch of records folded in memory, then written in one transaction: what many records say of
//! one row is one write.

use std::collections::BTreeMap;

use events::account;
use events::envelope::{Position, Recorded};
use events::id::{AccountId, OrderId};
use events::order::{self, Status};
use events::{Event, webhook};
use rusqlite::{Transaction, params};

use crate::accounts::Accounts;
use crate::deliveries::DeliveryChange;
use crate::deposits::DepositChange;
use crate::ends::Ends;
use crate::hourly::Hours;
use crate::parts::PartChange;
use crate::refusals::RefusalChange;
use crate::reports::ReportChange;
use crate::row::{self, OrderRow};
use crate::sources::{Served, SourceChange};
use crate::strays::Stray;
use crate::usage::Usage;
use crate::views::Chain;

/// Records folded so far. `open` outlives batches: it holds every order that is not over.
#[derive(Debug)]
pub struct Batch<'a> {
    open: &'a mut BTreeMap<OrderId, OrderRow>,
    changed: BTreeMap<OrderId, OrderRow>,
    accounts: Accounts,
    usage: Usage,
    served: BTreeMap<Served, i64>,
    deposits: Vec<DepositChange>,
    parts: Vec<PartChange>,
    sources: Vec<SourceChange>,
    strays: Vec<Stray>,
    refusals: Vec<RefusalChange>,
    reports: Vec<ReportChange>,
    deliveries: Vec<DeliveryChange>,
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
            accounts: Accounts::default(),
            usage: Usage::default(),
            served: BTreeMap::new(),
            deposits: Vec::new(),
            parts: Vec::new(),
            sources: Vec::new(),
            strays: Vec::new(),
            refusals: Vec::new(),
            reports: Vec::new(),
            deliveries: Vec::new(),
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
            Event::Address(_)
            | Event::Chain(_)
            | Event::Purchase(_)
            | Event::Reveal(_)
            | Event::Policy(_)
            | Event::Provenance(_)
            | Event::Invite(_)
            | Event::Export(_)
            | Event::Leadership(_)
            | Event::Erasure(_) => {}
        }
    }

    fn account(&mut self, account: AccountId, event: &account::Event, record: &Recorded<Event>) {
        self.accounts.add(account, event, record.position);
        self.refusals.extend(RefusalChange::of(account, event, record));
        match event {
            account::Event::Order(order, order::Event::Placed(placed)) => {
                let row =
                    OrderRow::placed(*order, account, placed, record.revision, record.position);
                self.usage.placed(&row);
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
            | account::Event::Admitted { .. }
            | account::Event::Approved { .. }
            | account::Event::Declined { .. }
            | account::Event::TestAccountOpened { .. }
            | account::Event::Credited { .. }
            | account::Event::Debited { .. }
            | account::Event::DepositReversed { .. }
            | account::Event::Suspended { .. }
            | account::Event::Reinstated { .. }
            | account::Event::Removed { .. }
            | account::Event::Reopened { .. }
            | account::Event::ClassSet { .. }
            | account::Event::OrderRefused(_)
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
            self.usage.refunded(&row, at.millis());
            self.hours.refunded(&row, at.millis());
        }
        self.changed.insert(order, row);
    }

    fn end(&mut self, row: &OrderRow, at: i64) {
        self.hours.ended(row, at);
        self.usage.ended(row, at);
        if row.status == Status::Completed && !row.is_test {
            self.served.insert(Served::by(row), at);
        }
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
        row::write(transaction, self.changed.values())?;
        self.accounts.write(transaction)?;
        self.usage.write(transaction)?;
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
        for change in &self.refusals {
            change.write(transaction)?;
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
        self.hours.write(transaction)?;
        self.ends.write(transaction)?;
        let position = i64::try_from(self.last.0).unwrap_or(i64::MAX);
        transaction
            .prepare_cached("UPDATE checkpoint SET position = ?1, chain = ?2")?
            .execute(params![position, chain])?;
        Ok(self.last)
    }
}
