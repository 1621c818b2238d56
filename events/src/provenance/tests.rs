//! The law of provenance as scenarios: nothing is half stated, and nothing holds past its end.

use std::time::Duration;

use super::{Command, Event, LONGEST_TEXT, Record, Refusal, State};
use crate::spec::given;
use crate::time::Timestamp;

const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);

fn record() -> Record {
    Record {
        legal_name: "Example Telecom GmbH".to_owned(),
        source: "SIM cards of its own".to_owned(),
        consent: "contract of 2026-03-01".to_owned(),
        contact: "numbers@example.com".to_owned(),
        valid_until: AT.plus(Duration::from_hours(24)),
    }
}

fn state(record: Record) -> Command {
    Command::State { supplier: "own".parse().unwrap(), record, by: "alice".to_owned(), at: AT }
}

fn stated() -> Event {
    Event::Stated {
        supplier: "own".parse().unwrap(),
        record: record(),
        by: "alice".to_owned(),
        at: AT,
    }
}

#[test]
fn what_is_stated_holds_until_its_end() {
    let known = given(State::default(), &[]).when(&state(record())).then(&[stated()]);
    assert!(known.holds(AT));
    assert!(!known.holds(record().valid_until));
    assert!(!State::default().holds(AT));
    given(known, &[]).when(&state(record())).then_nothing();
}

#[test]
fn nothing_is_half_stated() {
    let refused = |record: Record, refusal: Refusal| {
        given(State::default(), &[]).when(&state(record)).then_refused(&refusal);
    };
    let none = String::new;
    refused(Record { legal_name: none(), ..record() }, Refusal::Text("legal_name"));
    refused(Record { source: " ".to_owned(), ..record() }, Refusal::Text("source"));
    refused(Record { consent: none(), ..record() }, Refusal::Text("consent"));
    let long = "x".repeat(LONGEST_TEXT + 1);
    refused(Record { contact: long, ..record() }, Refusal::Text("contact"));
    refused(Record { valid_until: AT, ..record() }, Refusal::Over);
}

#[test]
fn what_was_stated_can_be_withdrawn_with_a_reason() {
    let withdraw = |reason: &str| Command::Withdraw {
        supplier: "own".parse().unwrap(),
        reason: reason.to_owned(),
        by: "alice".to_owned(),
        at: AT,
    };
    given(State::default(), &[]).when(&withdraw("over")).then_refused(&Refusal::NotStated);
    given(State::default(), &[stated()]).when(&withdraw("")).then_refused(&Refusal::Text("reason"));
    let withdrawn = Event::Withdrawn {
        supplier: "own".parse().unwrap(),
        reason: "contract ended".to_owned(),
        by: "alice".to_owned(),
        at: AT,
    };
    let known =
        given(State::default(), &[stated()]).when(&withdraw("contract ended")).then(&[withdrawn]);
    assert!(!known.holds(AT));
}
