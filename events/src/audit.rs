//! What must never break, checked over a log from its first event on: what `telenumerus audit
//! verify` runs.

mod admissions;
mod deposits;
mod erasures;
mod keys;
mod orders;
mod policies;
mod sources;
mod terms;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{self, ledger};
use crate::address::{self, Assigned, Destination, KeyId};
use crate::deposit::Currency;
use crate::envelope::{Recorded, StreamId};
use crate::event::Event;
use crate::export;
use crate::id::{AccountId, OrderId};
use crate::money::Money;
use crate::reveal;
use crate::webhook;

/// Something that must never be, and is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the log; 0 for what is missing at its end.
    pub position: u64,
    /// In which stream.
    pub stream: StreamId,
    /// Which rule, by its name in the design.
    pub rule: &'static str,
    /// What is wrong.
    pub detail: String,
}

/// What an account's entries sum to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// What can be spent.
    pub balance: Money,
    /// What is held.
    pub held: Money,
    /// Whether the account was registered.
    pub registered: bool,
    /// Whether it is for tests: no money is behind its sums.
    pub is_test: bool,
}

/// Follows a log and says what must never be.
#[derive(Debug, Default)]
pub struct Auditor {
    accounts: BTreeMap<AccountId, Sums>,
    /// Orders that are not over, or whose money is not settled: everything else is forgotten.
    orders: BTreeMap<OrderId, orders::Audited>,
    known_orders: BTreeSet<OrderId>,
    deposits: deposits::Deposits,
    /// Accounts for tests.
    tests: BTreeSet<AccountId>,
    sources: sources::Sources,
    /// Deposit addresses and indices given out.
    destinations: BTreeSet<Destination>,
    indices: BTreeSet<(Currency, KeyId, u32)>,
    phones: BTreeMap<String, OrderId>,
    /// Deliveries due to an account so far.
    webhooks: BTreeMap<AccountId, u64>,
    /// Idempotency keys in use.
    keys: keys::Keys,
    policies: policies::Policies,
    admissions: admissions::Admissions,
    terms: terms::Terms,
    erasures: erasures::Erasures,
    findings: Vec<Finding>,
}

impl Auditor {
    /// Looks at the next event of the log.
    pub fn observe(&mut self, record: &Recorded<Event>) {
        match &record.event {
            Event::Account(event) => match record.stream.account_id() {
                Some(account) => self.account(account, event, record),
                None => self.stands(false, record, "an account's"),
            },
            Event::Deposit(event) => match record.stream.deposit_id() {
                Some(deposit) => {
                    let finding = self.deposits.observe(deposit, event);
                    self.report(finding, record);
                }
                None => self.stands(false, record, "a deposit's"),
            },
            Event::Webhook(event) => match record.stream.webhook_account_id() {
                Some(account) => self.webhook(account, event, record),
                None => self.stands(false, record, "a webhook's"),
            },
            Event::Address(address::Event::Assigned(assigned)) => {
                self.assigned_address(assigned, record);
            }
            Event::Chain(_) => {
                let fits = record.stream.chain_currency().is_some();
                self.stands(fits, record, "a chain's");
            }
            Event::Number(_) | Event::Lease(_) | Event::Purchase(_) => self.source(record),
            Event::Policy(event) => {
                let fits = record.stream == StreamId::policy();
                self.stands(fits, record, "a policy's");
                let finding = self.policies.applied(event);
                self.find_all(finding, record);
            }
            Event::Provenance(event) => {
                let fits = record.stream.provenance_supplier().as_ref() == Some(event.supplier());
                self.check(fits, record, "streams", || {
                    "a supplier's provenance stands in another stream".to_owned()
                });
            }
            Event::Invite(event) => {
                let fits = record.stream == StreamId::invites();
                self.stands(fits, record, "an invite's");
                let finding = self.admissions.invite(event);
                self.find_all(finding, record);
            }
            Event::Export(export::Event::Exported { made, .. }) => self.exported(made, record),
            Event::Leadership(event) => match record.stream.term_id() {
                Some(term) => {
                    if let Some(detail) = self.terms.observe(term, event) {
                        self.find(record, "L1", detail);
                    }
                }
                None => self.stands(false, record, "a leadership's"),
            },
            Event::Erasure(event) => {
                let fits = record.stream == StreamId::erasures();
                self.stands(fits, record, "an erasure's");
                let finding = self.erasures.observe(event, record.position);
                self.find_all(finding.map(|detail| ("H1", detail)), record);
            }
            Event::Reveal(reveal::Event::Revealed { subject, .. }) => {
                let fits = record.stream.revealed() == Some(subject);
                self.check(fits, record, "streams", || {
                    "a reveal stands in another subject's stream".to_owned()
                });
            }
        }
    }

