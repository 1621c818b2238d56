//! Which numbers the simulator has made up are on orders, and what is still to happen on them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use events::country::Country;
use events::id::OrderId;
use events::phone::Phone;
use events::time::Timestamp;

use super::scenario::Act;
use actors::numbers::Lease;

#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Where each country's turn has come to: a number comes around only after all the others.
    pub(super) turns: HashMap<Country, u64>,
    pub(super) leased: HashSet<Phone>,
    /// How many of each country's are.
    pub(super) busy: HashMap<Country, u64>,
    /// Numbers on orders that have their codes, by country and since when.
    pub(super) listening: BTreeMap<(Country, Timestamp, OrderId), Lease>,
    pub(super) waiting: HashMap<Phone, Waiting>,
}

/// A number on an order, and what is still to happen on it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) lease: Lease,
    /// Acts of a test order's script; a real order has none, and gets its one message.
    pub(super) script: VecDeque<Act>,
    /// Acts done so far.
    pub(super) done: u32,
}

impl Pool {
    /// Whether the number was free; it is not from here on.
    pub(super) fn take(&mut self, phone: &Phone, country: Country) -> bool {
        let is_free = self.leased.insert(phone.clone());
        *self.busy.entry(country).or_default() += u64::from(is_free);
        is_free
    }

    /// The number that has listened longest, where half of a country's `count` numbers are in use:
    /// some countries have a hundred.
    pub(super) fn longest_listening(&mut self, country: Country, count: u64) -> Option<Lease> {
        if self.busy.get(&country).copied().unwrap_or(0) * 2 < count {
            return None;
        }
        let (first, last) = (
            (country, Timestamp::from_millis(i64::MIN), OrderId(0)),
            (country, Timestamp::from_millis(i64::MAX), OrderId(u128::MAX)),
        );
        let key = self.listening.range(first..=last).next().map(|(key, _)| *key)?;
        self.listening.remove(&key)
    }
}
