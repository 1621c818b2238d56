//! What the service takes orders for: rules by platform, country and account class, limits on
//! conduct, and what they say of an order.
//!
//! Holds: versions of the rules, verdicts. Never holds: an account's figures (its own state does),
//! files. Leans on: `platform`, `country`. Proved by: `tests.rs` here.

pub mod conduct;
pub mod replay;
mod rule;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;

pub use conduct::{Conduct, ConductLimit, Exceeded, Limit};
pub use rule::{Class, Mode, ParseRuleIdError, Rule, RuleId, Ruling};
pub use verdict::{FINANCIAL, InForce, OTHERWISE, SIMULATED, Verdict};

use crate::country::Country;
use crate::decider::Decider;
use crate::platform::Platform;
use crate::text::{is_said_within, is_shown, is_within};
use crate::time::Timestamp;

/// Platforms whose accounts hold money or stand for a person: denied with real numbers until the
/// operator allows them and says on what basis.
pub const SENSITIVE: [Platform; 5] =
    [Platform::PayPal, Platform::Coinbase, Platform::Binance, Platform::Revolut, Platform::Wise];

/// The most rules of a policy.
pub const MOST_RULES: usize = 200;
/// Longest reason or basis, in characters.
pub const LONGEST_TEXT: usize = 500;

/// Rules and limits; of the rules the first that speaks decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What follows from rulings that are not `allow`; `shadow` holds for the limits too.
    pub mode: Mode,
    /// The rules, in their order.
    pub rules: Vec<Rule>,
    /// Limits on conduct, each on something else.
    pub limits: Vec<ConductLimit>,
}

impl Default for Policy {
    /// No rule of the operator's: sensitive platforms are denied, everything else is allowed.
    fn default() -> Self {
        Self { mode: Mode::Enforce, rules: Vec::new(), limits: Vec::new() }
    }
}

/// By what an order is judged: the policy in force, and whether its number may be a real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judge {
    /// The policy.
    pub policy: Arc<InForce>,
    /// Whether any supplier brings real numbers.
    pub real_numbers: bool,
}

impl Default for Judge {
    /// The built-in policy, for numbers that are made up.
    fn default() -> Self {
        Self { policy: InForce::built_in(), real_numbers: false }
    }
}

/// A fact of the service's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Orders are judged by other rules from here on.
    Applied {
        /// Counted from 1.
        version: u32,
        /// The whole of it.
        policy: Policy,
        /// Who wanted it.
        by: String,
        /// On what basis, in the operator's words.
        basis: String,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        let Self::Applied { at, .. } = self;
        *at
    }
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Judge orders by these rules.
    Apply {
        /// The whole of it.
        policy: Policy,
        /// The version that it was made from; another one in force refuses it.
        replaces: Option<u32>,
        /// Who wants it.
        by: String,
        /// On what basis, in the operator's words.
        basis: String,
        /// Now.
        at: Timestamp,
    },
}

/// Why a policy is not applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Say on what basis orders are to be judged so.
    #[error("a basis is needed, of at most {LONGEST_TEXT} characters, none of them hidden")]
    NoBasis,
    /// A sensitive platform would be allowed by a rule without a basis; give the rule one.
    #[error(
        "rule {rule} allows {platform} with real numbers: it needs a basis, for accounts there \
         are tied to a person's identity or money"
    )]
    SensitiveWithoutBasis {
        /// The rule.
        rule: RuleId,
        /// The platform.
        platform: Platform,
    },
    /// Two rules have one name, or one has a name of the service's own; give it another.
    #[error("rule {0} is there twice, or its name is the service's own")]
    RuleName(RuleId),
    /// A rule that does not allow says why; and no text is longer than it may be.
    #[error(
        "rule {0} needs a reason; reason and basis have at most {LONGEST_TEXT} characters, none of \
         them hidden"
    )]
    RuleText(RuleId),
    /// There are more rules than may be.
    #[error("a policy has at most {MOST_RULES} rules")]
    TooManyRules,
    /// A limit is there twice.
    #[error("the limit {} is there twice", .0.name())]
    LimitTwice(Limit),
    /// A limit allows more than is counted, or nothing.
    #[error("the limit {} is not within 1 to {}", .0.name(), .0.most())]
    LimitOutOfRange(Limit),
    /// Somebody has applied another version meanwhile; look at it first.
    #[error("version {0} is in force: look at it first")]
    OtherVersion(u32),
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What orders are judged by.
    pub in_force: Arc<InForce>,
    /// Who applied it, on what basis and when; `None` of the built-in one.
    pub applied: Option<Applied>,
}

