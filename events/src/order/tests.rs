//! The rules of an order as scenarios: what has happened, what is wanted, what follows.

mod after_code;
mod held;

use super::{
    AttemptFailure, Command, Event, FailureReason, IncomingSms, Placed, Receipt, Refusal, State,
    Status, Step, next_step,
};
use crate::code::Verdict;
use crate::country::Country;
use crate::decider::{Decider, fold};
use crate::id::OrderId;
use crate::money::Money;
use crate::platform::Platform;
use crate::spec::given;
use crate::time::Timestamp;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + seconds * 1_000)
}

fn order() -> State {
    let placed = Placed {
        platform: Platform::Google,
        country: Country::Us,
        list_price: Money::from_cents(50),
        price: Money::from_cents(50),
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 300,
        verdict: None,
        at: at(0),
    };
    State::new(OrderId(1), placed)
}

fn assigned(attempt: u8, supplier: &str, phone: &str, seconds: i64) -> Event {
    Event::NumberAssigned {
        attempt,
        supplier: supplier.parse().unwrap(),
        phone: phone.parse().unwrap(),
        // The first number's end, whichever number this is.
        expires_at: at(301),
        at: at(seconds),
    }
}

fn first_number() -> Event {
    assigned(1, "own", "+12025550123", 1)
}

fn sms(id: &str, text: &str, received: i64, now: i64) -> Command {
    Command::ReceiveSms(IncomingSms {
        message_id: id.to_owned(),
        supplier: "own".parse().unwrap(),
        to: "+12025550123".parse().unwrap(),
        sender: "Google".to_owned(),
        text: text.to_owned(),
        receipt: Receipt::At(at(received)),
        freed_at: None,
        hold: Vec::new(),
        at: at(now),
    })
}

fn completed(listens_until: i64) -> Event {
    Event::Completed {
        code: "123456".to_owned(),
        message_id: "m1".to_owned(),
        listens_until: at(listens_until),
        at: at(9),
    }
}

fn facts_of(state: &State, command: &Command) -> Vec<Event> {
    state.decide(command).expect("the command is allowed")
}

#[test]
fn a_number_starts_the_order_s_life() {
    let assign = Command::AssignNumber {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: "+12025550123".parse().unwrap(),
        at: at(1),
    };
    let order = given(order(), &[]).when(&assign).then(&[first_number()]);
    assert_eq!((order.status, order.deadline()), (Status::Active, at(301)));
}

#[test]
fn a_source_without_a_number_is_not_asked_again() {
    let fail = Command::FailAttempt {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        reason: AttemptFailure::NoNumber,
        at: at(1),
    };
    let failed = Event::AttemptFailed {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        reason: AttemptFailure::NoNumber,
        at: at(1),
    };
    let order = given(order(), &[]).when(&fail).then(&[failed]);
    let Step::AskSource { attempt: 2, without_number, .. } = next_step(&order) else {
        panic!("{:?}", next_step(&order))
    };
    assert_eq!(without_number, ["own".parse().unwrap()]);
}

#[test]
fn the_last_attempt_that_fails_fails_the_order() {
    let failed = |attempt| Event::AttemptFailed {
        attempt,
        supplier: "own".parse().unwrap(),
        reason: AttemptFailure::TimedOut,
        at: at(2),
    };
    let third = Command::FailAttempt {
        attempt: 3,
        supplier: "own".parse().unwrap(),
        reason: AttemptFailure::TimedOut,
        at: at(2),
    };
    let exhausted = Event::Failed { reason: FailureReason::AttemptsExhausted, at: at(2) };
    let order = given(order(), &[failed(1), failed(2)]).when(&third).then(&[failed(3), exhausted]);
    assert_eq!(order.failure, Some(FailureReason::AttemptsExhausted));
}

#[test]
fn a_report_about_another_attempt_is_stale() {
    let late = Command::AssignNumber {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: "+12025550124".parse().unwrap(),
        at: at(9),
    };
    given(order(), &[first_number()]).when(&late).then_refused(&Refusal::StaleAttempt);
    let ahead = Command::FailAttempt {
        attempt: 3,
        supplier: "own".parse().unwrap(),
        reason: AttemptFailure::SourceError,
        at: at(9),
    };
    given(order(), &[]).when(&ahead).then_refused(&Refusal::StaleAttempt);
    given(order(), &[])
        .when(&Command::ReportNumberDead { attempt: 1, at: at(9) })
        .then_refused(&Refusal::StaleAttempt);
    given(order(), &[first_number()])
        .when(&Command::Fail { reason: FailureReason::NoSourceLeft, at: at(9) })
        .then_refused(&Refusal::StaleAttempt);
}

