//! What a policy says of one order: by its rules, and by how its account has behaved.

use std::sync::{Arc, LazyLock};

use super::conduct::{Conduct, Exceeded};
use super::rule::{Class, Mode, Rule, RuleId, Ruling};
use super::{Policy, SENSITIVE};
use crate::country::Country;
use crate::platform::Platform;
use crate::time::Timestamp;

/// The rule of numbers that are made up: nobody's number is used, so nothing is refused.
pub const SIMULATED: &str = "simulated";
/// The rule of what no other speaks for.
pub const OTHERWISE: &str = "default";
/// The rule of financial and identity platforms, behind the operator's own.
pub const FINANCIAL: &str = "financial";

static ALLOWED: LazyLock<RuleId> = LazyLock::new(|| RuleId::own(OTHERWISE));
static MADE_UP: LazyLock<RuleId> = LazyLock::new(|| RuleId::own(SIMULATED));
static BUILT_IN: LazyLock<Arc<InForce>> = LazyLock::new(Arc::default);

/// What was decided of an order. Every order carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The policy's version; 0 is the built-in one.
    pub version: u32,
    /// The rule that spoke.
    pub rule: RuleId,
    /// What it said.
    pub ruling: Ruling,
    /// What follows if that was not `allow`.
    pub mode: Mode,
    /// Limits on conduct that the order is beyond.
    pub exceeded: Vec<Exceeded>,
}

impl Verdict {
    /// Whether the order may not be.
    pub fn refuses(&self) -> bool {
        (self.ruling != Ruling::Allow && self.mode == Mode::Enforce)
            || self.exceeded.iter().any(|exceeded| exceeded.mode == Mode::Enforce)
    }

    /// The same, were every part of it enforced: what a shadow shows.
    pub fn would_refuse(&self) -> bool {
        self.ruling != Ruling::Allow || !self.exceeded.is_empty()
    }

    /// The limit that refuses the order where no rule does.
    pub fn refusing_limit(&self) -> Option<&Exceeded> {
        let by_rule = self.ruling != Ruling::Allow && self.mode == Mode::Enforce;
        self.exceeded.iter().find(|exceeded| !by_rule && exceeded.mode == Mode::Enforce)
    }

    /// Whether a person has to look at it.
    pub fn needs_review(&self) -> bool {
        self.ruling == Ruling::Review || self.exceeded.iter().any(|e| e.limit.needs_review())
    }

    /// What wants it looked at, a rule or a limit, and why; `needs_review` says whether anything
    /// does.
    pub fn review_wanted_by(&self) -> (&str, String) {
        let limit = self.exceeded.iter().find(|exceeded| exceeded.limit.needs_review());
        match limit.filter(|_| self.ruling != Ruling::Review) {
            Some(exceeded) => (exceeded.limit.name(), exceeded.to_string()),
            None => (self.rule.as_str(), "the rule wants it reviewed".to_owned()),
        }
    }

    /// The name of what decided: the rule, or the limit where that alone refuses.
    pub fn decided_by(&self) -> &str {
        self.refusing_limit().map_or(self.rule.as_str(), |exceeded| exceeded.limit.name())
    }

    /// The same, were every part of the policy enforced.
    pub fn would_be_decided_by(&self) -> &str {
        let limit = self.exceeded.first().filter(|_| self.ruling == Ruling::Allow);
        limit.map_or(self.rule.as_str(), |exceeded| exceeded.limit.name())
    }

    /// What follows of it as a whole: a limit that refuses counts as its own ruling.
    pub fn outcome(&self) -> Ruling {
        match self.refusing_limit() {
            Some(exceeded) if exceeded.limit.needs_review() => Ruling::Review,
            Some(_) => Ruling::Deny,
            None => self.ruling,
        }
    }
}

/// A policy in force, with its answers at hand: a look-up an order.
#[derive(Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its version; 0 is the built-in one.
    pub version: u32,
    /// Its rules and limits.
    pub policy: Policy,
    /// For each platform, country and class the rule that speaks, by its place.
    table: Vec<Speaks>,
}

