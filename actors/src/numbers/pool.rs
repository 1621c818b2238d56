//! The operator's own numbers: listed in the config or imported, reserved here, their messages
//! pushed to `POST /inbound/v1/{supplier}`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use events::account::PoolShare;
use events::country::Country;
use events::money::Money;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;

use super::port::{AttemptRequest, Lease, NumberRequest, Numbers, Release, Stock, Supplier};
use super::quarantine::Quarantine;
use crate::store::BoxFuture;

mod queue;
mod share;

use queue::{Entry, Pool};

/// A number the operator has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNumber {
    /// The number.
    pub phone: Phone,
    /// Where it is from.
    pub country: Country,
    /// What it may be used for; `None` for everything.
    pub platforms: Option<HashSet<Platform>>,
}

/// The operator's own numbers.
#[derive(Debug)]
pub struct NumberPool {
    name: SupplierName,
    cool_down: Duration,
    rest: Quarantine,
    pool: Mutex<Pool>,
}

/// How a number is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberState {
    /// The number, and what it may serve.
    pub number: OwnNumber,
    /// Whether it is on an order.
    pub leased: bool,
    /// Whether that order has its code, and listens.
    pub listens: bool,
    /// Platforms that it rests from, and until when.
    pub cooling: Vec<(Platform, Timestamp)>,
    /// Until when it rests from all.
    pub rests_until: Option<Timestamp>,
}

impl NumberPool {
    /// A pool of `numbers`; `served` are the platforms that numbers have already served, and when.
    pub fn new(
        name: SupplierName,
        numbers: Vec<OwnNumber>,
        cool_down: Duration,
        served: impl IntoIterator<Item = (Phone, Platform, Timestamp)>,
    ) -> Self {
        let mut pool = Pool::default();
        for number in numbers {
            pool.list(number);
        }
        for (phone, platform, at) in served {
            if let Some(index) = pool.by_phone.get(&phone) {
                pool.served.insert((*index, platform), at);
            }
        }
        Self { name, cool_down, rest: Quarantine::default(), pool: Mutex::new(pool) }
    }

    /// The same with numbers that rest after each order; `released` says when orders before this
    /// process gave numbers up.
    #[must_use]
    pub fn resting(
        mut self,
        rest: Quarantine,
        released: impl IntoIterator<Item = (Phone, Timestamp)>,
    ) -> Self {
        let pool = self.pool.get_mut();
        for (phone, at) in released {
            if let Some(index) = pool.by_phone.get(&phone) {
                pool.entries[*index].released = Some(at);
            }
        }
        self.rest = rest;
        self
    }

    /// The same with a part of each country's numbers that unproven accounts hold at most.
    #[must_use]
    pub fn sharing(mut self, share: PoolShare) -> Self {
        self.pool.get_mut().unproven.limit_to(share);
        self
    }

    /// The pool has a number more, or may use one that it has for something else from here on.
    pub fn list(&self, number: OwnNumber) {
        self.pool.lock().list(number);
    }

    /// The number serves no further order; one that it is on keeps it to its end.
    pub fn retire(&self, phone: &Phone) {
        let mut pool = self.pool.lock();
        if let Some(index) = pool.by_phone.get(phone).copied() {
            pool.entries[index].retired = true;
        }
    }

    /// How each number is at `now`, by number.
    pub fn states(&self, now: Timestamp) -> Vec<NumberState> {
        let pool = self.pool.lock();
        let mut cooling: HashMap<usize, Vec<(Platform, Timestamp)>> = HashMap::new();
        for ((index, platform), served) in &pool.served {
            let until = served.plus(self.cool_down);
            if until > now {
                cooling.entry(*index).or_default().push((*platform, until));
            }
        }
        let mut states: Vec<NumberState> = pool
            .current()
            .map(|(index, entry)| {
                let mut cooling = cooling.remove(&index).unwrap_or_default();
                cooling.sort();
                let rests_until = entry
                    .released
                    .map(|released| self.rest.until(released))
                    .filter(|until| *until > now);
                NumberState {
                    number: entry.number.clone(),
                    leased: entry.leased,
                    listens: entry.listens,
                    cooling,
                    rests_until,
                }
            })
            .collect();
        states.sort_by(|one, other| one.number.phone.cmp(&other.number.phone));
        states
    }

