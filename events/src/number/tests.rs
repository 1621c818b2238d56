//! The rules of a number as scenarios: messages that no order took, kept once each.

use super::{
    Alphabet, Command, Event, KeptSms, Listing, MAX_SETS, Part, REMEMBERED_MESSAGES, Refusal,
    SetId, State, Unclaimed,
};
use crate::country::Country;
use crate::decider::{Decider, fold};
use crate::phone::Unfit;
use crate::platform::Platform;
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
    let number = given(State::default(), &[])
        .when(&Command::KeepSms(message("m1")))
        .then(&[Event::SmsKept(message("m1"))]);
    given(number.clone(), &[]).when(&Command::KeepSms(message("m1"))).then_nothing();
    let other = KeptSms { text: "Google code 654321".to_owned(), ..message("m2") };
    given(number, &[]).when(&Command::KeepSms(other.clone())).then(&[Event::SmsKept(other)]);
}

#[test]
fn the_same_text_under_another_id_is_the_same_message_for_two_minutes() {
    let kept = [Event::SmsKept(message("m1"))];
    let later = |millis: i64| KeptSms { at: Timestamp::from_millis(2 + millis), ..message("m2") };
    given(State::default(), &kept).when(&Command::KeepSms(later(120_000))).then_nothing();
    given(State::default(), &kept)
        .when(&Command::KeepSms(later(120_001)))
        .then(&[Event::SmsKept(later(120_001))]);
    let by_another = KeptSms { sender: "Steam".to_owned(), ..later(1_000) };
    given(State::default(), &kept)
        .when(&Command::KeepSms(by_another.clone()))
        .then(&[Event::SmsKept(by_another)]);
}

#[test]
fn the_same_id_from_another_source_is_another_message() {
    let other = KeptSms { supplier: "other".parse().unwrap(), ..message("m1") };
    given(State::default(), &[Event::SmsKept(message("m1"))])
        .when(&Command::KeepSms(other.clone()))
        .then(&[Event::SmsKept(other)]);
}

#[test]
fn memory_is_bounded() {
    let nth = |number: usize| KeptSms {
        text: format!("Google code {number}"),
        ..message(&format!("m{number}"))
    };
    let events: Vec<Event> =
        (0..=REMEMBERED_MESSAGES).map(|number| Event::SmsKept(nth(number))).collect();
    let state = fold(State::default(), &events);
    assert_eq!(
        state.decide(&Command::KeepSms(nth(0))).unwrap().len(),
        1,
        "the oldest is forgotten"
    );
    assert_eq!(state.decide(&Command::KeepSms(nth(1))).unwrap().len(), 0);
}

fn part(reference: u32, number: u8, text: &str, at: i64) -> Part {
    let (supplier, sender, at) =
        ("smpp".parse().unwrap(), "Google".to_owned(), Timestamp::from_millis(at));
    Part {
        supplier,
        sender,
        reference,
        number,
        total: 2,
        alphabet: Alphabet::Utf8,
        bytes: text.as_bytes().to_vec(),
        received_at: at,
        at,
    }
}

fn kept(part: &Part, opened_at: i64) -> Event {
    Event::PartKept { part: part.clone(), opened_at: Timestamp::from_millis(opened_at) }
}

fn set(reference: u32, opened_at: i64) -> SetId {
    let (supplier, sender) = ("smpp".parse().unwrap(), "Google".to_owned());
    SetId { opened_at: Timestamp::from_millis(opened_at), supplier, sender, reference, total: 2 }
}

#[test]
fn parts_wait_for_each_other_in_any_order_and_count_once() {
    let (second, first) = (part(7, 2, "123", 10), part(7, 1, "code ", 20));
    let number = given(State::default(), &[])
        .when(&Command::KeepPart(second.clone()))
        .then(&[kept(&second, 10)]);
    assert!(!number.parts().open()[0].is_whole());
    given(number.clone(), &[])
        .when(&Command::KeepPart(Part { at: Timestamp::from_millis(15), ..second.clone() }))
        .then_nothing();
    let number =
        given(number, &[]).when(&Command::KeepPart(first.clone())).then(&[kept(&first, 10)]);
    assert!(number.parts().open()[0].is_whole());
    let at = Timestamp::from_millis(30);
    let join = Command::Join { set: set(7, 10), at };
    let number = given(number, &[]).when(&join).then(&[Event::PartsJoined {
        set: set(7, 10),
        is_whole: true,
        at,
    }]);
    given(number.clone(), &[]).when(&join).then_nothing();
    // Sent again after it was handed on: nothing new.
    given(number.clone(), &[]).when(&Command::KeepPart(first)).then_nothing();
    // The reference used again is another message.
    let other = part(7, 1, "another ", 40);
    let number =
        given(number, &[]).when(&Command::KeepPart(other.clone())).then(&[kept(&other, 40)]);
    assert_ne!(number.parts().open()[0].id.message_id(), set(7, 10).message_id());
}

