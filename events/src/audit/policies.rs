//! Orders and what the policy said of them: each carries the verdict that its version comes to, and
//! none is where it was refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::account::Event;
use crate::id::{AccountId, OrderId};
use crate::order::{self, Placed};
use crate::policy::{self, Conduct, InForce, SIMULATED, Verdict};

/// What is wrong: the rule's id, and how.
type Found = Option<(&'static str, String)>;

/// The versions so far, and how accounts have behaved.
#[derive(Debug)]
pub struct Policies {
    /// By version, the built-in one first.
    versions: Vec<Arc<InForce>>,
    conducts: BTreeMap<AccountId, Conduct>,
    refused: BTreeSet<OrderId>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            versions: vec![InForce::built_in()],
            conducts: BTreeMap::new(),
            refused: BTreeSet::new(),
        }
    }
}

impl Policies {
    /// A version was applied.
    pub fn applied(&mut self, event: &policy::Event) -> Found {
        let policy::Event::Applied { version, policy, .. } = event;
        let expected = u32::try_from(self.versions.len()).unwrap_or(u32::MAX);
        let lawful = policy.check().err();
        self.versions.push(Arc::new(InForce::new(expected, policy.clone())));
        if *version != expected {
            return Some(("P1", format!("version {version} of the policy follows {expected} - 1")));
        }
        lawful.map(|refusal| ("P1", format!("version {version} of the policy: {refusal}")))
    }

    /// Something happened to an account; `is_known` says whether an order is one.
    pub fn observe(
        &mut self,
        account: AccountId,
        event: &Event,
        is_known: impl Fn(OrderId) -> bool,
    ) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if let Event::Order(id, order::Event::Placed(placed)) = event {
            found.extend(self.placed(account, *id, placed));
        }
        if let Event::OrderRefused(refused) = event {
            self.refused.insert(refused.order);
            let id = refused.order;
            if !refused.verdict.refuses() || is_known(id) {
                found.push(("P3", format!("{id} is refused and is an order, or by nothing")));
            }
            let of = (refused.platform, refused.country, refused.at);
            found.extend(self.follows(account, id, of, &refused.verdict));
        }
        if let Event::HoldTaken { order, .. } = event
            && self.refused.contains(order)
        {
            found.push(("P3", format!("money is held for {order}, which was refused")));
        }
        self.conducts.entry(account).or_default().note(event);
        found
    }

    fn placed(
        &self,
        account: AccountId,
        id: OrderId,
        placed: &Placed,
    ) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.refused.contains(&id) {
            found.push(("P3", format!("{id} was refused, and is placed")));
        }
        let Some(verdict) = &placed.verdict else {
            if self.versions.len() > 1 {
                found.push(("P1", format!("{id} was placed under a policy and has no verdict")));
            }
            return found;
        };
        if verdict.refuses() {
            found.push(("P3", format!("{id} is placed, and its verdict refuses it")));
        }
        let of = (placed.platform, placed.country, placed.at);
        found.extend(self.follows(account, id, of, verdict));
        found
    }

    /// Whether a verdict is what its version says of such an order.
    fn follows(
        &self,
        account: AccountId,
        id: OrderId,
        (platform, country, at): (
            crate::platform::Platform,
            crate::country::Country,
            crate::time::Timestamp,
        ),
        verdict: &Verdict,
    ) -> Found {
        let Some(policy) =
            usize::try_from(verdict.version).ok().and_then(|version| self.versions.get(version))
        else {
            return Some(("P1", format!("{id} was judged by a version that is not there yet")));
        };
        let none = Conduct::default();
        let conduct = self.conducts.get(&account).unwrap_or(&none);
        let real_numbers = verdict.rule.as_str() != SIMULATED;
        let expected = policy.judge(platform, country, conduct, real_numbers, at);
        (expected != *verdict).then(|| {
            ("P2", format!("{id} has the verdict {verdict:?}, and its version says {expected:?}"))
        })
    }
}
