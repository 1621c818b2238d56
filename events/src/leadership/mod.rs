//! Which node writes a log that several share. Each leadership is a term with a stream of its own.
//!
//! Holds: taking and releasing. Never holds: when one is taken (liveness has clocks, `src/node`
//! has them), and what keeps a former leader from writing: every record it did not write does.
//! Leans on: nothing. Proved by: `tests.rs` here.

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::decider::Decider;
use crate::time::Timestamp;

/// Who leads, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The node's name.
    pub node: String,
    /// Where it is reached.
    pub url: String,
    /// The version of the service.
    pub version: String,
    /// What its configuration comes down to, where nodes must agree.
    pub configuration: [u8; 32],
}

/// A fact of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A node writes from here on, and nobody else.
    Taken {
        /// Which.
        leader: Leader,
        /// When.
        at: Timestamp,
    },
    /// It has stopped, and nobody need wait for it.
    Released {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

/// An intention; `at` is the moment it is decided at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// To write.
    Take {
        /// Who.
        leader: Leader,
        /// Now.
        at: Timestamp,
    },
    /// To stop.
    Release {
        /// Why.
        reason: String,
        /// Now.
        at: Timestamp,
    },
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A term is somebody's already.
    #[error("this term has been taken before")]
    TakenBefore,
    /// Nobody has taken it.
    #[error("this term was never taken")]
    NeverTaken,
}

/// How far a term is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Nobody's yet.
    #[default]
    Open,
    /// Its leader's.
    Held,
    /// Over.
    Over,
}

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (self, command) {
            (Self::Open, Command::Take { leader, at }) => {
                Ok(vec![Event::Taken { leader: leader.clone(), at: *at }])
            }
            (Self::Held | Self::Over, Command::Take { .. }) => Err(Refusal::TakenBefore),
            (Self::Held, Command::Release { reason, at }) => {
                Ok(vec![Event::Released { reason: reason.clone(), at: *at }])
            }
            (Self::Over, Command::Release { .. }) => Ok(Vec::new()),
            (Self::Open, Command::Release { .. }) => Err(Refusal::NeverTaken),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Taken { .. } => Self::Held,
            Event::Released { .. } => Self::Over,
        }
    }
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Taken { at, .. } | Self::Released { at, .. } => *at,
        }
    }
}
