//! What an account may do so often and no more: cancel for nothing, test its webhook; and what
//! operators take back.

use super::*;
use crate::account::recent::{HOUR, REMEMBERED, Recent};
use crate::order::{AttemptFailure, IncomingSms};

const RULES: CancelRules =
    CancelRules { free_per_hour: 3, pause_seconds: 10, max_pause_seconds: 60 };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + seconds * 1_000)
}

fn order_at(order: u128, seconds: i64) -> Command {
    Command::PlaceOrder(PlaceOrder { cancels: RULES, at: at(seconds), ..wanted(order) })
}

fn after(state: State, command: &Command) -> State {
    let events = state.decide(command).unwrap();
    fold(state, &events)
}

fn of(order: u128, command: order::Command) -> Command {
    Command::Order(OrderId(order), command)
}

fn number_at(seconds: i64) -> order::Command {
    order::Command::AssignNumber {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: "+12025550123".parse().unwrap(),
        at: at(seconds),
    }
}

fn sms_at(text: &str, seconds: i64) -> order::Command {
    order::Command::ReceiveSms(IncomingSms {
        message_id: "m1".to_owned(),
        supplier: "own".parse().unwrap(),
        to: "+12025550123".parse().unwrap(),
        sender: "Google".to_owned(),
        text: text.to_owned(),
        receipt: order::Receipt::At(at(seconds)),
        freed_at: None,
        hold: Vec::new(),
        at: at(seconds),
    })
}

/// The account after it has had a number and given it back, so many times.
fn cancelled(mut state: State, orders: std::ops::Range<u128>, seconds: i64) -> State {
    for order in orders {
        state = after(state, &order_at(order, seconds));
        state = after(state, &of(order, number_at(seconds)));
        state = after(state, &of(order, order::Command::Cancel { at: at(seconds) }));
    }
    state
}

fn funded() -> State {
    fold(State::default(), &[registered(), credited(1_000)])
}

fn wait(state: &State, seconds: i64) -> Option<u64> {
    match state.decide(&order_at(99, seconds)) {
        Ok(_) => None,
        Err(Refusal::Placing(PlacingRefusal::TooManyCancels { retry_after_seconds })) => {
            Some(retry_after_seconds)
        }
        Err(refusal) => panic!("{refusal}"),
    }
}

#[test]
fn cancels_are_free_up_to_a_number_and_then_cost_a_growing_pause() {
    let mut state = cancelled(funded(), 1..4, 0);
    assert_eq!(wait(&state, 0), None, "three are free");
    let mut now = 0;
    for (order, pause) in (4..).zip([10, 20, 40, 60, 60]) {
        state = cancelled(state, order..order + 1, now);
        assert_eq!(wait(&state, now), Some(u64::try_from(pause).unwrap()));
        assert_eq!(wait(&state, now + pause - 1), Some(1));
        now += pause;
        assert_eq!(wait(&state, now), None);
    }
    assert_eq!(wait(&state, now + 3_600), None);
    let state = cancelled(state, 20..23, now + 3_600);
    assert_eq!(wait(&state, now + 3_600), None, "what is an hour ago counts no more");
}

#[test]
fn only_a_number_given_back_without_any_message_counts() {
    let mut state = funded();
    for order in 1..6 {
        state = after(state, &order_at(order, 0));
        state = after(state, &of(order, order::Command::Cancel { at: NOW }));
    }
    assert_eq!(wait(&state, 0), None, "no number was held");
    for order in 6..11 {
        state = after(state, &order_at(order, 0));
        state = after(state, &of(order, number_at(0)));
        state = after(state, &of(order, sms_at("hello", 1)));
        state = after(state, &of(order, order::Command::Cancel { at: at(1) }));
    }
    assert_eq!(wait(&state, 1), None, "a message came, and it was not the caller's doing");
    for order in 11..16 {
        state = after(state, &order_at(order, 1));
        state = after(
            state,
            &of(
                order,
                order::Command::FailAttempt {
                    attempt: 1,
                    supplier: "own".parse().unwrap(),
                    reason: AttemptFailure::NoNumber,
                    at: at(1),
                },
            ),
        );
        state = after(state, &of(order, order::Command::Expire { at: at(400) }));
    }
    assert_eq!(wait(&state, 400), None, "it was not cancelled");
}

#[test]
fn a_completed_order_forgives_the_cancels_before_it() {
    let state = cancelled(funded(), 1..5, 0);
    assert_eq!(wait(&state, 0), Some(10));
    let state = after(state, &order_at(5, 10));
    let state = after(state, &of(5, number_at(10)));
    let state = after(state, &of(5, sms_at("G-482913 is your Google verification code", 11)));
    let state = cancelled(state, 6..9, 11);
    assert_eq!(wait(&state, 11), None);
}

