//! The numbers of a pool in the order in which they serve: one queue a country and platform, the
//! one that has rested longest first.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use events::country::Country;
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;

use super::super::port::NumberRequest;
use super::super::quarantine::Quarantine;
use super::OwnNumber;
use super::share::Unproven;

/// A number in the pool, and how it is.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct Entry {
    pub(super) number: OwnNumber,
    pub(super) leased: bool,
    /// The order that has it has its code, and listens.
    pub(super) listens: bool,
    /// An order has it, durably: whoever had it may have told its platform of it.
    pub(super) assigned: bool,
    /// When an order that had it last gave it up.
    pub(super) released: Option<Timestamp>,
    /// It serves no further order.
    pub(super) retired: bool,
    /// Rises with every lease: what was put into a queue before has to go to its end.
    pub(super) leases: u64,
    /// Queues that it has been taken out of while it was leased.
    pub(super) absent_from: Vec<Platform>,
}

impl Entry {
    fn serves(&self, platform: Platform) -> bool {
        self.number.platforms.as_ref().is_none_or(|platforms| platforms.contains(&platform))
    }
}

/// A number's place in a queue, and how often it had been leased then.
pub(super) type Place = (usize, u64);

#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) entries: Vec<Entry>,
    pub(super) by_phone: HashMap<Phone, usize>,
    by_country: HashMap<Country, Vec<usize>>,
    /// What may serve a platform, the one that has rested longest first. Made when first asked for;
    /// a number that cannot serve now is taken out by whoever meets it, so that nobody meets it
    /// twice.
    queues: HashMap<(Country, Platform), VecDeque<Place>>,
    /// Numbers that rest, also from a single platform, and until when.
    cooling: BTreeSet<(Timestamp, usize, Platform)>,
    /// When a number last served a platform.
    pub(super) served: HashMap<(usize, Platform), Timestamp>,
    pub(super) unproven: Unproven,
}

impl Pool {
    /// Has a number; one that is there already is another entry from here on, as leased and as
    /// tired as before.
    pub(super) fn list(&mut self, number: OwnNumber) {
        let index = self.entries.len();
        let before = self.by_phone.insert(number.phone.clone(), index);
        let mut entry = Entry {
            number,
            leased: false,
            listens: false,
            assigned: false,
            released: None,
            retired: false,
            leases: 0,
            absent_from: Vec::new(),
        };
        if let Some(before) = before {
            let old = &mut self.entries[before];
            old.retired = true;
            (entry.leased, entry.listens, entry.assigned) = (old.leased, old.listens, old.assigned);
            (entry.leases, entry.released) = (old.leases, old.released);
            let served: Vec<_> = self
                .served
                .iter()
                .filter(|((of, _), _)| *of == before)
                .map(|((_, platform), at)| (*platform, *at))
                .collect();
            self.served.extend(served.into_iter().map(|(platform, at)| ((index, platform), at)));
        }
        self.by_country.entry(entry.number.country).or_default().push(index);
        for ((country, platform), queue) in &mut self.queues {
            if *country == entry.number.country && entry.serves(*platform) {
                queue.push_back((index, entry.leases));
            }
        }
        self.entries.push(entry);
    }

    /// The numbers it has.
    pub(super) fn current(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.by_phone
            .values()
            .map(|index| (*index, &self.entries[*index]))
            .filter(|(_, entry)| !entry.retired)
    }

    /// Takes the number that serves `wanted` next out of its queue.
    pub(super) fn next(
        &mut self,
        wanted: NumberRequest,
        cool_down: Duration,
        rest: &Quarantine,
    ) -> Option<usize> {
        self.end_cooling(wanted.at);
        let key = (wanted.country, wanted.platform);
        if !self.queues.contains_key(&key) {
            let queue = self.all_for(key);
            self.queues.insert(key, queue);
        }
        let queue = self.queues.get_mut(&key)?;
        while let Some((index, leases)) = queue.pop_front() {
            let entry = &mut self.entries[index];
            if entry.retired {
                // It comes back in no queue.
            } else if entry.leased {
                entry.absent_from.push(wanted.platform);
            } else if entry.leases != leases {
                // It has served another platform since: others have rested longer.
                queue.push_back((index, entry.leases));
            } else {
                let cooled =
                    self.served.get(&(index, wanted.platform)).map(|served| served.plus(cool_down));
                let rested = entry.released.map(|released| rest.until(released));
                match cooled.max(rested).filter(|until| *until > wanted.at) {
                    Some(until) => drop(self.cooling.insert((until, index, wanted.platform))),
                    None => return Some(index),
                }
            }
        }
        None
    }

    /// How many numbers there are for such orders, on others or not.
    pub(super) fn numbers_for(&self, wanted: NumberRequest) -> usize {
        self.serving((wanted.country, wanted.platform)).count()
    }

    fn serving(&self, (country, platform): (Country, Platform)) -> impl Iterator<Item = usize> {
        let may_serve = move |index: &usize| {
            !self.entries[*index].retired && self.entries[*index].serves(platform)
        };
        self.by_country.get(&country).into_iter().flatten().copied().filter(may_serve)
    }

    fn all_for(&self, key: (Country, Platform)) -> VecDeque<Place> {
        // As if none had been leased yet: those that have go behind the others.
        self.serving(key).map(|index| (index, 0)).collect()
    }

    /// Lets numbers that have rested back into their queues.
    fn end_cooling(&mut self, now: Timestamp) {
        while let Some((_, index, platform)) =
            self.cooling.first().filter(|(until, ..)| *until <= now).copied()
        {
            self.cooling.pop_first();
            self.put_back(index, platform);
        }
    }

    pub(super) fn put_back(&mut self, index: usize, platform: Platform) {
        let entry = &self.entries[index];
        if entry.retired {
            return;
        }
        if let Some(queue) = self.queues.get_mut(&(entry.number.country, platform)) {
            queue.push_back((index, entry.leases));
        }
    }

    /// How many of up to `most` numbers could serve `wanted`. They stay where they are.
    pub(super) fn ready(
        &mut self,
        wanted: NumberRequest,
        cool_down: Duration,
        rest: &Quarantine,
        most: usize,
    ) -> usize {
        let found: Vec<usize> =
            std::iter::from_fn(|| self.next(wanted, cool_down, rest)).take(most).collect();
        let entries = &self.entries;
        if let Some(queue) = self.queues.get_mut(&(wanted.country, wanted.platform)) {
            for index in found.iter().rev() {
                queue.push_front((*index, entries[*index].leases));
            }
        }
        found.len()
    }
}
