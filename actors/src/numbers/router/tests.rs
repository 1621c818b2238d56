//! Whom the router asks next, and which number is on which order.

use events::country::Country;
use events::id::{AccountId, OrderId};
use events::platform::Platform;

use super::*;
use crate::kernel::clock::Clock;
use crate::numbers::pool::{NumberPool, OwnNumber};
use crate::numbers::{Quarantine, SessionAvailability};

const WANTED: NumberRequest = NumberRequest {
    platform: Platform::Google,
    country: Country::Us,
    at: Timestamp::from_millis(0),
    is_unproven: false,
    scenario: None,
};

/// Sources named `a`, `b`, ... with these numbers of the United States, for orders that may ask two
/// of them.
fn router(numbers: &[&[&str]]) -> Router {
    let pool = |(place, numbers): (usize, &&[&str])| {
        let name = ["a", "b", "c", "d"][place].parse().unwrap();
        let number = |phone: &&str| OwnNumber {
            phone: phone.parse().unwrap(),
            country: Country::Us,
            platforms: None,
        };
        Arc::new(NumberPool::new(name, numbers.iter().map(number).collect(), Duration::ZERO, []))
            as Arc<dyn Supplier>
    };
    Router::new(numbers.iter().enumerate().map(pool).collect(), 2)
}

async fn asked(router: &Router, excluded: &[&str], last: &[&str]) -> String {
    let names = |names: &[&str]| {
        names.iter().map(|name| name.parse().unwrap()).collect::<Vec<SupplierName>>()
    };
    let asked =
        AttemptRequest { account: AccountId(1), order: OrderId(1), attempt: 1, wanted: WANTED };
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
    assert_eq!(router.acquire_local(WANTED).unwrap().supplier.as_str(), "a");
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
    let reach = Arc::new(SessionAvailability::new(Clock::System, 1, Duration::ZERO));
    let number =
        OwnNumber { phone: "+12025550101".parse().unwrap(), country: Country::Us, platforms: None };
    let pool = NumberPool::new("smpp".parse().unwrap(), vec![number], Duration::ZERO, [])
        .resting(Quarantine::Over(Arc::clone(&reach)), []);
    let router = Router::new(vec![Arc::new(pool)], 3);
    assert_eq!(
        (
            asked(&router, &[], &[]).await.as_str(),
            router.acquire_local(WANTED),
            router.stock(WANTED)
        ),
        ("none left", None, Stock::None)
    );
    reach.gained();
    assert_eq!(router.stock(WANTED), Stock::Low);
    assert_eq!(asked(&router, &[], &[]).await, "smpp gives +12025550101");
    reach.lost();
    assert_eq!(asked(&router, &[], &[]).await, "none left");
}

fn lease(order: u128, supplier: &str, phone: &str) -> Lease {
    let (supplier, phone) = (supplier.parse().unwrap(), phone.parse().unwrap());
    let NumberRequest { platform, country, at: assigned_at, .. } = WANTED;
    Lease {
        account: AccountId(1),
        order: OrderId(order),
        attempt: 1,
        supplier,
        phone,
        platform,
        country,
        assigned_at,
        scenario: None,
    }
}

#[tokio::test]
async fn weight_cost_and_record_say_which_source_is_next() {
    let numbers: &[&[&str]] = &[&["+12025550101"], &["+12025550102"]];
    let prefer = |weight, cents| Preference { weight, cost: Some(Money::from_cents(cents)) };
    let next = |router: Router| router.acquire_local(WANTED).unwrap().supplier.to_string();
    assert_eq!(next(router(numbers)), "a");
    assert_eq!(next(router(numbers).preferring("b", prefer(200, 0), Record::default())), "b");
    assert_eq!(next(router(numbers).preferring("a", prefer(100, 20), Record::default())), "b");
    assert_eq!(
        next(router(numbers).preferring("a", prefer(100, 0), Record::new(20, 10, WANTED.at))),
        "b"
    );
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
    assert!(
        router.lease_of(&"a".parse().unwrap(), &"+12025550101".parse().unwrap()).is_some(),
        "another order's release is not this one's"
    );
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
    fn acquire_local(&self, _wanted: NumberRequest) -> Option<Result<Phone, AttemptFailure>> {
        None
    }
    fn acquire(
        &self,
        _asked: AttemptRequest,
    ) -> crate::store::BoxFuture<'_, Result<Phone, AttemptFailure>> {
        let mut failures = self.1.lock();
        let answer = if *failures == 0 {
            Ok("+12025550101".parse().unwrap())
        } else {
            Err(AttemptFailure::SourceError)
        };
        *failures = failures.saturating_sub(1);
        Box::pin(std::future::ready(answer))
    }
    fn assigned(&self, _lease: &Lease) {}
    fn release(&self, _lease: &Lease, _release: Release, _now: Timestamp) {}
    fn stock(&self, _wanted: NumberRequest) -> Stock {
        Stock::Medium
    }
    fn cost(&self, _wanted: NumberRequest) -> Option<Money> {
        None
    }
    fn numbers(&self, _now: Timestamp) -> Option<crate::numbers::Numbers> {
        None
    }
}

#[tokio::test]
async fn a_source_that_fails_is_left_alone_and_looked_at_again() {
    let failing = Arc::new(Failing("a".parse().unwrap(), Mutex::new(6)));
    let router = Router::new(vec![failing], 3);
    let ask = async |second: u64| {
        let at = WANTED.at.plus(Duration::from_secs(second));
        let asked = AttemptRequest {
            account: AccountId(1),
            order: OrderId(1),
            attempt: 1,
            wanted: NumberRequest { at, ..WANTED },
        };
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

#[test]
fn an_order_that_listens_counts_once_for_its_source_and_keeps_its_number() {
    let router = router(&[&["+12025550101"]]);
    let (own, at) = ("a".parse().unwrap(), WANTED.at);
    for order in 0..5 {
        let lease = lease(order, "a", "+12025550101");
        assert!(router.lease(&lease));
        router.assigned(&lease);
        router.served(&lease, at);
        router.served(&lease, at);
        assert!(!router.listens(&lease, at), "it is known");
        assert_eq!((router.leased(), router.listening()), (1, 1));
        let numbers = router.suppliers().next().unwrap().numbers(Timestamp::default()).unwrap();
        assert_eq!((numbers.leased, numbers.listening), (0, 1));
        router.release(&lease, Release::Served(at), at);
        assert_eq!((router.leased(), router.listening()), (0, 0));
    }
    assert_eq!(router.success_rate(&own, at), Some(1.0));
    (0..5).for_each(|_| router.complained(&own, at));
    assert_eq!(router.success_rate(&own, at), Some(0.5));
}