#[test]
fn a_dead_number_is_replaced_within_the_first_one_s_life() {
    let dead =
        Event::NumberReportedDead { attempt: 1, supplier: "own".parse().unwrap(), at: at(100) };
    let order = given(order(), &[first_number()])
        .when(&Command::ReportNumberDead { attempt: 1, at: at(100) })
        .then(&[dead]);
    assert_eq!((order.status, order.deadline()), (Status::Pending, at(301)));
    let again = Command::AssignNumber {
        attempt: 2,
        supplier: "own".parse().unwrap(),
        phone: "+12025550199".parse().unwrap(),
        at: at(101),
    };
    let order = given(order, &[]).when(&again).then(&[assigned(2, "own", "+12025550199", 101)]);
    assert_eq!(order.expires_at, Some(at(301)));
}

#[test]
fn a_message_with_the_code_completes_the_order() {
    let order = fold(order(), &[first_number()]);
    let facts = facts_of(&order, &sms("m1", "G-123456 is your Google verification code.", 8, 9));
    let order = fold(order, &facts);
    assert_eq!((order.status, order.code.as_deref()), (Status::Completed, Some("123456")));
    assert_eq!(facts[1], completed(301));
    assert_eq!(order.delivery_millis(), Some(8_000));
    assert_eq!(next_step(&order), Step::Listen { until: at(301) });
}

#[test]
fn a_message_without_a_clear_code_is_kept_and_the_order_stays_open() {
    let order = fold(order(), &[first_number()]);
    for (text, verdict) in [
        ("Welcome to Google!", Verdict::Nothing),
        ("Your Discord verification code is 123456", Verdict::OtherBrand("discord".to_owned())),
        ("Google codes: 111222 or 333444", Verdict::Unsure),
    ] {
        let facts = facts_of(&order, &sms("m1", text, 8, 9));
        let [Event::SmsReceived(kept)] = facts.as_slice() else { panic!("{facts:?}") };
        assert_eq!(kept.extraction.verdict, verdict, "{text}");
    }
}

#[test]
fn a_repeated_message_is_one_fact_and_a_second_one_is_kept() {
    let order = fold(order(), &[first_number()]);
    let order = fold(order.clone(), &facts_of(&order, &sms("m1", "Hello from Google", 8, 9)));
    assert_eq!(facts_of(&order, &sms("m1", "Hello from Google", 8, 10)), []);
    let order = fold(order.clone(), &facts_of(&order, &sms("m2", "Google code 654321", 12, 12)));
    assert_eq!(order.messages().count(), 2);
    assert_eq!(
        facts_of(&order, &sms("m2", "Google code 654321", 12, 13)),
        [],
        "a repeat after the end is still known"
    );
    let order = fold(order, &[Event::Finished { at: at(13) }]);
    assert_eq!(facts_of(&order, &sms("m2", "Google code 654321", 12, 14)), []);
    given(order, &[])
        .when(&sms("m3", "Google code 111111", 14, 14))
        .then_refused(&Refusal::AlreadyEnded(Status::Completed));
}

#[test]
fn a_message_from_before_the_assignment_belongs_to_somebody_else() {
    let since = |millis| Event::NumberAssigned {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: "+12025550123".parse().unwrap(),
        expires_at: at(310),
        at: Timestamp::from_millis(at(10).millis() + millis),
    };
    let text = "Google code 123456";
    given(order(), &[since(400)])
        .when(&sms("m1", text, 9, 12))
        .then_refused(&Refusal::NotThisAssignment);
    // A source that counts whole seconds may mean any moment of its second.
    assert_eq!(facts_of(&fold(order(), &[since(400)]), &sms("m1", text, 10, 12)).len(), 2);
    // Where the number was another order's in that second, it is that one's.
    let freed = |millis| {
        let Command::ReceiveSms(sms) = sms("m1", text, 10, 12) else { panic!("it is one") };
        Command::ReceiveSms(IncomingSms {
            freed_at: Some(Timestamp::from_millis(at(10).millis() + millis)),
            hold: Vec::new(),
            ..sms
        })
    };
    given(order(), &[since(400)]).when(&freed(390)).then_refused(&Refusal::NotThisAssignment);
    assert_eq!(facts_of(&fold(order(), &[since(400)]), &freed(-1)).len(), 2);
}

#[test]
fn a_message_for_another_number_or_source_is_not_this_order_s() {
    let mut wrong = IncomingSms { to: "+12025550199".parse().unwrap(), ..incoming() };
    given(order(), &[first_number()])
        .when(&Command::ReceiveSms(wrong.clone()))
        .then_refused(&Refusal::NotThisAssignment);
    wrong = IncomingSms { supplier: "other".parse().unwrap(), ..incoming() };
    given(order(), &[first_number()])
        .when(&Command::ReceiveSms(wrong))
        .then_refused(&Refusal::NotThisAssignment);
    given(order(), &[])
        .when(&Command::ReceiveSms(incoming()))
        .then_refused(&Refusal::NotThisAssignment);
}

fn incoming() -> IncomingSms {
    let Command::ReceiveSms(sms) = sms("m1", "Google code 123456", 8, 9) else {
        panic!("it is one")
    };
    sms
}

