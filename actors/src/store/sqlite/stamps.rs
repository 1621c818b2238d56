//! The rule of times: no record is stamped before the one before it. Earlier versions did not hold
//! to it, and what they wrote is named, not condemned.

use std::path::Path;

use events::envelope::Position;
use events::time::Timestamp;

use super::log::Log;
use crate::store::port::ReadError;

/// What a walk along the log finds out about its times.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stamps {
    /// From where on the rule holds; `None` where the log is of the first layout.
    holds_from: Option<Position>,
    before: Option<Timestamp>,
    early: u64,
    first: Option<Position>,
    furthest_millis: u128,
}

impl Stamps {
    /// For a walk along the log in `directory`.
    pub fn of(directory: &Path) -> Result<Self, ReadError> {
        if super::is_unwritten(directory)? {
            return Ok(Self::default());
        }
        let log = Log::open(&directory.join("events.db")).map_err(super::failed)?;
        Ok(Self { holds_from: log.stamped_in_order_from()?, ..Self::default() })
    }

    /// Looks at the next record. Says what is wrong if it breaks the rule where the rule holds.
    pub fn observe(&mut self, position: Position, at: Timestamp) -> Option<String> {
        let before = self.before.replace(at)?;
        if at >= before {
            return None;
        }
        if self.holds_from.is_some_and(|from| position >= from) {
            return Some(format!("it is stamped {at}, before the one before it ({before})"));
        }
        self.early += 1;
        self.first.get_or_insert(position);
        self.furthest_millis = self.furthest_millis.max(before.since(at).as_millis());
        None
    }

    /// What is to be said of records from before the rule, if anything.
    pub fn note(&self) -> Option<String> {
        let first = self.first?.0;
        Some(format!(
            "note: {} records are stamped before the one before them, the first at position \
             {first}, by at most {} ms: versions before this one did not look",
            self.early, self.furthest_millis
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(holds_from: Option<Position>, times: &[i64]) -> (Vec<u64>, Option<String>) {
        let mut stamps = Stamps { holds_from, ..Stamps::default() };
        let broken = (1..).zip(times).filter(|(position, at)| {
            stamps.observe(Position(*position), Timestamp::from_millis(**at)).is_some()
        });
        (broken.map(|(position, _)| position).collect(), stamps.note())
    }

    #[test]
    fn times_that_run_backwards_are_found_where_the_rule_holds_and_named_before() {
        assert_eq!(walk(Some(Position(1)), &[5, 5, 6]), (vec![], None));
        assert_eq!(walk(Some(Position(1)), &[5, 4, 6, 5]), (vec![2, 4], None));
        let (broken, note) = walk(Some(Position(4)), &[5, 3, 9, 8]);
        assert_eq!(broken, [4]);
        assert!(note.is_some_and(|note| note.contains("1 records")
            && note.contains("position 2")
            && note.contains("2 ms")));
        let (broken, note) = walk(None, &[5, 3, 9, 8]);
        assert_eq!(broken, Vec::<u64>::new());
        assert!(note.is_some_and(|note| note.contains("2 records")));
    }
}
