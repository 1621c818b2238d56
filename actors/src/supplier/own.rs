//! The operator's own numbers: listed in the config, reserved here, their messages pushed to the inbound door.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use events::country::Country;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;

use super::port::{Lease, Numbers, Release, Stock, Supplier, Wanted};
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

/// A number in the pool, and how it is.
#[derive(Debug)]
struct Entry {
    number: OwnNumber,
    leased: bool,
    /// Rises with every lease: what was put into a queue before has to go to its end.
    leases: u64,
    /// Queues that it has been taken out of while it was leased.
    absent_from: Vec<Platform>,
}

/// A number's place in a queue, and how often it had been leased then.
type Place = (usize, u64);

#[derive(Debug, Default)]
struct Pool {
    entries: Vec<Entry>,
    by_phone: HashMap<Phone, usize>,
    by_country: HashMap<Country, Vec<usize>>,
    /// What may serve a platform, the one that has rested longest first. Made when first asked for; a number that cannot serve now is taken out
    /// by whoever meets it, so that nobody meets it twice.
    queues: HashMap<(Country, Platform), VecDeque<Place>>,
    /// Numbers that have served a platform and rest from it, and until when.
    cooling: BTreeSet<(Timestamp, usize, Platform)>,
    /// When a number last served a platform.
    served: HashMap<(usize, Platform), Timestamp>,
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
        for (index, number) in numbers.into_iter().enumerate() {
            pool.by_phone.insert(number.phone.clone(), index);
            pool.by_country.entry(number.country).or_default().push(index);
            pool.entries.push(Entry { number, leased: false, leases: 0, absent_from: Vec::new() });
        }
        for (phone, platform, at) in served {
            if let Some(index) = pool.by_phone.get(&phone) {
                pool.served.insert((*index, platform), at);
            }
        }
        Self { name, cool_down, known, pool: Mutex::new(pool) }
    }

    fn reserve(&self, wanted: Wanted) -> Result<Phone, AttemptFailure> {
        let mut pool = self.pool.lock();
        let index = pool.next(wanted, self.cool_down).ok_or(AttemptFailure::NoNumber)?;
        let entry = &mut pool.entries[index];
        entry.leased = true;
        entry.leases += 1;
        entry.absent_from.push(wanted.platform);
        Ok(entry.number.phone.clone())
    }
}

impl Pool {
    /// Takes the number that serves `wanted` next out of its queue.
    fn next(&mut self, wanted: Wanted, cool_down: Duration) -> Option<usize> {
        self.end_cooling(wanted.at);
        let key = (wanted.country, wanted.platform);
        if !self.queues.contains_key(&key) {
            let queue = self.all_for(key);
            self.queues.insert(key, queue);
        }
        let queue = self.queues.get_mut(&key)?;
        while let Some((index, leases)) = queue.pop_front() {
            let entry = &mut self.entries[index];
            if entry.leased {
                entry.absent_from.push(wanted.platform);
            } else if entry.leases != leases {
                // It has served another platform since: others have rested longer.
                queue.push_back((index, entry.leases));
            } else if let Some(until) =
                self.served.get(&(index, wanted.platform)).map(|served| served.plus(cool_down)).filter(|until| *until > wanted.at)
            {
                self.cooling.insert((until, index, wanted.platform));
            } else {
                return Some(index);
            }
        }
        None
    }

    fn all_for(&self, (country, platform): (Country, Platform)) -> VecDeque<Place> {
        let numbers = self.by_country.get(&country).into_iter().flatten();
        let may_serve = |index: &&usize| self.entries[**index].number.platforms.as_ref().is_none_or(|platforms| platforms.contains(&platform));
        // As if none had been leased yet: those that have go behind the others.
        numbers.filter(may_serve).map(|index| (*index, 0)).collect()
    }

    /// Lets numbers that have rested back into their queues.
    fn end_cooling(&mut self, now: Timestamp) {
        while let Some((_, index, platform)) = self.cooling.first().filter(|(until, ..)| *until <= now).copied() {
            self.cooling.pop_first();
            self.put_back(index, platform);
        }
    }

    fn put_back(&mut self, index: usize, platform: Platform) {
        let entry = &self.entries[index];
        if let Some(queue) = self.queues.get_mut(&(entry.number.country, platform)) {
            queue.push_back((index, entry.leases));
        }
    }

    /// How many of up to `most` numbers could serve `wanted`. They stay where they are.
    fn ready(&mut self, wanted: Wanted, cool_down: Duration, most: usize) -> usize {
        let found: Vec<usize> = std::iter::from_fn(|| self.next(wanted, cool_down)).take(most).collect();
        let entries = &self.entries;
        if let Some(queue) = self.queues.get_mut(&(wanted.country, wanted.platform)) {
            for index in found.iter().rev() {
                queue.push_front((*index, entries[*index].leases));
            }
        }
        found.len()
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
        let mut pool = self.pool.lock();
        let Some(index) = pool.by_phone.get(&lease.phone).copied() else { return };
        let entry = &mut pool.entries[index];
        // One that was reserved a moment ago has been counted.
        entry.leases += u64::from(!entry.leased);
        entry.leased = true;
    }

