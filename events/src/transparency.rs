//! What an operator shows of a quarter: how many orders there were and what became of them, what
//! was refused and by which rule, and what people decided. Sums alone: nobody is named.
//!
//! Holds: a fold of the log. Never holds: a word about a single account. Leans on: every
//! aggregate's events. Proved by: the tests here and `tests/it/transparency.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::Event;
use crate::envelope::Recorded;
use crate::id::AccountId;
use crate::order;
use crate::policy::SIMULATED;
use crate::time::Timestamp;
use crate::{erasure, export, invite, policy, provenance};

/// Sums of a stretch of time, live accounts alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Orders placed.
    pub orders: u64,
    /// Those of them whose numbers were made up.
    pub made_up: u64,
    /// Orders that ended, by how.
    pub ended: BTreeMap<&'static str, u64>,
    /// Orders that were refused, by the rule or limit that did.
    pub refused: BTreeMap<String, u64>,
    /// Orders that went on and would have been refused by a policy that is tried, by its rule.
    pub shadowed: BTreeMap<String, u64>,
    /// What callers reported of their orders, by what.
    pub reported: BTreeMap<&'static str, u64>,
    /// Accounts opened, by how.
    pub opened: BTreeMap<&'static str, u64>,
    /// What people decided, by what.
    pub decided: BTreeMap<&'static str, u64>,
    /// What was taken out of the log and handed on, by whose it was.
    pub exported: BTreeMap<&'static str, u64>,
    /// Orders and accounts whose secrets were erased, by which secrets.
    pub erased: BTreeMap<&'static str, u64>,
}

/// Follows a log and sums what happened from a moment on until another.
#[derive(Debug)]
pub struct Transparency {
    from: Timestamp,
    until: Timestamp,
    tests: BTreeSet<AccountId>,
    /// Accounts opened, until it is known how.
    fresh: BTreeMap<AccountId, bool>,
    sums: Sums,
}

fn count<K: Ord>(counted: &mut BTreeMap<K, u64>, what: K) {
    *counted.entry(what).or_default() += 1;
}

impl Transparency {
    /// Sums what happens from `from` on, before `until`.
    pub fn between(from: Timestamp, until: Timestamp) -> Self {
        let (tests, fresh, sums) = (BTreeSet::new(), BTreeMap::new(), Sums::default());
        Self { from, until, tests, fresh, sums }
    }

    /// Looks at the next event of the log.
    pub fn observe(&mut self, record: &Recorded<crate::Event>) {
        let at = record.event.at();
        let counts = self.from <= at && at < self.until;
        match &record.event {
            crate::Event::Account(event) => {
                if let Some(account) = record.stream.account_id() {
                    self.account(account, event, counts);
                }
            }
            crate::Event::Policy(policy::Event::Applied { .. }) if counts => {
                count(&mut self.sums.decided, "policies_applied");
            }
            crate::Event::Provenance(provenance::Event::Stated { .. }) if counts => {
                count(&mut self.sums.decided, "provenances_stated");
            }
            crate::Event::Provenance(provenance::Event::Withdrawn { .. }) if counts => {
                count(&mut self.sums.decided, "provenances_withdrawn");
            }
            crate::Event::Invite(invite::Event::Created { .. }) if counts => {
                count(&mut self.sums.decided, "invites_made");
            }
            crate::Event::Invite(invite::Event::Revoked { .. }) if counts => {
                count(&mut self.sums.decided, "invites_revoked");
            }
            crate::Event::Reveal(_) if counts => {
                count(&mut self.sums.decided, "contents_revealed");
            }
            crate::Event::Export(export::Event::Exported { made, .. }) if counts => {
                count(&mut self.sums.exported, made.scope.name());
            }
            crate::Event::Erasure(event) if counts => self.erasure(event),
            crate::Event::Policy(_)
            | crate::Event::Provenance(_)
            | crate::Event::Invite(_)
            | crate::Event::Export(_)
            | crate::Event::Leadership(_)
            | crate::Event::Erasure(_)
            | crate::Event::Reveal(_)
            | crate::Event::Deposit(_)
            | crate::Event::Address(_)
            | crate::Event::Chain(_)
            | crate::Event::Webhook(_)
            | crate::Event::Number(_)
            | crate::Event::Lease(_)
            | crate::Event::Purchase(_) => {}
        }
    }

    fn erasure(&mut self, event: &erasure::Event) {
        match event {
            erasure::Event::Erased { of, kinds, .. } => {
                for kind in kinds {
                    let subjects = of.iter().filter(|subject| subject.has(*kind)).count();
                    let subjects = u64::try_from(subjects).unwrap_or(u64::MAX);
                    *self.sums.erased.entry(kind.name()).or_default() += subjects;
                }
            }
            erasure::Event::HoldPlaced { .. } => count(&mut self.sums.decided, "holds_placed"),
            erasure::Event::HoldLifted { .. } => count(&mut self.sums.decided, "holds_lifted"),
            erasure::Event::Rewritten { .. } => count(&mut self.sums.decided, "logs_rewritten"),
        }
    }

    /// The sums so far.
    pub fn sums(mut self) -> Sums {
        for counts in std::mem::take(&mut self.fresh).into_values() {
            self.opened(counts, "open");
        }
        self.sums
    }

    fn opened(&mut self, counts: bool, how: &'static str) {
        if counts {
            count(&mut self.sums.opened, how);
        }
    }

