//! What must never break, checked over a log from its first event on: what `telenumerus audit
//! verify` runs.

mod deposits;
mod keys;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{self, ledger};
use crate::address::{self, Assigned, Destination, KeyId};
use crate::code::Verdict;
use crate::deposit::Currency;
use crate::envelope::{Recorded, StreamId};
use crate::event::Event;
use crate::id::{AccountId, OrderId};
use crate::lease::LeaseId;
use crate::money::Money;
use crate::order;
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

/// An order as the auditor knows it.
#[derive(Debug)]
struct Audited {
    account: AccountId,
    price: Money,
    max_attempts: u8,
    status: order::Status,
    phone: Option<String>,
    /// Codes that messages of the order were found to hold.
    codes: BTreeSet<String>,
    messages: BTreeSet<String>,
    holds: Money,
    hold_taken: bool,
    hold_ended: bool,
    /// Whether it has its code and keeps its number.
    listens: bool,
    /// What it says is given back, and its account does not yet.
    refund_due: Option<Money>,
}

impl Audited {
    /// Whether nothing may follow but its money.
    fn is_over(&self) -> bool {
        self.status.is_end() && !self.listens
    }

    /// Whether money is missing that must stand in the same append.
    fn is_unsettled(&self) -> bool {
        !self.hold_taken || self.refund_due.is_some() || (self.status.is_end() && !self.hold_ended)
    }

    /// Whether nothing may follow at all.
    fn is_settled(&self) -> bool {
        self.is_over() && self.hold_ended && self.refund_due.is_none()
    }
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
    orders: BTreeMap<OrderId, Audited>,
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
    findings: Vec<Finding>,
}

