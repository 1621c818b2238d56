//! Messages that arrive in parts: each part is kept before it is acknowledged, until all are there
//! or have been waited for long enough.

use std::collections::{BTreeMap, VecDeque};

use super::Event;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// Messages in parts that a number may wait for: more than any honest sender has under way.
pub const MAX_SETS: usize = 64;
/// Joined messages whose parts are remembered, so that one sent again is recognised.
const REMEMBERED_SETS: usize = 64;

/// How a part's bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// The GSM alphabet, one septet a byte, with these national tables: locking, single shift; 0
    /// for none.
    Gsm(u8, u8),
    /// ISO 8859-1.
    Latin1,
    /// UTF-16, big-endian.
    Utf16,
    /// UTF-8.
    Utf8,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The source.
    pub supplier: SupplierName,
    /// Who sent it, as the network says.
    pub sender: String,
    /// What the parts of one message have in common.
    pub reference: u32,
    /// Its number among them, from 1.
    pub number: u8,
    /// How many there are.
    pub total: u8,
    /// How its bytes are read.
    pub alphabet: Alphabet,
    /// Its text, in that alphabet.
    pub bytes: Vec<u8>,
    /// When the source received it.
    pub received_at: Timestamp,
    /// When it was recorded.
    pub at: Timestamp,
}

/// Which message a part belongs to. Senders use references again, so the moment of its first part
/// belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetId {
    /// When its first part was recorded.
    pub opened_at: Timestamp,
    /// The source.
    pub supplier: SupplierName,
    /// Who sent it.
    pub sender: String,
    /// What its parts have in common.
    pub reference: u32,
    /// How many there are.
    pub total: u8,
}

/// A message that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Which.
    pub id: SetId,
    /// The parts that are there, by their numbers.
    pub parts: BTreeMap<u8, Part>,
}

/// All messages in parts of a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    open: Vec<Set>,
    joined: VecDeque<Set>,
}

impl SetId {
    /// The message's id: the same however often it is joined.
    pub fn message_id(&self) -> String {
        format!("parts-{}-{}-{}", self.reference, self.total, self.opened_at.millis())
    }

    fn is_of(&self, part: &Part) -> bool {
        (&self.supplier, &self.sender, self.reference, self.total)
            == (&part.supplier, &part.sender, part.reference, part.total)
    }
}

impl Set {
    /// Whether every part is there.
    pub fn is_whole(&self) -> bool {
        self.parts.len() == usize::from(self.id.total)
    }

    fn has(&self, part: &Part) -> bool {
        self.id.is_of(part)
            && self.parts.get(&part.number).is_some_and(|known| known.bytes == part.bytes)
    }

    fn lacks(&self, part: &Part) -> bool {
        self.id.is_of(part) && !self.parts.contains_key(&part.number)
    }
}

impl Parts {
    /// What is waited for, the oldest first.
    pub fn open(&self) -> &[Set] {
        &self.open
    }

    /// The set of an id, while it is waited for.
    pub fn set(&self, id: &SetId) -> Option<&Set> {
        self.open.iter().find(|set| set.id == *id)
    }

    /// What keeping `part` makes happen; `None` where there is no room for it.
    pub(super) fn keep(&self, part: &Part) -> Option<Vec<Event>> {
        if self.open.iter().chain(&self.joined).any(|set| set.has(part)) {
            return Some(Vec::new());
        }
        let set = self.open.iter().rev().find(|set| set.lacks(part));
        if set.is_none() && self.open.len() >= MAX_SETS {
            return None;
        }
        let opened_at = set.map_or(part.at, |set| set.id.opened_at);
        Some(vec![Event::PartKept { part: part.clone(), opened_at }])
    }

    /// What having delivered a set makes happen.
    pub(super) fn join(&self, id: &SetId, at: Timestamp) -> Vec<Event> {
        let joined = self.set(id).map(|set| Event::PartsJoined {
            set: id.clone(),
            is_whole: set.is_whole(),
            at,
        });
        joined.into_iter().collect()
    }

    pub(super) fn evolve_kept(&mut self, part: &Part, opened_at: Timestamp) {
        let Part { supplier, sender, reference, total, .. } = part.clone();
        let id = SetId { opened_at, supplier, sender, reference, total };
        if self.set(&id).is_none() {
            self.open.push(Set { id: id.clone(), parts: BTreeMap::new() });
        }
        if let Some(set) = self.open.iter_mut().find(|set| set.id == id) {
            set.parts.insert(part.number, part.clone());
        }
    }

    pub(super) fn evolve_joined(&mut self, id: &SetId) {
        let Some(place) = self.open.iter().position(|set| set.id == *id) else { return };
        self.joined.push_back(self.open.remove(place));
        if self.joined.len() > REMEMBERED_SETS {
            self.joined.pop_front();
        }
    }
}
