//! `given(events).when(command).then(events)`: how rules are written down in tests.

use std::fmt::Debug;

use crate::decider::{Decider, fold};

/// What has happened before.
#[derive(Debug)]
pub struct Given<D>(D);

/// What was decided.
#[derive(Debug)]
pub struct When<D: Decider> {
    state: D,
    decided: Result<Vec<D::Event>, D::Refusal>,
}

/// Starts from `initial` and lets `events` have happened.
pub fn given<D: Decider>(initial: D, events: &[D::Event]) -> Given<D> {
    Given(fold(initial, events))
}

impl<D: Decider> Given<D> {
    /// Decides `command` now.
    pub fn when(self, command: &D::Command) -> When<D> {
        let decided = self.0.decide(command);
        When { state: self.0, decided }
    }
}

impl<D: Decider> When<D>
where
    D::Event: Debug + PartialEq,
    D::Refusal: Debug + PartialEq,
{
    /// Exactly these events follow; the state after them is returned.
    pub fn then(self, events: &[D::Event]) -> D {
        let decided = self.decided.expect("the command was refused");
        assert_eq!(decided, events);
        fold(self.state, events)
    }

    /// Nothing follows: it is already so.
    pub fn then_nothing(self) -> D {
        self.then(&[])
    }

    /// The command is refused, and this is why.
    pub fn then_refused(self, refusal: &D::Refusal) {
        assert_eq!(self.decided.as_ref(), Err(refusal));
    }
}
