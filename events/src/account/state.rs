//! An account as its facts have made it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;

use super::admission::Admission;
use super::batch::BatchItem;
use super::idempotency::Keys;
use super::keyring::Keyring;
use super::recent::Recent;
use super::test_mode::Mode;
use crate::codec::Withheld;
use crate::id::{AccountId, DepositId, OrderId};
use crate::money::Money;
use crate::order;
use crate::policy::Conduct;
use crate::tier::Tier;
use crate::time::Timestamp;

/// Ended orders an account remembers in full; older ones are read from the log.
pub const RECENT_ORDERS: usize = 4;

/// The contract: after a rotation both secrets sign for 24 hours.
pub const SECRETS_OVERLAP: Duration = Duration::from_hours(24);

/// Where the owner is told things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where.
    pub url: Arc<str>,
    /// Balance below which to tell.
    pub threshold: Money,
    /// Since when.
    pub since: Timestamp,
}

/// Whether the account may order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has registered it.
    Unregistered,
    /// It may order.
    Good,
    /// An operator has stopped it, for this reason.
    Suspended(String),
    /// It was closed, for it was never used; money that comes for it opens it again.
    Removed,
}

/// An account as its facts have made it. Cloned at every publication, so what can grow is shared.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    /// Whether it may order.
    pub standing: Standing,
    /// Whether it may order and be paid into.
    pub admission: Admission,
    /// The version of the operator's terms that was accepted, if any.
    pub terms: Option<Arc<str>>,
    /// Which account; zero while unregistered.
    pub id: AccountId,
    /// Whether its orders are real.
    pub mode: Mode,
    /// A live account's test account.
    pub test_account: Option<AccountId>,
    /// The keys that open it.
    pub api_keys: Keyring,
    /// Signs the account's webhooks.
    pub webhook_secret: Arc<str>,
    /// The secret before that, and until when it still signs.
    pub previous_secret: Option<(Arc<str>, Timestamp)>,
    /// Where the owner is told things, if anywhere.
    pub webhook: Option<Webhook>,
    /// Deliveries due so far.
    pub webhook_sequence: u64,
    /// How well it is known, and how it has behaved.
    pub conduct: Conduct,
    /// Since when it exists.
    pub registered_at: Timestamp,
    /// Whether it ever had money or an order, whatever became of them.
    pub is_used: bool,
    /// Since when it might have been used: an operator's word for it counts anew.
    pub usable_since: Timestamp,
    /// Bytes of the log that it has caused while it had no money.
    pub unfunded_bytes: u64,
    /// What can be spent.
    pub balance: Money,
    /// What open orders have set aside.
    pub held: Money,
    /// Completed orders.
    pub completed: u64,
    /// Those of them whose price was given back.
    pub refunded: u64,
    /// When orders were reported in the last day, oldest first.
    pub reports: VecDeque<Timestamp>,
    /// Orders that have not ended.
    pub open: BTreeMap<OrderId, Arc<order::State>>,
    /// Those of them whose turn has not come, the next first.
    pub queue: VecDeque<OrderId>,
    /// Completed orders that keep their numbers for what still comes.
    pub listening: OrdMap<OrderId, Arc<order::State>>,
    /// The last orders that are over, oldest first.
    pub recent: VecDeque<Arc<order::State>>,
    /// Deposits credited, and what each brought.
    pub deposits: Arc<BTreeMap<DepositId, Money>>,
    /// Deposits too small to be credited alone, and what each is worth.
    pub dust: Arc<BTreeMap<DepositId, Money>>,
    /// Idempotency keys in use.
    pub keys: Keys,
    /// Cancels of orders that had a number and no message, since the last completed order.
    pub cancels: Recent,
    /// Webhook tests.
    pub tests: Recent,
    /// The batch of the event just before: its key, if it has one, follows at once.
    pub(super) batch: Option<Arc<[BatchItem]>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            standing: Standing::Unregistered,
            admission: Admission::default(),
            terms: None,
            id: AccountId(0),
            mode: Mode::default(),
            test_account: None,
            api_keys: Keyring::default(),
            webhook_secret: "".into(),
            previous_secret: None,
            webhook: None,
            webhook_sequence: 0,
            conduct: Conduct::default(),
            registered_at: Timestamp::default(),
            is_used: false,
            usable_since: Timestamp::default(),
            unfunded_bytes: 0,
            balance: Money::ZERO,
            held: Money::ZERO,
            completed: 0,
            refunded: 0,
            reports: VecDeque::new(),
            open: BTreeMap::new(),
            queue: VecDeque::new(),
            listening: OrdMap::new(),
            recent: VecDeque::new(),
            deposits: Arc::default(),
            dust: Arc::default(),
            keys: Keys::default(),
            cancels: Recent::default(),
            tests: Recent::default(),
            batch: None,
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
            .field("listening", &self.listening)
            .field("recent", &self.recent)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The tier its completed orders have earned: those that were paid for, and stayed so.
    pub fn tier(&self) -> Tier {
        Tier::of(self.completed.saturating_sub(self.refunded))
    }

    /// Whether it ever had money: a payment, an operator's credit, an order that was paid for.
    /// Accounts that never had cost nothing to open.
    pub fn was_ever_funded(&self) -> bool {
        if self.is_test() {
            return false;
        }
        let has_money = self.balance != Money::ZERO || self.held != Money::ZERO;
        has_money || self.completed > 0 || !self.deposits.is_empty() || !self.dust.is_empty()
    }

    /// What its small deposits come to so far.
    pub fn dust_total(&self) -> Money {
        self.dust.values().copied().sum()
    }

    /// Open orders whose turn has come.
    pub fn running(&self) -> usize {
        self.open.len() - self.queue.len()
    }

    /// The secrets that sign at `now`, the current one first.
    pub fn signing_secrets(&self, now: Timestamp) -> Vec<Arc<str>> {
        let previous = self
            .previous_secret
            .as_ref()
            .filter(|(_, until)| now < *until)
            .map(|(secret, _)| Arc::clone(secret));
        let secrets = std::iter::once(Arc::clone(&self.webhook_secret)).chain(previous);
        secrets.filter(|secret| !Withheld::is_word(secret)).collect()
    }

    /// Whether the secret of its webhooks was erased: anybody knows the word in its place, which
    /// signs nothing.
    pub fn is_secret_erased(&self) -> bool {
        Withheld::is_word(&self.webhook_secret)
    }

    /// One of its orders that are open, listening or over not long ago.
    pub fn order(&self, id: OrderId) -> Option<&Arc<order::State>> {
        self.open
            .get(&id)
            .or_else(|| self.listening.get(&id))
            .or_else(|| self.recent.iter().find(|order| order.id == id))
    }
}
