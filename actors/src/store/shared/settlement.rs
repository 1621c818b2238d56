//! What is to be done about a commit, by what the shared log has said of it so far.

use events::envelope::Position;

use super::Commit;
use crate::store::chain::Mark;

/// A commit on its way: from where the log is to end before it, to where it ends with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settlement {
    after: Mark,
    end: Mark,
    /// Whether it may be in the log, now or later.
    may_be_there: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: the log has it.
    Taken,
    /// Nothing: no part of it is in the log, and none will be.
    NotWritten(String),
    /// Nothing, ever: somebody else has written, and the log ends there.
    Superseded(Position),
    /// The log is to be asked where it ends.
    Ask(String),
    /// The same is to be sent again.
    Send,
}

impl Settlement {
    /// Of a group that ends at `end`, after `after`; nothing was sent yet.
    pub fn new(after: Mark, end: Mark) -> Self {
        Self { after, end, may_be_there: false }
    }

    /// After what became of a commit that was sent.
    pub fn answered(&mut self, commit: Commit) -> Step {
        match commit {
            Commit::Taken => Step::Taken,
            Commit::Refused(head) => self.moved(head),
            Commit::NotTaken(detail) if !self.may_be_there => Step::NotWritten(detail),
            Commit::NotTaken(detail) | Commit::Unknown(detail) => {
                self.may_be_there = true;
                Step::Ask(detail)
            }
        }
    }

    /// After the log has said where it ends.
    pub fn found(&self, head: Mark) -> Step {
        // It is not there: the same again. Should the first one arrive yet, this one is refused
        // with the end of its own group.
        if head == self.after { Step::Send } else { self.moved(head) }
    }

    /// The log does not end where it did: with the group that was sent, or with what another wrote.
    fn moved(&self, head: Mark) -> Step {
        if head == self.end { Step::Taken } else { Step::Superseded(head.position) }
    }
}
