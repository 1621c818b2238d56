//! The built-in source: made-up numbers whose messages come by themselves, or misbehave as told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use events::country::Country;
use events::money::Money;
use events::order::{AttemptFailure, Scenario};
use events::phone::Phone;
use events::platform::{CodeFormat, Platform};
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::message::template;
use super::pool::{Pool, Waiting};
use super::reserved_ranges::Numbers;
use super::scenario::{What, script};
use actors::inbox::{InboundSms, Inbox};
use actors::kernel::alarm::Alarm;
use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use actors::numbers::{AttemptRequest, Lease, NumberRequest, Release, Stock, Supplier};
use actors::order::Orders;
use actors::store::BoxFuture;

/// Numbers tried before a country counts as sold out: the next in turn is nearly always free.
const TRIES: u64 = 256;
/// Between two tries to hand over a message that the store did not take.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// Letters and digits of codes that have letters: none that look alike.
const CODE_LETTERS: &[u8] = b"23456789BCDFGHJKMNPQRTVWXY";

/// How the simulator behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Shortest and longest time from assignment to message, in seconds.
    pub delivery_seconds: (f64, f64),
    /// Part of the assigned numbers whose message never comes.
    pub failure_rate: f64,
    /// Part of the requests that find no number.
    pub no_stock_rate: f64,
    /// Part of the assigned numbers that are reported dead instead of getting their message.
    pub dead_number_rate: f64,
    /// Message texts in place of the built-in ones; `{code}` stands for the code.
    pub templates: BTreeMap<Platform, String>,
    /// Numbers that other sources have, which are never made up: a number belongs to one source.
    pub others: HashSet<Phone>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delivery_seconds: (2.0, 8.0),
            failure_rate: 0.0,
            no_stock_rate: 0.0,
            dead_number_rate: 0.0,
            templates: BTreeMap::new(),
            others: HashSet::new(),
        }
    }
}

/// The built-in source.
pub struct Simulator {
    name: SupplierName,
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    numbers: HashMap<Country, Numbers>,
    pool: Mutex<Pool>,
    due: Alarm<Phone>,
    /// Numbers that are taken back from orders that only listen.
    taken_back: mpsc::UnboundedSender<Lease>,
    to_take_back: Mutex<Option<mpsc::UnboundedReceiver<Lease>>>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Simulator {
    /// A simulator; nothing is delivered until `run`.
    pub fn new(name: SupplierName, settings: Settings, clock: Clock, entropy: Entropy) -> Self {
        let numbers: HashMap<_, _> =
            Country::ALL.into_iter().map(|country| (country, Numbers::of(country))).collect();
        // A restart must not start over with the numbers just used. Country by country in their own
        // order, so that a seed is one story.
        let turns = Country::ALL
            .into_iter()
            .filter_map(|country| Some((country, entropy.below(numbers.get(&country)?.count()))))
            .collect();
        let pool = Mutex::new(Pool { turns, ..Pool::default() });
        let (taken_back, to_take_back) = mpsc::unbounded_channel();
        Self {
            name,
            settings,
            clock,
            entropy,
            numbers,
            pool,
            due: Alarm::new(clock),
            taken_back,
            to_take_back: Mutex::new(Some(to_take_back)),
        }
    }

    /// Delivers what is due, until the task is dropped.
    pub async fn run(self: Arc<Self>, inbox: Inbox, orders: Orders) {
        let due = self.due.clone();
        if let Some(mut to_take_back) = self.to_take_back.lock().take() {
            let orders = orders.clone();
            tokio::spawn(async move {
                while let Some(lease) = to_take_back.recv().await {
                    orders.report_dead(&lease).await;
                }
            });
        }
        due.ring(move |phone| {
            let Some((lease, message)) = self.happens(&phone) else { return };
            let (inbox, orders) = (inbox.clone(), orders.clone());
            tokio::spawn(async move {
                match message {
                    None => orders.report_dead(&lease).await,
                    Some(message) => {
                        // A source keeps a message until it is taken, and so does this one.
                        while inbox.deliver(message.clone()).await.is_err() {
                            tokio::time::sleep(RETRY_PAUSE).await;
                        }
                    }
                }
            });
        })
        .await;
    }

    /// What is due on the number: its message, or `None` for one that is dead.
    fn happens(&self, phone: &Phone) -> Option<(Lease, Option<InboundSms>)> {
        let mut pool = self.pool.lock();
        let mut waiting = pool.waiting.remove(phone)?;
        let lease = waiting.lease.clone();
        if lease.scenario.is_none() {
            let is_dead = self.entropy.chance(self.settings.dead_number_rate);
            return Some((lease.clone(), (!is_dead).then(|| self.message(&lease))));
        }
        let act = waiting.script.pop_front()?;
        waiting.done += 1;
        let message = match act.what {
            What::Dead => None,
            What::Message(platform, code) => Some(self.message_of(
                &lease,
                platform,
                &template(platform).replace("{code}", &code),
                waiting.done,
            )),
        };
        if let Some(next) = waiting.script.front() {
            self.due.set(self.clock.elapsed().plus(next.after), phone.clone());
            pool.waiting.insert(phone.clone(), waiting);
        }
        Some((lease, message))
    }

    fn message(&self, lease: &Lease) -> InboundSms {
        let code = self.code(lease.platform);
        let template = self
            .settings
            .templates
            .get(&lease.platform)
            .cloned()
            .unwrap_or_else(|| template(lease.platform));
        self.message_of(lease, lease.platform, &template.replace("{code}", &code), 1)
    }

    /// The message of this number on the lease, from 1. Its id is the same after a restart, which
    /// starts a script over.
    fn message_of(&self, lease: &Lease, platform: Platform, text: &str, number: u32) -> InboundSms {
        let id = format!("sim-{}-{}", lease.order.digits(), lease.attempt);
        InboundSms {
            supplier: self.name.clone(),
            message_id: if number == 1 { id } else { format!("{id}-{number}") },
            to: lease.phone.clone(),
            sender: platform.name().to_owned(),
            text: text.to_owned(),
            received_at: None,
        }
    }

    fn code(&self, platform: Platform) -> String {
        let hints = platform.hints();
        let character = |_| match hints.format {
            CodeFormat::Numeric => {
                char::from(b'0' + u8::try_from(self.entropy.below(10)).unwrap_or(0))
            }
            CodeFormat::Alphanumeric => {
                let place =
                    usize::try_from(self.entropy.below(CODE_LETTERS.len() as u64)).unwrap_or(0);
                char::from(CODE_LETTERS[place])
            }
        };
        (0..hints.length).map(character).collect()
    }
}

impl Simulator {
    /// How long a real order's message takes; `None` where it never comes.
    fn delay(&self) -> Option<Duration> {
        let (shortest, longest) = self.settings.delivery_seconds;
        let delay = Duration::from_secs_f64(
            shortest + (longest - shortest).max(0.0) * self.entropy.fraction(),
        );
        (!self.entropy.chance(self.settings.failure_rate)).then_some(delay)
    }

