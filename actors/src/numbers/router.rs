//! Over the sources: whom to ask next, and which number is on which order now.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use events::account::FirstAnswer;
use events::id::OrderId;
use events::money::Money;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;

use super::breaker::Breaker;
use super::port::{AttemptRequest, Lease, NumberRequest, Release, Stock, Supplier};
use super::provenance::Provenances;
use super::score::{Record, USUAL_WEIGHT, score};

/// How long a source may take to give a number: two may fail and a third still answer while a
/// caller waits.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(8);

/// What asking the next source came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    /// A number, reserved.
    Number(SupplierName, Phone),
    /// The source gave none.
    Failed(SupplierName, AttemptFailure),
    /// No source is left to ask.
    NoSourceLeft,
}

/// How much the operator wants a source to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preference {
    /// Beside the others'; 100 is usual, 0 is last.
    pub weight: u32,
    /// What a code counts as costing there, in place of what the source says.
    pub cost: Option<Money>,
}

impl Default for Preference {
    fn default() -> Self {
        Self { weight: USUAL_WEIGHT, cost: None }
    }
}

/// How a source is doing.
#[derive(Debug, Default)]
struct Health {
    breaker: Breaker,
    record: Record,
}

/// A source, and what is known of it.
#[derive(Debug)]
struct Source {
    supplier: Arc<dyn Supplier>,
    preference: Preference,
    health: Mutex<Health>,
}

impl Source {
    fn new(supplier: Arc<dyn Supplier>) -> Self {
        Self { supplier, preference: Preference::default(), health: Mutex::default() }
    }

    /// Notes how an order went, unless it was a test.
    fn note(&self, lease: &Lease, completed: bool, at: Timestamp) {
        if lease.scenario.is_none() {
            self.health.lock().record.add(completed, at);
        }
    }
}

/// The sources, and the numbers on orders.
#[derive(Debug)]
pub struct Router {
    /// The most wanted first, where nothing else tells them apart.
    sources: Vec<Source>,
    /// The source of test orders' numbers, whose outcomes say nothing about any source.
    tests: Option<Source>,
    max_attempts: u8,
    /// What is stated of the sources; `None`: nobody asks.
    provenances: Option<Arc<Provenances>>,
    leases: Mutex<HashMap<Phone, Held>>,
}

/// A number on an order.
#[derive(Debug)]
struct Held {
    lease: Lease,
    /// Whether the order has its code, and keeps the number for what still comes.
    listens: bool,
}

impl Held {
    fn new(lease: &Lease) -> Self {
        Self { lease: lease.clone(), listens: false }
    }

    fn is(&self, lease: &Lease) -> bool {
        self.lease.order == lease.order && self.lease.attempt == lease.attempt
    }
}

impl Router {
    /// A router over `suppliers`, the most wanted first, for orders that ask at most `max_attempts`
    /// of them.
    pub fn new(suppliers: Vec<Arc<dyn Supplier>>, max_attempts: u8) -> Self {
        Self {
            sources: suppliers.into_iter().map(Source::new).collect(),
            tests: None,
            max_attempts,
            provenances: None,
            leases: Mutex::default(),
        }
    }

    /// The same with the source that test orders have their numbers from: they ask no other, and
    /// only they ask it, unless it is one of the sources too.
    #[must_use]
    pub fn with_tests(mut self, supplier: Arc<dyn Supplier>) -> Self {
        self.tests = Some(Source::new(supplier));
        self
    }

    /// The same with what is stated of the sources: orders have real numbers only where that allows
    /// it.
    #[must_use]
    pub fn with_provenances(mut self, provenances: Arc<Provenances>) -> Self {
        self.provenances = Some(provenances);
        self
    }

    /// Whether an order may have a number of the source at `at`: real numbers have a provenance.
    fn may_serve(&self, source: &Source, at: Timestamp) -> bool {
        let supplier = &source.supplier;
        supplier.is_simulated()
            || self.provenances.as_ref().is_none_or(|known| known.allows(supplier.name(), at))
    }

    /// The same with an operator's preference for one of the sources, and how its orders went of
    /// late.
    #[must_use]
    pub fn preferring(mut self, name: &str, preference: Preference, record: Record) -> Self {
        if let Some(source) =
            self.sources.iter_mut().find(|source| source.supplier.name().as_str() == name)
        {
            source.preference = preference;
            source.health.get_mut().record = record;
        }
        self
    }

    /// The sources.
    pub fn suppliers(&self) -> impl ExactSizeIterator<Item = &Arc<dyn Supplier>> {
        self.sources.iter().map(|source| &source.supplier)
    }

