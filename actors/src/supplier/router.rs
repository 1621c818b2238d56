//! Over the sources: whom to ask next, and which number is on which order now.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use events::account::FirstAnswer;
use events::money::Money;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;

use super::breaker::Breaker;
use super::port::{Asked, Lease, Release, Stock, Supplier, Wanted};
use super::score::{Record, USUAL_WEIGHT, score};

/// How long a source may take to give a number: two may fail and a third still answer while a caller waits.
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

/// The sources, and the numbers on orders.
#[derive(Debug)]
pub struct Router {
    /// The most wanted first, where nothing else tells them apart.
    sources: Vec<Source>,
    max_attempts: u8,
    leases: Mutex<HashMap<Phone, Lease>>,
}

impl Router {
    /// A router over `suppliers`, the most wanted first, for orders that ask at most `max_attempts` of them.
    pub fn new(suppliers: Vec<Arc<dyn Supplier>>, max_attempts: u8) -> Self {
        let source = |supplier| Source { supplier, preference: Preference::default(), health: Mutex::default() };
        Self { sources: suppliers.into_iter().map(source).collect(), max_attempts, leases: Mutex::default() }
    }

    /// The same with an operator's preference for one of the sources, and how its orders went of late.
    #[must_use]
    pub fn preferring(mut self, name: &str, preference: Preference, record: Record) -> Self {
        if let Some(source) = self.sources.iter_mut().find(|source| source.supplier.name().as_str() == name) {
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
    pub async fn acquire(&self, asked: Asked, excluded: &[SupplierName], last: &[SupplierName]) -> Acquired {
        let at = asked.wanted.at;
        let Some(source) = self.next(asked.wanted, excluded, last) else { return Acquired::NoSourceLeft };
        source.health.lock().breaker.asked(at);
        let name = source.supplier.name().clone();
        let answer = tokio::time::timeout(SOURCE_TIMEOUT, source.supplier.acquire(asked)).await.unwrap_or(Err(AttemptFailure::TimedOut));
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
    pub fn at_hand(&self, wanted: Wanted) -> Option<FirstAnswer> {
        let first = &self.next(wanted, &[], &[])?.supplier;
        Some(FirstAnswer { supplier: first.name().clone(), answer: first.at_hand(wanted)? })
    }

    /// Messages to the number are the order's from here on, unless it is another order's or another source's. Said before the assignment
    /// is recorded: a message may be faster than whoever records it, and the book-keeper takes both in turn.
    pub fn lease(&self, lease: &Lease) -> bool {
        let others = self.suppliers().any(|supplier| *supplier.name() != lease.supplier && !supplier.is_simulated() && supplier.owns(&lease.phone));
        let mut leases = self.leases.lock();
        if others || leases.get(&lease.phone).is_some_and(|current| current.order != lease.order) {
            return false;
        }
        leases.insert(lease.phone.clone(), lease.clone());
        true
    }

    /// The number is the order's, as the log says: what recovery does, whoever has the number by the configuration of today.
    pub fn restore(&self, lease: &Lease) {
        self.leases.lock().insert(lease.phone.clone(), lease.clone());
    }

    /// The assignment is recorded: the source may know.
    pub fn assigned(&self, lease: &Lease) {
        if let Some(source) = self.source(&lease.supplier) {
            source.supplier.assigned(lease);
        }
    }

    /// The number is on the order no more, at `now`.
    pub fn release(&self, lease: &Lease, release: Release, now: Timestamp) {
        {
            let mut leases = self.leases.lock();
            if leases.get(&lease.phone).is_some_and(|current| current.order == lease.order && current.attempt == lease.attempt) {
                leases.remove(&lease.phone);
            }
        }
        let Some(source) = self.source(&lease.supplier) else { return };
        match release {
            Release::Served(_) => source.health.lock().record.add(true, now),
            Release::Silent | Release::Dead => source.health.lock().record.add(false, now),
            // A caller who changes their mind says nothing about the numbers.
            Release::Unused => {}
        }
        source.supplier.release(lease, release, now);
    }

    /// The order that `phone` of `supplier` is on now.
    pub fn lease_of(&self, supplier: &SupplierName, phone: &Phone) -> Option<Lease> {
        self.leases.lock().get(phone).filter(|lease| lease.supplier == *supplier).cloned()
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
        self.suppliers().find(|supplier| !supplier.is_simulated() && supplier.owns(phone)).map(|supplier| supplier.name())
    }

    /// Numbers on orders.
    pub fn leased(&self) -> usize {
        self.leases.lock().len()
    }

    /// The best any source that answers has for such orders.
    pub fn stock(&self, wanted: Wanted) -> Stock {
        let answers = |source: &&Source| source.supplier.is_reached() && source.health.lock().breaker.lets_through(wanted.at);
        self.sources.iter().filter(answers).map(|source| source.supplier.stock(wanted)).max().unwrap_or(Stock::None)
    }

    /// Whether orders are kept away from a source because it fails.
    pub fn is_cut_off(&self, supplier: &SupplierName) -> bool {
        self.source(supplier).is_some_and(|source| source.health.lock().breaker.is_open())
    }

    /// The part of a source's recent orders that got their code, between 0 and 1; `None` under five.
    pub fn success_rate(&self, supplier: &SupplierName, now: Timestamp) -> Option<f64> {
        self.source(supplier)?.health.lock().record.rate(now)
    }

    /// The source to ask next: the best by weight, price and record, made-up numbers behind all others. Where there are more sources than an order may
    /// ask, those that have nothing are asked after the others; else every source has its turn, and an order's history says which had nothing.
    fn next(&self, wanted: Wanted, excluded: &[SupplierName], last: &[SupplierName]) -> Option<&Source> {
        let is_choosy = self.sources.len() > usize::from(self.max_attempts);
        let candidates = self.sources.iter().filter(|source| source.supplier.is_reached() && !excluded.contains(source.supplier.name()));
        let candidates = candidates.filter_map(|source| {
            let health = source.health.lock();
            health.breaker.lets_through(wanted.at).then(|| (source, health.record.twentieths(wanted.at)))
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
        self.sources.iter().find(|source| source.supplier.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use events::country::Country;
    use events::id::{AccountId, OrderId};
    use events::platform::Platform;

    use super::*;
    use crate::clock::Clock;
    use crate::supplier::own::{Own, OwnNumber};
    use crate::supplier::{Reach, Rest};

    const WANTED: Wanted = Wanted { platform: Platform::Google, country: Country::Us, at: Timestamp::from_millis(0) };

    /// Sources named `a`, `b`, ... with these numbers of the United States, for orders that may ask two of them.
    fn router(numbers: &[&[&str]]) -> Router {
        let pool = |(place, numbers): (usize, &&[&str])| {
            let name = ["a", "b", "c", "d"][place].parse().unwrap();
            let number = |phone: &&str| OwnNumber { phone: phone.parse().unwrap(), country: Country::Us, platforms: None };
            Arc::new(Own::new(name, numbers.iter().map(number).collect(), Duration::ZERO, [])) as Arc<dyn Supplier>
        };
        Router::new(numbers.iter().enumerate().map(pool).collect(), 2)
    }

    async fn asked(router: &Router, excluded: &[&str], last: &[&str]) -> String {
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<SupplierName>>();
        let asked = Asked { account: AccountId(1), order: OrderId(1), attempt: 1, wanted: WANTED };
        match router.acquire(asked, &names(excluded), &names(last)).await {
            Acquired::Number(supplier, phone) => format!("{supplier} gives {}", phone.as_str()),
            Acquired::Failed(supplier, failure) => format!("{supplier} fails: {failure:?}"),
            Acquired::NoSourceLeft => "none left".to_owned(),
        }
    }

    #[tokio::test]
    async fn where_an_order_may_not_ask_all_it_asks_those_that_have_something() {
        let few = router(&[&[], &["+12025550101"]]);
        assert_eq!(asked(&few, &[], &[]).await, "a fails: NoNumber");
        let router = router(&[&[], &["+12025550101"], &["+12025550102"]]);
        assert_eq!(asked(&router, &[], &[]).await, "b gives +12025550101");
        assert_eq!(asked(&router, &[], &[]).await, "c gives +12025550102");
        assert_eq!(asked(&router, &[], &[]).await, "a fails: NoNumber");
        assert_eq!(router.at_hand(WANTED).unwrap().supplier.as_str(), "a");
    }

    #[tokio::test]
    async fn sources_that_failed_the_order_are_not_asked_or_last() {
        let router = router(&[&["+12025550101"], &["+12025550102"]]);
        assert_eq!(asked(&router, &[], &["a"]).await, "b gives +12025550102");
        assert_eq!(asked(&router, &["b"], &["a"]).await, "a gives +12025550101");
        assert_eq!(asked(&router, &["a", "b"], &[]).await, "none left");
    }

    #[tokio::test]
    async fn a_source_whose_messages_cannot_come_is_not_asked() {
        let reach = Arc::new(Reach::new(Clock::System, 1, Duration::ZERO));
        let number = OwnNumber { phone: "+12025550101".parse().unwrap(), country: Country::Us, platforms: None };
        let pool = Own::new("smpp".parse().unwrap(), vec![number], Duration::ZERO, []).resting(Rest::Over(Arc::clone(&reach)), []);
        let router = Router::new(vec![Arc::new(pool)], 3);
        assert_eq!((asked(&router, &[], &[]).await.as_str(), router.at_hand(WANTED), router.stock(WANTED)), ("none left", None, Stock::None));
        reach.gained();
        assert_eq!(router.stock(WANTED), Stock::Low);
        assert_eq!(asked(&router, &[], &[]).await, "smpp gives +12025550101");
        reach.lost();
        assert_eq!(asked(&router, &[], &[]).await, "none left");
    }

    fn lease(order: u128, supplier: &str, phone: &str) -> Lease {
        let (supplier, phone) = (supplier.parse().unwrap(), phone.parse().unwrap());
        let Wanted { platform, country, at: assigned_at } = WANTED;
        Lease { account: AccountId(1), order: OrderId(order), attempt: 1, supplier, phone, platform, country, assigned_at }
    }

    #[tokio::test]
    async fn weight_cost_and_record_say_which_source_is_next() {
        let numbers: &[&[&str]] = &[&["+12025550101"], &["+12025550102"]];
        let prefer = |weight, cents| Preference { weight, cost: Some(Money::from_cents(cents)) };
        let next = |router: Router| router.at_hand(WANTED).unwrap().supplier.to_string();
        assert_eq!(next(router(numbers)), "a");
        assert_eq!(next(router(numbers).preferring("b", prefer(200, 0), Record::default())), "b");
        assert_eq!(next(router(numbers).preferring("a", prefer(100, 20), Record::default())), "b");
        assert_eq!(next(router(numbers).preferring("a", prefer(100, 0), Record::new(20, 10, WANTED.at))), "b");
        // What its orders come to is learnt.
        let router = router(numbers);
        for order in 0..10 {
            let lease = lease(order, "a", "+12025550101");
            assert!(router.lease(&lease));
            router.release(&lease, Release::Silent, WANTED.at);
        }
        assert_eq!(next(router), "b");
    }

    #[test]
    fn a_number_is_on_one_order_and_of_one_source() {
        let router = router(&[&["+12025550101"], &["+12025550102"]]);
        assert!(router.lease(&lease(1, "a", "+12025550101")));
        assert!(!router.lease(&lease(2, "a", "+12025550101")));
        assert!(!router.lease(&lease(2, "a", "+12025550102")), "the number is b's");
        router.release(&lease(2, "a", "+12025550101"), Release::Unused, WANTED.at);
        assert!(router.lease_of(&"a".parse().unwrap(), &"+12025550101".parse().unwrap()).is_some(), "another order's release is not this one's");
        router.release(&lease(1, "a", "+12025550101"), Release::Unused, WANTED.at);
        assert!(router.lease(&lease(2, "a", "+12025550101")));
    }

    /// A source that fails as long as it is told to.
    #[derive(Debug)]
    struct Failing(SupplierName, Mutex<u32>);

    impl Supplier for Failing {
        fn name(&self) -> &SupplierName {
            &self.0
        }
        fn is_simulated(&self) -> bool {
            false
        }
        fn owns(&self, _phone: &Phone) -> bool {
            false
        }
        fn at_hand(&self, _wanted: Wanted) -> Option<Result<Phone, AttemptFailure>> {
            None
        }
        fn acquire(&self, _asked: Asked) -> crate::store::BoxFuture<'_, Result<Phone, AttemptFailure>> {
            let mut failures = self.1.lock();
            let answer = if *failures == 0 { Ok("+12025550101".parse().unwrap()) } else { Err(AttemptFailure::SourceError) };
            *failures = failures.saturating_sub(1);
            Box::pin(std::future::ready(answer))
        }
        fn assigned(&self, _lease: &Lease) {}
        fn release(&self, _lease: &Lease, _release: Release, _now: Timestamp) {}
        fn stock(&self, _wanted: Wanted) -> Stock {
            Stock::Medium
        }
        fn cost(&self, _wanted: Wanted) -> Option<Money> {
            None
        }
        fn numbers(&self) -> Option<super::super::Numbers> {
            None
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_is_left_alone_and_looked_at_again() {
        let failing = Arc::new(Failing("a".parse().unwrap(), Mutex::new(6)));
        let router = Router::new(vec![failing], 3);
        let ask = async |second: u64| {
            let at = WANTED.at.plus(Duration::from_secs(second));
            let asked = Asked { account: AccountId(1), order: OrderId(1), attempt: 1, wanted: Wanted { at, ..WANTED } };
            router.acquire(asked, &[], &[]).await
        };
        let failed = Acquired::Failed("a".parse().unwrap(), AttemptFailure::SourceError);
        for _ in 0..5 {
            assert_eq!(ask(0).await, failed);
        }
        assert_eq!((ask(1).await, router.stock(WANTED)), (Acquired::NoSourceLeft, Stock::None));
        assert!(router.is_cut_off(&"a".parse().unwrap()));
        // The one who looks finds it still failing; the next, later, that it is back.
        assert_eq!(ask(30).await, failed);
        assert_eq!(ask(60).await, Acquired::NoSourceLeft);
        assert!(matches!(ask(90).await, Acquired::Number(..)));
        assert!(!router.is_cut_off(&"a".parse().unwrap()));
    }
}