    fn reserve(&self, wanted: NumberRequest) -> Result<Phone, AttemptFailure> {
        match wanted.scenario {
            None if self.entropy.chance(self.settings.no_stock_rate) => {
                return Err(AttemptFailure::NoNumber);
            }
            Some(Scenario::NoStock) => return Err(AttemptFailure::NoNumber),
            Some(Scenario::SupplierDown) => return Err(AttemptFailure::SourceError),
            None | Some(_) => {}
        }
        let numbers = self.numbers.get(&wanted.country).ok_or(AttemptFailure::NoNumber)?;
        let mut pool = self.pool.lock();
        if let Some(lease) = pool.longest_listening(wanted.country, numbers.count()) {
            // Before `run` no task receives the lease, and no order has its code either.
            let _ = self.taken_back.send(lease);
        }
        for _ in 0..TRIES.min(numbers.count()) {
            let turn = pool.turns.entry(wanted.country).or_default();
            let phone = numbers.nth(*turn);
            *turn = turn.wrapping_add(1);
            if !self.settings.others.contains(&phone) && pool.take(&phone, wanted.country) {
                return Ok(phone);
            }
        }
        Err(AttemptFailure::NoNumber)
    }
}

impl Supplier for Simulator {
    fn name(&self) -> &SupplierName {
        &self.name
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn owns(&self, _phone: &Phone) -> bool {
        // The router asks the simulator only about numbers that the simulator has made up.
        true
    }

    fn acquire_local(&self, wanted: NumberRequest) -> Option<Result<Phone, AttemptFailure>> {
        Some(self.reserve(wanted))
    }

    fn acquire(&self, asked: AttemptRequest) -> BoxFuture<'_, Result<Phone, AttemptFailure>> {
        Box::pin(std::future::ready(self.reserve(asked.wanted)))
    }

    fn assigned(&self, lease: &Lease) {
        let script = lease.scenario.map(|scenario| script(scenario, lease.attempt, lease.platform));
        let first = match &script {
            Some(script) => script.front().map(|act| act.after),
            None => self.delay(),
        };
        {
            let mut pool = self.pool.lock();
            pool.take(&lease.phone, lease.country);
            if first.is_some() {
                let waiting =
                    Waiting { lease: lease.clone(), script: script.unwrap_or_default(), done: 0 };
                pool.waiting.insert(lease.phone.clone(), waiting);
            }
        }
        if let Some(first) = first {
            self.due.set(self.clock.elapsed().plus(first), lease.phone.clone());
        }
    }

    fn served(&self, lease: &Lease, at: Timestamp) {
        self.pool.lock().listening.insert((lease.country, at, lease.order), lease.clone());
    }

    fn release(&self, lease: &Lease, release: Release, _now: Timestamp) {
        let mut pool = self.pool.lock();
        if pool.leased.remove(&lease.phone) {
            let busy = pool.busy.entry(lease.country).or_default();
            *busy = busy.saturating_sub(1);
        }
        if let Release::Served(at) = release {
            pool.listening.remove(&(lease.country, at, lease.order));
        }
        pool.waiting.remove(&lease.phone);
    }

    fn stock(&self, _wanted: NumberRequest) -> Stock {
        // Only a rate of one is certain: anything less is a chance, and a chance is stock.
        if self.settings.no_stock_rate >= 1.0 { Stock::None } else { Stock::High }
    }

    fn cost(&self, _wanted: NumberRequest) -> Option<Money> {
        None
    }

    fn numbers(&self, _now: Timestamp) -> Option<actors::numbers::Numbers> {
        // The simulator makes numbers up as orders want them.
        None
    }
}

#[cfg(test)]
mod tests;