    fn reserve(&self, wanted: NumberRequest) -> Result<Phone, AttemptFailure> {
        let mut pool = self.pool.lock();
        if wanted.is_unproven {
            let numbers = pool.numbers_for(wanted);
            if !pool.unproven.may_take(wanted.country, numbers, wanted.at) {
                return Err(AttemptFailure::NoNumber);
            }
        }
        let index =
            pool.next(wanted, self.cool_down, &self.rest).ok_or(AttemptFailure::NoNumber)?;
        if wanted.is_unproven {
            pool.unproven.took(wanted.country, index);
        }
        let entry = &mut pool.entries[index];
        entry.leased = true;
        entry.leases += 1;
        entry.absent_from.push(wanted.platform);
        Ok(entry.number.phone.clone())
    }
}

impl Supplier for NumberPool {
    fn name(&self) -> &SupplierName {
        &self.name
    }

    fn is_simulated(&self) -> bool {
        false
    }

    fn is_reached(&self) -> bool {
        self.rest.is_reached()
    }

    fn owns(&self, phone: &Phone) -> bool {
        let pool = self.pool.lock();
        pool.by_phone
            .get(phone)
            .is_some_and(|index| pool.entries[*index].leased || !pool.entries[*index].retired)
    }

    fn acquire_local(&self, wanted: NumberRequest) -> Option<Result<Phone, AttemptFailure>> {
        Some(self.reserve(wanted))
    }

    fn acquire(&self, asked: AttemptRequest) -> BoxFuture<'_, Result<Phone, AttemptFailure>> {
        Box::pin(std::future::ready(self.reserve(asked.wanted)))
    }

    fn assigned(&self, lease: &Lease) {
        let mut pool = self.pool.lock();
        let Some(index) = pool.by_phone.get(&lease.phone).copied() else { return };
        let entry = &mut pool.entries[index];
        // One that was reserved a moment ago has been counted.
        entry.leases += u64::from(!entry.leased);
        (entry.leased, entry.assigned) = (true, true);
    }

    fn served(&self, lease: &Lease, at: Timestamp) {
        let mut pool = self.pool.lock();
        let Some(index) = pool.by_phone.get(&lease.phone).copied() else { return };
        pool.served.insert((index, lease.platform), at);
        pool.entries[index].listens = true;
    }

    fn release(&self, lease: &Lease, release: Release, now: Timestamp) {
        let mut pool = self.pool.lock();
        let Some(index) = pool.by_phone.get(&lease.phone).copied() else { return };
        if let Release::Served(at) | Release::Spoilt(at) = release {
            pool.served.insert((index, lease.platform), at);
        }
        let entry = &mut pool.entries[index];
        (entry.leased, entry.listens) = (false, false);
        if std::mem::take(&mut entry.assigned) {
            entry.released = Some(now);
        }
        let (country, rests_until) = (
            entry.number.country,
            entry.released.map_or(now, |released| self.rest.until(released)),
        );
        for platform in std::mem::take(&mut entry.absent_from) {
            pool.put_back(index, platform);
        }
        pool.unproven.gave_back(country, index, rests_until, matches!(release, Release::Served(_)));
    }

    fn freed_at(&self, phone: &Phone) -> Option<Timestamp> {
        let pool = self.pool.lock();
        pool.by_phone.get(phone).and_then(|index| pool.entries[*index].released)
    }

    fn stock(&self, wanted: NumberRequest) -> Stock {
        let ready = self.pool.lock().ready(wanted, self.cool_down, &self.rest, 10);
        Stock::of(ready as u64)
    }

    fn cost(&self, _wanted: NumberRequest) -> Option<Money> {
        // Its numbers are paid for whether they serve or not; `suppliers.costs` says what a code is
        // to count as.
        None
    }

    fn numbers(&self, now: Timestamp) -> Option<Numbers> {
        let pool = self.pool.lock();
        let count = |mut numbers: Numbers, entry: &Entry| {
            numbers.known += 1;
            numbers.listening += usize::from(entry.listens);
            numbers.leased += usize::from(entry.leased && !entry.listens);
            numbers.resting += usize::from(
                !entry.leased
                    && entry.released.is_some_and(|released| self.rest.until(released) > now),
            );
            numbers
        };
        Some(pool.current().fold(Numbers::default(), |numbers, (_, entry)| count(numbers, entry)))
    }
}

#[cfg(test)]
mod tests;
