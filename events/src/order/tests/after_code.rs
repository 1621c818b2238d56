//! What may happen to an order that has its code: it keeps its number, takes what still comes, and
//! gives it back once.

use super::*;
use crate::order::Complaint;

const CODE: &str = "G-123456 is your Google verification code.";
const RESENT: &str = "G-654321 is your Google verification code.";

/// An order that got its code nine seconds after it was placed.
fn listening() -> State {
    let order = fold(order(), &[first_number()]);
    fold(order.clone(), &facts_of(&order, &sms("m1", CODE, 8, 9)))
}

fn replaced(code: &str, message_id: &str, now: i64) -> Event {
    Event::CodeReplaced { code: code.to_owned(), message_id: message_id.to_owned(), at: at(now) }
}

#[test]
fn a_resend_takes_the_code_s_place_and_the_first_stays_visible() {
    let facts = facts_of(&listening(), &sms("m2", RESENT, 40, 41));
    let [Event::SmsReceived(_), second] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!(*second, replaced("654321", "m2", 41));
    let order = fold(listening(), &facts);
    assert_eq!(
        (order.status, order.code.as_deref(), order.ended_at),
        (Status::Completed, Some("654321"), Some(at(9)))
    );
    assert_eq!(order.delivery_millis(), Some(8_000), "how long the first took");
    let codes: Vec<(&str, Timestamp)> = order.codes().map(|found| (found.code, found.at)).collect();
    assert_eq!(codes, [("123456", at(9)), ("654321", at(41))]);
    assert_eq!(order.code_message().unwrap().text, RESENT);
}

#[test]
fn what_holds_no_code_of_the_platform_replaces_nothing() {
    for text in [
        "Welcome to Google!",
        "Your Discord verification code is 654321",
        "Google codes: 111222 or 333444",
    ] {
        let facts = facts_of(&listening(), &sms("m2", text, 40, 41));
        assert!(matches!(facts.as_slice(), [Event::SmsReceived(_)]), "{text}: {facts:?}");
    }
    let same = facts_of(&listening(), &sms("m2", "Google code 123456", 40, 41));
    assert!(matches!(same.as_slice(), [Event::SmsReceived(_)]), "{same:?}");
}

#[test]
fn an_earlier_code_that_comes_late_replaces_a_guess_and_no_resend() {
    let order = fold(order(), &[first_number()]);
    let resent_first = fold(order.clone(), &facts_of(&order, &sms("m2", RESENT, 40, 41)));
    let facts = facts_of(&resent_first, &sms("m1", CODE, 8, 42));
    assert!(matches!(facts.as_slice(), [Event::SmsReceived(_)]), "{facts:?}");
    let guessed = fold(order.clone(), &facts_of(&order, &sms("m2", "Your code: 777888", 40, 41)));
    assert_eq!(guessed.code.as_deref(), Some("777888"));
    let facts = facts_of(&guessed, &sms("m1", CODE, 8, 42));
    assert_eq!(facts.last(), Some(&replaced("123456", "m1", 42)));
}

#[test]
fn its_number_goes_back_at_the_deadline_or_at_its_caller_s_wish_and_once() {
    given(listening(), &[]).when(&Command::Expire { at: at(300) }).then_nothing();
    for (command, now) in
        [(Command::Expire { at: at(301) }, 301), (Command::Finish { at: at(20) }, 20)]
    {
        let over = given(listening(), &[]).when(&command).then(&[Event::Finished { at: at(now) }]);
        assert!(over.is_over() && !over.is_listening() && over.status == Status::Completed);
        assert_eq!(next_step(&over), Step::Finish);
        given(over.clone(), &[]).when(&Command::Finish { at: at(302) }).then_nothing();
        given(over.clone(), &[]).when(&Command::Expire { at: at(302) }).then_nothing();
        given(over, &[])
            .when(&sms("m2", RESENT, 302, 302))
            .then_refused(&Refusal::AlreadyEnded(Status::Completed));
    }
}

#[test]
fn only_a_completed_order_can_be_finished() {
    given(order(), &[])
        .when(&Command::Finish { at: at(5) })
        .then_refused(&Refusal::NotCompleted(Status::Pending));
    given(order(), &[first_number()])
        .when(&Command::Finish { at: at(5) })
        .then_refused(&Refusal::NotCompleted(Status::Active));
    let cancelled = [Event::Cancelled { at: at(5) }];
    given(order(), &cancelled)
        .when(&Command::Finish { at: at(6) })
        .then_refused(&Refusal::AlreadyEnded(Status::Cancelled));
}

