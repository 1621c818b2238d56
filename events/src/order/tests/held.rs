//! Messages of kinds that the operator holds back: what an order says of them, and what it does.

use super::*;
use crate::code::Sensitive;

const RESET: &str = "123456 is your Google password reset code.";
const NAMED: &str = "Hi Maria, welcome to Google!";

fn held_back(id: &str, text: &str, received: i64, now: i64) -> Command {
    let Command::ReceiveSms(incoming) = sms(id, text, received, now) else { panic!("it is one") };
    Command::ReceiveSms(IncomingSms { hold: Sensitive::ALL.to_vec(), ..incoming })
}

fn held(id: &str, kinds: &[Sensitive], received: i64, now: i64) -> Event {
    Event::SmsHeld {
        message_id: id.to_owned(),
        supplier: "own".parse().unwrap(),
        kinds: kinds.to_vec(),
        received_at: at(received),
        at: at(now),
    }
}

fn failed(now: i64) -> Event {
    Event::Failed { reason: FailureReason::MessageHeld, at: at(now) }
}

#[test]
fn a_held_message_with_the_code_ends_the_order() {
    let order = given(order(), &[first_number()])
        .when(&held_back("m1", RESET, 8, 9))
        .then(&[held("m1", &[Sensitive::PasswordReset], 8, 9), failed(9)]);
    assert_eq!((order.status, order.failure), (Status::Failed, Some(FailureReason::MessageHeld)));
    assert_eq!(order.code, None);
    assert_eq!(order.messages().count(), 0);
    let told: Vec<_> = order.held_messages().collect();
    assert_eq!(told, [(&[Sensitive::PasswordReset][..], at(8))]);
}

#[test]
fn a_held_message_without_the_code_lets_the_order_wait() {
    let order = given(order(), &[first_number()])
        .when(&held_back("m1", NAMED, 8, 9))
        .then(&[held("m1", &[Sensitive::PersonName], 8, 9)]);
    // Brought again, it is the one that is known.
    given(order.clone(), &[]).when(&held_back("m1", NAMED, 8, 20)).then_nothing();
    let facts = facts_of(&order, &held_back("m2", "Google code 123456", 30, 31));
    let [Event::SmsReceived(_), Event::Completed { .. }] = facts.as_slice() else {
        panic!("{facts:?}")
    };
}

#[test]
fn an_order_that_has_its_code_keeps_it() {
    let order = fold(order(), &[first_number()]);
    let order =
        fold(order.clone(), &facts_of(&order, &held_back("m1", "Google code 654321", 8, 9)));
    given(order, &[]).when(&held_back("m2", RESET, 40, 41)).then(&[held(
        "m2",
        &[Sensitive::PasswordReset],
        40,
        41,
    )]);
}

#[test]
fn only_the_kinds_that_were_asked_for_are_held() {
    let Command::ReceiveSms(incoming) = sms("m1", RESET, 8, 9) else { panic!("it is one") };
    let hold = vec![Sensitive::BankTransaction, Sensitive::PersonName];
    let facts = facts_of(
        &fold(order(), &[first_number()]),
        &Command::ReceiveSms(IncomingSms { hold, ..incoming }),
    );
    assert!(matches!(facts.as_slice(), [Event::SmsReceived(_), Event::Completed { .. }]));
}

#[test]
fn held_messages_count_towards_what_an_order_keeps() {
    let mut order = fold(order(), &[first_number()]);
    for number in 0..32 {
        let now = 9 + number * 121;
        let facts = facts_of(&order, &held_back(&format!("m{number}"), NAMED, 8, now));
        order = fold(order, &facts);
    }
    given(order, &[])
        .when(&held_back("m32", NAMED, 8, 9_000))
        .then_refused(&Refusal::TooManyMessages);
}

#[test]
fn what_comes_again_within_minutes_is_held_once() {
    let order = given(order(), &[first_number()])
        .when(&held_back("m1", NAMED, 8, 9))
        .then(&[held("m1", &[Sensitive::PersonName], 8, 9)]);
    let order = given(order, &[]).when(&held_back("m2", NAMED, 30, 31)).then_nothing();
    let order = given(order, &[]).when(&held_back("m3", NAMED, 129, 129)).then_nothing();
    let order = given(order, &[]).when(&held_back("m4", NAMED, 130, 130)).then(&[held(
        "m4",
        &[Sensitive::PersonName],
        130,
        130,
    )]);
    // With the code it ends the order all the same.
    let coded = "Hi Maria, your Google code is 123456.";
    given(order, &[])
        .when(&held_back("m5", coded, 131, 131))
        .then(&[held("m5", &[Sensitive::PersonName], 131, 131), failed(131)]);
}

#[test]
fn a_name_that_stands_in_the_sender_alone_is_held() {
    let Command::ReceiveSms(incoming) = held_back("m1", "On my way.", 8, 9) else {
        panic!("it is one")
    };
    let sender = "Maria Gomez".to_owned();
    given(order(), &[first_number()])
        .when(&Command::ReceiveSms(IncomingSms { sender, ..incoming.clone() }))
        .then(&[held("m1", &[Sensitive::PersonName], 8, 9)]);
    let facts = facts_of(
        &fold(order(), &[first_number()]),
        &Command::ReceiveSms(IncomingSms { sender: "Google".to_owned(), ..incoming }),
    );
    assert!(matches!(facts.as_slice(), [Event::SmsReceived(_)]), "{facts:?}");
}
