//! When a source received a message, by its own word, held against when it arrived here: whose a
//! message is must not hang on a clock that is wrong.

use std::time::Duration;

use crate::time::Timestamp;

/// How far a source's clock may be ahead of ours: what networks and whole seconds come to.
const AHEAD: Duration = Duration::from_secs(5);

/// How long after its receipt a message may arrive and its time still be taken at its word.
const FAR: Duration = Duration::from_mins(10);

/// What was received longer ago than this is brought by no source: the time is a clock's that was
/// never set.
const ABSURD: Duration = Duration::from_hours(25);

/// How long a number must have been on no order for a message without a believable time to be the
/// next order's: as long as the numbers of sources that never say.
const RESTED: Duration = Duration::from_mins(1);

/// What a source says of when it received a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The source never says. Its numbers rest between two orders instead.
    Unsaid,
    /// Then; not after the message arrived.
    At(Timestamp),
    /// So long before the message arrived that its clock, or the message's way, is out of order.
    LongAgo(Timestamp),
    /// At no time that can be: its clock is out of order.
    Absurd,
}

impl Receipt {
    /// What the source says, for a message that arrived at `arrival`.
    pub fn of(said: Option<Timestamp>, arrival: Timestamp) -> Self {
        let Some(said) = said else { return Self::Unsaid };
        // Both are zero where the other is not.
        let (ahead, behind) = (said.since(arrival), arrival.since(said));
        if ahead > AHEAD || behind > ABSURD {
            Self::Absurd
        } else if behind > FAR {
            Self::LongAgo(said)
        } else {
            Self::At(said.min(arrival))
        }
    }

    /// Whether the source says nothing that can be taken at its word.
    pub const fn is_far(self) -> bool {
        matches!(self, Self::LongAgo(_) | Self::Absurd)
    }

    /// When the message was received, for all that is known: never after it arrived.
    pub fn moment(self, arrival: Timestamp) -> Timestamp {
        if let Self::At(at) = self { at } else { arrival }
    }

    /// Whether the message was received while the number was on the order that it was assigned to
    /// at `assigned`. The order before it, if there was one, gave the number up at `freed`.
    pub fn is_within(self, assigned: Timestamp, freed: Option<Timestamp>) -> bool {
        match self {
            Self::Unsaid => true,
            Self::At(received) => !is_before(received, assigned, freed),
            // Right or wrong, it is no other order's if no other had the number since then.
            Self::LongAgo(received) => {
                received >= assigned || freed.is_none_or(|freed| freed < received)
            }
            Self::Absurd => freed.is_none_or(|freed| assigned.since(freed) >= RESTED),
        }
    }
}

/// Whether a message belongs to the time before `assigned`. A source that counts in whole seconds
/// has cut its fraction off, so its moment stands for the whole second; if the number was another
/// order's in that second, it is that one's: a code is not there so soon after its number.
fn is_before(received: Timestamp, assigned: Timestamp, freed: Option<Timestamp>) -> bool {
    let second = |moment: Timestamp| moment.millis().div_euclid(1_000);
    if received.millis().rem_euclid(1_000) != 0 {
        return received < assigned;
    }
    second(received) < second(assigned)
        || freed.is_some_and(|freed| second(freed) == second(received))
}