    fn exported(&mut self, made: &export::Made, record: &Recorded<Event>) {
        let fits = record.stream == StreamId::exports();
        self.stands(fits, record, "an export's");
        self.check(made.head < record.position.0, record, "X1", || {
            format!("an export of the log up to {} stands before that", made.head)
        });
    }

    /// Whether `whose` event stands in the stream of what it is about.
    fn stands(&mut self, fits: bool, record: &Recorded<Event>, whose: &str) {
        self.check(fits, record, "streams", || format!("{whose} event stands in another stream"));
    }

    fn source(&mut self, record: &Recorded<Event>) {
        let stray = || Some("a source's event stands in another stream".to_owned());
        let found = match &record.event {
            Event::Number(event) => {
                record.stream.phone().map_or_else(stray, |phone| self.sources.number(phone, event))
            }
            Event::Lease(event) => {
                record.stream.lease_id().map_or_else(stray, |id| self.sources.lease(&id, event))
            }
            Event::Purchase(event) => record
                .stream
                .purchases_supplier()
                .map_or_else(stray, |supplier| self.sources.purchase(supplier, event)),
            Event::Account(_)
            | Event::Deposit(_)
            | Event::Address(_)
            | Event::Chain(_)
            | Event::Webhook(_)
            | Event::Reveal(_)
            | Event::Policy(_)
            | Event::Provenance(_)
            | Event::Invite(_)
            | Event::Export(_)
            | Event::Leadership(_)
            | Event::Erasure(_) => None,
        };
        if let Some(detail) = found {
            self.find(record, "O6", detail);
        }
    }

    /// What every account's entries sum to so far.
    pub fn sums(&self) -> &BTreeMap<AccountId, Sums> {
        &self.accounts
    }

    /// Orders seen so far.
    pub fn orders_seen(&self) -> usize {
        self.known_orders.len()
    }

    /// Orders that have not ended.
    pub fn open_orders(&self) -> usize {
        self.orders.values().filter(|order| !order.status.is_end()).count()
    }

    /// Orders that have their codes and keep their numbers.
    pub fn listening_orders(&self) -> usize {
        self.orders.values().filter(|order| order.listens).count()
    }

    /// Everything found, with what is missing at the end of the log.
    pub fn finish(mut self) -> Vec<Finding> {
        let unsettled: Vec<_> = self
            .orders
            .iter()
            .filter(|(_, order)| order.is_unsettled())
            .map(|(id, order)| (*id, order.account))
            .collect();
        for (id, account) in unsettled {
            let detail = format!(
                "{id} has no hold, has ended without its hold's end, or was refunded without its money"
            );
            self.findings.push(Finding {
                position: 0,
                stream: StreamId::account(account),
                rule: "M4",
                detail,
            });
        }
        self.findings
    }

    fn find(&mut self, record: &Recorded<Event>, rule: &'static str, detail: String) {
        self.findings.push(Finding {
            position: record.position.0,
            stream: record.stream.clone(),
            rule,
            detail,
        });
    }

