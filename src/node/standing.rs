//! Whether a node that stands by is to lead: by what the leader says, and this machine's monotonic
//! clock alone.

use std::time::Duration;

use actors::kernel::clock::Stopwatch;
use actors::store::chain::Mark;
use actors::store::shared::Lead;
use events::envelope::Position;
use events::id::TermId;
use events::leadership::Leader;

/// What a node does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It takes the leadership.
    Take,
    /// It follows.
    Wait,
}

/// What was last seen of a leader: its term, its sign of life, and where the log ended.
type Seen = (Option<(TermId, u64)>, Mark);

/// A node that stands by.
pub struct Standing {
    me: Leader,
    patience: Duration,
    seen: Option<(Seen, Stopwatch)>,
    told: Option<String>,
    /// Why this node would not take over, as it was last said.
    hindrance: Option<String>,
}

impl Standing {
    /// Of this node, which waits so long for a silent leader.
    pub fn new(me: Leader, patience: Duration) -> Self {
        Self { me, patience, seen: None, told: None, hindrance: None }
    }

    /// How long nothing has changed that was looked at.
    pub fn silent(&self) -> Duration {
        self.seen.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    /// Why this node would not take over as things are.
    pub fn hindrance(&self) -> Option<&str> {
        self.hindrance.as_deref()
    }

    /// Says what would keep this node from taking over while another still leads: an operator has
    /// time to mend it then.
    fn warn(&mut self, hindrance: Option<String>) {
        if let Some(text) = hindrance.as_ref().filter(|text| self.hindrance.as_ref() != Some(*text))
        {
            tracing::warn!("this node would not take over from a leader that dies: {text}");
        }
        self.hindrance = hindrance;
    }

    /// Nothing can be seen: the patience begins anew.
    pub fn lost_sight(&mut self) {
        self.seen = None;
    }

    /// What is to be done after a look at `lead` and a log that ends at `end`, in which a
    /// leadership was taken last at `taken`; `obstacle` is why this node could not lead.
    pub fn judge(
        &mut self,
        lead: Option<&Lead>,
        end: Mark,
        taken: Option<Position>,
        obstacle: Option<String>,
    ) -> Verdict {
        let seen = (lead.map(|lead| (lead.term, lead.beat)), end);
        if self.seen.as_ref().is_none_or(|(before, _)| *before != seen) {
            self.seen = Some((seen, Stopwatch::start()));
        }
        let silent = self.silent();
        self.warn(lead.and_then(|lead| hindrance(&self.me, lead)).or_else(|| obstacle.clone()));
        let reason = reason(&self.me, self.patience, lead, taken, silent)
            .map(|reason| reason.and(obstacle.map_or(Ok(()), Err)));
        match reason {
            None => self.told = None,
            Some(Ok(())) => return Verdict::Take,
            Some(Err(text)) => {
                if self.told.as_ref() != Some(&text) {
                    tracing::error!("nobody leads, and this node does not take over: {text}");
                }
                self.told = Some(text);
            }
        }
        Verdict::Wait
    }
}

/// `None` while there is a leader to follow; else whether this node may take its place, who has
/// seen no sign of life for so long.
pub(super) fn reason(
    me: &Leader,
    patience: Duration,
    lead: Option<&Lead>,
    taken: Option<Position>,
    silent: Duration,
) -> Option<Result<(), String>> {
    // Whoever has taken it and has not said so yet is waited for like anybody else.
    if taken.is_some_and(|at| lead.is_none_or(|lead| lead.since < at)) {
        return (silent >= patience).then_some(Ok(()));
    }
    let Some(lead) = lead else { return Some(Ok(())) };
    // An earlier life of this very node, whose directory nobody else can have; or one that has
    // stopped in order, as an operator does who brings a new version or configuration.
    if lead.leader.node == me.node || lead.is_released {
        return Some(Ok(()));
    }
    if silent < patience {
        return None;
    }
    Some(hindrance(me, lead).map_or(Ok(()), Err))
}

/// Why a node does not take the place of a leader that dies: it is not as that one was.
pub fn hindrance(me: &Leader, lead: &Lead) -> Option<String> {
    let theirs = &lead.leader;
    if theirs.node == me.node || lead.is_released {
        return None;
    }
    if is_older(&me.version, &theirs.version) {
        let (mine, other) = (&me.version, &theirs.version);
        return Some(format!("it is of version {mine}, and {} led with {other}", theirs.node));
    }
    (me.configuration != theirs.configuration).then(|| {
        format!(
            "its configuration is not the one that {} led with; make them equal and restart it",
            theirs.node
        )
    })
}

fn is_older(mine: &str, theirs: &str) -> bool {
    let numbers = |version: &str| {
        let plain = version.split(['-', '+']).next().unwrap_or_default();
        plain.split('.').map(|part| part.parse::<u64>().unwrap_or(0)).collect::<Vec<_>>()
    };
    numbers(mine) < numbers(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn leader(node: &str) -> Leader {
        Leader {
            node: node.to_owned(),
            url: String::new(),
            version: "0.2.0".to_owned(),
            configuration: [1; 32],
        }
    }

    fn lead(node: &str) -> Lead {
        Lead {
            term: TermId(1),
            since: Position(1),
            leader: leader(node),
            beat: 7,
            is_released: false,
        }
    }

    #[test]
    fn a_silent_leader_is_waited_for_and_one_that_has_stopped_is_not() {
        let me = leader("south-b");
        let judged = |lead: Option<&Lead>, seconds| {
            reason(&me, PATIENCE, lead, None, Duration::from_secs(seconds))
        };
        assert_eq!(judged(None, 0), Some(Ok(())), "nobody has ever led");
        assert_eq!(judged(Some(&lead("north-a")), 9), None);
        assert_eq!(judged(Some(&lead("north-a")), 10), Some(Ok(())));
        let released = Lead { is_released: true, ..lead("north-a") };
        assert_eq!(judged(Some(&released), 0), Some(Ok(())));
        assert_eq!(judged(Some(&lead("south-b")), 0), Some(Ok(())), "an earlier life of its own");
    }

    #[test]
    fn a_node_that_is_not_as_the_leader_was_does_not_take_over_by_itself() {
        let judged = |me: &Leader, lead: &Lead| reason(me, PATIENCE, Some(lead), None, PATIENCE);
        let older = Leader { version: "0.1.9".to_owned(), ..leader("south-b") };
        let newer = Leader { version: "0.10.0".to_owned(), ..leader("south-b") };
        let other = Leader { configuration: [2; 32], ..leader("south-b") };
        assert!(judged(&older, &lead("north-a")).unwrap().unwrap_err().contains("0.1.9"));
        assert_eq!(judged(&newer, &lead("north-a")), Some(Ok(())));
        assert!(judged(&other, &lead("north-a")).unwrap().unwrap_err().contains("configuration"));
        let released = Lead { is_released: true, ..lead("north-a") };
        assert_eq!(judged(&other, &released), Some(Ok(())), "an operator hands over");
    }

    #[test]
    fn what_would_keep_a_node_from_taking_over_is_known_while_another_leads() {
        let other = Leader { configuration: [2; 32], ..leader("south-b") };
        let mut standing = Standing::new(other, PATIENCE);
        assert_eq!(standing.judge(Some(&lead("north-a")), Mark::START, None, None), Verdict::Wait);
        assert!(standing.hindrance().unwrap().contains("configuration"));
        let mut standing = Standing::new(leader("south-b"), PATIENCE);
        let behind = Some("the clock".to_owned());
        standing.judge(Some(&lead("north-a")), Mark::START, None, behind);
        assert_eq!(standing.hindrance(), Some("the clock"));
        standing.judge(Some(&lead("north-a")), Mark::START, None, None);
        assert_eq!(standing.hindrance(), None);
    }

    #[test]
    fn a_leadership_that_was_taken_and_not_told_yet_is_left_to_its_leader() {
        let mut standing = Standing::new(leader("south-b"), Duration::from_millis(30));
        let released = Lead { is_released: true, ..lead("north-a") };
        let taken = Some(Position(2));
        let judged = standing.judge(Some(&released), Mark::START, taken, None);
        assert_eq!(judged, Verdict::Wait);
        assert_eq!(standing.judge(None, Mark::START, taken, None), Verdict::Wait);
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(standing.judge(None, Mark::START, taken, None), Verdict::Take);
    }

    #[test]
    fn patience_begins_anew_with_every_change_and_after_nothing_was_seen() {
        let mut standing = Standing::new(leader("south-b"), Duration::from_millis(30));
        let mut beating = lead("north-a");
        for beat in 0..20 {
            beating.beat = beat;
            assert_eq!(standing.judge(Some(&beating), Mark::START, None, None), Verdict::Wait);
            std::thread::sleep(Duration::from_millis(3));
        }
        std::thread::sleep(Duration::from_millis(40));
        standing.lost_sight();
        assert_eq!(standing.judge(Some(&beating), Mark::START, None, None), Verdict::Wait);
        std::thread::sleep(Duration::from_millis(40));
        let behind = Some("the clock".to_owned());
        assert_eq!(standing.judge(Some(&beating), Mark::START, None, behind), Verdict::Wait);
        assert_eq!(standing.judge(Some(&beating), Mark::START, None, None), Verdict::Take);
    }
}