    /// Asks the next source. `excluded` are not asked; `last` are asked only when no other is left.
    pub async fn acquire(
        &self,
        asked: AttemptRequest,
        excluded: &[SupplierName],
        last: &[SupplierName],
    ) -> Acquired {
        let at = asked.wanted.at;
        let Some(source) = self.next(asked.wanted, excluded, last) else {
            return Acquired::NoSourceLeft;
        };
        let name = source.supplier.name().clone();
        if asked.wanted.scenario.is_some() {
            return match source.supplier.acquire(asked).await {
                Ok(phone) => Acquired::Number(name, phone),
                Err(failure) => Acquired::Failed(name, failure),
            };
        }
        source.health.lock().breaker.asked(at);
        let answer = tokio::time::timeout(SOURCE_TIMEOUT, source.supplier.acquire(asked))
            .await
            .unwrap_or(Err(AttemptFailure::TimedOut));
        let mut health = source.health.lock();
        match answer {
            Ok(phone) => {
                health.breaker.answered();
                Acquired::Number(name, phone)
            }
            Err(AttemptFailure::NoNumber) => {
                health.breaker.answered();
                Acquired::Failed(name, AttemptFailure::NoNumber)
            }
            Err(failure @ (AttemptFailure::SourceError | AttemptFailure::TimedOut)) => {
                health.breaker.failed(at);
                health.record.add(false, at);
                Acquired::Failed(name, failure)
            }
        }
    }

    /// The first source's answer, if it need not ask anybody for it.
    pub fn acquire_local(&self, wanted: NumberRequest) -> Option<FirstAnswer> {
        let first = &self.next(wanted, &[], &[])?.supplier;
        Some(FirstAnswer { supplier: first.name().clone(), answer: first.acquire_local(wanted)? })
    }

    /// Messages to the number are the order's from here on, unless it is another order's or another
    /// source's. Said before the assignment is recorded: a message may be faster than whoever
    /// records it, and the book-keeper takes both in turn.
    pub fn lease(&self, lease: &Lease) -> bool {
        let others = self.suppliers().any(|supplier| {
            *supplier.name() != lease.supplier
                && !supplier.is_simulated()
                && supplier.owns(&lease.phone)
        });
        let mut leases = self.leases.lock();
        if others
            || leases.get(&lease.phone).is_some_and(|current| current.lease.order != lease.order)
        {
            return false;
        }
        leases.insert(lease.phone.clone(), Held::new(lease));
        true
    }

    /// The number is the order's, as the log says: what recovery does, whoever has the number by
    /// the configuration of today.
    pub fn restore(&self, lease: &Lease) {
        self.leases.lock().insert(lease.phone.clone(), Held::new(lease));
    }

    /// The assignment is recorded: the source may know.
    pub fn assigned(&self, lease: &Lease) {
        if let Some(source) = self.source(&lease.supplier) {
            source.supplier.assigned(lease);
        }
    }

    /// The order got its code at `at`, and keeps the number for what still comes. Said again, it
    /// changes nothing.
    pub fn served(&self, lease: &Lease, at: Timestamp) {
        if self.listens(lease, at)
            && let Some(source) = self.source(&lease.supplier)
        {
            source.note(lease, true, at);
        }
    }

    /// The same of an order that got its code before this process: it stands in the source's record
    /// already. True unless it was known.
    pub fn listens(&self, lease: &Lease, at: Timestamp) -> bool {
        let is_news = self
            .leases
            .lock()
            .get_mut(&lease.phone)
            .is_some_and(|held| held.is(lease) && !std::mem::replace(&mut held.listens, true));
        if let Some(source) = self.source(&lease.supplier).filter(|_| is_news) {
            source.supplier.served(lease, at);
        }
        is_news
    }

    /// A caller says that a number of the source, or its code, was no good.
    pub fn complained(&self, supplier: &SupplierName, now: Timestamp) {
        if let Some(source) = self.source(supplier) {
            source.health.lock().record.add(false, now);
        }
    }

    /// The number is on the order no more, at `now`.
    pub fn release(&self, lease: &Lease, release: Release, now: Timestamp) {
        let was_counted = {
            let mut leases = self.leases.lock();
            let is_it = leases.get(&lease.phone).is_some_and(|held| held.is(lease));
            is_it && leases.remove(&lease.phone).is_some_and(|held| held.listens)
        };
        let Some(source) = self.source(&lease.supplier) else { return };
        match release {
            Release::Served(_) if was_counted => {}
            Release::Served(_) => source.note(lease, true, now),
            Release::Silent | Release::Dead => source.note(lease, false, now),
            // A caller who changes their mind says nothing about the numbers.
            Release::Unused | Release::Spoilt(_) => {}
        }
        source.supplier.release(lease, release, now);
    }

