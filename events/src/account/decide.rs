//! Which facts follow from a command, and what each fact makes of the account.

use std::sync::Arc;

use super::batch::{BatchItem, ItemRefusal, MAX_BATCH, PlaceBatch};
use super::cancels::seconds_up;
use super::command::{Command, PlaceOrder};
use super::event::Event;
use super::idempotency::{Effect, Remembered};
use super::keyring::Keyring;
use super::ledger;
use super::operator::movable;
use super::recent::HOUR;
use super::refusal::{OrderRefusal, PlacingRefusal, Refusal, StandingRefusal, WebhookRefusal};
use super::state::{RECENT_ORDERS, SECRETS_OVERLAP, Standing, State, Webhook};
use super::test_mode::{self, Mode};
use crate::decider::{Decider, fold};
use crate::id::OrderId;
use crate::money::Money;
use crate::order;
use crate::price;
use crate::webhook::Notice;

/// Webhook tests of an account in an hour: each may hold a connection for fifteen seconds, and
/// costs its owner nothing.
const TESTS_PER_HOUR: usize = 60;

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let mut events = self.facts_of(command)?;
        let notices = self.notices_of(&events);
        events.extend(notices);
        Ok(events)
    }

    fn evolve(mut self, event: &Event) -> Self {
        let batch = self.batch.take();
        if let Some(entry) = ledger::entry(event) {
            self.balance = self.balance + entry.balance;
            self.held = self.held + entry.held;
            assert!(
                !self.held.is_negative(),
                "a hold ends exactly once, so what is held is never negative"
            );
        }
        match event {
            Event::Registered { id, key_hash, webhook_secret, at } => {
                self.standing = Standing::Good;
                self.id = *id;
                self.api_keys = Keyring::registered(*id, *key_hash, *at);
                self.webhook_secret = webhook_secret.as_str().into();
                self.registered_at = *at;
            }
            Event::OpenedForTests { of, .. } => self.mode = Mode::Test { of: *of },
            Event::TestAccountOpened { id, .. } => self.test_account = Some(*id),
            Event::DepositCredited { deposit, amount, .. } => {
                self.drop_dust(*deposit);
                Arc::make_mut(&mut self.deposits).insert(*deposit, *amount);
            }
            Event::DepositReversed { deposit, .. } => {
                Arc::make_mut(&mut self.deposits).remove(deposit);
            }
            Event::DustKept { deposit, amount, .. } => {
                Arc::make_mut(&mut self.dust).insert(*deposit, *amount);
            }
            Event::DustDropped { deposit, .. } => self.drop_dust(*deposit),
            Event::ApiKeyAdded { .. }
            | Event::ApiKeyRemoved { .. }
            | Event::ApiKeysReplaced { .. } => self.api_keys = self.api_keys.after(event),
            Event::Suspended { reason, .. } => self.standing = Standing::Suspended(reason.clone()),
            Event::Reinstated { .. } => self.standing = Standing::Good,
            Event::Order(id, order::Event::Placed(placed)) => {
                self.open.insert(*id, Arc::new(order::State::new(*id, placed.clone())));
            }
            Event::Order(id, fact) => self.evolve_order(*id, fact),
            Event::BatchPlaced { items, .. } => self.batch = Some(items.as_slice().into()),
            Event::KeyUsed { key, fingerprint, effect, at } => {
                let batch = batch.filter(|_| *effect == Effect::Batch);
                self.keys.remember(
                    key,
                    Remembered {
                        fingerprint: *fingerprint,
                        effect: *effect,
                        batch,
                        let_go: Vec::new(),
                        at: *at,
                    },
                );
            }
            Event::WebhookSet { url, threshold, at } => {
                self.webhook =
                    Some(Webhook { url: url.as_str().into(), threshold: *threshold, since: *at });
            }
            Event::WebhookRemoved { .. } => self.webhook = None,
            Event::WebhookSecretRotated { secret, at } => {
                let previous = std::mem::replace(&mut self.webhook_secret, secret.as_str().into());
                self.previous_secret = Some((previous, at.plus(SECRETS_OVERLAP)));
            }
            Event::WebhookDue { sequence, notice, at } => {
                self.webhook_sequence = *sequence;
                if *notice == Notice::Test {
                    self.tests.note(*at);
                }
            }
            Event::HoldCaptured { order, .. } => self.keys.settle(*order),
            Event::HoldReleased { order, .. } => self.keys.let_go(*order),
            Event::CaptureRefunded { .. } => self.refunded += 1,
            Event::Credited { .. } | Event::Debited { .. } | Event::HoldTaken { .. } => {}
        }
        self
    }

    fn snapshot(&self) -> Option<Vec<u8>> {
        super::snapshot::write(self)
    }

    fn from_snapshot(bytes: &[u8]) -> Option<Self> {
        super::snapshot::read(bytes)
    }
}

