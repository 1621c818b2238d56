//! What each fact makes of an account.

use std::sync::Arc;

use super::event::Event;
use super::idempotency::{Effect, Remembered};
use super::keyring::Keyring;
use super::ledger;
use super::state::{RECENT_ORDERS, SECRETS_OVERLAP, Standing, State, Webhook};
use super::test_mode::Mode;
use crate::codec::Withheld;
use crate::decider::Decider;
use crate::id::OrderId;
use crate::order;
use crate::webhook::Notice;

impl State {
    /// The account after `event`.
    pub(super) fn after(mut self, event: &Event) -> Self {
        let batch = self.batch.take();
        if let Some(entry) = ledger::entry(event) {
            self.balance = self.balance + entry.balance;
            self.held = self.held + entry.held;
            assert!(
                !self.held.is_negative(),
                "a hold ends exactly once, so what is held is never negative"
            );
        }
        self.conduct.note(event);
        self.note_use(event);
        match event {
            Event::Order(id, order::Event::Placed(placed)) => {
                self.open.insert(*id, Arc::new(order::State::new(*id, placed.clone())));
            }
            Event::Order(id, fact) => self.evolve_order(*id, fact),
            Event::BatchPlaced { items, .. } => self.batch = Some(items.as_slice().into()),
            Event::KeyUsed { key, fingerprint, effect, at } => {
                let batch = batch.filter(|_| *effect == Effect::Batch);
                self.keys.remember(
                    key,
                    Remembered {
                        fingerprint: *fingerprint,
                        effect: *effect,
                        batch,
                        let_go: Vec::new(),
                        at: *at,
                    },
                );
            }
            Event::HoldCaptured { order, .. } => self.keys.settle(*order),
            Event::HoldReleased { order, .. } => self.keys.let_go(*order),
            Event::CaptureRefunded { .. } => self.refunded += 1,
            Event::WebhookSet { .. }
            | Event::WebhookRemoved { .. }
            | Event::WebhookSecretRotated { .. }
            | Event::WebhookDue { .. } => self.evolve_webhook(event),
            Event::DepositCredited { .. }
            | Event::DepositReversed { .. }
            | Event::DustKept { .. }
            | Event::DustDropped { .. } => self.evolve_deposits(event),
            Event::Registered { .. }
            | Event::OpenedForTests { .. }
            | Event::Admitted { .. }
            | Event::Approved { .. }
            | Event::Declined { .. }
            | Event::TestAccountOpened { .. }
            | Event::ApiKeyAdded { .. }
            | Event::ApiKeyRemoved { .. }
            | Event::ApiKeysReplaced { .. }
            | Event::Suspended { .. }
            | Event::Reinstated { .. }
            | Event::Removed { .. }
            | Event::Reopened { .. } => self.evolve_standing(event),
            Event::Credited { .. }
            | Event::Debited { .. }
            | Event::HoldTaken { .. }
            | Event::ClassSet { .. }
            | Event::OrderRefused(_) => {}
        }
        self
    }

    /// Who the account is, and who may use it.
    fn evolve_standing(&mut self, event: &Event) {
        if let Event::Registered { id, key_hash, webhook_secret, at } = event {
            self.standing = Standing::Good;
            self.id = *id;
            self.api_keys = Keyring::registered(*id, *key_hash, *at);
            self.webhook_secret = webhook_secret.as_str().into();
            self.registered_at = *at;
        } else if let Event::OpenedForTests { of, .. } = event {
            self.mode = Mode::Test { of: *of };
        } else if let Event::TestAccountOpened { id, .. } = event {
            self.test_account = Some(*id);
        } else if let Event::Suspended { reason, .. } = event {
            self.standing = Standing::Suspended(reason.clone());
        } else if let Event::Reinstated { .. } | Event::Reopened { .. } = event {
            self.standing = Standing::Good;
        } else if let Event::Removed { .. } = event {
            self.forget();
        } else {
            self.evolve_admission(event);
            self.api_keys = self.api_keys.after(event);
        }
    }

    fn evolve_webhook(&mut self, event: &Event) {
        if let Event::WebhookSet { url, threshold, at } = event {
            // One whose target was erased is off.
            self.webhook = (!Withheld::is_word(url)).then(|| Webhook {
                url: url.as_str().into(),
                threshold: *threshold,
                since: *at,
            });
        } else if let Event::WebhookRemoved { .. } = event {
            self.webhook = None;
        } else if let Event::WebhookSecretRotated { secret, at } = event {
            let previous = std::mem::replace(&mut self.webhook_secret, secret.as_str().into());
            self.previous_secret = Some((previous, at.plus(SECRETS_OVERLAP)));
        } else if let Event::WebhookDue { sequence, notice, at } = event {
            self.webhook_sequence = *sequence;
            if *notice == Notice::Test {
                self.tests.note(*at);
            }
        }
    }

    fn evolve_deposits(&mut self, event: &Event) {
        if let Event::DepositCredited { deposit, amount, .. } = event {
            self.drop_dust(*deposit);
            Arc::make_mut(&mut self.deposits).insert(*deposit, *amount);
        } else if let Event::DepositReversed { deposit, .. } = event {
            Arc::make_mut(&mut self.deposits).remove(deposit);
        } else if let Event::DustKept { deposit, amount, .. } = event {
            Arc::make_mut(&mut self.dust).insert(*deposit, *amount);
        } else if let Event::DustDropped { deposit, .. } = event {
            self.drop_dust(*deposit);
        }
    }

    fn evolve_order(&mut self, id: OrderId, fact: &order::Event) {
        if let order::Event::Reported { at, .. } = fact {
            self.remember_report(*at);
        }
        // What is over may still be reported.
        if let Some(order) = self.recent.iter_mut().find(|order| order.id == id) {
            *order = Arc::new(Arc::unwrap_or_clone(Arc::clone(order)).evolve(fact));
            return;
        }
        let order = self
            .open
            .remove(&id)
            .or_else(|| self.listening.remove(&id))
            .expect("only orders that the account remembers have further facts");
        let order = Arc::new(Arc::unwrap_or_clone(order).evolve(fact));
        if matches!(fact, order::Event::Queued { .. }) {
            self.queue.push_back(id);
        } else if matches!(fact, order::Event::Started { .. }) || fact.is_end() {
            self.queue.retain(|waiting| *waiting != id);
        }
        self.completed += u64::from(matches!(fact, order::Event::Completed { .. }));
        if !order.status.is_end() {
            self.open.insert(id, order);
            return;
        }
        if matches!(fact, order::Event::Completed { .. }) {
            self.cancels.clear();
        }
        if let order::Event::Cancelled { at } = fact
            && order.assignment.is_some()
            && order.messages().next().is_none()
        {
            self.cancels.note(*at);
        }
        if order.is_listening() {
            self.listening.insert(id, order);
            return;
        }
        self.recent.push_back(order);
        if self.recent.len() > RECENT_ORDERS {
            self.recent.pop_front();
        }
    }
}