    fn release(&self, phone: &Phone, platform: Platform, release: Release) {
        let mut pool = self.pool.lock();
        let Some(index) = pool.by_phone.get(phone).copied() else { return };
        if let Release::Served(at) = release {
            pool.served.insert((index, platform), at);
        }
        let entry = &mut pool.entries[index];
        entry.leased = false;
        for platform in std::mem::take(&mut entry.absent_from) {
            pool.put_back(index, platform);
        }
    }

    fn stock(&self, wanted: Wanted) -> Stock {
        match self.pool.lock().ready(wanted, self.cool_down, 10) {
            0 => Stock::None,
            1..=2 => Stock::Low,
            3..=9 => Stock::Medium,
            _ => Stock::High,
        }
    }

    fn numbers(&self) -> Option<Numbers> {
        let pool = self.pool.lock();
        Some(Numbers { known: pool.entries.len(), leased: pool.entries.iter().filter(|entry| entry.leased).count() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;

    const HOUR: Duration = Duration::from_hours(1);

    fn wanted(platform: Platform, minute: u64) -> Wanted {
        Wanted { platform, country: Country::Us, at: Timestamp::from_millis(0).plus(Duration::from_mins(minute)) }
    }

    fn phone(number: usize) -> Phone {
        format!("+1202555{number:04}").parse().unwrap()
    }

    fn pool(numbers: usize) -> Own {
        let number = |number| OwnNumber { phone: phone(number), country: Country::Us, platforms: None };
        Own::new("own".parse().unwrap(), (0..numbers).map(number).collect(), HOUR, [])
    }

    #[test]
    fn the_number_that_has_rested_longest_is_next_whatever_it_served() {
        let own = pool(3);
        for (platform, expected) in
            [(Platform::Google, 0), (Platform::Discord, 1), (Platform::Google, 2), (Platform::Discord, 0), (Platform::Google, 1)]
        {
            let given = own.reserve(wanted(platform, 0)).unwrap();
            assert_eq!((given.clone(), own.numbers()), (phone(expected), Some(Numbers { known: 3, leased: 1 })), "{platform}");
            own.release(&given, platform, Release::Unused);
            assert_eq!(own.numbers(), Some(Numbers { known: 3, leased: 0 }));
        }
    }

    #[test]
    fn a_number_rests_from_what_it_has_served_and_from_nothing_else() {
        let own = pool(1);
        let given = own.reserve(wanted(Platform::Google, 0)).unwrap();
        assert_eq!(own.stock(wanted(Platform::Google, 0)), Stock::None);
        own.release(&given, Platform::Google, Release::Served(wanted(Platform::Google, 0).at));
        assert_eq!((own.stock(wanted(Platform::Google, 59)), own.stock(wanted(Platform::Discord, 59))), (Stock::None, Stock::Low));
        assert_eq!(own.reserve(wanted(Platform::Google, 59)), Err(AttemptFailure::NoNumber));
        assert_eq!(own.reserve(wanted(Platform::Google, 60)), Ok(given));
    }

    /// Any sequence of leases and releases gives a number where the plain rule has one, and only one that the rule allows.
    #[test]
    fn the_queues_and_the_plain_rule_agree() {
        let dice = Entropy::seeded(5);
        let below = |bound: usize| usize::try_from(dice.below(bound as u64)).unwrap();
        let platforms = [Platform::Google, Platform::Discord, Platform::Steam];
        for round in 0..40 {
            let own = pool(6);
            let mut out: Vec<(Phone, Platform)> = Vec::new();
            let mut served: HashMap<(Phone, Platform), u64> = HashMap::new();
            for minute in 0..400u64 {
                let platform = platforms[below(3)];
                let fits = |number: usize| {
                    let phone = phone(number);
                    let cooled = served.get(&(phone.clone(), platform)).is_none_or(|at| minute >= at + 60);
                    cooled && !out.iter().any(|(leased, _)| *leased == phone)
                };
                let free: Vec<Phone> = (0..6).filter(|number| fits(*number)).map(phone).collect();
                let stock = [Stock::None, Stock::Low, Stock::Low][free.len().min(2)].max(if free.len() > 2 { Stock::Medium } else { Stock::None });
                assert_eq!(own.stock(wanted(platform, minute)), stock, "round {round}, minute {minute}");
                match own.reserve(wanted(platform, minute)) {
                    Ok(given) => {
                        assert!(free.contains(&given), "round {round}, minute {minute}");
                        out.push((given, platform));
                    }
                    Err(_) => assert_eq!(free, [], "round {round}, minute {minute}"),
                }
                while out.len() > below(7) {
                    let (phone, platform) = out.swap_remove(below(out.len()));
                    let release = if below(2) == 0 { Release::Unused } else { Release::Served(wanted(platform, minute).at) };
                    if let Release::Served(_) = release {
                        served.insert((phone.clone(), platform), minute);
                    }
                    own.release(&phone, platform, release);
                }
            }
        }
    }
}
