//! What a node that follows the shared log knows of its leaders.

use events::Event;
use events::envelope::Position;
use events::id::TermId;
use events::leadership;

/// Leaderships, as far as the log was followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Followed {
    /// Leaderships that this node has tried to take.
    tried: Vec<TermId>,
    /// The one that was taken last, if nothing was written after it.
    last_taken: Option<(TermId, Position)>,
    /// Where a leadership was last taken.
    taken: Option<Position>,
}

impl Followed {
    /// After the log's next record, of a leadership's stream where it has a term; `None` is an
    /// event that this version does not understand.
    pub fn learn(&mut self, position: Position, term: Option<TermId>, event: Option<&Event>) {
        self.last_taken = None;
        if let Some(Event::Leadership(leadership::Event::Taken { .. })) = event {
            self.last_taken = term.map(|term| (term, position));
            self.taken = Some(position);
        }
    }

    /// This node tries to take a leadership.
    pub fn tried(&mut self, term: TermId) {
        self.tried.push(term);
    }

    /// The leadership that this node has taken, and where, if the log ends with it.
    pub fn led_by_own(&self) -> Option<(TermId, Position)> {
        self.last_taken.filter(|(term, _)| self.tried.contains(term))
    }

    /// Where a leadership was last taken.
    pub fn taken(&self) -> Option<Position> {
        self.taken
    }
}
