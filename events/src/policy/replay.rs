//! Orders of a log judged once more, by another policy: who would have been refused.

use std::collections::{BTreeMap, BTreeSet};

use super::conduct::Conduct;
use super::rule::Class;
use super::verdict::{InForce, SIMULATED, Verdict};
use crate::account;
use crate::country::Country;
use crate::envelope::Recorded;
use crate::event::Event;
use crate::id::{AccountId, OrderId};
use crate::order;
use crate::platform::Platform;
use crate::time::Timestamp;

/// Orders that are listed; more are only counted.
pub const LISTED: usize = 1_000;

/// An order that another policy decides in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs {
    /// Whose order.
    pub account: AccountId,
    /// Its class then.
    pub class: Class,
    /// Which order.
    pub order: OrderId,
    /// For whose messages.
    pub platform: Platform,
    /// Where the number was to be from.
    pub country: Country,
    /// Whether it was refused.
    pub was_refused: bool,
    /// What the other policy says.
    pub verdict: Verdict,
    /// When it was wanted.
    pub at: Timestamp,
}

/// Follows a log and judges its orders by another policy. Orders with numbers that were made up are
/// passed over.
#[derive(Debug)]
pub struct Replay {
    policy: InForce,
    since: Timestamp,
    accounts: BTreeMap<AccountId, Conduct>,
    tests: BTreeSet<AccountId>,
    /// Orders that were judged.
    pub judged: u64,
    /// Those of them that the policy would refuse, were it enforced.
    pub refused: u64,
    /// Orders that it decides in another way.
    pub changed: u64,
    /// The first [`LISTED`] of these.
    pub differs: Vec<Differs>,
}

impl Replay {
    /// Judges the orders from `since` on.
    pub fn new(policy: InForce, since: Timestamp) -> Self {
        Self {
            policy,
            since,
            accounts: BTreeMap::new(),
            tests: BTreeSet::new(),
            judged: 0,
            refused: 0,
            changed: 0,
            differs: Vec::new(),
        }
    }

    /// Looks at the next event of the log.
    pub fn observe(&mut self, record: &Recorded<Event>) {
        let Event::Account(event) = &record.event else { return };
        let Some(account) = record.stream.account_id() else { return };
        if matches!(event, account::Event::OpenedForTests { .. }) {
            self.tests.insert(account);
            self.accounts.remove(&account);
        }
        if self.tests.contains(&account) {
            return;
        }
        if let account::Event::Order(order, order::Event::Placed(placed)) = event {
            let is_made_up =
                placed.verdict.as_ref().is_some_and(|known| known.rule.as_str() == SIMULATED);
            if !is_made_up {
                let of = (placed.platform, placed.country, placed.at);
                self.judge(account, *order, of, false);
            }
        }
        if let account::Event::OrderRefused(refused) = event {
            let of = (refused.platform, refused.country, refused.at);
            self.judge(account, refused.order, of, true);
        }
        self.accounts.entry(account).or_default().note(event);
    }

    fn judge(
        &mut self,
        account: AccountId,
        order: OrderId,
        (platform, country, at): (Platform, Country, Timestamp),
        was_refused: bool,
    ) {
        if at < self.since {
            return;
        }
        let conduct = self.accounts.entry(account).or_default();
        let verdict = self.policy.judge(platform, country, conduct, true, at);
        self.judged += 1;
        self.refused += u64::from(verdict.would_refuse());
        if verdict.would_refuse() == was_refused {
            return;
        }
        self.changed += 1;
        if self.differs.len() < LISTED {
            let class = conduct.class;
            self.differs.push(Differs {
                account,
                class,
                order,
                platform,
                country,
                was_refused,
                verdict,
                at,
            });
        }
    }
}