    fn find_all(
        &mut self,
        found: impl IntoIterator<Item = (&'static str, String)>,
        record: &Recorded<Event>,
    ) {
        found.into_iter().for_each(|(rule, detail)| self.find(record, rule, detail));
    }

    fn check(
        &mut self,
        holds: bool,
        record: &Recorded<Event>,
        rule: &'static str,
        detail: impl FnOnce() -> String,
    ) {
        if !holds {
            self.find(record, rule, detail());
        }
    }

    fn account(&mut self, account: AccountId, event: &account::Event, record: &Recorded<Event>) {
        let is_registration = matches!(event, account::Event::Registered { .. });
        let sums = self.accounts.entry(account).or_default();
        let registered_before = std::mem::replace(&mut sums.registered, true);
        if let Some(entry) = ledger::entry(event) {
            sums.balance = sums.balance + entry.balance;
            sums.held = sums.held + entry.held;
        }
        let sums = *sums;
        self.check(registered_before != is_registration, record, "streams", || {
            "an account's first event is its registration, and only that".to_owned()
        });
        // A reversal may leave less than nothing, and a debit that was meant to; nothing may be
        // spent of it.
        let may_overdraw = matches!(
            event,
            account::Event::DepositReversed { .. }
                | account::Event::Debited { overdraws: true, .. }
        );
        let spends =
            ledger::entry(event).is_some_and(|entry| entry.balance.is_negative()) && !may_overdraw;
        self.check(!spends || !sums.balance.is_negative(), record, "M3", || {
            format!("the spendable balance is {:?}", sums.balance)
        });
        self.check(!sums.held.is_negative(), record, "M4", || format!("{:?} is held", sums.held));
        let judged =
            self.policies.observe(account, event, |order| self.known_orders.contains(&order));
        self.find_all(judged, record);
        let admitted = self.admissions.observe(account, event);
        self.find_all(admitted, record);
        self.entry(account, event, record);
    }

    /// What each fact of an account must be like.
    fn entry(&mut self, account: AccountId, event: &account::Event, record: &Recorded<Event>) {
        match event {
            account::Event::Order(id, fact) => self.order(account, *id, fact, record),
            account::Event::HoldTaken { order, amount, .. } => {
                self.hold_taken(*order, *amount, record);
            }
            account::Event::HoldCaptured { order, amount, .. } => {
                self.keys.settled(*order);
                self.hold_ended(*order, *amount, true, record);
            }
            account::Event::HoldReleased { order, amount, .. } => {
                self.keys.let_go(*order);
                self.hold_ended(*order, *amount, false, record);
            }
            account::Event::CaptureRefunded { order, amount, .. } => {
                self.refunded(*order, *amount, record);
            }
            account::Event::DepositCredited { .. }
            | account::Event::DepositReversed { .. }
            | account::Event::DustKept { .. }
            | account::Event::DustDropped { .. } => {
                // A scenario's deposit is on no chain: its test account alone has it.
                if !self.tests.contains(&account) || self.deposits.has(event) {
                    let finding = self.deposits.in_account(account, event);
                    self.report(finding, record);
                }
            }
            account::Event::Credited { amount, .. } => {
                self.check(amount.is_positive(), record, "M1", || {
                    format!("a credit of {amount:?}")
                });
            }
            account::Event::Debited { amount, .. } => {
                self.check(amount.is_positive(), record, "M1", || format!("a debit of {amount:?}"));
            }
            account::Event::WebhookDue { sequence, .. } => {
                let before = self.webhooks.insert(account, *sequence).unwrap_or(0);
                self.check(*sequence == before + 1, record, "W1", || {
                    format!("delivery {sequence} is due after {before}")
                });
            }
            account::Event::KeyUsed { key, effect, at, .. } => {
                let again = self.keys.used(account, key, *effect, *at);
                self.check(!again, record, "I1", || {
                    format!("the key {key:?} names a second effect")
                });
            }
            account::Event::BatchPlaced { items, .. } => self.keys.batch(account, items),
            account::Event::OpenedForTests { .. } => {
                self.tests.insert(account);
                self.accounts.entry(account).or_default().is_test = true;
            }
            account::Event::Registered { .. }
            | account::Event::TestAccountOpened { .. }
            | account::Event::Admitted { .. }
            | account::Event::Approved { .. }
            | account::Event::Declined { .. }
            | account::Event::Suspended { .. }
            | account::Event::Reinstated { .. }
            | account::Event::Removed { .. }
            | account::Event::Reopened { .. }
            | account::Event::ClassSet { .. }
            | account::Event::OrderRefused(_)
            | account::Event::ApiKeyAdded { .. }
            | account::Event::ApiKeyRemoved { .. }
            | account::Event::ApiKeysReplaced { .. }
            | account::Event::WebhookSet { .. }
            | account::Event::WebhookRemoved { .. }
            | account::Event::WebhookSecretRotated { .. } => {}
        }
    }

    fn webhook(&mut self, account: AccountId, event: &webhook::Event, record: &Recorded<Event>) {
        let due = self.webhooks.get(&account).copied().unwrap_or(0);
        let sequence = event.sequence();
        self.check((1..=due).contains(&sequence), record, "W1", || {
            format!("delivery {sequence} was never due")
        });
    }

    fn assigned_address(&mut self, assigned: &Assigned, record: &Recorded<Event>) {
        let Some(currency) = record.stream.addresses_currency() else {
            return self.find(record, "streams", "an address stands in another stream".to_owned());
        };
        let fresh_index = self.indices.insert((currency, assigned.key.clone(), assigned.index));
        let fresh_destination = self.destinations.insert(assigned.address.destination.clone());
        self.check(fresh_index && fresh_destination, record, "M7", || {
            format!("{} is given out a second time", assigned.address.text)
        });
    }

    fn report(&mut self, finding: Option<String>, record: &Recorded<Event>) {
        if let Some(detail) = finding {
            self.find(record, "M7", detail);
        }
    }
}
