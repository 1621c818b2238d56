//! The document of a policy: what an operator writes, in TOML or as a call's body.

use std::path::Path;

use events::country::Country;
use events::platform::Platform;
use events::policy::{Class, ConductLimit, Limit, Mode, Policy, Rule, RuleId, Ruling};
use figment::Figment;
use figment::providers::{Format, Toml};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rules and limits; of the rules the first that speaks decides.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyDocument)]
pub struct Document {
    /// `enforce`: what is not allowed is refused; `shadow`: it is recorded, and the order goes on.
    pub mode: String,
    /// The rules, in their order.
    #[serde(default)]
    pub rules: Vec<RuleDocument>,
    /// Limits on conduct, each on something else.
    #[serde(default)]
    pub limits: Vec<LimitDocument>,
}

/// A rule; an empty list stands for everything.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyRule)]
pub struct RuleDocument {
    /// Its name: 1 to 32 of a-z, 0-9, _ and -.
    pub id: String,
    /// For which platforms it speaks; for all, if there are none.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// For which countries; for all, if there are none.
    #[serde(default)]
    pub countries: Vec<String>,
    /// For which accounts: `new`, `verified`, `trusted`; for all, if there are none.
    #[serde(default)]
    pub classes: Vec<String>,
    /// `allow`, `deny` or `review`.
    pub verdict: String,
    /// Why, in words that callers may read.
    #[serde(default)]
    pub reason: String,
    /// What entitles you to allow it, where that has to be stated; for operators only.
    #[serde(default)]
    pub basis: String,
}

/// A limit on conduct.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyLimit)]
pub struct LimitDocument {
    /// On what: `orders_per_platform_per_day`, `numbers_per_day`, `new_account_orders_per_day`,
    /// `cancelled_percent`, `success_percent`.
    pub limit: String,
    /// How much is allowed; of `success_percent`, how much is needed.
    pub allowed: u32,
    /// `enforce` or `shadow`.
    pub mode: String,
}

impl Document {
    /// Reads a file; the error says in words what is wrong with it.
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let document = Figment::from(Toml::string(&text)).extract();
        document.map_err(|error| format!("{}: {error}", file.display()))
    }

    /// The policy that it says, checked.
    pub fn policy(&self) -> Result<Policy, String> {
        let rules = self.rules.iter().map(RuleDocument::rule).collect::<Result<_, _>>()?;
        let limits = self.limits.iter().map(LimitDocument::limit).collect::<Result<_, _>>()?;
        let policy = Policy { mode: mode(&self.mode)?, rules, limits };
        policy.check().map_err(|refusal| refusal.to_string())?;
        Ok(policy)
    }
}

impl RuleDocument {
    fn rule(&self) -> Result<Rule, String> {
        let of = |error: String| format!("rule {:?}: {error}", self.id);
        let id: RuleId = self.id.parse().map_err(|error| of(format!("{error}")))?;
        let platform = |text: &String| -> Result<Platform, String> {
            text.parse().map_err(|error| of(format!("platform {text:?}: {error}")))
        };
        let country = |text: &String| -> Result<Country, String> {
            text.parse().map_err(|error| of(format!("country {text:?}: {error}")))
        };
        let class = |text: &String| {
            Class::named(text)
                .ok_or_else(|| of(format!("class {text:?}: it is new, verified or trusted")))
        };
        let ruling = Ruling::named(&self.verdict).ok_or_else(|| {
            of(format!("verdict {:?}: it is allow, deny or review", self.verdict))
        })?;
        Ok(Rule {
            id,
            platforms: self.platforms.iter().map(platform).collect::<Result<_, _>>()?,
            countries: self.countries.iter().map(country).collect::<Result<_, _>>()?,
            classes: self.classes.iter().map(class).collect::<Result<_, _>>()?,
            ruling,
            reason: self.reason.clone(),
            basis: self.basis.clone(),
        })
    }
}

impl LimitDocument {
    fn limit(&self) -> Result<ConductLimit, String> {
        let limit = Limit::named(&self.limit).ok_or_else(|| {
            let known = Limit::ALL.map(Limit::name).join(", ");
            format!("limit {:?}: it is one of {known}", self.limit)
        })?;
        Ok(ConductLimit { limit, allowed: self.allowed, mode: mode(&self.mode)? })
    }
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::named(text).ok_or_else(|| format!("mode {text:?}: it is enforce or shadow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, String> {
        let document: Document =
            Figment::from(Toml::string(text)).extract().map_err(|error| error.to_string())?;
        document.policy()
    }

    #[test]
    fn what_is_written_is_what_is_shown() {
        let policy = read(
            r#"
            mode = "shadow"
            [[rules]]
            id = "own-staff"
            platforms = ["paypal"]
            countries = ["UK"]
            classes = ["trusted"]
            verdict = "allow"
            basis = "contract 12"
            [[limits]]
            limit = "numbers_per_day"
            allowed = 20
            mode = "shadow"
            "#,
        )
        .unwrap();
        let shown: Document =
            serde_json::from_value(crate::description::policy_of(&policy)).unwrap();
        assert_eq!(shown.policy(), Ok(policy));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("mode = \"loud\"", "mode \"loud\""),
            ("mode = \"shadow\"\nrule = []", "rule"),
            ("mode = \"shadow\"\n[[rules]]\nid = \"A\"\nverdict = \"deny\"", "rule \"A\""),
            (
                "mode = \"shadow\"\n[[rules]]\nid = \"a\"\nverdict = \"deny\"\nreason = \"r\"\n\
                 platforms = [\"goog\"]",
                "goog",
            ),
            ("mode = \"shadow\"\n[[rules]]\nid = \"a\"\nverdict = \"allow\"", "basis"),
            (
                "mode = \"shadow\"\n[[limits]]\nlimit = \"speed\"\nallowed = 1\nmode = \"shadow\"",
                "speed",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