/// Which rule speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// The operator's, by its place.
    Rule(usize),
    /// The built-in one of sensitive platforms.
    Financial,
    /// None.
    Otherwise,
}

impl Default for InForce {
    /// The built-in policy.
    fn default() -> Self {
        Self::new(0, Policy::default())
    }
}

impl InForce {
    /// A policy under its version.
    pub fn new(version: u32, policy: Policy) -> Self {
        let mut table =
            Vec::with_capacity(Platform::ALL.len() * Country::ALL.len() * Class::ALL.len());
        for platform in Platform::ALL {
            for country in Country::ALL {
                for class in Class::ALL {
                    table.push(speaker(&policy, platform, country, class));
                }
            }
        }
        Self { version, policy, table }
    }

    /// The policy of a service whose operator has applied none.
    pub fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// What the rules say of such an order; `real_numbers` is whether its number may be a real one.
    pub fn verdict(
        &self,
        platform: Platform,
        country: Country,
        class: Class,
        real_numbers: bool,
    ) -> Verdict {
        let (rule, ruling) = if real_numbers {
            self.ruling(platform, country, class)
        } else {
            (MADE_UP.clone(), Ruling::Allow)
        };
        let (version, mode) = (self.version, self.policy.mode);
        Verdict { version, rule, ruling, mode, exceeded: Vec::new() }
    }

    /// What rules and limits say of an order that an account with this conduct wants at `at`.
    pub fn judge(
        &self,
        platform: Platform,
        country: Country,
        conduct: &Conduct,
        real_numbers: bool,
        at: Timestamp,
    ) -> Verdict {
        let mut verdict = self.verdict(platform, country, conduct.class, real_numbers);
        if real_numbers {
            verdict.exceeded = conduct.exceeded(&self.policy, platform, at);
        }
        verdict
    }

    /// Why a rule says what it says, in words that callers may read.
    pub fn reason(&self, verdict: &Verdict) -> String {
        if let Some(exceeded) = verdict.refusing_limit() {
            return exceeded.to_string();
        }
        let own = self.policy.rules.iter().find(|rule| rule.id == verdict.rule);
        match (own, verdict.rule.as_str()) {
            (Some(rule), _) => rule.reason.clone(),
            (None, FINANCIAL) => FINANCIAL_REASON.to_owned(),
            (None, SIMULATED) => "the number is made up".to_owned(),
            (None, _) => "no rule speaks of it".to_owned(),
        }
    }

    fn ruling(&self, platform: Platform, country: Country, class: Class) -> (RuleId, Ruling) {
        let place = |found: Result<usize, usize>| found.unwrap_or_default();
        let platform = place(Platform::ALL.binary_search(&platform));
        let country = place(Country::ALL.binary_search(&country));
        let class = place(Class::ALL.binary_search(&class));
        let at = (platform * Country::ALL.len() + country) * Class::ALL.len() + class;
        match self.table.get(at).copied().unwrap_or(Speaks::Otherwise) {
            Speaks::Rule(place) => {
                let Rule { id, ruling, .. } = &self.policy.rules[place];
                (id.clone(), *ruling)
            }
            Speaks::Financial => (RULE_FINANCIAL.clone(), Ruling::Deny),
            Speaks::Otherwise => (ALLOWED.clone(), Ruling::Allow),
        }
    }
}

static RULE_FINANCIAL: LazyLock<RuleId> = LazyLock::new(|| RuleId::own(FINANCIAL));

const FINANCIAL_REASON: &str = "accounts at financial platforms are tied to a person's identity: \
    this service gives no numbers for them unless its operator has stated a basis";

fn speaker(policy: &Policy, platform: Platform, country: Country, class: Class) -> Speaks {
    match policy.first(platform, country, class) {
        Some((place, _)) => Speaks::Rule(place),
        None if SENSITIVE.contains(&platform) => Speaks::Financial,
        None => Speaks::Otherwise,
    }
}
