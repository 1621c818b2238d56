//! The rules of purchases as scenarios: never above the month's limit, each number bought and given
//! back once.

use super::{Command, Event, Refusal, State};
use crate::country::Country;
use crate::decider::fold;
use crate::money::Money;
use crate::phone::{Phone, Unfit};
use crate::spec::given;
use crate::time::Timestamp;

fn phone(number: u32) -> Phone {
    format!("+1202555{number:04}").parse().unwrap()
}

fn on(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

fn dollars(dollars: i64) -> Money {
    Money::from_cents(dollars * 100)
}

fn intend(number: u32, at: Timestamp) -> Command {
    Command::Intend {
        phone: phone(number),
        country: Country::Us,
        monthly: dollars(2),
        limit: dollars(5),
        at,
    }
}

fn intended(number: u32, at: Timestamp) -> Event {
    Event::Intended { phone: phone(number), country: Country::Us, monthly: dollars(2), at }
}

fn bought(number: u32, at: Timestamp) -> [Event; 2] {
    [intended(number, at), Event::Made { phone: phone(number), at }]
}

fn given_back(number: u32, at: Timestamp) -> [Event; 2] {
    [Event::EndIntended { phone: phone(number), at }, Event::Ended { phone: phone(number), at }]
}

#[test]
fn a_number_is_bought_once_and_given_back_once() {
    let at = on("2026-11-03");
    let purchases = given(State::default(), &[]).when(&intend(1, at)).then(&[intended(1, at)]);
    given(purchases.clone(), &[]).when(&intend(1, at)).then_refused(&Refusal::AlreadyBought);
    given(purchases.clone(), &[])
        .when(&Command::IntendEnd { phone: phone(1), at })
        .then_refused(&Refusal::NotBought);
    let make = Command::Make { phone: phone(1), at };
    let purchases = given(purchases, &[]).when(&make).then(&[Event::Made { phone: phone(1), at }]);
    let purchases = given(purchases, &[]).when(&make).then_nothing();
    given(purchases.clone(), &[])
        .when(&Command::Fail { phone: phone(1), why: "late".to_owned(), at })
        .then_refused(&Refusal::AlreadyBought);
    let purchases = given(purchases, &[])
        .when(&Command::IntendEnd { phone: phone(1), at })
        .then(&[Event::EndIntended { phone: phone(1), at }]);
    let purchases = given(purchases, &[])
        .when(&Command::End { phone: phone(1), at })
        .then(&[Event::Ended { phone: phone(1), at }]);
    given(purchases, &[]).when(&Command::End { phone: phone(1), at }).then_nothing();
}

#[test]
fn the_months_limit_counts_what_was_ours_at_any_moment_of_it() {
    let at = on("2026-11-03");
    let two: Vec<Event> = [bought(1, at), bought(2, at)].concat();
    let above = Refusal::AboveLimit { spent: dollars(4), limit: dollars(5), monthly: dollars(2) };
    given(State::default(), &two).when(&intend(3, at)).then_refused(&above);
    // Giving one back frees nothing in the same month, and all of it in the next.
    let back = [two, given_back(2, on("2026-11-30")).to_vec()].concat();
    given(State::default(), &back).when(&intend(3, on("2026-11-30"))).then_refused(&above);
    let december = on("2026-12-01");
    given(State::default(), &back).when(&intend(3, december)).then(&[intended(3, december)]);
}

#[test]
fn what_failed_costs_nothing() {
    let at = on("2026-11-03");
    let failed = [intended(1, at), Event::Failed { phone: phone(1), why: "gone".to_owned(), at }];
    assert_eq!(fold(State::default(), &failed).spent(at), Money::ZERO);
    // A number being bought counts as bought: two at once cannot pass the limit together.
    assert_eq!(fold(State::default(), &[intended(1, at)]).spent(at), dollars(2));
    let free = Command::Intend {
        phone: phone(1),
        country: Country::Us,
        monthly: -dollars(1),
        limit: dollars(5),
        at,
    };
    given(State::default(), &[]).when(&free).then_refused(&Refusal::NegativePrice);
}

#[test]
fn a_number_that_could_serve_no_order_is_not_bought() {
    let (country, at) = (Country::Us, on("2026-11-03"));
    let intend = Command::Intend {
        phone: "+18005550123".parse().unwrap(),
        country,
        monthly: Money::ZERO,
        limit: Money::from_cents(500),
        at,
    };
    given(State::default(), &[]).when(&intend).then_refused(&Refusal::Unfit(Unfit::TollFree));
}