impl State {
    /// What `command` makes happen, but for what the owner is told of it.
    pub(super) fn facts_of(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        if let Command::RegisterForTests { id, key_hash, webhook_secret, at } = command {
            return self.register_for_tests(*id, *key_hash, webhook_secret, *at);
        }
        if let Command::AddTestKey(wanted) = command {
            return self.add_test_key(wanted);
        }
        if let Command::Register { id, key_hash, webhook_secret, at } = command {
            return match self.standing {
                Standing::Unregistered => Ok(vec![Event::Registered {
                    id: *id,
                    key_hash: *key_hash,
                    webhook_secret: webhook_secret.clone(),
                    at: *at,
                }]),
                Standing::Good | Standing::Suspended(_) => {
                    Err(StandingRefusal::AlreadyRegistered.into())
                }
            };
        }
        if self.standing == Standing::Unregistered {
            return Err(StandingRefusal::NotRegistered.into());
        }
        if self.refuses_money(command) {
            return Err(StandingRefusal::WrongMode.into());
        }
        match command {
            Command::Register { .. }
            | Command::RegisterForTests { .. }
            | Command::AddTestKey(_) => Err(StandingRefusal::AlreadyRegistered.into()),
            Command::OpenTestAccount { id, at } => Ok(self.open_test_account(*id, *at)?),
            Command::Credit { amount, reason, at } => {
                movable(*amount)?;
                Ok(vec![Event::Credited { amount: *amount, reason: reason.clone(), at: *at }])
            }
            Command::Debit { amount, reason, may_overdraw, at } => {
                Ok(self.debit(*amount, reason, *may_overdraw, *at)?)
            }
            Command::CreditDeposit { deposit, amount, at } => {
                self.credit_deposit(*deposit, *amount, *at)
            }
            Command::ReverseDeposit { deposit, at } => Ok(self.reverse_deposit(*deposit, *at)),
            Command::Suspend { reason, at } => Ok(self.suspend(reason, *at)),
            Command::Reinstate { reason, at } => Ok(self.reinstate(reason, *at)),
            Command::AddApiKey { id, name, hash, at } => {
                Ok(self.api_keys.add(*id, name, *hash, *at)?)
            }
            Command::RemoveApiKey { id, at } => {
                Ok(self.api_keys.remove(*id, *at, self.live_account().is_some())?)
            }
            Command::ReplaceApiKeys { id, hash, reason, at } => {
                Ok(Keyring::replace(*id, *hash, reason, *at))
            }
            Command::PlaceOrder(wanted) => self.place(wanted),
            Command::PlaceBatch(wanted) => self.place_batch(wanted),
            Command::Keyed { used, effect, command } => {
                self.keyed(used, *effect, command.as_deref())
            }
            Command::SetWebhook { .. }
            | Command::RemoveWebhook { .. }
            | Command::RotateWebhookSecret { .. }
            | Command::TestWebhook { .. } => Ok(self.webhook_facts(command)?),
            Command::Order(id, order::Command::Report { complaint, at }) => {
                Ok(self.report(*id, *complaint, *at)?)
            }
            Command::Order(id, command) => {
                let order = self.order(*id).ok_or(OrderRefusal::NotFound)?;
                let facts = order.decide(command)?;
                Ok(facts.into_iter().flat_map(|fact| self.settled(order, fact)).collect())
            }
        }
    }