impl Auditor {
    /// Looks at the next event of the log.
    pub fn observe(&mut self, record: &Recorded<Event>) {
        match &record.event {
            Event::Account(event) => match record.stream.account_id() {
                Some(account) => self.account(account, event, record),
                None => self.find(
                    record,
                    "streams",
                    "an account's event stands in another stream".to_owned(),
                ),
            },
            Event::Deposit(event) => match record.stream.deposit_id() {
                Some(deposit) => {
                    let finding = self.deposits.observe(deposit, event);
                    self.report(finding, record);
                }
                None => self.find(
                    record,
                    "streams",
                    "a deposit's event stands in another stream".to_owned(),
                ),
            },
            Event::Webhook(event) => match record.stream.webhook_account_id() {
                Some(account) => self.webhook(account, event, record),
                None => self.find(
                    record,
                    "streams",
                    "a webhook's event stands in another stream".to_owned(),
                ),
            },
            Event::Address(address::Event::Assigned(assigned)) => {
                self.assigned_address(assigned, record);
            }
            Event::Chain(_) => {
                let fits = record.stream.chain_currency().is_some();
                self.check(fits, record, "streams", || {
                    "a chain's event stands in another stream".to_owned()
                });
            }
            Event::Number(_) | Event::Lease(_) | Event::Purchase(_) => self.source(record),
            Event::Reveal(reveal::Event::Revealed { subject, .. }) => {
                let fits = record.stream.revealed() == Some(subject);
                self.check(fits, record, "streams", || {
                    "a reveal stands in another subject's stream".to_owned()
                });
            }
        }
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
            | Event::Reveal(_) => None,
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
            | account::Event::Suspended { .. }
            | account::Event::Reinstated { .. }
            | account::Event::ApiKeyAdded { .. }
            | account::Event::ApiKeyRemoved { .. }
            | account::Event::ApiKeysReplaced { .. }
            | account::Event::WebhookSet { .. }
            | account::Event::WebhookRemoved { .. }
            | account::Event::WebhookSecretRotated { .. } => {}
        }
    }

    fn hold_taken(&mut self, id: OrderId, amount: Money, record: &Recorded<Event>) {
        let fits = self.orders.get_mut(&id).is_some_and(|order| {
            let fits = !order.hold_taken && amount == order.price;
            order.hold_taken = true;
            order.holds = amount;
            fits
        });
        self.check(fits, record, "M4", || {
            format!(
                "a hold of {amount:?} for {id} that is no order's, not its first or not its price"
            )
        });
    }

    fn hold_ended(&mut self, id: OrderId, amount: Money, captured: bool, record: &Recorded<Event>) {
        let Some(order) = self.orders.get_mut(&id) else {
            return self.find(
                record,
                "M4",
                format!("the hold of {id} ends a second time, or never was"),
            );
        };
        let once = order.hold_taken && !std::mem::replace(&mut order.hold_ended, true);
        let whole = amount == order.holds;
        let right_end =
            order.status.is_end() && captured == (order.status == order::Status::Completed);
        self.forget_settled(id);
        self.check(once, record, "M4", || {
            format!("the hold of {id} ends a second time, or never was")
        });
        self.check(whole, record, "M1", || {
            format!("the hold of {id} ends with {amount:?}, another amount than it was taken with")
        });
        self.check(right_end, record, "M5", || {
            format!(
                "the hold of {id} is {} but the order did not end so",
                if captured { "captured" } else { "released" }
            )
        });
    }

    fn refunded(&mut self, id: OrderId, amount: Money, record: &Recorded<Event>) {
        let fits =
            self.orders.get_mut(&id).is_some_and(|order| order.refund_due.take() == Some(amount));
        self.forget_settled(id);
        self.check(fits, record, "M1", || {
            format!(
                "{amount:?} is given back for {id}, which does not say so or cost another price"
            )
        });
    }

    fn forget_settled(&mut self, id: OrderId) {
        if self.orders.get(&id).is_some_and(Audited::is_settled) {
            self.orders.remove(&id);
        }
    }

    fn order(
        &mut self,
        account: AccountId,
        id: OrderId,
        fact: &order::Event,
        record: &Recorded<Event>,
    ) {
        if let order::Event::Placed(placed) = fact {
            let fresh = self.known_orders.insert(id);
            self.check(fresh, record, "O2", || format!("{id} is placed a second time"));
            let order = Audited {
                account,
                price: placed.price,
                max_attempts: placed.max_attempts,
                status: order::Status::Pending,
                phone: None,
                codes: BTreeSet::new(),
                messages: BTreeSet::new(),
                holds: Money::ZERO,
                hold_taken: false,
                hold_ended: false,
                listens: false,
                refund_due: None,
            };
            self.orders.insert(id, order);
            return;
        }
        // A caller's word changes nothing, and may come after the end.
        if matches!(fact, order::Event::Reported { .. }) && self.known_orders.contains(&id) {
            return;
        }
        let Some(order) = self.orders.get(&id).filter(|order| !order.is_over()) else {
            return self.find(record, "O2", format!("{id} has ended, or never was, and goes on"));
        };
        let owned = order.account == account;
        self.check(owned, record, "O2", || format!("{id} is another account's"));
        self.transition(id, fact, record);
    }

    fn transition(&mut self, id: OrderId, fact: &order::Event, record: &Recorded<Event>) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        let before = order.status;
        let takes_messages = before == order::Status::Active || order.listens;
        let (status, legal) = match fact {
            order::Event::Placed(_) | order::Event::Reported { .. } => (before, false),
            order::Event::ScenarioChosen { .. } => {
                (before, before == order::Status::Pending && order.price == Money::ZERO)
            }
            order::Event::Queued { .. } => {
                (order::Status::Queued, before == order::Status::Pending)
            }
            order::Event::Started { .. } => {
                (order::Status::Pending, before == order::Status::Queued)
            }
            order::Event::AttemptFailed { attempt, .. } => {
                (before, before == order::Status::Pending && *attempt <= order.max_attempts)
            }
            order::Event::NumberAssigned { attempt, .. } => (
                order::Status::Active,
                before == order::Status::Pending && *attempt <= order.max_attempts,
            ),
            order::Event::NumberReportedDead { .. } => {
                (order::Status::Pending, before == order::Status::Active)
            }
            order::Event::SmsReceived(sms) => {
                if let Verdict::Code(code) = &sms.extraction.verdict {
                    order.codes.insert(code.clone());
                }
                (before, takes_messages && order.messages.insert(sms.message_id.clone()))
            }
            order::Event::SmsRepeated { repeats, .. } => {
                (before, takes_messages && order.messages.contains(repeats))
            }
            order::Event::Completed { code, listens_until, at, .. } => {
                order.listens = listens_until > at;
                (
                    order::Status::Completed,
                    before == order::Status::Active && order.codes.contains(code),
                )
            }
            order::Event::CodeReplaced { code, .. } => {
                (before, order.listens && order.codes.contains(code))
            }
            order::Event::Finished { .. } => (before, std::mem::take(&mut order.listens)),
            order::Event::Refunded { .. } => {
                order.refund_due = Some(order.price);
                (before, std::mem::take(&mut order.listens))
            }
            order::Event::Cancelled { .. } => (order::Status::Cancelled, !before.is_end()),
            order::Event::Expired { .. } => {
                (order::Status::Expired, !before.is_end() && before != order::Status::Queued)
            }
            order::Event::Failed { .. } => {
                (order::Status::Failed, before == order::Status::Pending)
            }
        };
        order.status = status;
        let freed = if status == order::Status::Active || order.listens {
            None
        } else {
            order.phone.take()
        };
        if let Some(phone) = freed {
            self.phones.remove(&phone);
        }
        self.forget_settled(id);
        self.check(legal, record, "O2", || {
            format!("{id} goes from {} on in a way that is not legal", before.name())
        });
        if let order::Event::NumberAssigned { attempt, supplier, phone, .. } = fact {
            self.assigned(id, phone.as_str(), record);
            let lease = LeaseId { supplier: supplier.clone(), order: id, attempt: *attempt };
            if let Some(detail) = self.sources.assigned(&lease, phone) {
                self.find(record, "O6", detail);
            }
        }
    }

    fn assigned(&mut self, id: OrderId, phone: &str, record: &Recorded<Event>) {
        let other = self.phones.insert(phone.to_owned(), id).filter(|other| *other != id);
        if let Some(order) = self.orders.get_mut(&id) {
            order.phone = Some(phone.to_owned());
        }
        self.check(other.is_none(), record, "O5", || {
            format!("the number of {id} is on another open order too")
        });
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
