//! An account as its facts have made it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::id::{AccountId, DepositId, OrderId};
use crate::money::Money;
use crate::order;
use crate::tier::Tier;
use crate::time::Timestamp;

/// Ended orders an account remembers in full; older ones are read from the log.
pub const RECENT_ORDERS: usize = 4;

/// Whether the account may order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has registered it.
    Unregistered,
    /// It may order.
    Good,
    /// An operator has stopped it, for this reason.
    Suspended(String),
}

/// An account as its facts have made it. Cloned at every publication, so what can grow is shared.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    /// Whether it may order.
    pub standing: Standing,
    /// Which account; zero while unregistered.
    pub id: AccountId,
    /// SHA-256 of the key's secret part.
    pub key_hash: [u8; 32],
    /// Signs the account's webhooks.
    pub webhook_secret: Arc<str>,
    /// Since when it exists.
    pub registered_at: Timestamp,
    /// What can be spent.
    pub balance: Money,
    /// What open orders have set aside.
    pub held: Money,
    /// Completed orders: the tier.
    pub completed: u64,
    /// Orders that have not ended.
    pub open: BTreeMap<OrderId, Arc<order::State>>,
    /// The last orders that have, oldest first.
    pub recent: VecDeque<Arc<order::State>>,
    /// Deposits already credited.
    pub deposits: Arc<BTreeSet<DepositId>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            standing: Standing::Unregistered,
            id: AccountId(0),
            key_hash: [0; 32],
            webhook_secret: "".into(),
            registered_at: Timestamp::default(),
            balance: Money::ZERO,
            held: Money::ZERO,
            completed: 0,
            open: BTreeMap::new(),
            recent: VecDeque::new(),
            deposits: Arc::default(),
        }
    }
}

/// Without the secrets.
impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("id", &self.id)
            .field("standing", &self.standing)
            .field("balance", &self.balance)
            .field("held", &self.held)
            .field("completed", &self.completed)
            .field("open", &self.open)
            .field("recent", &self.recent)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The tier its completed orders have earned.
    pub fn tier(&self) -> Tier {
        Tier::of(self.completed)
    }

    /// One of its open or recently ended orders.
    pub fn order(&self, id: OrderId) -> Option<&Arc<order::State>> {
        self.open.get(&id).or_else(|| self.recent.iter().find(|order| order.id == id))
    }
}
