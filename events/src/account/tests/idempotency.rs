//! Calls under a caller's key: each makes one thing happen, whatever the number of its retries.

use super::*;

#[test]
fn a_key_and_its_effect_are_one_append_and_a_retry_does_nothing() {
    let state = fold(State::default(), &[registered(), credited(200)]);
    let [placed, hold] = placed(1, 50);
    let state = given(state, &[]).when(&keyed_order("k", 1, 1)).then(&[
        key_used("k", Effect::Order(OrderId(1))),
        placed,
        hold,
    ]);
    let known = state.keys.get(&"k".parse().unwrap(), NOW).unwrap();
    assert_eq!(known.effect, Effect::Order(OrderId(1)));
    let state = given(state, &[]).when(&keyed_order("k", 1, 2)).then_nothing();
    given(state, &[])
        .when(&keyed_order("k", 2, 3))
        .then_refused(&Refusal::Idempotency(IdempotencyRefusal::KeyReused));
}

#[test]
fn what_is_refused_uses_up_no_key() {
    let state = fold(State::default(), &[registered()]);
    let needed = Refusal::Item(ItemRefusal::InsufficientBalance {
        needed: Money::from_cents(50),
        available: Money::ZERO,
    });
    given(state.clone(), &[]).when(&keyed_order("k", 1, 1)).then_refused(&needed);
    let state = fold(state, &[credited(100)]);
    assert!(!state.decide(&keyed_order("k", 2, 1)).unwrap().is_empty());
}

#[test]
fn a_key_is_forgotten_after_seven_days() {
    let state = fold(State::default(), &[registered(), key_used("k", Effect::Cancel(OrderId(1)))]);
    let key: Key = "k".parse().unwrap();
    let last = NOW.plus(KEPT).minus(std::time::Duration::from_millis(1));
    assert!(state.keys.get(&key, last).is_some());
    assert!(state.keys.get(&key, NOW.plus(KEPT)).is_none());
    let later = Event::KeyUsed {
        key: "other".parse().unwrap(),
        fingerprint: [1; 32],
        effect: Effect::Batch,
        at: NOW.plus(KEPT),
    };
    assert_eq!(fold(state, &[later]).keys.len(), 1, "memory holds a week, not a life");
}

#[test]
fn a_key_that_is_used_anew_after_its_week_is_kept_for_another() {
    let again = Event::KeyUsed {
        key: "k".parse().unwrap(),
        fingerprint: [2; 32],
        effect: Effect::Batch,
        at: NOW.plus(KEPT),
    };
    let much_later = Event::KeyUsed {
        key: "other".parse().unwrap(),
        fingerprint: [1; 32],
        effect: Effect::Batch,
        at: NOW.plus(KEPT).plus(std::time::Duration::from_secs(1)),
    };
    let state =
        fold(State::default(), &[registered(), key_used("k", Effect::Batch), again, much_later]);
    assert_eq!(state.keys.get(&"k".parse().unwrap(), NOW.plus(KEPT)).unwrap().fingerprint, [2; 32]);
}

#[test]
fn a_batch_s_key_remembers_what_became_of_each_order() {
    let state = fold(State::default(), &[registered(), credited(60)]);
    let events = state.decide(&keyed(used("b", 1, NOW), Effect::Batch, batch(&[1, 2]))).unwrap();
    assert!(matches!((&events[0], &events[1]), (Event::BatchPlaced { .. }, Event::KeyUsed { .. })));
    let state = fold(state, &events);
    let items = state.keys.get(&"b".parse().unwrap(), NOW).unwrap().batch.clone().unwrap();
    assert_eq!((items[0].clone(), items[1].refused.is_some()), (accepted(1), true));
}

#[test]
fn hostile_keys_are_refused() {
    for text in ["", "a\n", "é", "\u{7f}", "a\tb", &"k".repeat(256)] {
        assert!(text.parse::<Key>().is_err(), "{text:?}");
    }
    assert!("k".repeat(255).parse::<Key>().is_ok() && " ~".parse::<Key>().is_ok());
}

#[test]
fn an_account_takes_no_key_past_its_bound() {
    let mut state = fold(State::default(), &[registered(), credited(100)]);
    for number in 0..MAX_KEYS {
        state = state.evolve(&Event::KeyUsed {
            key: number.to_string().parse().unwrap(),
            fingerprint: [0; 32],
            effect: Effect::Batch,
            at: NOW,
        });
    }
    given(state, &[])
        .when(&keyed_order("one more", 1, 1))
        .then_refused(&Refusal::Idempotency(IdempotencyRefusal::TooManyKeys));
}
