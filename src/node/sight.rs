//! What a node that stands by sees of the shared log: what its doors tell whoever asks how it is.

use std::time::Duration;

use actors::store::shared::{Lead, SharedLogError};

/// The last look at the shared log.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// This node's name.
    pub node: String,
    /// Where its copy ends.
    pub copy: u64,
    /// Who led when the log was last seen.
    pub lead: Option<Lead>,
    /// How long that leader has given no sign of life, by this node's clock.
    pub silent: Duration,
    /// After which another takes its place.
    pub patience: Duration,
    /// Why this node would not take it.
    pub hindrance: Option<String>,
    /// What is the matter, if the log cannot be seen; nothing has been seen before the first look.
    pub trouble: Option<Trouble>,
}

/// Why a node does not see the shared log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It has not looked yet.
    Unseen,
    /// It does not answer.
    Away(String),
    /// It answers, and does not let this node in.
    Denied(String),
}

impl Trouble {
    /// What an error of the log is; `None` for one that ends the node.
    pub fn of(error: &SharedLogError) -> Option<Self> {
        match error {
            SharedLogError::Unavailable(_) => Some(Self::Away(error.to_string())),
            SharedLogError::Denied(_) => Some(Self::Denied(error.to_string())),
            SharedLogError::Unusable(_) => None,
        }
    }

    /// For programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Away(_) => "away",
            Self::Denied(_) => "denied",
        }
    }

    /// For operators: it may name a role and a database, and is not for callers.
    pub fn text(&self) -> &str {
        match self {
            Self::Unseen => "the shared log was not looked at yet",
            Self::Away(text) | Self::Denied(text) => text,
        }
    }

    /// For callers.
    pub const fn in_short(&self) -> &'static str {
        match self {
            Self::Unseen => "has not seen the shared log yet",
            Self::Away(_) => "does not see the shared log, which does not answer",
            Self::Denied(_) => "does not see the shared log, which does not let it in",
        }
    }
}

impl Sight {
    /// Who leads, as far as can be seen: it has not stopped, and is not silent for too long.
    pub fn leader(&self) -> Option<&Lead> {
        let is_seen = self.trouble.is_none() && self.silent < self.patience;
        self.lead.as_ref().filter(|lead| is_seen && !lead.is_released)
    }

    /// Where callers reach whoever leads, if it has said so.
    pub fn leader_url(&self) -> Option<&str> {
        self.leader().map(|lead| &*lead.leader.url).filter(|url| !url.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use events::envelope::Position;
    use events::id::TermId;
    use events::leadership::Leader;

    use super::*;

    #[test]
    fn a_leader_that_is_silent_has_stopped_or_cannot_be_seen_is_none() {
        let leader = Leader {
            node: "north-a".to_owned(),
            url: "https://north".to_owned(),
            version: "0.1.0".to_owned(),
            configuration: [1; 32],
        };
        let lead =
            Lead { term: TermId(1), since: Position(1), leader, beat: 1, is_released: false };
        let seen = Sight {
            lead: Some(lead.clone()),
            patience: Duration::from_secs(10),
            ..Sight::default()
        };
        assert_eq!(seen.leader_url(), Some("https://north"));
        let silent = Sight { silent: Duration::from_secs(10), ..seen.clone() };
        assert_eq!(silent.leader_url(), None);
        let stopped = Lead { is_released: true, ..lead };
        assert_eq!(Sight { lead: Some(stopped), ..seen.clone() }.leader_url(), None);
        let trouble = Trouble::of(&SharedLogError::Denied("password".to_owned()));
        assert_eq!(Sight { trouble, ..seen }.leader_url(), None);
    }
}
