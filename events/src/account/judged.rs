//! Orders judged by the service's policy, before anything is held for them.

use std::fmt;

use super::batch::ItemRefusal;
use super::cancels::seconds_up;
use super::command::PlaceOrder;
use super::event::Event;
use super::refusal::{OperatorRefusal, Refusal};
use super::state::State;
use crate::country::Country;
use crate::id::OrderId;
use crate::platform::Platform;
use crate::policy::conduct::rest_of_day;
use crate::policy::{Class, Verdict};
use crate::text::{LONGEST_REASON, is_said_within};
use crate::time::Timestamp;

/// An order that the policy refused, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRefused {
    /// The id it was wanted under; no order ever has it.
    pub order: OrderId,
    /// For whose messages.
    pub platform: Platform,
    /// Where the number was to be from.
    pub country: Country,
    /// What was decided.
    pub verdict: Verdict,
    /// Why, in words that callers may read.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Why the policy refuses an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRefusal {
    /// What was decided.
    pub verdict: Verdict,
    /// Why, in words that callers may read.
    pub reason: String,
    /// How long until it may be otherwise by itself; `None` where an operator must do something.
    pub retry_after_seconds: Option<u64>,
}

impl PolicyRefusal {
    fn of(verdict: Verdict, reason: String, at: Timestamp) -> Self {
        let limit = verdict.refusing_limit().filter(|exceeded| !exceeded.limit.needs_review());
        let retry_after_seconds = limit.map(|_| seconds_up(rest_of_day(at)));
        Self { verdict, reason, retry_after_seconds }
    }
}

impl fmt::Display for PolicyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl State {
    /// What the policy says of the order; an error where that refuses it.
    pub(super) fn judge(&self, wanted: &PlaceOrder) -> Result<Verdict, ItemRefusal> {
        let PlaceOrder { platform, country, judge, at, .. } = wanted;
        let is_real = judge.real_numbers && !self.is_test();
        let verdict = judge.policy.judge(*platform, *country, &self.conduct, is_real, *at);
        if !verdict.refuses() {
            return Ok(verdict);
        }
        let reason = judge.policy.reason(&verdict);
        Err(ItemRefusal::Policy(PolicyRefusal::of(verdict, reason, *at)))
    }

    /// Whether the policy would refuse the order now: then no number need be reserved for it.
    pub fn is_refused(&self, wanted: &PlaceOrder) -> bool {
        self.judge(wanted).is_err()
    }

    /// A refusal as a fact, unless the account's day has it, or has too many: then as a refusal
    /// alone.
    pub(super) fn refused(
        &self,
        wanted: &PlaceOrder,
        refusal: PolicyRefusal,
    ) -> Result<Vec<Event>, Refusal> {
        let PlaceOrder { order, platform, country, at, .. } = wanted;
        if self.conduct.knows_refusal(*platform, *country, &refusal.verdict.rule, *at) {
            return Err(ItemRefusal::Policy(refusal).into());
        }
        let PolicyRefusal { verdict, reason, .. } = refusal;
        Ok(vec![Event::OrderRefused(OrderRefused {
            order: *order,
            platform: *platform,
            country: *country,
            verdict,
            reason,
            at: *at,
        })])
    }

    /// An operator's word on how well the account is known; said again, it is a decision again.
    pub(super) fn set_class(
        class: Class,
        reason: &str,
        at: Timestamp,
    ) -> Result<Vec<Event>, OperatorRefusal> {
        if !is_said_within(reason, LONGEST_REASON) {
            return Err(OperatorRefusal::NoReason);
        }
        Ok(vec![Event::ClassSet { class, reason: reason.to_owned(), at }])
    }
}

impl OrderRefused {
    /// The refusal as its caller is answered.
    pub fn refusal(&self) -> PolicyRefusal {
        PolicyRefusal::of(self.verdict.clone(), self.reason.clone(), self.at)
    }
}
