//! Idempotency keys: each names one effect of one call for seven days, recorded in the same append
//! as the effect.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use imbl::{OrdMap, Vector};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::batch::BatchItem;
use crate::id::{DepositId, OrderId};
use crate::time::Timestamp;

/// The contract: "Kept 7 days".
pub const KEPT: Duration = Duration::from_hours(7 * 24);
/// Keys an account may have in use at a time: more than a caller at the rate limit places orders in
/// seven days, about 30 MB. Past it new keys are refused: one forgotten early could charge twice.
pub const MAX_KEYS: usize = 250_000;

/// A caller's idempotency key: 1 to 255 printable ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Arc<str>);

/// The text is not an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an idempotency key is 1 to 255 printable ASCII characters")]
pub struct ParseKeyError;

impl Key {
    /// The key as the caller wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the account remembers the key by.
    fn digest(&self) -> u128 {
        let digest = Sha256::digest(self.0.as_bytes());
        let (head, _) = digest.split_at(16);
        u128::from_be_bytes(head.try_into().expect("a split at 16 leaves 16 bytes"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for Key {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let fits = (1..=255).contains(&text.len())
            && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        fits.then(|| Self(text.into())).ok_or(ParseKeyError)
    }
}

/// A key, and what it is used for: the same key must always come with the same call and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: Key,
    /// SHA-256 of the call and its body.
    pub fingerprint: [u8; 32],
    /// Now.
    pub at: Timestamp,
}

/// What a key's call has made happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// An order was placed.
    Order(OrderId),
    /// The batch of the same append was placed.
    Batch,
    /// An order was cancelled.
    Cancel(OrderId),
    /// A deposit was claimed.
    Deposit(DepositId),
    /// An operator gave or took money.
    Operator,
}

/// A key in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Of the call and its body.
    pub fingerprint: [u8; 32],
    /// What it has made happen.
    pub effect: Effect,
    /// The batch, where it was one.
    pub batch: Option<Arc<[BatchItem]>>,
    /// Orders that have ended without a code, their holds back: the key names them no more, and a
    /// retry of the batch places them again.
    pub let_go: Vec<OrderId>,
    /// When it was first used.
    pub at: Timestamp,
}

impl Remembered {
    /// The orders it names.
    pub fn orders(&self) -> impl Iterator<Item = OrderId> {
        let one = if let Effect::Order(order) | Effect::Cancel(order) = self.effect {
            Some(order)
        } else {
            None
        };
        let many = self
            .batch
            .iter()
            .flat_map(|items| items.iter())
            .filter(|item| item.refused.is_none())
            .map(|item| item.order);
        one.into_iter().chain(many).filter(|order| !self.let_go.contains(order))
    }

    /// The orders whose end without a code lets it go.
    fn placed(&self) -> impl Iterator<Item = OrderId> {
        self.orders().filter(|_| matches!(self.effect, Effect::Order(_) | Effect::Batch))
    }

    /// When the key is forgotten.
    pub fn until(&self) -> Timestamp {
        self.at.plus(KEPT)
    }
}

/// The keys an account has in use. Shared structure: cloning costs nothing, whatever their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    by_digest: OrdMap<u128, Remembered>,
    oldest_first: Vector<(Timestamp, u128)>,
    /// The key of each order that has not ended.
    by_order: OrdMap<OrderId, u128>,
}

impl Keys {
    /// What `key` was used for, if it is still remembered at `now`.
    pub fn get(&self, key: &Key, now: Timestamp) -> Option<&Remembered> {
        self.by_digest.get(&key.digest()).filter(|known| now < known.until())
    }

    /// Whether no more keys can be taken at `now`.
    pub fn is_full(&self, now: Timestamp) -> bool {
        self.by_digest.len() >= MAX_KEYS
            && self.oldest_first.front().is_some_and(|(at, _)| now < at.plus(KEPT))
    }

    /// Keys remembered, expired ones that nobody has asked for included.
    pub fn len(&self) -> usize {
        self.by_digest.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// Remembers a key, and forgets those whose time is over.
    pub(super) fn remember(&mut self, key: &Key, remembered: Remembered) {
        let digest = key.digest();
        // A batch whose key is used again names some orders as before.
        let before: Vec<OrderId> =
            self.by_digest.get(&digest).into_iter().flat_map(Remembered::orders).collect();
        let placed: Vec<OrderId> =
            remembered.placed().filter(|order| !before.contains(order)).collect();
        self.insert(digest, remembered);
        self.by_order.extend(placed.into_iter().map(|order| (order, digest)));
    }

    /// An order has got its code: its key names it for good.
    pub(super) fn settle(&mut self, order: OrderId) {
        self.by_order.remove(&order);
    }

    /// An order has ended without a code, its hold back: its key is free again, and a batch's is
    /// for this order.
    pub(super) fn let_go(&mut self, order: OrderId) {
        let Some(digest) = self.by_order.remove(&order) else { return };
        let Some(known) = self.by_digest.get_mut(&digest) else { return };
        known.let_go.push(order);
        if known.placed().next().is_none() {
            self.by_digest.remove(&digest);
        }
    }

    fn insert(&mut self, digest: u128, remembered: Remembered) {
        while let Some((at, oldest)) =
            self.oldest_first.front().copied().filter(|(at, _)| remembered.at >= at.plus(KEPT))
        {
            self.oldest_first.pop_front();
            // The key may have been used anew since: then it is another entry's.
            if self.by_digest.get(&oldest).is_some_and(|known| known.at == at) {
                self.by_digest.remove(&oldest);
            }
        }
        self.oldest_first.push_back((remembered.at, digest));
        self.by_digest.insert(digest, remembered);
    }

    /// Every key remembered, oldest first: for snapshots.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u128, &Remembered)> {
        let current = |(at, digest): &(Timestamp, u128)| {
            let known = self.by_digest.get(digest).filter(|known| known.at == *at)?;
            Some((*digest, known))
        };
        self.oldest_first.iter().filter_map(current)
    }

    /// The keys of a snapshot; `is_open` says which orders had not ended.
    pub(super) fn from_entries(
        entries: impl IntoIterator<Item = (u128, Remembered)>,
        is_open: impl Fn(OrderId) -> bool,
    ) -> Self {
        let mut keys = Self::default();
        for (digest, remembered) in entries {
            let open: Vec<OrderId> = remembered.placed().filter(|order| is_open(*order)).collect();
            keys.by_order.extend(open.into_iter().map(|order| (order, digest)));
            keys.insert(digest, remembered);
        }
        keys
    }
}
