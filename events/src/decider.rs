//! The shape of every aggregate: decide what a command makes happen, evolve by what happened.

/// An aggregate's law. Both functions are total and synchronous; time and fresh ids are fields of the command.
pub trait Decider: Sized {
    /// What is wanted, in the imperative.
    type Command;
    /// What happened, in the past tense.
    type Event;
    /// Why the law says no.
    type Refusal;

    /// What `command` makes happen now. What is already so makes nothing happen.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// The state after `event`.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    /// Whether no command can make anything happen any more.
    fn is_terminal(&self) -> bool;
}

/// The state after `events`, from `state` on.
#[must_use]
pub fn fold<'a, D: Decider>(state: D, events: impl IntoIterator<Item = &'a D::Event>) -> D
where
    D::Event: 'a,
{
    events.into_iter().fold(state, D::evolve)
}
