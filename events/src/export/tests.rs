//! The law of exports as scenarios: each is a fact of its own, with a reason, of something that is
//! there.

use super::{Command, Event, Made, Refusal, Scope, State};
use crate::audit::Auditor;
use crate::envelope::{Position, Recorded, Revision, StreamId};
use crate::id::{AccountId, EventId};
use crate::spec::given;
use crate::text::LONGEST_REASON;
use crate::time::Timestamp;

const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);

fn made(scope: Scope, records: u64) -> Made {
    Made { scope, records, digest: [7; 32], head: 12 }
}

fn export(made: Made, reason: &str) -> Command {
    Command::Export { made, reason: reason.to_owned(), at: AT }
}

fn exported(made: Made, reason: &str) -> Event {
    Event::Exported { made, reason: reason.to_owned(), at: AT }
}

fn period(from: i64, until: i64) -> Scope {
    Scope::Period { from: Timestamp::from_millis(from), until: Timestamp::from_millis(until) }
}

#[test]
fn every_export_is_a_fact_of_its_own() {
    let of = || made(Scope::Account(AccountId(7)), 3);
    let once = given(State::default(), &[])
        .when(&export(of(), "request 7"))
        .then(&[exported(of(), "request 7")]);
    let twice =
        given(once, &[]).when(&export(of(), "request 7")).then(&[exported(of(), "request 7")]);
    assert_eq!(twice.exports(), 2);
}

#[test]
fn whoever_exports_says_why() {
    for reason in [" ", &*"x".repeat(LONGEST_REASON + 1)] {
        given(State::default(), &[])
            .when(&export(made(period(1, 2), 0), reason))
            .then_refused(&Refusal::NoReason);
    }
}

#[test]
fn an_account_that_is_not_there_has_no_export_and_nothing_of_a_number_is_an_answer() {
    given(State::default(), &[])
        .when(&export(made(Scope::Account(AccountId(7)), 0), "request 7"))
        .then_refused(&Refusal::NoAccount);
    let of = made(Scope::Number("+12025550123".parse().unwrap()), 0);
    given(State::default(), &[])
        .when(&export(of.clone(), "request 7"))
        .then(&[exported(of, "request 7")]);
}

#[test]
fn a_period_ends_after_it_begins() {
    for scope in [period(2, 2), period(3, 2)] {
        given(State::default(), &[])
            .when(&export(made(scope, 0), "request 7"))
            .then_refused(&Refusal::NoPeriod);
    }
}

#[test]
fn an_auditor_finds_an_export_that_stands_elsewhere_or_before_what_it_has() {
    let found = |stream: StreamId, position: u64| {
        let mut auditor = Auditor::default();
        auditor.observe(&Recorded {
            id: EventId(1),
            stream,
            revision: Revision(0),
            position: Position(position),
            at: AT,
            correlation: None,
            event: exported(made(period(1, 2), 0), "request 7").into(),
        });
        auditor.finish().into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(found(StreamId::exports(), 13), [""; 0]);
    assert_eq!(found(StreamId::exports(), 12), ["X1"]);
    assert_eq!(found(StreamId::invites(), 13), ["streams"]);
}