    /// The order that `phone` of `supplier` is on now.
    pub fn lease_of(&self, supplier: &SupplierName, phone: &Phone) -> Option<Lease> {
        self.leases
            .lock()
            .get(phone)
            .map(|held| &held.lease)
            .filter(|lease| lease.supplier == *supplier)
            .cloned()
    }

    /// Whether the order has the number.
    pub fn has_lease(&self, phone: &Phone, order: OrderId) -> bool {
        self.leases.lock().get(phone).is_some_and(|held| held.lease.order == order)
    }

    /// Whether `phone` is one of `supplier`'s numbers.
    pub fn owns(&self, supplier: &SupplierName, phone: &Phone) -> bool {
        self.source(supplier).is_some_and(|source| source.supplier.owns(phone))
    }

    /// When an order last gave up `phone` of `supplier`, if that is known.
    pub fn freed_at(&self, supplier: &SupplierName, phone: &Phone) -> Option<Timestamp> {
        self.source(supplier)?.supplier.freed_at(phone)
    }

    /// Whether a source's numbers and messages are made up.
    pub fn is_simulated(&self, supplier: &SupplierName) -> bool {
        self.source(supplier).is_some_and(|source| source.supplier.is_simulated())
    }

    /// The source whose number `phone` is, made-up numbers aside.
    pub fn owner(&self, phone: &Phone) -> Option<&SupplierName> {
        self.suppliers()
            .find(|supplier| !supplier.is_simulated() && supplier.owns(phone))
            .map(|supplier| supplier.name())
    }

    /// Numbers on orders.
    pub fn leased(&self) -> usize {
        self.leases.lock().len()
    }

    /// Those of them whose orders have their codes.
    pub fn listening(&self) -> usize {
        self.leases.lock().values().filter(|held| held.listens).count()
    }

    /// The best any source that answers has for such orders.
    pub fn stock(&self, wanted: NumberRequest) -> Stock {
        let answers = |source: &&Source| {
            source.supplier.is_reached()
                && self.may_serve(source, wanted.at)
                && source.health.lock().breaker.lets_through(wanted.at)
        };
        self.sources
            .iter()
            .filter(answers)
            .map(|source| source.supplier.stock(wanted))
            .max()
            .unwrap_or(Stock::None)
    }

    /// Whether orders are kept away from a source because it fails.
    pub fn is_cut_off(&self, supplier: &SupplierName) -> bool {
        self.source(supplier).is_some_and(|source| source.health.lock().breaker.is_open())
    }

    /// The part of a source's recent orders that got their code, between 0 and 1; `None` under
    /// five.
    pub fn success_rate(&self, supplier: &SupplierName, now: Timestamp) -> Option<f64> {
        self.source(supplier)?.health.lock().record.rate(now)
    }

    /// The source to ask next: the best by weight, price and record, made-up numbers behind all
    /// others. Where there are more sources than an order may ask, those that have nothing are
    /// asked after the others; else every source has its turn, and an order's history says which
    /// had nothing.
    fn next(
        &self,
        wanted: NumberRequest,
        excluded: &[SupplierName],
        last: &[SupplierName],
    ) -> Option<&Source> {
        if wanted.scenario.is_some() {
            return self.tests.as_ref().filter(|source| !excluded.contains(source.supplier.name()));
        }
        let is_choosy = self.sources.len() > usize::from(self.max_attempts);
        let candidates = self.sources.iter().filter(|source| {
            source.supplier.is_reached()
                && !excluded.contains(source.supplier.name())
                && self.may_serve(source, wanted.at)
        });
        let candidates = candidates.filter_map(|source| {
            let health = source.health.lock();
            health
                .breaker
                .lets_through(wanted.at)
                .then(|| (source, health.record.twentieths(wanted.at)))
        });
        let place = |(source, twentieths): &(&Source, u32)| {
            let supplier = &source.supplier;
            let has_nothing = is_choosy && supplier.stock(wanted) == Stock::None;
            let cost = source.preference.cost.or_else(|| supplier.cost(wanted));
            let score = score(source.preference.weight, *twentieths, cost);
            (last.contains(supplier.name()), has_nothing, supplier.is_simulated(), Reverse(score))
        };
        candidates.min_by_key(place).map(|(source, _)| source)
    }

    fn source(&self, name: &SupplierName) -> Option<&Source> {
        self.sources.iter().chain(&self.tests).find(|source| source.supplier.name() == name)
    }
}

#[cfg(test)]
mod tests;
