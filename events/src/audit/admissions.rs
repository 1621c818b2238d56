//! Who may order: nobody who waits for an operator, and nobody by an invite that was not used for
//! them.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Event, RegistrationKind};
use crate::decider::Decider;
use crate::id::AccountId;
use crate::time::Timestamp;
use crate::{invite, order};

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// What is wrong, by the rule that it breaks.
type Found = Option<(&'static str, String)>;

/// Accounts and invites, as the auditor knows them.
#[derive(Debug, Default)]
pub struct Admissions {
    invites: invite::State,
    tests: BTreeSet<AccountId>,
    waiting: BTreeSet<AccountId>,
    /// Accounts that never had money or an order, and since when they are there to be used.
    unused: BTreeMap<AccountId, Timestamp>,
    suspended: BTreeSet<AccountId>,
    removed: BTreeSet<AccountId>,
}

impl Admissions {
    /// A fact of an invite.
    pub fn invite(&mut self, event: &invite::Event) -> Found {
        let mut found = None;
        if let invite::Event::Used { id, at, .. } = event {
            let is_open = self.invites.get(*id).is_some_and(|invite| invite.left(*at) > 0);
            found = (!is_open).then(|| ("R2", format!("{id} opens more than it may")));
        }
        self.invites = std::mem::take(&mut self.invites).evolve(event);
        found
    }

    /// A fact of an account.
    pub fn observe(&mut self, account: AccountId, event: &Event) -> Found {
        self.admitted(account, event).or_else(|| self.used(account, event))
    }

    /// Whether an account that is closed was never used, and nobody uses it then.
    fn used(&mut self, account: AccountId, event: &Event) -> Found {
        let wrong = |what: &str| Some(("R3", format!("{account} {what}")));
        match event {
            Event::Registered { at, .. } => {
                self.unused.insert(account, *at);
            }
            Event::Approved { at, .. } | Event::Reinstated { at, .. } => {
                self.removed.remove(&account);
                self.suspended.remove(&account);
                self.unused.entry(account).and_modify(|since| *since = *at);
            }
            Event::Suspended { .. } => {
                self.removed.remove(&account);
                self.suspended.insert(account);
            }
            Event::Removed { unused_days, at } => {
                let age = |since: &Timestamp| at.millis().saturating_sub(since.millis());
                let least = i64::from(*unused_days).saturating_mul(DAY_MILLIS);
                let is_old = self.unused.get(&account).is_some_and(|since| age(since) >= least);
                let is_kept = *unused_days == 0 || self.suspended.contains(&account);
                if !is_old || is_kept {
                    return wrong("was removed though it was used, kept, or not old enough");
                }
                self.removed.insert(account);
            }
            Event::Reopened { .. } => {
                let was_removed = self.removed.remove(&account);
                return if was_removed { None } else { wrong("was open when it was opened again") };
            }
            Event::Credited { .. }
            | Event::DepositCredited { .. }
            | Event::DustKept { .. }
            | Event::Order(_, order::Event::Placed(_)) => {
                self.unused.remove(&account);
                return self.closed(account);
            }
            Event::WebhookSet { .. }
            | Event::WebhookSecretRotated { .. }
            | Event::WebhookDue { .. }
            | Event::ApiKeyAdded { .. }
            | Event::ApiKeyRemoved { .. }
            | Event::ApiKeysReplaced { .. }
            | Event::TestAccountOpened { .. }
            | Event::OrderRefused(_)
            | Event::BatchPlaced { .. }
            | Event::HoldTaken { .. }
            | Event::Debited { .. }
            | Event::Declined { .. }
            | Event::ClassSet { .. } => return self.closed(account),
            Event::OpenedForTests { .. }
            | Event::Admitted { .. }
            | Event::DustDropped { .. }
            | Event::DepositReversed { .. }
            | Event::HoldCaptured { .. }
            | Event::HoldReleased { .. }
            | Event::CaptureRefunded { .. }
            | Event::KeyUsed { .. }
            | Event::WebhookRemoved { .. }
            | Event::Order(..) => {}
        }
        None
    }

    fn closed(&self, account: AccountId) -> Found {
        let is_closed = self.removed.contains(&account);
        is_closed.then(|| ("R3", format!("{account} was used while it was removed")))
    }

    /// Whether who orders may.
    fn admitted(&mut self, account: AccountId, event: &Event) -> Found {
        match event {
            Event::OpenedForTests { .. } => {
                self.tests.insert(account);
            }
            Event::Admitted { kind: RegistrationKind::Approval, .. }
                if !self.tests.contains(&account) =>
            {
                self.waiting.insert(account);
            }
            Event::Admitted { kind: RegistrationKind::Invite(id), .. } => {
                let used = self.invites.get(*id);
                let is_used = used.is_some_and(|invite| invite.accounts.contains(&account));
                return (!is_used).then(|| ("R2", format!("{id} was not used for {account}")));
            }
            Event::Approved { .. } => {
                self.waiting.remove(&account);
            }
            Event::Declined { .. } => {
                self.waiting.insert(account);
            }
            Event::Order(id, order::Event::Placed(_)) if self.waiting.contains(&account) => {
                return Some(("R1", format!("{id} is of an account that may not order")));
            }
            Event::Registered { .. }
            | Event::Admitted { .. }
            | Event::TestAccountOpened { .. }
            | Event::Credited { .. }
            | Event::Debited { .. }
            | Event::DepositCredited { .. }
            | Event::DustKept { .. }
            | Event::DustDropped { .. }
            | Event::DepositReversed { .. }
            | Event::Suspended { .. }
            | Event::Reinstated { .. }
            | Event::Removed { .. }
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
            | Event::WebhookSet { .. }
            | Event::WebhookRemoved { .. }
            | Event::WebhookSecretRotated { .. }
            | Event::WebhookDue { .. }
            | Event::Order(..) => {}
        }
        None
    }
}
