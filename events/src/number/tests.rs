//! The number's law as scenarios: messages that no order took, kept once each.

use super::{Event, KeepSms, KeptSms, REMEMBERED_MESSAGES, State, Unclaimed};
use crate::decider::{Decider, fold};
use crate::spec::given;
use crate::time::Timestamp;

fn message(id: &str) -> KeptSms {
    KeptSms {
        message_id: id.to_owned(),
        supplier: "own".parse().unwrap(),
        sender: "Google".to_owned(),
        text: "Google code 123456".to_owned(),
        received_at: Timestamp::from_millis(1),
        why: Unclaimed::OrderEnded,
        at: Timestamp::from_millis(2),
    }
}

#[test]
fn a_message_is_kept_once() {
    let number = given(State::default(), &[]).when(&KeepSms(message("m1"))).then(&[Event::SmsKept(message("m1"))]);
    given(number.clone(), &[]).when(&KeepSms(message("m1"))).then_nothing();
    given(number, &[]).when(&KeepSms(message("m2"))).then(&[Event::SmsKept(message("m2"))]);
}

#[test]
fn the_same_id_from_another_source_is_another_message() {
    let other = KeptSms { supplier: "other".parse().unwrap(), ..message("m1") };
    given(State::default(), &[Event::SmsKept(message("m1"))]).when(&KeepSms(other.clone())).then(&[Event::SmsKept(other)]);
}

#[test]
fn memory_is_bounded() {
    let events: Vec<Event> = (0..=REMEMBERED_MESSAGES).map(|number| Event::SmsKept(message(&format!("m{number}")))).collect();
    let state = fold(State::default(), &events);
    assert_eq!(state.decide(&KeepSms(message("m0"))).unwrap().len(), 1, "the oldest is forgotten");
    assert_eq!(state.decide(&KeepSms(message("m1"))).unwrap().len(), 0);
}
