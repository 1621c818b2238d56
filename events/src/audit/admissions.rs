//! Who may order: nobody who waits for an operator, and nobody by an invite that was not used for
//! them.

use std::collections::BTreeSet;

use crate::account::{Event, RegistrationKind};
use crate::decider::Decider;
use crate::id::AccountId;
use crate::{invite, order};

/// What is wrong, by the rule that it breaks.
type Found = Option<(&'static str, String)>;

/// Accounts and invites, as the auditor knows them.
#[derive(Debug, Default)]
pub struct Admissions {
    invites: invite::State,
    tests: BTreeSet<AccountId>,
    waiting: BTreeSet<AccountId>,
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
