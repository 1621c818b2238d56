//! What an account has of orders after their code, of reports, and of keys whose orders came to
//! nothing.

use super::*;
use crate::account::report::{MAX_REPORTS, ORDERS_FOR_A_REFUND};
use crate::order::Complaint;

fn order(id: u128, command: order::Command) -> Command {
    Command::Order(OrderId(id), command)
}

fn sms(id: &str, text: &str, to: &str) -> order::Command {
    let order::Command::ReceiveSms(sms) = message(text) else { panic!("it is one") };
    order::Command::ReceiveSms(order::IncomingSms {
        message_id: id.to_owned(),
        to: to.parse().unwrap(),
        sender: "+15550100".to_owned(),
        ..sms
    })
}

/// The account after one more order, which got this message on a number of its own.
fn completed_by(state: State, id: u128, text: &str) -> State {
    let phone = format!("+1202555{id:04}");
    let number = order::Command::AssignNumber {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: phone.parse().unwrap(),
        at: NOW,
    };
    let state = after(state, &Command::PlaceOrder(wanted(id))).0;
    let state = after(state, &order(id, number)).0;
    let state = after(state, &order(id, sms("m1", text, &phone))).0;
    assert!(state.listening.contains_key(&OrderId(id)), "{:?}", state.order(OrderId(id)));
    state
}

const STRANGE: &str = "Your verification code is 777888";
const REAL: &str = "G-123456 is your Google verification code.";

fn rich() -> State {
    fold(State::default(), &[registered(), credited(10_000)])
}

fn report(id: u128, complaint: Complaint) -> Command {
    order(id, order::Command::Report { complaint, at: NOW })
}

#[test]
fn the_slot_is_free_at_the_code_and_what_follows_moves_no_money() {
    let state = completed_by(rich(), 1, REAL);
    assert_eq!((state.running(), state.held, state.completed), (0, Money::ZERO, 1));
    let balance = state.balance;
    let state = completed_by(state, 2, REAL);
    let (state, events) = after(
        state,
        &order(1, sms("m2", "G-654321 is your Google verification code.", "+12025550001")),
    );
    assert!(!events.iter().any(|event| ledger::entry(event).is_some()), "{events:?}");
    let (state, events) = after(state, &order(1, order::Command::Finish { at: NOW }));
    assert_eq!(events, [Event::Order(OrderId(1), order::Event::Finished { at: NOW })]);
    assert_eq!((state.listening.len(), state.recent.len(), state.completed), (1, 1, 2));
    assert_eq!(state.balance, balance - Money::from_cents(50));
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()), Some(state));
}

#[test]
fn every_message_is_told_also_after_the_code() {
    let state = fold(completed_by(rich(), 1, REAL), &[webhook(100)]);
    let (_, events) = after(state, &order(1, sms("m2", "Welcome to Google!", "+12025550001")));
    assert_eq!(
        events.last(),
        Some(&due(1, Notice::SmsReceived { order: OrderId(1), message_id: "m2".to_owned() }))
    );
}

#[test]
fn a_stranger_s_code_is_paid_back_and_the_number_goes_with_it() {
    let state = completed_by(rich(), 1, STRANGE);
    let (state, events) = after(state, &report(1, Complaint::WrongCode));
    let reported = Event::Order(
        OrderId(1),
        order::Event::Reported { complaint: Complaint::WrongCode, at: NOW },
    );
    let refunded = Event::Order(OrderId(1), order::Event::Refunded { at: NOW });
    assert_eq!(
        events,
        [
            reported,
            refunded,
            Event::CaptureRefunded { order: OrderId(1), amount: Money::from_cents(50), at: NOW }
        ]
    );
    assert_eq!(
        (state.balance, state.refunded, state.listening.len()),
        (Money::from_cents(10_000), 1, 0)
    );
    given(state.clone(), &[]).when(&report(1, Complaint::WrongCode)).then_nothing();
    let late = order(1, sms("m2", REAL, "+12025550001"));
    given(state, &[]).when(&late).then_refused(&Refusal::Order(OrderRefusal::Order(
        order::Refusal::AlreadyEnded(order::Status::Completed),
    )));
}