#[test]
fn a_flood_of_messages_is_bounded() {
    let mut order = fold(order(), &[first_number()]);
    for number in 0..32 {
        let facts =
            facts_of(&order, &sms(&format!("m{number}"), &format!("Hello {}", number / 2), 8, 9));
        order = fold(order, &facts);
    }
    given(order, &[]).when(&sms("m32", "Hello", 8, 9)).then_refused(&Refusal::TooManyMessages);
}

#[test]
fn cancelling_twice_is_one_fact() {
    let cancel = Command::Cancel { at: at(5) };
    let order =
        given(order(), &[first_number()]).when(&cancel).then(&[Event::Cancelled { at: at(5) }]);
    given(order, &[]).when(&Command::Cancel { at: at(6) }).then_nothing();
}

#[test]
fn an_ended_order_cannot_be_cancelled() {
    given(order(), &[first_number(), completed(301)])
        .when(&Command::Cancel { at: at(10) })
        .then_refused(&Refusal::AlreadyEnded(Status::Completed));
    given(order(), &[Event::Expired { at: at(301) }])
        .when(&Command::Cancel { at: at(302) })
        .then_refused(&Refusal::AlreadyEnded(Status::Expired));
}

#[test]
fn the_clock_ends_the_order_at_its_deadline_and_not_before() {
    given(order(), &[first_number()]).when(&Command::Expire { at: at(300) }).then_nothing();
    let order_ended = given(order(), &[first_number()])
        .when(&Command::Expire { at: at(301) })
        .then(&[Event::Expired { at: at(301) }]);
    given(order_ended, &[]).when(&Command::Expire { at: at(302) }).then_nothing();
}

#[test]
fn an_order_that_finds_no_number_in_time_fails() {
    given(order(), &[]).when(&Command::Expire { at: at(59) }).then_nothing();
    let failed = Event::Failed { reason: FailureReason::SeekingTimedOut, at: at(60) };
    given(order(), &[]).when(&Command::Expire { at: at(60) }).then(&[failed]);
}

#[test]
fn no_source_left_fails_the_order_once() {
    let fail = Command::Fail { reason: FailureReason::NoSourceLeft, at: at(1) };
    let order = given(order(), &[])
        .when(&fail)
        .then(&[Event::Failed { reason: FailureReason::NoSourceLeft, at: at(1) }]);
    given(order, &[]).when(&fail).then_nothing();
}

#[test]
fn history_makes_the_order() {
    let order = fold(order(), &[first_number(), Event::Cancelled { at: at(5) }]);
    let facts = order.history.iter().map(std::convert::AsRef::as_ref);
    assert_eq!(State::from_history(OrderId(1), facts.clone()), Some(order.clone()));
    assert_eq!(State::from_history(OrderId(1), facts.skip(1)), None);
}

#[test]
fn a_queued_order_waits_for_its_turn_without_a_deadline() {
    let queued = fold(order(), &[Event::Queued { at: at(0) }]);
    assert_eq!(next_step(&queued), Step::AwaitTurn);
    let queued = given(queued, &[]).when(&Command::Expire { at: at(9_999) }).then_nothing();
    assert!(
        queued
            .decide(&Command::AssignNumber {
                attempt: 1,
                supplier: "own".parse().unwrap(),
                phone: "+12025550123".parse().unwrap(),
                at: at(1)
            })
            .is_err()
    );
    let started = given(queued, &[])
        .when(&Command::Start { at: at(1_000) })
        .then(&[Event::Started { at: at(1_000) }]);
    assert_eq!(started.deadline(), at(1_060));
    assert!(matches!(next_step(&started), Step::AskSource { attempt: 1, .. }));
    given(started, &[]).when(&Command::Start { at: at(1_001) }).then_nothing();
}

#[test]
fn the_same_message_id_from_another_source_is_another_message() {
    let second = assigned(2, "sim", "+12025550124", 20);
    let state = fold(
        order(),
        &[
            first_number(),
            Event::NumberReportedDead { attempt: 1, supplier: "own".parse().unwrap(), at: at(10) },
            second,
        ],
    );
    let Command::ReceiveSms(mut other) = sms("m1", "Your Google code is 123456", 30, 30) else {
        unreachable!()
    };
    other.supplier = "sim".parse().unwrap();
    other.to = "+12025550124".parse().unwrap();
    let state = fold(
        state.clone(),
        &facts_of(
            &state,
            &Command::ReceiveSms(IncomingSms { text: "hello".to_owned(), ..other.clone() }),
        ),
    );
    assert!(facts_of(&state, &Command::ReceiveSms(other)).is_empty());
    let from_elsewhere = sms("m1", "Your Google code is 123456", 30, 31);
    assert_eq!(state.decide(&from_elsewhere), Err(Refusal::NotThisAssignment));
}
