//! What idempotency keys name: one effect each, until it is forgotten or has let the key go.

use std::collections::BTreeMap;

use crate::account::BatchItem;
use crate::account::idempotency::{Effect, KEPT, Key};
use crate::id::{AccountId, OrderId};
use crate::time::Timestamp;

/// The keys in use, as the auditor knows them.
#[derive(Debug, Default)]
pub struct Keys {
    used: BTreeMap<(AccountId, Key), Timestamp>,
    /// The key of each order that has not ended.
    by_order: BTreeMap<OrderId, (AccountId, Key)>,
    /// The orders of each account's last batch: its key, if it has one, follows at once.
    batches: BTreeMap<AccountId, Vec<OrderId>>,
}

impl Keys {
    /// A batch was placed.
    pub fn batch(&mut self, account: AccountId, items: &[BatchItem]) {
        let placed = items.iter().filter(|item| item.refused.is_none()).map(|item| item.order);
        self.batches.insert(account, placed.collect());
    }

    /// A key was used; whether it named an effect before.
    pub fn used(&mut self, account: AccountId, key: &Key, effect: Effect, at: Timestamp) -> bool {
        let orders = match effect {
            Effect::Order(order) => vec![order],
            Effect::Batch => self.batches.remove(&account).unwrap_or_default(),
            Effect::Cancel(_) | Effect::Deposit(_) | Effect::Operator => Vec::new(),
        };
        self.by_order.extend(orders.into_iter().map(|order| (order, (account, key.clone()))));
        let before = self.used.insert((account, key.clone()), at);
        before.is_some_and(|before| at < before.plus(KEPT))
    }

    /// An order has got its code.
    pub fn settled(&mut self, order: OrderId) {
        self.by_order.remove(&order);
    }

    /// An order has ended without a code: its key may be used again.
    pub fn let_go(&mut self, order: OrderId) {
        if let Some(key) = self.by_order.remove(&order) {
            self.used.remove(&key);
        }
    }
}
