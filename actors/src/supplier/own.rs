//! The operator's own numbers: listed in the config, reserved here, their messages pushed to the inbound door.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use events::country::Country;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;

use super::port::{Lease, Release, Stock, Supplier, Wanted};
use crate::store::BoxFuture;

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

#[derive(Debug, Default)]
struct Pool {
    /// By country, the one that has rested longest first.
    rested: HashMap<Country, VecDeque<OwnNumber>>,
    /// Numbers on orders, or reserved for one.
    leased: HashSet<Phone>,
    /// When a number last served a platform.
    served: HashMap<(Phone, Platform), Timestamp>,
}

/// The operator's own numbers.
#[derive(Debug)]
pub struct Own {
    name: SupplierName,
    cool_down: Duration,
    known: HashSet<Phone>,
    pool: Mutex<Pool>,
}

impl Own {
    /// A pool of `numbers`; `served` are the platforms that numbers have already served, and when.
    pub fn new(
        name: SupplierName,
        numbers: Vec<OwnNumber>,
        cool_down: Duration,
        served: impl IntoIterator<Item = (Phone, Platform, Timestamp)>,
    ) -> Self {
        let known = numbers.iter().map(|number| number.phone.clone()).collect();
        let mut pool = Pool::default();
        for number in numbers {
            pool.rested.entry(number.country).or_default().push_back(number);
        }
        pool.served = served.into_iter().map(|(phone, platform, at)| ((phone, platform), at)).collect();
        Self { name, cool_down, known, pool: Mutex::new(pool) }
    }

    fn fits(&self, pool: &Pool, number: &OwnNumber, wanted: Wanted) -> bool {
        let allowed = number.platforms.as_ref().is_none_or(|platforms| platforms.contains(&wanted.platform));
        let served = pool.served.get(&(number.phone.clone(), wanted.platform));
        let cooled = served.is_none_or(|served| wanted.at.since(*served) >= self.cool_down);
        allowed && cooled && !pool.leased.contains(&number.phone)
    }
}

impl Own {
    fn reserve(&self, wanted: Wanted) -> Result<Phone, AttemptFailure> {
        let mut pool = self.pool.lock();
        let queue = pool.rested.get(&wanted.country).ok_or(AttemptFailure::NoNumber)?;
        let place = queue.iter().position(|number| self.fits(&pool, number, wanted)).ok_or(AttemptFailure::NoNumber)?;
        let queue = pool.rested.get_mut(&wanted.country).ok_or(AttemptFailure::NoNumber)?;
        let number = queue.remove(place).ok_or(AttemptFailure::NoNumber)?;
        let phone = number.phone.clone();
        queue.push_back(number);
        pool.leased.insert(phone.clone());
        Ok(phone)
    }
}

impl Supplier for Own {
    fn name(&self) -> &SupplierName {
        &self.name
    }

    fn is_simulated(&self) -> bool {
        false
    }

    fn owns(&self, phone: &Phone) -> bool {
        self.known.contains(phone)
    }

    fn at_hand(&self, wanted: Wanted) -> Option<Result<Phone, AttemptFailure>> {
        Some(self.reserve(wanted))
    }

    fn acquire(&self, wanted: Wanted) -> BoxFuture<'_, Result<Phone, AttemptFailure>> {
        Box::pin(std::future::ready(self.reserve(wanted)))
    }

    fn assigned(&self, lease: &Lease) {
        self.pool.lock().leased.insert(lease.phone.clone());
    }

    fn release(&self, phone: &Phone, platform: Platform, release: Release) {
        let mut pool = self.pool.lock();
        pool.leased.remove(phone);
        if let Release::Served(at) = release {
            pool.served.insert((phone.clone(), platform), at);
        }
    }

    fn stock(&self, wanted: Wanted) -> Stock {
        let pool = self.pool.lock();
        let free = pool.rested.get(&wanted.country).map_or(0, |queue| queue.iter().filter(|number| self.fits(&pool, number, wanted)).count());
        match free {
            0 => Stock::None,
            1..=2 => Stock::Low,
            3..=9 => Stock::Medium,
            _ => Stock::High,
        }
    }
}
