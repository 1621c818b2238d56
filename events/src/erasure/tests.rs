//! Given what was erased and held, when an operator or the retention wants more, then so.

use super::*;
use crate::audit::Auditor;
use crate::envelope::{Position, Recorded, Revision, StreamId};
use crate::id::EventId;
use crate::spec::given;

const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);
const ACCOUNT: AccountId = AccountId(1);

fn order(number: u128) -> Subject {
    Subject { account: ACCOUNT, order: Some(OrderId(number)) }
}

fn erase(of: Vec<Subject>) -> Command {
    Command::Erase { of, kinds: vec![SecretKind::Message], reason: "asked".to_owned(), at: AT }
}

fn erased(of: Vec<Subject>) -> Event {
    Event::Erased { of, kinds: vec![SecretKind::Message], reason: "asked".to_owned(), at: AT }
}

fn hold(account: AccountId) -> Command {
    Command::PlaceHold { account, reason: "court 7/26".to_owned(), at: AT }
}

fn held(account: AccountId) -> Event {
    Event::HoldPlaced { account, reason: "court 7/26".to_owned(), at: AT }
}

fn lift(account: AccountId) -> Command {
    Command::LiftHold { account, reason: "over".to_owned(), at: AT }
}

fn lifted(account: AccountId) -> Event {
    Event::HoldLifted { account, reason: "over".to_owned(), at: AT }
}

#[test]
fn secrets_are_erased_by_a_fact_that_says_whose_and_why() {
    let state = given(State::default(), &[])
        .when(&erase(vec![order(1), order(2)]))
        .then(&[erased(vec![order(1), order(2)])]);
    assert_eq!(state.erased(), 2);
    let of = vec![order(1), Subject { account: ACCOUNT, order: None }];
    let all =
        Event::Erased { of, kinds: SecretKind::ALL.to_vec(), reason: "asked".to_owned(), at: AT };
    let state = given(state, &[all]).when(&hold(ACCOUNT)).then(&[held(ACCOUNT)]);
    assert_eq!(state.erased(), 5, "an order has no webhook, and an account nothing else");
    for reason in [" ", &*"x".repeat(LONGEST_REASON + 1)] {
        let (of, kinds) = (vec![order(1)], vec![SecretKind::Message]);
        given(State::default(), &[])
            .when(&Command::Erase { of, kinds, reason: reason.to_owned(), at: AT })
            .then_refused(&Refusal::NoReason);
    }
    given(State::default(), &[]).when(&erase(vec![])).then_refused(&Refusal::Nothing);
    let many = (0..=500).map(order).collect();
    given(State::default(), &[]).when(&erase(many)).then_refused(&Refusal::TooMany);
}

#[test]
fn of_an_account_under_a_hold_nothing_is_erased_until_it_is_lifted() {
    given(State::default(), &[held(ACCOUNT)])
        .when(&erase(vec![order(1)]))
        .then_refused(&Refusal::Held { account: ACCOUNT, reason: "court 7/26".to_owned() });
    let other = Subject { account: AccountId(2), order: None };
    given(State::default(), &[held(ACCOUNT)])
        .when(&erase(vec![other]))
        .then(&[erased(vec![other])]);
    given(State::default(), &[held(ACCOUNT), lifted(ACCOUNT)])
        .when(&erase(vec![order(1)]))
        .then(&[erased(vec![order(1)])]);
}

#[test]
fn a_hold_is_placed_once_and_lifted_once() {
    given(State::default(), &[]).when(&hold(ACCOUNT)).then(&[held(ACCOUNT)]);
    given(State::default(), &[held(ACCOUNT)])
        .when(&hold(ACCOUNT))
        .then_refused(&Refusal::HeldAlready(ACCOUNT));
    given(State::default(), &[held(ACCOUNT)]).when(&lift(ACCOUNT)).then(&[lifted(ACCOUNT)]);
    given(State::default(), &[]).when(&lift(ACCOUNT)).then_refused(&Refusal::NotHeld(ACCOUNT));
    let state = given(State::default(), &[erased(vec![order(1)])])
        .when(&hold(ACCOUNT))
        .then(&[held(ACCOUNT)]);
    let hold = Hold { reason: "court 7/26".to_owned(), since: AT, fact: 1 };
    assert_eq!(state.held().get(&ACCOUNT), Some(&hold));
}

#[test]
fn an_auditor_finds_what_is_erased_under_a_hold_or_elsewhere() {
    let found = |stream: &StreamId, events: &[Event]| {
        let mut auditor = Auditor::default();
        for (revision, event) in (0..).zip(events) {
            auditor.observe(&Recorded {
                id: EventId(revision.into()),
                stream: stream.clone(),
                revision: Revision(revision),
                position: Position(revision + 1),
                at: AT,
                correlation: None,
                event: event.clone().into(),
            });
        }
        auditor.finish().into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let (here, of) = (StreamId::erasures(), || erased(vec![order(1)]));
    assert_eq!(found(&here, &[of(), held(ACCOUNT), lifted(ACCOUNT), of()]), [""; 0]);
    assert_eq!(found(&here, &[held(ACCOUNT), of()]), ["H1"]);
    assert_eq!(found(&here, &[held(ACCOUNT), held(ACCOUNT)]), ["H1"]);
    assert_eq!(found(&here, &[lifted(ACCOUNT)]), ["H1"]);
    assert_eq!(found(&StreamId::exports(), &[of()]), ["streams"]);
    let rewritten = |position| Event::Rewritten { position, chain: [1; 32], sealed: 3, at: AT };
    assert_eq!(found(&here, &[of(), rewritten(1)]), [""; 0]);
    assert_eq!(found(&here, &[of(), rewritten(7)]), ["H1"]);
}
