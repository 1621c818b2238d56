//! Who may order: nobody who waits for an operator, and nobody by an invite that was not used for
//! them.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Event, RegistrationKind};
use crate::id::{AccountId, InviteId};
use crate::{invite, order};

/// What is wrong, by the rule that it breaks.
type Found = Option<(&'static str, String)>;

/// Accounts and invites, as the auditor knows them.
#[derive(Debug, Default)]
pub struct Admissions {
    /// How many more accounts each invite opens.
    left: BTreeMap<InviteId, u32>,
    used: BTreeSet<(InviteId, AccountId)>,
    tests: BTreeSet<AccountId>,
    waiting: BTreeSet<AccountId>,
}

impl Admissions {
    /// A fact of an invite.
    pub fn invite(&mut self, event: &invite::Event) -> Found {
        match event {
            invite::Event::Created { id, uses, .. } => {
                self.left.insert(*id, *uses);
            }
            invite::Event::Revoked { id, .. } => {
                self.left.remove(id);
            }
            invite::Event::Used { id, account, .. } => {
                self.used.insert((*id, *account));
                match self.left.get_mut(id).filter(|left| **left > 0) {
                    Some(left) => *left -= 1,
                    None => return Some(("R2", format!("{id} opens more than it may"))),
                }
            }
        }
        None
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
            Event::Admitted { kind: RegistrationKind::Invite(invite), .. } => {
                return (!self.used.remove(&(*invite, account)))
                    .then(|| ("R2", format!("{invite} was not used for {account}")));
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
