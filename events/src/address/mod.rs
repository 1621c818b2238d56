//! Who has which deposit address: one stream a coin gives each account the next index of the
//! operator's key, once.
//!
//! Holds: derivation from a public key, addresses as text, the assignment. Never holds: a private
//! key; payments (`deposit` does). Leans on: `deposit::Currency`. Proved by: `tests.rs` here, with
//! published vectors.

mod key;
mod place;
#[cfg(test)]
mod tests;

use imbl::OrdMap;
use thiserror::Error;

pub use key::{AccountKey, KeyId, MAX_INDEX, ParseKeyError};
pub use place::{Address, Destination, Network, ParseAddressError};

use crate::decider::Decider;
use crate::id::AccountId;
use crate::time::Timestamp;

/// A fact of a coin's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The address is the account's from here on, also after the operator has changed keys.
    Assigned(Assigned),
}

/// An account's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Whose.
    pub account: AccountId,
    /// From which of the operator's keys.
    pub key: KeyId,
    /// At which index of the key's external branch.
    pub index: u32,
    /// The address.
    pub address: Address,
    /// When.
    pub at: Timestamp,
}

/// Give an account an address of this key; one that has one keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assign {
    /// Whose.
    pub account: AccountId,
    /// The operator's key.
    pub key: AccountKey,
    /// Now.
    pub at: Timestamp,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The key has no index left; the operator must configure another account.
    #[error("the operator's key has no address left")]
    Exhausted,
}

/// All addresses of a coin. Readers have copies of it, which cost nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The next free index of each key.
    next: OrdMap<KeyId, u32>,
    /// The last address of each account.
    of_account: OrdMap<AccountId, Assigned>,
    /// Whose each address is, of every key there ever was.
    owners: OrdMap<Destination, AccountId>,
}

impl State {
    /// The account's address, if it has one of this key.
    pub fn address(&self, account: AccountId, key: &KeyId) -> Option<Address> {
        self.of_account
            .get(&account)
            .filter(|assigned| assigned.key == *key)
            .map(|assigned| assigned.address.clone())
    }

    /// Whose money comes in at this destination.
    pub fn owner(&self, destination: &Destination) -> Option<AccountId> {
        self.owners.get(destination).copied()
    }

    /// Every destination.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        self.owners.keys()
    }

    /// How many addresses there are.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// The next free index of a key.
    pub fn next_index(&self, key: &KeyId) -> u32 {
        self.next.get(key).copied().unwrap_or(0)
    }
}

impl Decider for State {
    type Command = Assign;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, Assign { account, key, at }: &Assign) -> Result<Vec<Event>, Refusal> {
        if self.address(*account, key.id()).is_some() {
            return Ok(Vec::new());
        }
        let free = self.next_index(key.id())..=MAX_INDEX;
        // An index without an address is one in 2^127; the next one has one.
        let (index, address) = free
            .take(2)
            .find_map(|index| Some((index, key.address(index)?)))
            .ok_or(Refusal::Exhausted)?;
        Ok(vec![Event::Assigned(Assigned {
            account: *account,
            key: key.id().clone(),
            index,
            address,
            at: *at,
        })])
    }

    fn evolve(mut self, Event::Assigned(assigned): &Event) -> Self {
        self.next.insert(assigned.key.clone(), assigned.index + 1);
        self.owners.insert(assigned.address.destination.clone(), assigned.account);
        self.of_account.insert(assigned.account, assigned.clone());
        self
    }
}