    fn webhook_facts(&self, command: &Command) -> Result<Vec<Event>, WebhookRefusal> {
        Ok(match command {
            Command::SetWebhook { url, threshold, at } => {
                let is_so = self.webhook.as_ref().is_some_and(|webhook| {
                    *webhook.url == **url && webhook.threshold == *threshold
                });
                if is_so {
                    Vec::new()
                } else {
                    vec![Event::WebhookSet { url: url.clone(), threshold: *threshold, at: *at }]
                }
            }
            Command::RemoveWebhook { at } => {
                self.webhook.iter().map(|_| Event::WebhookRemoved { at: *at }).collect()
            }
            Command::RotateWebhookSecret { secret, at } => {
                vec![Event::WebhookSecretRotated { secret: secret.clone(), at: *at }]
            }
            Command::TestWebhook { at } => {
                self.webhook.as_ref().ok_or(WebhookRefusal::NoWebhook)?;
                if self.tests.count(*at) >= TESTS_PER_HOUR {
                    let wait =
                        self.tests.oldest(*at).map_or(HOUR, |oldest| oldest.plus(HOUR).since(*at));
                    return Err(WebhookRefusal::TooManyTests {
                        retry_after_seconds: seconds_up(wait),
                    });
                }
                vec![Event::WebhookDue {
                    sequence: self.webhook_sequence + 1,
                    notice: Notice::Test,
                    at: *at,
                }]
            }
            Command::Register { .. }
            | Command::RegisterForTests { .. }
            | Command::AddTestKey(_)
            | Command::OpenTestAccount { .. }
            | Command::Credit { .. }
            | Command::Debit { .. }
            | Command::CreditDeposit { .. }
            | Command::ReverseDeposit { .. }
            | Command::Suspend { .. }
            | Command::Reinstate { .. }
            | Command::AddApiKey { .. }
            | Command::RemoveApiKey { .. }
            | Command::ReplaceApiKeys { .. }
            | Command::PlaceOrder(_)
            | Command::PlaceBatch(_)
            | Command::Keyed { .. }
            | Command::Order(..) => Vec::new(),
        })
    }

    fn place(&self, wanted: &PlaceOrder) -> Result<Vec<Event>, Refusal> {
        if self.order(wanted.order).is_some() {
            return Ok(Vec::new());
        }
        self.may_order(wanted)?;
        self.accept(wanted)
    }

    /// Each order is accepted or refused alone; as many start at once as may run, the others wait
    /// for their turn.
    fn place_batch(&self, wanted: &PlaceBatch) -> Result<Vec<Event>, Refusal> {
        let first = wanted
            .orders
            .first()
            .filter(|_| wanted.orders.len() <= MAX_BATCH)
            .ok_or(PlacingRefusal::BatchSize)?;
        if self.order(first.order).is_some() {
            return Ok(Vec::new());
        }
        self.may_order(first)?;
        let mut state = self.clone();
        let (mut items, mut placed) = (Vec::with_capacity(wanted.orders.len()), Vec::new());
        for wanted in &wanted.orders {
            let refused = match state.accept(wanted) {
                Ok(facts) => {
                    state = fold(state, &facts);
                    placed.extend(facts);
                    None
                }
                Err(refusal) => Some(ItemRefusal::of(refusal)?),
            };
            items.push(BatchItem { order: wanted.order, refused });
        }
        placed.insert(0, Event::BatchPlaced { items, at: wanted.at });
        Ok(placed)
    }

