//! What was erased: nothing of an account under a legal hold.

use std::collections::BTreeSet;

use crate::envelope::Position;
use crate::erasure::Event;
use crate::id::AccountId;

/// The holds so far.
#[derive(Debug, Default)]
pub struct Erasures {
    held: BTreeSet<AccountId>,
}

impl Erasures {
    /// Something was erased, held, or let go; what is wrong with it, if anything is.
    pub fn observe(&mut self, event: &Event, place: Position) -> Option<String> {
        match event {
            Event::Erased { of, .. } => of
                .iter()
                .find(|subject| self.held.contains(&subject.account))
                .map(|subject| format!("secrets of {} are erased under a hold", subject.account)),
            // The first record that the other log does not have.
            Event::Rewritten { position, .. } => (position.saturating_add(1) != place.0)
                .then(|| format!("a log that ended at {position} goes on at {}", place.0)),
            Event::HoldPlaced { account, .. } => {
                (!self.held.insert(*account)).then(|| format!("{account} is held twice"))
            }
            Event::HoldLifted { account, .. } => (!self.held.remove(account))
                .then(|| format!("a hold on {account} is lifted that was not placed")),
        }
    }
}
