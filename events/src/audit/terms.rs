//! L1 over a log that nodes share: a leadership is taken once, and given up only by its leader.

use crate::id::TermId;
use crate::leadership::Event;

/// Who leads. What is wrong is said in words.
#[derive(Debug, Default)]
pub struct Terms {
    /// The term under way; those before it are over, for nobody else could have written.
    current: Option<TermId>,
}

impl Terms {
    /// Looks at a term's own event.
    pub fn observe(&mut self, term: TermId, event: &Event) -> Option<String> {
        let is_current = self.current == Some(term);
        match event {
            Event::Taken { .. } => {
                self.current = Some(term);
                is_current.then(|| "a leadership is taken again by whoever has it".to_owned())
            }
            Event::Released { .. } => {
                self.current = None;
                (!is_current)
                    .then(|| "a leadership is released by whoever has not got it".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leadership::Leader;
    use crate::time::Timestamp;

    const AT: Timestamp = Timestamp::from_millis(1);

    fn taken() -> Event {
        let leader = Leader {
            node: "north".to_owned(),
            url: String::new(),
            version: "0.1.0".to_owned(),
            configuration: [0; 32],
        };
        Event::Taken { leader, at: AT }
    }

    fn released() -> Event {
        Event::Released { reason: "SIGTERM".to_owned(), at: AT }
    }

    #[test]
    fn whoever_has_it_may_give_it_up_and_nobody_else() {
        let found = |story: &[(u128, Event)]| {
            let mut terms = Terms::default();
            story.iter().filter_map(|(term, event)| terms.observe(TermId(*term), event)).count()
        };
        assert_eq!(found(&[(1, taken()), (2, taken()), (2, released()), (3, taken())]), 0);
        assert_eq!(found(&[(1, taken()), (2, taken()), (1, released())]), 1, "a former leader");
        assert_eq!(found(&[(1, taken()), (1, released()), (1, released())]), 1, "twice");
        assert_eq!(found(&[(1, taken()), (1, taken())]), 1, "taken again");
        assert_eq!(found(&[(1, released())]), 1, "never taken");
    }
}