    fn account(&mut self, account: AccountId, event: &Event, counts: bool) {
        if let Event::OpenedForTests { .. } = event {
            self.tests.insert(account);
            self.fresh.remove(&account);
        }
        if self.tests.contains(&account) {
            return;
        }
        if let Event::Registered { .. } = event {
            self.fresh.insert(account, counts);
            return;
        }
        if let Event::Admitted { kind, .. } = event
            && let Some(counts) = self.fresh.remove(&account)
        {
            return self.opened(counts, kind.name());
        }
        if counts {
            self.decided(event);
        }
    }

    fn decided(&mut self, event: &Event) {
        let sums = &mut self.sums;
        if let Event::Order(_, fact) = event {
            return sums.order(fact);
        }
        if let Event::OrderRefused(refused) = event {
            return count(&mut sums.refused, refused.verdict.decided_by().to_owned());
        }
        let decision = if let Event::Suspended { .. } = event {
            "suspensions"
        } else if let Event::Reinstated { .. } = event {
            "reinstatements"
        } else if let Event::ClassSet { .. } = event {
            "classes_set"
        } else if let Event::Approved { .. } = event {
            "accounts_approved"
        } else if let Event::Declined { .. } = event {
            "accounts_declined"
        } else {
            return;
        };
        count(&mut sums.decided, decision);
    }
}

impl Sums {
    fn order(&mut self, fact: &order::Event) {
        if let order::Event::Placed(placed) = fact {
            return self.placed(placed);
        }
        if let order::Event::Reported { complaint, .. } = fact {
            return count(&mut self.reported, complaint.name());
        }
        let end = if let order::Event::Completed { .. } = fact {
            "completed"
        } else if let order::Event::Cancelled { .. } = fact {
            "cancelled"
        } else if let order::Event::Expired { .. } = fact {
            "expired"
        } else if let order::Event::Failed { .. } = fact {
            "failed"
        } else if let order::Event::Refunded { .. } = fact {
            "refunded"
        } else {
            return;
        };
        count(&mut self.ended, end);
    }

    fn placed(&mut self, placed: &order::Placed) {
        self.orders += 1;
        let Some(verdict) = &placed.verdict else { return };
        self.made_up += u64::from(verdict.rule.as_str() == SIMULATED);
        if verdict.would_refuse() {
            count(&mut self.shadowed, verdict.would_be_decided_by().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{self, RegistrationKind};
    use crate::envelope::{Position, Revision, StreamId};
    use crate::id::{EventId, InviteId};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn sums(events: Vec<(u128, account::Event)>) -> Sums {
        let mut followed = Transparency::between(at(10), at(20));
        for (account, event) in events {
            followed.observe(&recorded(StreamId::account(AccountId(account)), event.into()));
        }
        followed.sums()
    }

    fn recorded(stream: StreamId, event: crate::Event) -> Recorded<crate::Event> {
        Recorded {
            id: EventId(1),
            stream,
            revision: Revision(0),
            position: Position(1),
            at: event.at(),
            correlation: None,
            event,
        }
    }

    fn registered(account: u128, moment: i64) -> (u128, account::Event) {
        let (key_hash, webhook_secret) = ([0; 32], String::new());
        let id = AccountId(account);
        (account, Event::Registered { id, key_hash, webhook_secret, at: at(moment) })
    }

    fn suspended(account: u128, moment: i64) -> (u128, account::Event) {
        (account, Event::Suspended { reason: "abuse".to_owned(), at: at(moment) })
    }

    #[test]
    fn exports_are_counted_by_whose_they_are() {
        let mut followed = Transparency::between(at(10), at(20));
        let scopes = [
            (export::Scope::Account(AccountId(1)), 10),
            (export::Scope::Account(AccountId(2)), 11),
            (export::Scope::Number("+12025550123".parse().unwrap()), 12),
            (export::Scope::Period { from: at(1), until: at(2) }, 20),
        ];
        for (scope, moment) in scopes {
            let made = export::Made { scope, records: 1, digest: [0; 32], head: 1 };
            let reason = "request 7".to_owned();
            let event = export::Event::Exported { made, reason, at: at(moment) };
            followed.observe(&recorded(StreamId::exports(), event.into()));
        }
        assert_eq!(followed.sums().exported, [("account", 2), ("number", 1)].into());
    }

    #[test]
    fn what_happened_before_and_from_the_end_on_does_not_count() {
        let events = vec![
            registered(1, 5),
            suspended(1, 9),
            suspended(1, 10),
            suspended(1, 19),
            suspended(1, 20),
        ];
        let sums = sums(events);
        assert_eq!(sums.decided, [("suspensions", 2)].into());
        assert!(sums.opened.is_empty());
    }

    #[test]
    fn accounts_are_told_apart_by_how_they_were_opened_and_tests_are_none() {
        let kind = RegistrationKind::Invite(InviteId(1));
        let events = vec![
            registered(1, 11),
            registered(2, 12),
            (2, Event::Admitted { kind, terms: None, at: at(12) }),
            registered(3, 13),
            (3, Event::OpenedForTests { of: None, at: at(13) }),
            suspended(3, 14),
        ];
        let sums = sums(events);
        assert_eq!(sums.opened, [("open", 1), ("invite", 1)].into());
        assert!(sums.decided.is_empty());
    }
}
