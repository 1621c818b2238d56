//! Scanning as scenarios: forwards by strides, back to a fork.

use super::*;
use crate::spec::given;

const NOW: Timestamp = Timestamp::from_millis(5_000);

fn block(height: u64, branch: &str) -> Block {
    Block { height, hash: format!("{branch}{height}") }
}

fn scanned(height: u64, branch: &str) -> Event {
    Event::Scanned { block: block(height, branch), at: NOW }
}

fn advance(height: u64, stride: u64) -> Command {
    Command::Advance { block: block(height, "a"), stride, at: NOW }
}

#[test]
fn progress_is_recorded_once_a_stride_and_never_backwards() {
    given(State::default(), &[]).when(&advance(100, 20)).then(&[scanned(100, "a")]);
    given(State::default(), &[scanned(100, "a")]).when(&advance(119, 20)).then_nothing();
    given(State::default(), &[scanned(100, "a")])
        .when(&advance(120, 20))
        .then(&[scanned(120, "a")]);
    given(State::default(), &[scanned(100, "a")]).when(&advance(100, 0)).then_nothing();
    given(State::default(), &[scanned(100, "a")]).when(&advance(99, 1)).then_nothing();
}

#[test]
fn a_fork_forgets_what_came_after_it() {
    let fork = Command::Fork { block: block(101, "a"), at: NOW };
    let events = [scanned(100, "a"), scanned(101, "a"), scanned(102, "a"), scanned(103, "a")];
    let chain = given(State::default(), &events)
        .when(&fork)
        .then(&[Event::Forked { block: block(101, "a"), at: NOW }]);
    assert_eq!(
        chain.newest_first().cloned().collect::<Vec<_>>(),
        [block(101, "a"), block(100, "a")]
    );
    given(chain, &[]).when(&fork).then_nothing();
}

#[test]
fn memory_is_bounded() {
    let many = u64::try_from(REMEMBERED).unwrap() + 10;
    let chain =
        given(State::default(), &(1..=many).map(|height| scanned(height, "a")).collect::<Vec<_>>())
            .when(&advance(many, 1))
            .then_nothing();
    assert_eq!((chain.newest_first().count(), chain.last()), (REMEMBERED, Some(&block(many, "a"))));
}
