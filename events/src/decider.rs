//! The shape of every aggregate: decide what a command makes happen, evolve by what happened.

use crate::event::Event;

/// An aggregate's rules: which events follow from a command, and what each makes of the state. Both
/// functions are total and synchronous; time and fresh ids are fields of the command.
pub trait Decider: Sized {
    /// What is wanted, in the imperative.
    type Command;
    /// What happened, in the past tense.
    type Event;
    /// Why a command is refused.
    type Refusal;

    /// What `command` makes happen now. What is already so makes nothing happen.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// The state after `event`.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// The state as bytes, for aggregates whose streams grow long.
    fn snapshot(&self) -> Option<Vec<u8>> {
        None
    }

    /// The state in a snapshot's bytes; `None` if they are not understood.
    fn from_snapshot(_bytes: &[u8]) -> Option<Self> {
        None
    }
}

/// An aggregate with a stream of its own in the log.
pub trait Aggregate: Decider<Event: Into<Event> + TryFrom<Event> + Clone> + Default + Send {}

impl<D: Decider<Event: Into<Event> + TryFrom<Event> + Clone> + Default + Send> Aggregate for D {}

/// The state after `events`, from `state` on.
#[must_use]
pub fn fold<'a, D: Decider>(state: D, events: impl IntoIterator<Item = &'a D::Event>) -> D
where
    D::Event: 'a,
{
    events.into_iter().fold(state, D::evolve)
}