#[test]
fn it_listens_as_long_as_it_was_placed_to_and_never_beyond_its_deadline() {
    for (listen_seconds, until) in [(0, 9), (60, 69), (10_000, 301)] {
        let mut placed = order().placed;
        placed.listen_seconds = listen_seconds;
        let order = fold(State::new(OrderId(1), placed), &[first_number()]);
        let facts = facts_of(&order, &sms("m1", CODE, 8, 9));
        assert_eq!(facts[1], completed(until));
        assert_eq!(fold(order, &facts).is_over(), listen_seconds == 0);
    }
}

#[test]
fn a_number_that_dies_after_the_code_is_given_back() {
    given(listening(), &[])
        .when(&Command::ReportNumberDead { attempt: 1, at: at(20) })
        .then(&[Event::Finished { at: at(20) }]);
    given(listening(), &[])
        .when(&Command::ReportNumberDead { attempt: 2, at: at(20) })
        .then_refused(&Refusal::StaleAttempt);
}

#[test]
fn what_is_said_again_within_minutes_is_dropped_and_recorded() {
    let again = sms("m2", CODE, 40, 41);
    let repeated = Event::SmsRepeated {
        message_id: "m2".to_owned(),
        supplier: "own".parse().unwrap(),
        repeats: "m1".to_owned(),
        received_at: at(40),
        at: at(41),
    };
    let order = given(listening(), &[]).when(&again).then(&[repeated]);
    given(order.clone(), &[]).when(&again).then_nothing();
    let first = order.messages().next().unwrap();
    assert_eq!(order.repeats_of(first).collect::<Vec<_>>(), [at(41)]);
    // Minutes later it may be a resend, and another sender's is another message.
    assert!(matches!(
        facts_of(&listening(), &sms("m2", CODE, 130, 130)).as_slice(),
        [Event::SmsReceived(_)]
    ));
    let Command::ReceiveSms(other) = again else { panic!("it is one") };
    let other = Command::ReceiveSms(IncomingSms { sender: "Gooogle".to_owned(), ..other });
    assert!(matches!(facts_of(&listening(), &other).as_slice(), [Event::SmsReceived(_)]));
}

#[test]
fn a_report_is_one_fact_and_fits_what_it_is_about() {
    let report = |complaint, now| Command::Report { complaint, at: at(now) };
    let reported = |complaint, now| Event::Reported { complaint, at: at(now) };
    let wrong = given(listening(), &[])
        .when(&report(Complaint::WrongCode, 20))
        .then(&[reported(Complaint::WrongCode, 20)]);
    given(wrong, &[]).when(&report(Complaint::WrongCode, 21)).then_nothing();
    given(listening(), &[])
        .when(&report(Complaint::NumberUsed, 20))
        .then(&[reported(Complaint::NumberUsed, 20)]);
    given(listening(), &[])
        .when(&report(Complaint::NoCode, 20))
        .then_refused(&Refusal::NothingToReport);
    let active = fold(order(), &[first_number()]);
    given(active.clone(), &[])
        .when(&report(Complaint::NoCode, 20))
        .then(&[reported(Complaint::NoCode, 20)]);
    given(active.clone(), &[])
        .when(&report(Complaint::WrongCode, 20))
        .then_refused(&Refusal::NothingToReport);
    let expired = fold(active, &[Event::Expired { at: at(301) }]);
    given(expired.clone(), &[])
        .when(&report(Complaint::NoCode, 3_901))
        .then(&[reported(Complaint::NoCode, 3_901)]);
    given(expired, &[])
        .when(&report(Complaint::NoCode, 3_902))
        .then_refused(&Refusal::NothingToReport);
    given(order(), &[])
        .when(&report(Complaint::NoCode, 20))
        .then_refused(&Refusal::NothingToReport);
}

#[test]
fn a_message_that_names_the_platform_settles_whose_the_code_is() {
    assert!(!listening().has_only_strangers_messages());
    let order = fold(order(), &[first_number()]);
    let Command::ReceiveSms(stranger) = sms("m1", "Your verification code is 777888", 8, 9) else {
        panic!("it is one")
    };
    let from = |sender: &str| {
        let sms =
            Command::ReceiveSms(IncomingSms { sender: sender.to_owned(), ..stranger.clone() });
        fold(order.clone(), &facts_of(&order, &sms))
    };
    assert!(from("+15550100").has_only_strangers_messages());
    assert!(!from("GOOGLE").has_only_strangers_messages());
    let later = from("+15550100");
    let later = fold(later.clone(), &facts_of(&later, &sms("m2", "Welcome to Google!", 10, 11)));
    assert!(!later.has_only_strangers_messages());
    assert!(
        !fold(from("+15550100"), &[Event::Finished { at: at(12) }]).has_only_strangers_messages(),
        "what is over is settled"
    );
}