    fn may_order(&self, wanted: &PlaceOrder) -> Result<(), Refusal> {
        if matches!(self.standing, Standing::Suspended(_)) {
            return Err(StandingRefusal::Suspended.into());
        }
        let allowed = wanted.max_concurrent;
        if !self.has_slot(allowed) || !self.queue.is_empty() {
            return Err(PlacingRefusal::OrderInProgress {
                open: self.open.keys().copied().collect(),
                allowed,
            }
            .into());
        }
        Ok(wanted.cancels.check(&self.cancels, wanted.at)?)
    }

    fn has_slot(&self, max_concurrent: u32) -> bool {
        self.running() < usize::try_from(max_concurrent).unwrap_or(usize::MAX)
    }

    /// What an order at this list price would cost the account, if that is not more than it will
    /// pay.
    pub fn price(&self, list_price: Money, max_price: Option<Money>) -> Result<Money, ItemRefusal> {
        let price =
            if self.is_test() { Money::ZERO } else { price::quote(list_price, self.tier()) };
        match max_price.filter(|max_price| price > *max_price) {
            Some(max_price) => Err(ItemRefusal::PriceAboveMaximum { price, max_price }),
            None => Ok(price),
        }
    }

    pub(super) fn accept(&self, wanted: &PlaceOrder) -> Result<Vec<Event>, Refusal> {
        self.check_mode(wanted.scenario)?;
        let price = self.price(wanted.list_price, wanted.max_price)?;
        // Also for a price of nothing: what was spent of a deposit that is gone is owed first.
        if self.balance < price || self.balance.is_negative() {
            return Err(ItemRefusal::InsufficientBalance {
                needed: price,
                available: self.balance,
            }
            .into());
        }
        let placed = order::Placed {
            platform: wanted.platform,
            country: wanted.country,
            list_price: wanted.list_price,
            price,
            lifetime_seconds: wanted.lifetime_seconds,
            seek_seconds: wanted.seek_seconds,
            max_attempts: wanted.max_attempts,
            listen_seconds: wanted.listen_seconds,
            at: wanted.at,
        };
        let placed = match wanted.scenario {
            Some(scenario) => scenario.terms(placed),
            None => placed,
        };
        let mut order = order::State::new(wanted.order, placed.clone());
        let mut events = vec![
            Event::Order(wanted.order, order::Event::Placed(placed)),
            Event::HoldTaken { order: wanted.order, amount: price, at: wanted.at },
        ];
        if let Some(scenario) = wanted.scenario {
            order.scenario = Some(scenario);
            events.extend(test_mode::chosen(wanted.order, scenario, wanted.at));
        }
        if !self.has_slot(wanted.max_concurrent) {
            events.push(Event::Order(wanted.order, order::Event::Queued { at: wanted.at }));
        } else if let Some(first) = &wanted.first_answer {
            let facts = order.decide(&first.report(wanted.at))?;
            events.extend(facts.into_iter().flat_map(|fact| self.settled(&order, fact)));
        }
        Ok(events)
    }

    /// `fact`, what it does to the order's hold, and whose turn it makes it: all in one append.
    pub(super) fn settled(&self, order: &order::State, fact: order::Event) -> Vec<Event> {
        let (id, at) = (order.id, fact.at());
        let settlement = ledger::settlement(id, order.placed.price, &fact);
        let frees_slot = fact.is_end() && order.status != order::Status::Queued;
        let next = self.queue.front().filter(|_| frees_slot).and_then(|next| self.open.get(next));
        let started =
            next.and_then(|next| Some((next.id, next.decide(&order::Command::Start { at }).ok()?)));
        let started = started
            .into_iter()
            .flat_map(|(next, facts)| facts.into_iter().map(move |fact| Event::Order(next, fact)));
        let reversal = test_mode::at_the_end_of(order, &fact);
        std::iter::once(Event::Order(id, fact))
            .chain(settlement)
            .chain(reversal)
            .chain(started)
            .collect()
    }

