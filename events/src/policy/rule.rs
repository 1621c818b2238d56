//! One line of a policy: for which orders it speaks, and what it says of them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::country::Country;
use crate::platform::Platform;

/// How well an operator knows an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Class {
    /// Nobody has looked at it.
    #[default]
    New,
    /// An operator knows whose it is.
    Verified,
    /// An operator vouches for it: no limit on conduct holds for it.
    Trusted,
}

impl Class {
    /// Every class, the least known first.
    pub const ALL: [Self; 3] = [Self::New, Self::Verified, Self::Trusted];

    /// The word operators use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Verified => "verified",
            Self::Trusted => "trusted",
        }
    }

    /// The class of a word.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// What a rule says of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ruling {
    /// It may be.
    Allow,
    /// It may not be.
    Deny,
    /// It may not be until an operator has decided.
    Review,
}

impl Ruling {
    /// Every ruling.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::Review];

    /// The word of files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Review => "review",
        }
    }

    /// The ruling of a word.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ruling| ruling.name() == name)
    }
}

/// What follows from a ruling that is not `allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// The order is refused.
    Enforce,
    /// The ruling is recorded, and the order goes on.
    Shadow,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Enforce, Self::Shadow];

    /// The word of files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }

    /// The mode of a word.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// A rule's name: 1 to 32 of `a-z 0-9 _ -`. Shared, for every order carries one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Arc<str>);

/// The text is no rule's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a rule's id is 1 to 32 of a-z, 0-9, _ and -")]
pub struct ParseRuleIdError;

impl RuleId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name of the service's own.
    pub(super) fn own(name: &'static str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RuleId {
    type Err = ParseRuleIdError;

    fn from_str(text: &str) -> Result<Self, ParseRuleIdError> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        fits.then(|| Self(text.into())).ok_or(ParseRuleIdError)
    }
}

/// A rule. An empty list stands for everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name: orders carry it.
    pub id: RuleId,
    /// For which platforms it speaks.
    pub platforms: Vec<Platform>,
    /// For which countries.
    pub countries: Vec<Country>,
    /// For which accounts.
    pub classes: Vec<Class>,
    /// What it says.
    pub ruling: Ruling,
    /// Why, in words that callers may read.
    pub reason: String,
    /// What entitles the operator to allow it, where that has to be stated; for operators only.
    pub basis: String,
}

impl Rule {
    /// Whether it speaks for such orders.
    pub fn speaks_for(&self, platform: Platform, country: Country, class: Class) -> bool {
        (self.platforms.is_empty() || self.platforms.contains(&platform))
            && (self.countries.is_empty() || self.countries.contains(&country))
            && (self.classes.is_empty() || self.classes.contains(&class))
    }
}
