//! The law of reveals as scenarios: each is a fact of its own, and none is without a reason.

use super::{Command, Event, Refusal, State};
use crate::spec::given;
use crate::text::LONGEST_REASON;
use crate::time::Timestamp;

const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);

fn reveal(subject: &str, reason: &str) -> Command {
    Command::Reveal { subject: subject.to_owned(), reason: reason.to_owned(), at: AT }
}

fn revealed(subject: &str, reason: &str) -> Event {
    Event::Revealed { subject: subject.to_owned(), reason: reason.to_owned(), at: AT }
}

#[test]
fn every_look_is_a_fact_of_its_own() {
    let once = given(State::default(), &[])
        .when(&reveal("ord_1", "ticket 7"))
        .then(&[revealed("ord_1", "ticket 7")]);
    let twice =
        given(once, &[]).when(&reveal("ord_1", "ticket 7")).then(&[revealed("ord_1", "ticket 7")]);
    assert_eq!(twice.reveals(), 2);
}

#[test]
fn whoever_looks_says_why_and_at_what() {
    given(State::default(), &[]).when(&reveal("ord_1", " ")).then_refused(&Refusal::NoReason);
    given(State::default(), &[])
        .when(&reveal("ord_1", &"x".repeat(LONGEST_REASON + 1)))
        .then_refused(&Refusal::NoReason);
    given(State::default(), &[]).when(&reveal("", "ticket 7")).then_refused(&Refusal::NoSubject);
}
