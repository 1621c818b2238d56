//! The last records, decoded: whoever follows the log closely reads them here, and not from the
//! file.

use std::collections::VecDeque;
use std::sync::Arc;

use events::Event;
use events::envelope::{Position, Recorded};

use crate::store::chain::Hash;

/// Records kept at most: what a busy second appends.
const RECORDS: usize = 16_384;
/// Bytes of their payloads kept at most.
const BYTES: usize = 4 << 20;

/// A durable record.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The event and its place.
    pub record: Arc<Recorded<Event>>,
    /// The chain after it.
    pub chain: Hash,
    /// The length of its payload.
    pub bytes: usize,
}

/// The last records of the log, one position after the other.
#[derive(Debug)]
pub struct Recent {
    records: VecDeque<Kept>,
    /// The position of the first one, or of the one that comes next.
    first: u64,
    bytes: usize,
}

impl Recent {
    /// None yet, of a log that ends at `end`.
    pub fn after(end: Position) -> Self {
        Self { records: VecDeque::new(), first: end.0 + 1, bytes: 0 }
    }

    /// Takes the records that come next, and gives back those that go.
    pub fn push(&mut self, records: Vec<Kept>) -> Vec<Kept> {
        self.bytes += records.iter().map(|kept| kept.bytes).sum::<usize>();
        self.records.extend(records);
        let mut forgotten = Vec::new();
        while self.records.len() > RECORDS || self.bytes > BYTES {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes -= oldest.bytes;
            self.first += 1;
            forgotten.push(oldest);
        }
        forgotten
    }

    /// The record at `position`.
    pub fn at(&self, position: Position) -> Option<&Kept> {
        let place = usize::try_from(position.0.checked_sub(self.first)?).ok()?;
        self.records.get(place)
    }

    /// The records after `after`, at most `limit`; `None` if the first of them has gone, or has not
    /// come.
    pub fn after_position(
        &self,
        after: Position,
        limit: usize,
    ) -> Option<Vec<Arc<Recorded<Event>>>> {
        let place = usize::try_from((after.0 + 1).checked_sub(self.first)?)
            .ok()
            .filter(|place| *place < self.records.len())?;
        Some(self.records.range(place..).take(limit).map(|kept| Arc::clone(&kept.record)).collect())
    }
}

#[cfg(test)]
mod tests {
    use events::envelope::{Revision, StreamId};
    use events::id::{AccountId, EventId};
    use events::time::Timestamp;

    use super::*;

    fn kept(position: u64, bytes: usize) -> Kept {
        let event = events::account::Event::Credited {
            amount: events::money::Money::from_cents(1),
            reason: String::new(),
            at: Timestamp::from_millis(1),
        };
        let record = Recorded {
            id: EventId(position.into()),
            stream: StreamId::account(AccountId(1)),
            revision: Revision(position - 1),
            position: Position(position),
            at: Timestamp::from_millis(1),
            correlation: None,
            event: event.into(),
        };
        Kept { record: Arc::new(record), chain: [1; 32], bytes }
    }

    fn positions(recent: &Recent, after: u64, limit: usize) -> Option<Vec<u64>> {
        recent
            .after_position(Position(after), limit)
            .map(|records| records.iter().map(|record| record.position.0).collect())
    }

    #[test]
    fn what_was_kept_is_read_from_where_it_is_asked_and_nothing_else() {
        let mut recent = Recent::after(Position(4));
        assert_eq!(positions(&recent, 4, 10), None, "nothing has come");
        recent.push((5..9).map(|position| kept(position, 1)).collect());
        assert_eq!(positions(&recent, 4, 10), Some(vec![5, 6, 7, 8]));
        assert_eq!(positions(&recent, 6, 1), Some(vec![7]));
        assert_eq!((positions(&recent, 3, 10), positions(&recent, 8, 10)), (None, None));
        assert!(
            recent.at(Position(8)).is_some()
                && recent.at(Position(4)).is_none()
                && recent.at(Position(9)).is_none()
        );
    }

    #[test]
    fn neither_their_number_nor_their_bytes_grow_without_a_bound() {
        let mut recent = Recent::after(Position(0));
        let many = u64::try_from(RECORDS).unwrap() + 10;
        assert_eq!(recent.push((1..=many).map(|position| kept(position, 1)).collect()).len(), 10);
        assert_eq!(positions(&recent, 9, 10), None);
        assert_eq!(positions(&recent, 10, 1), Some(vec![11]));
        recent.push(vec![kept(many + 1, BYTES)]);
        assert_eq!(
            positions(&recent, many, 10),
            Some(vec![many + 1]),
            "one that fills it alone is kept alone"
        );
        recent.push(vec![kept(many + 2, 2 * BYTES)]);
        assert_eq!(
            positions(&recent, many + 1, 10),
            None,
            "and what is longer than that is read from the file"
        );
        recent.push(vec![kept(many + 3, 1)]);
        assert_eq!(positions(&recent, many + 2, 10), Some(vec![many + 3]));
    }
}