#[test]
fn a_part_that_contradicts_one_that_is_there_begins_another_message() {
    let (old, new) = (part(7, 1, "old ", 10), part(7, 1, "new ", 20));
    let number = given(State::default(), &[kept(&old, 10)])
        .when(&Command::KeepPart(new.clone()))
        .then(&[kept(&new, 20)]);
    // What follows belongs to the newer one.
    let rest = part(7, 2, "123", 30);
    let number = given(number, &[]).when(&Command::KeepPart(rest.clone())).then(&[kept(&rest, 20)]);
    let whole: Vec<bool> = number.parts().open().iter().map(super::Set::is_whole).collect();
    assert_eq!(whole, [false, true]);
}

#[test]
fn senders_sources_and_totals_are_kept_apart() {
    let one = part(7, 1, "a", 10);
    let others = [
        Part { sender: "Other".to_owned(), ..part(7, 2, "b", 20) },
        Part { supplier: "vonage".parse().unwrap(), ..part(7, 2, "b", 20) },
        Part { total: 3, ..part(7, 2, "b", 20) },
        part(8, 2, "b", 20),
    ];
    for other in others {
        given(State::default(), &[kept(&one, 10)])
            .when(&Command::KeepPart(other.clone()))
            .then(&[kept(&other, 20)]);
    }
}

#[test]
fn a_flood_of_beginnings_is_refused_and_what_waits_goes_on() {
    let begun: Vec<Event> =
        (0..).take(MAX_SETS).map(|reference| kept(&part(reference, 1, "a", 10), 10)).collect();
    given(State::default(), &begun)
        .when(&Command::KeepPart(part(9_999, 1, "a", 20)))
        .then_refused(&Refusal::TooManyParts);
    let rest = part(3, 2, "b", 20);
    given(State::default(), &begun).when(&Command::KeepPart(rest.clone())).then(&[kept(&rest, 10)]);
}

#[test]
fn an_incomplete_message_says_so() {
    let at = Timestamp::from_millis(99);
    let join = Command::Join { set: set(7, 10), at };
    given(State::default(), &[kept(&part(7, 2, "123", 10), 10)])
        .when(&join)
        .then(&[Event::PartsJoined { set: set(7, 10), is_whole: false, at }]);
}

fn listing(supplier: &str, platforms: Option<Vec<Platform>>) -> Listing {
    Listing { supplier: supplier.parse().unwrap(), country: Country::Us, platforms }
}

#[test]
fn a_number_is_one_sources_until_it_is_retired() {
    let at = Timestamp::from_millis(3);
    let list = |listing| Command::List { phone: "+12025550123".parse().unwrap(), listing, at };
    let own = listing("own", None);
    let number = given(State::default(), &[])
        .when(&list(own.clone()))
        .then(&[Event::Listed { listing: own.clone(), at }]);
    let number = given(number, &[]).when(&list(own.clone())).then_nothing();
    given(number.clone(), &[])
        .when(&list(listing("twilio", None)))
        .then_refused(&Refusal::OtherSuppliers);
    // Listed anew by the same source: what it may serve is as the newer line says.
    let less = listing("own", Some(vec![Platform::Google]));
    let number =
        given(number, &[]).when(&list(less.clone())).then(&[Event::Listed { listing: less, at }]);
    let retire = Command::Retire { reason: "sold".to_owned(), at };
    let number =
        given(number, &[]).when(&retire).then(&[Event::Retired { reason: "sold".to_owned(), at }]);
    given(number.clone(), &[]).when(&retire).then_refused(&Refusal::NotListed);
    given(number, &[])
        .when(&list(listing("twilio", None)))
        .then(&[Event::Listed { listing: listing("twilio", None), at }]);
}

#[test]
fn a_number_is_of_the_country_that_its_digits_say() {
    let german = Command::List {
        phone: "+4917139200123".parse().unwrap(),
        listing: listing("own", None),
        at: Timestamp::from_millis(3),
    };
    given(State::default(), &[]).when(&german).then_refused(&Refusal::NotOfCountry(Country::Us));
}

#[test]
fn a_number_that_no_telephone_can_have_is_not_listed() {
    let list = |phone: &str| Command::List {
        phone: phone.parse().unwrap(),
        listing: listing("own", None),
        at: Timestamp::from_millis(3),
    };
    given(State::default(), &[])
        .when(&list("+1202555012"))
        .then_refused(&Refusal::Unfit(Unfit::Unassignable));
    given(State::default(), &[])
        .when(&list("+18005550123"))
        .then_refused(&Refusal::Unfit(Unfit::TollFree));
    let known = [Event::Listed { listing: listing("own", None), at: Timestamp::from_millis(1) }];
    given(State::default(), &known).when(&list("+18005550123")).then_nothing();
}