/// Who applied a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Who.
    pub by: String,
    /// On what basis.
    pub basis: String,
    /// When.
    pub at: Timestamp,
}

impl Default for State {
    fn default() -> Self {
        Self { in_force: InForce::built_in(), applied: None }
    }
}

impl Policy {
    /// Whether it can be applied.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.rules.len() > MOST_RULES {
            return Err(Refusal::TooManyRules);
        }
        let mut names: BTreeSet<&str> = [SIMULATED, OTHERWISE, FINANCIAL].into();
        names.extend(Limit::ALL.map(Limit::name));
        for rule in &self.rules {
            if !names.insert(rule.id.as_str()) {
                return Err(Refusal::RuleName(rule.id.clone()));
            }
            let is_silent = rule.reason.trim().is_empty() && rule.ruling != Ruling::Allow;
            let is_unfit = [&rule.reason, &rule.basis]
                .iter()
                .any(|text| !is_within(text, LONGEST_TEXT) || !is_shown(text));
            if is_silent || is_unfit {
                return Err(Refusal::RuleText(rule.id.clone()));
            }
        }
        let mut limits = BTreeSet::new();
        for limit in &self.limits {
            if !(1..=limit.limit.most()).contains(&limit.allowed) {
                return Err(Refusal::LimitOutOfRange(limit.limit));
            }
            if !limits.insert(limit.limit) {
                return Err(Refusal::LimitTwice(limit.limit));
            }
        }
        self.check_sensitive()
    }

    /// The first rule that speaks for such an order, and its place.
    fn first(&self, platform: Platform, country: Country, class: Class) -> Option<(usize, &Rule)> {
        let mut rules = self.rules.iter().enumerate();
        rules.find(|(_, rule)| rule.speaks_for(platform, country, class))
    }

    /// Whatever allows a sensitive platform says on what basis.
    fn check_sensitive(&self) -> Result<(), Refusal> {
        for platform in SENSITIVE {
            for country in Country::ALL {
                for class in Class::ALL {
                    let first = self.first(platform, country, class).map(|(_, rule)| rule);
                    if let Some(rule) = first
                        && rule.ruling == Ruling::Allow
                        && rule.basis.trim().is_empty()
                    {
                        let rule = rule.id.clone();
                        return Err(Refusal::SensitiveWithoutBasis { rule, platform });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let Command::Apply { policy, replaces, by, basis, at } = command;
        let version = self.in_force.version;
        if replaces.is_some_and(|replaces| replaces != version) {
            return Err(Refusal::OtherVersion(version));
        }
        if !is_said_within(basis, LONGEST_TEXT) {
            return Err(Refusal::NoBasis);
        }
        policy.check()?;
        let is_so = self.in_force.policy == *policy
            && self.applied.as_ref().is_some_and(|applied| applied.basis == *basis);
        if is_so {
            return Ok(Vec::new());
        }
        Ok(vec![Event::Applied {
            version: version + 1,
            policy: policy.clone(),
            by: by.clone(),
            basis: basis.clone(),
            at: *at,
        }])
    }

    fn evolve(self, event: &Event) -> Self {
        let Event::Applied { version, policy, by, basis, at } = event;
        Self {
            in_force: Arc::new(InForce::new(*version, policy.clone())),
            applied: Some(Applied { by: by.clone(), basis: basis.clone(), at: *at }),
        }
    }
}
