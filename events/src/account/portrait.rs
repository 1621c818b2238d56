//! An account as of any of its events, as its owner is shown it: a fold that stays small however
//! long the stream and whatever the account remembers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::event::Event;
use super::statement::Statement;
use crate::codec::Withheld;
use crate::id::{AccountId, OrderId};
use crate::order;
use crate::time::Timestamp;

/// What is shown of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portrait {
    /// Which account.
    pub id: AccountId,
    /// Since when it exists.
    pub registered_at: Timestamp,
    /// Money and orders in sums.
    pub sums: Statement,
    /// Orders that have not ended; what grows is bounded by what may be open.
    pub open: BTreeSet<OrderId>,
    /// Those of them whose turn has not come.
    pub queued: BTreeSet<OrderId>,
    /// Completed orders that keep their numbers.
    pub listening: BTreeSet<OrderId>,
    /// Where the owner is told things, if anywhere.
    pub webhook: Option<Arc<str>>,
}

impl Default for Portrait {
    fn default() -> Self {
        let (id, registered_at) = (AccountId(0), Timestamp::default());
        let (open, queued, listening) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self {
            id,
            registered_at,
            sums: Statement::default(),
            open,
            queued,
            listening,
            webhook: None,
        }
    }
}

impl Portrait {
    /// The portrait after `event`.
    pub fn add(&mut self, event: &Event) {
        self.sums.add(event);
        match event {
            Event::Registered { id, at, .. } => (self.id, self.registered_at) = (*id, *at),
            Event::WebhookSet { url, .. } => {
                self.webhook = (!Withheld::is_word(url)).then(|| url.as_str().into());
            }
            Event::WebhookRemoved { .. } | Event::Removed { .. } => self.webhook = None,
            Event::Order(id, order::Event::Placed(_)) => {
                self.open.insert(*id);
            }
            Event::Order(id, order::Event::Queued { .. }) => {
                self.queued.insert(*id);
            }
            Event::Order(id, order::Event::Started { .. }) => {
                self.queued.remove(id);
            }
            Event::Order(id, order::Event::Completed { listens_until, at, .. }) => {
                self.open.remove(id);
                if listens_until > at {
                    self.listening.insert(*id);
                }
            }
            Event::Order(id, order::Event::Finished { .. } | order::Event::Refunded { .. }) => {
                self.listening.remove(id);
            }
            Event::Order(id, fact) if fact.is_end() => {
                self.open.remove(id);
                self.queued.remove(id);
            }
            Event::Order(..)
            | Event::OpenedForTests { .. }
            | Event::Admitted { .. }
            | Event::Approved { .. }
            | Event::Declined { .. }
            | Event::TestAccountOpened { .. }
            | Event::Credited { .. }
            | Event::Debited { .. }
            | Event::DepositCredited { .. }
            | Event::DustKept { .. }
            | Event::DustDropped { .. }
            | Event::DepositReversed { .. }
            | Event::Suspended { .. }
            | Event::Reinstated { .. }
            | Event::Reopened { .. }
            | Event::ClassSet { .. }
            | Event::OrderRefused(_)
            | Event::ApiKeyAdded { .. }
            | Event::ApiKeyRemoved { .. }
            | Event::ApiKeysReplaced { .. }
            | Event::HoldTaken { .. }
            | Event::HoldCaptured { .. }
            | Event::HoldReleased { .. }
            | Event::CaptureRefunded { .. }
            | Event::BatchPlaced { .. }
            | Event::KeyUsed { .. }
            | Event::WebhookSecretRotated { .. }
            | Event::WebhookDue { .. } => {}
        }
    }
}
