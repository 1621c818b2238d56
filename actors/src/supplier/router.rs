//! Over the sources: whom to ask next, and which number is on which order now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use events::account::FirstAnswer;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::supplier::SupplierName;
use parking_lot::Mutex;

use super::port::{Lease, Release, Stock, Supplier, Wanted};

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

/// The sources, in the order they are asked in, and the numbers on orders.
#[derive(Debug)]
pub struct Router {
    suppliers: Vec<Arc<dyn Supplier>>,
    max_attempts: u8,
    leases: Mutex<HashMap<Phone, Lease>>,
}

impl Router {
    /// A router over `suppliers`, the most wanted first, for orders that ask at most `max_attempts` of them.
    pub fn new(suppliers: Vec<Arc<dyn Supplier>>, max_attempts: u8) -> Self {
        Self { suppliers, max_attempts, leases: Mutex::default() }
    }

    /// The sources.
    pub fn suppliers(&self) -> &[Arc<dyn Supplier>] {
        &self.suppliers
    }

    /// Asks the next source. `excluded` are not asked; `last` are asked only when no other is left.
    pub async fn acquire(&self, wanted: Wanted, excluded: &[SupplierName], last: &[SupplierName]) -> Acquired {
        let Some(supplier) = self.next(wanted, excluded, last) else { return Acquired::NoSourceLeft };
        let name = supplier.name().clone();
        match tokio::time::timeout(SOURCE_TIMEOUT, supplier.acquire(wanted)).await {
            Ok(Ok(phone)) => Acquired::Number(name, phone),
            Ok(Err(failure)) => Acquired::Failed(name, failure),
            Err(_) => Acquired::Failed(name, AttemptFailure::TimedOut),
        }
    }

    /// The first source's answer, if it need not ask anybody for it.
    pub fn at_hand(&self, wanted: Wanted) -> Option<FirstAnswer> {
        let first = self.next(wanted, &[], &[])?;
        Some(FirstAnswer { supplier: first.name().clone(), answer: first.at_hand(wanted)? })
    }

    /// Messages to the number are the order's from here on. Said before the assignment is recorded: a message may
    /// be faster than whoever records it, and the book-keeper takes both in turn.
    pub fn lease(&self, lease: &Lease) {
        self.leases.lock().insert(lease.phone.clone(), lease.clone());
    }

    /// The assignment is recorded: the source may know.
    pub fn assigned(&self, lease: &Lease) {
        if let Some(supplier) = self.supplier(&lease.supplier) {
            supplier.assigned(lease);
        }
    }

    /// The number is on the order no more.
    pub fn release(&self, lease: &Lease, release: Release) {
        {
            let mut leases = self.leases.lock();
            if leases.get(&lease.phone).is_some_and(|current| current.order == lease.order && current.attempt == lease.attempt) {
                leases.remove(&lease.phone);
            }
        }
        if let Some(supplier) = self.supplier(&lease.supplier) {
            supplier.release(&lease.phone, lease.platform, release);
        }
    }

    /// The order that `phone` of `supplier` is on now.
    pub fn lease_of(&self, supplier: &SupplierName, phone: &Phone) -> Option<Lease> {
        self.leases.lock().get(phone).filter(|lease| lease.supplier == *supplier).cloned()
    }

    /// Whether `phone` is one of `supplier`'s numbers.
    pub fn owns(&self, supplier: &SupplierName, phone: &Phone) -> bool {
        self.supplier(supplier).is_some_and(|supplier| supplier.owns(phone))
    }

    /// Numbers on orders.
    pub fn leased(&self) -> usize {
        self.leases.lock().len()
    }

    /// The best any source has for such orders.
    pub fn stock(&self, wanted: Wanted) -> Stock {
        self.suppliers.iter().map(|supplier| supplier.stock(wanted)).max().unwrap_or(Stock::None)
    }

    /// The source to ask next. Where there are more sources than an order may ask, those that have nothing are asked after the others;
    /// else every source has its turn, and an order's history says which had nothing.
    fn next(&self, wanted: Wanted, excluded: &[SupplierName], last: &[SupplierName]) -> Option<&Arc<dyn Supplier>> {
        let is_choosy = self.suppliers.len() > usize::from(self.max_attempts);
        let candidates = self.suppliers.iter().filter(|supplier| !excluded.contains(supplier.name()));
        candidates.min_by_key(|supplier| (last.contains(supplier.name()), is_choosy && supplier.stock(wanted) == Stock::None))
    }

    fn supplier(&self, name: &SupplierName) -> Option<&Arc<dyn Supplier>> {
        self.suppliers.iter().find(|supplier| supplier.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use events::country::Country;
    use events::platform::Platform;
    use events::time::Timestamp;

    use super::*;
    use crate::supplier::own::{Own, OwnNumber};

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
        match router.acquire(WANTED, &names(excluded), &names(last)).await {
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
}