#[test]
fn a_pause_of_nothing_is_no_limit_and_the_largest_is_kept() {
    let free = CancelRules { pause_seconds: 0, ..RULES };
    let longest = CancelRules { pause_seconds: u32::MAX, max_pause_seconds: 3_600, ..RULES };
    for cancels in [0, 3, 4, 40, REMEMBERED, usize::MAX] {
        assert!(free.pause(cancels).is_zero(), "{cancels}");
        assert_eq!(
            longest.pause(cancels).as_secs(),
            if cancels > 3 { 3_600 } else { 0 },
            "{cancels}"
        );
    }
}

#[test]
fn the_key_of_a_cancelled_order_is_free_and_its_retry_waits_like_any_order() {
    let used = KeyUse { key: "k".parse().unwrap(), fingerprint: [1; 32], at: NOW };
    let keyed = |order| Command::Keyed {
        used: used.clone(),
        effect: Effect::Order(OrderId(order)),
        command: Some(Box::new(order_at(order, 0))),
    };
    let state = after(cancelled(funded(), 1..4, 0), &keyed(4));
    let state = after(state, &of(4, number_at(0)));
    let state = after(state, &of(4, order::Command::Cancel { at: NOW }));
    assert_eq!(wait(&state, 0), Some(10));
    given(state, &[]).when(&keyed(5)).then_refused(&Refusal::Placing(
        PlacingRefusal::TooManyCancels { retry_after_seconds: 10 },
    ));
}

#[test]
fn moments_are_bounded_and_survive_a_snapshot() {
    let mut recent = Recent::default();
    for second in 0..10_000 {
        recent.note(at(second));
    }
    assert_eq!(
        (recent.count(at(9_999)), recent.last(), recent.oldest(at(9_999))),
        (REMEMBERED, Some(at(9_999)), Some(at(10_000 - 256)))
    );
    assert_eq!(recent.count(at(9_999).plus(HOUR)), 0);
    let state = cancelled(funded(), 1..5, 0);
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()).unwrap(), state);
}

#[test]
fn webhook_tests_are_limited_and_told_when_the_next_may_be() {
    let set = Command::SetWebhook {
        url: "https://hooks.acme.dev/".to_owned(),
        threshold: Money::ZERO,
        at: NOW,
    };
    let mut state = after(funded(), &set);
    for second in 0..60 {
        state = after(state, &Command::TestWebhook { at: at(second) });
    }
    given(state.clone(), &[]).when(&Command::TestWebhook { at: at(60) }).then_refused(
        &Refusal::Webhook(WebhookRefusal::TooManyTests { retry_after_seconds: 3_540 }),
    );
    assert!(state.decide(&Command::TestWebhook { at: at(3_600) }).is_ok());
}

#[test]
fn a_debit_takes_what_can_be_spent_and_more_only_if_that_is_said() {
    let debit = |cents, may_overdraw| Command::Debit {
        amount: Money::from_cents(cents),
        reason: "typo".to_owned(),
        may_overdraw,
        at: NOW,
    };
    let debited = |cents, overdraws| Event::Debited {
        amount: Money::from_cents(cents),
        reason: "typo".to_owned(),
        overdraws,
        at: NOW,
    };
    // 50 of the dollar are held.
    let state = with_open_order();
    let (wanted, available) = (Money::from_cents(51), Money::from_cents(50));
    given(state.clone(), &[])
        .when(&debit(51, false))
        .then_refused(&Refusal::Operator(OperatorRefusal::DebitTooLarge { wanted, available }));
    for cents in [0, -1, 100_000_000_001] {
        given(state.clone(), &[])
            .when(&debit(cents, true))
            .then_refused(&Refusal::Operator(OperatorRefusal::AmountOutOfRange));
    }
    let all = given(state.clone(), &[]).when(&debit(50, false)).then(&[debited(50, false)]);
    assert_eq!((all.balance, all.held), (Money::ZERO, Money::from_cents(50)));
    let over = given(state, &[]).when(&debit(80, true)).then(&[debited(80, true)]);
    assert_eq!((over.balance, over.held), (Money::from_cents(-30), Money::from_cents(50)));
    let over = fold(
        over,
        &[Event::HoldReleased { order: OrderId(1), amount: Money::from_cents(50), at: NOW }],
    );
    assert_eq!(over.balance, Money::from_cents(20), "what an order gives back pays the debt first");
}

#[test]
fn an_operator_s_key_moves_money_once() {
    let used = |fingerprint| KeyUse {
        key: "ticket-17".parse().unwrap(),
        fingerprint: [fingerprint; 32],
        at: NOW,
    };
    let credit = || {
        Some(Box::new(Command::Credit {
            amount: Money::from_cents(50),
            reason: "goodwill".to_owned(),
            at: NOW,
        }))
    };
    let keyed = |fingerprint| Command::Keyed {
        used: used(fingerprint),
        effect: Effect::Operator,
        command: credit(),
    };
    let state = after(funded(), &keyed(1));
    assert_eq!(state.balance, Money::from_cents(1_050));
    given(state.clone(), &[]).when(&keyed(1)).then_nothing();
    given(state, &[])
        .when(&keyed(2))
        .then_refused(&Refusal::Idempotency(IdempotencyRefusal::KeyReused));
}