#[test]
fn the_platform_s_own_message_is_never_paid_back() {
    let state = completed_by(rich(), 1, REAL);
    let (state, events) = after(state, &report(1, Complaint::WrongCode));
    assert_eq!((events.len(), state.refunded, state.listening.len()), (1, 0, 1));
    let state = completed_by(rich(), 1, STRANGE);
    let state = after(state, &order(1, sms("m2", REAL, "+12025550001"))).0;
    let (state, events) = after(state, &report(1, Complaint::WrongCode));
    assert_eq!(
        (events.len(), state.refunded, state.open.len()),
        (1, 0, 0),
        "the real code has come"
    );
}

#[test]
fn an_account_gets_one_refund_and_one_for_every_ten_orders() {
    let mut state = rich();
    let mut refunds = Vec::new();
    for id in 1..=2 * ORDERS_FOR_A_REFUND {
        state = completed_by(state, id.into(), STRANGE);
        if state.reports.len() < MAX_REPORTS {
            state = after(state, &report(id.into(), Complaint::WrongCode)).0;
        }
        refunds.push(state.refunded);
    }
    assert_eq!((refunds[0], refunds[8], refunds[9], refunds[18], refunds[19]), (1, 1, 2, 2, 3));
    assert_eq!(state.tier(), crate::tier::Tier::of(17), "what was paid back earns no discount");
    let state = completed_by(state, 50, REAL);
    given(state.clone(), &[])
        .when(&report(50, Complaint::NumberUsed))
        .then_refused(&Refusal::Order(OrderRefusal::TooManyReports));
    let tomorrow = NOW.plus(std::time::Duration::from_hours(24));
    let tomorrow =
        order(50, order::Command::Report { complaint: Complaint::NumberUsed, at: tomorrow });
    given(state, &[])
        .when(&tomorrow)
        .then_refused(&Refusal::Order(OrderRefusal::Order(order::Refusal::NothingToReport)));
}

// Keys of orders that come to nothing.

fn failed(id: u128) -> Command {
    order(id, order::Command::Fail { reason: order::FailureReason::NoSourceLeft, at: NOW })
}

#[test]
fn an_order_that_ends_without_a_code_lets_its_key_go_and_one_with_a_code_keeps_it() {
    for end in [failed(1), cancel(1)] {
        let state = after(rich(), &keyed_order("k", 1, 1)).0;
        let state = after(state, &end).0;
        assert!(state.keys.is_empty());
        let state = fold(state.clone(), &state.decide(&keyed_order("k", 2, 2)).unwrap());
        assert!(
            state.open.contains_key(&OrderId(2)),
            "also for another body: the key has made nothing happen that lasts"
        );
    }
    let state = after(rich(), &keyed_order("k", 1, 1)).0;
    let state = after(state, &order(1, number())).0;
    let state = after(state, &order(1, message(REAL))).0;
    given(state.clone(), &[]).when(&keyed_order("k", 1, 2)).then_nothing();
    given(state, &[])
        .when(&keyed_order("k", 2, 2))
        .then_refused(&Refusal::Idempotency(IdempotencyRefusal::KeyReused));
}

#[test]
fn a_batch_lets_its_rows_go_one_by_one_and_a_retry_places_those_again() {
    let again = |orders: &[u128]| keyed(used("b", 1, NOW), Effect::Batch, batch(orders));
    let state = after(rich(), &again(&[1, 2, 3])).0;
    given(state.clone(), &[]).when(&again(&[4, 5, 6])).then_nothing();
    let state = after(state, &failed(1)).0;
    let saved = snapshot::read(&snapshot::write(&state).unwrap());
    assert_eq!(saved.as_ref(), Some(&state));
    let (state, events) = after(state, &again(&[4, 5, 6]));
    assert_eq!(
        events[0],
        Event::BatchPlaced { items: vec![accepted(4), accepted(2), accepted(3)], at: NOW }
    );
    assert_eq!(
        state.queue,
        [OrderId(3), OrderId(4)],
        "it waits for its turn behind those that have waited"
    );
    given(state.clone(), &[]).when(&again(&[7, 8, 9])).then_nothing();
    given(state.clone(), &[])
        .when(&keyed(used("b", 2, NOW), Effect::Batch, batch(&[7])))
        .then_refused(&Refusal::Idempotency(IdempotencyRefusal::KeyReused));
    let state = [2, 3, 4].into_iter().fold(state, |state, id| after(state, &cancel(id)).0);
    assert!(state.keys.is_empty(), "nothing is left that it names");
    assert_eq!((state.balance, state.held), (Money::from_cents(10_000), Money::ZERO));
}