    /// What the owner is told of `events`.
    fn notices_of(&self, events: &[Event]) -> Vec<Event> {
        let Some(webhook) = &self.webhook else { return Vec::new() };
        let (mut sequence, mut balance) = (self.webhook_sequence, self.balance);
        let mut due = Vec::new();
        for event in events {
            let before = balance;
            balance = ledger::entry(event).map_or(balance, |entry| balance + entry.balance);
            let low = before >= webhook.threshold && balance < webhook.threshold;
            let notice = match event {
                Event::Order(order, order::Event::SmsReceived(sms)) => {
                    Some(Notice::SmsReceived { order: *order, message_id: sms.message_id.clone() })
                }
                Event::Order(order, order::Event::Failed { .. } | order::Event::Expired { .. }) => {
                    Some(Notice::OrderFailed { order: *order })
                }
                // Once per downward crossing: it stays below until it has risen.
                Event::HoldTaken { .. } | Event::DepositReversed { .. } | Event::Debited { .. }
                    if low =>
                {
                    Some(Notice::BalanceLow { balance, threshold: webhook.threshold })
                }
                Event::Registered { .. }
                | Event::OpenedForTests { .. }
                | Event::TestAccountOpened { .. }
                | Event::Credited { .. }
                | Event::Debited { .. }
                | Event::DepositCredited { .. }
                | Event::DepositReversed { .. }
                | Event::DustKept { .. }
                | Event::DustDropped { .. }
                | Event::Suspended { .. }
                | Event::Reinstated { .. }
                | Event::ApiKeyAdded { .. }
                | Event::ApiKeyRemoved { .. }
                | Event::ApiKeysReplaced { .. }
                | Event::HoldTaken { .. }
                | Event::HoldCaptured { .. }
                | Event::HoldReleased { .. }
                | Event::CaptureRefunded { .. }
                | Event::BatchPlaced { .. }
                | Event::KeyUsed { .. }
                | Event::WebhookSet { .. }
                | Event::WebhookRemoved { .. }
                | Event::WebhookSecretRotated { .. }
                | Event::WebhookDue { .. }
                | Event::Order(..) => None,
            };
            due.extend(notice.map(|notice| {
                sequence += 1;
                Event::WebhookDue { sequence, notice, at: event.at() }
            }));
        }
        due
    }

    fn evolve_order(&mut self, id: OrderId, fact: &order::Event) {
        if let order::Event::Reported { at, .. } = fact {
            self.remember_report(*at);
        }
        // What is over may still be reported.
        if let Some(order) = self.recent.iter_mut().find(|order| order.id == id) {
            *order = Arc::new(Arc::unwrap_or_clone(Arc::clone(order)).evolve(fact));
            return;
        }
        let order = self
            .open
            .remove(&id)
            .or_else(|| self.listening.remove(&id))
            .expect("only orders that the account remembers have further facts");
        let order = Arc::new(Arc::unwrap_or_clone(order).evolve(fact));
        if matches!(fact, order::Event::Queued { .. }) {
            self.queue.push_back(id);
        } else if matches!(fact, order::Event::Started { .. }) || fact.is_end() {
            self.queue.retain(|waiting| *waiting != id);
        }
        self.completed += u64::from(matches!(fact, order::Event::Completed { .. }));
        if !order.status.is_end() {
            self.open.insert(id, order);
            return;
        }
        if matches!(fact, order::Event::Completed { .. }) {
            self.cancels.clear();
        }
        if let order::Event::Cancelled { at } = fact
            && order.assignment.is_some()
            && order.messages().next().is_none()
        {
            self.cancels.note(*at);
        }
        if order.is_listening() {
            self.listening.insert(id, order);
            return;
        }
        self.recent.push_back(order);
        if self.recent.len() > RECENT_ORDERS {
            self.recent.pop_front();
        }
    }
}
