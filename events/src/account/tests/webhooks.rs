//! What an account's owner is told, and where.

use super::*;

#[test]
fn a_webhook_is_set_once_and_removed_once() {
    let set = Command::SetWebhook {
        url: "https://hooks.acme.dev/in".to_owned(),
        threshold: Money::from_cents(100),
        at: NOW,
    };
    let state = given(State::default(), &[registered()]).when(&set).then(&[webhook(100)]);
    let state = given(state, &[]).when(&set).then_nothing();
    let state = given(state, &[])
        .when(&Command::RemoveWebhook { at: NOW })
        .then(&[Event::WebhookRemoved { at: NOW }]);
    let state = given(state, &[]).when(&Command::RemoveWebhook { at: NOW }).then_nothing();
    given(state, &[])
        .when(&Command::TestWebhook { at: NOW })
        .then_refused(&Refusal::Webhook(WebhookRefusal::NoWebhook));
}

#[test]
fn a_test_is_told_like_anything_else() {
    let state = given(State::default(), &[registered(), webhook(100)])
        .when(&Command::TestWebhook { at: NOW })
        .then(&[due(1, Notice::Test)]);
    given(state, &[]).when(&Command::TestWebhook { at: NOW }).then(&[due(2, Notice::Test)]);
}

#[test]
fn a_message_is_told_in_the_append_that_records_it() {
    let state = fold(with_open_order(), &[webhook(0), Event::Order(OrderId(1), assigned_event())]);
    let events = state
        .decide(&Command::Order(OrderId(1), message("G-123456 is your Google verification code.")))
        .unwrap();
    assert_eq!(
        events.last(),
        Some(&due(1, Notice::SmsReceived { order: OrderId(1), message_id: "m1".to_owned() }))
    );
}

#[test]
fn failure_and_expiry_are_told_and_cancelling_is_not() {
    let state = fold(with_open_order(), &[webhook(0)]);
    let fail = order::Command::Fail { reason: order::FailureReason::NoSourceLeft, at: NOW };
    let events = state.decide(&Command::Order(OrderId(1), fail)).unwrap();
    assert_eq!(events.last(), Some(&due(1, Notice::OrderFailed { order: OrderId(1) })));
    let [end, release] = cancelled(1);
    given(state, &[]).when(&cancel(1)).then(&[end, release]);
}

#[test]
fn a_low_balance_is_told_once_per_crossing() {
    let low = |sequence, cents| {
        due(
            sequence,
            Notice::BalanceLow {
                balance: Money::from_cents(cents),
                threshold: Money::from_cents(100),
            },
        )
    };
    let state = fold(State::default(), &[registered(), credited(150), webhook(100)]);
    let two = |order| Command::PlaceOrder(PlaceOrder { max_concurrent: 9, ..wanted(order) });
    let [first, hold] = placed(1, 50);
    let state = given(state, &[]).when(&two(1)).then(&[first, hold]);
    let [second, hold] = placed(2, 50);
    let state = given(state, &[]).when(&two(2)).then(&[second, hold, low(1, 50)]);
    let [third, hold] = placed(3, 50);
    let state = given(state, &[]).when(&two(3)).then(&[third, hold]);
    let state = fold(state, &[credited(100)]);
    let [fourth, hold] = placed(4, 50);
    given(state, &[]).when(&two(4)).then(&[fourth, hold, low(2, 50)]);
}

#[test]
fn after_a_rotation_both_secrets_sign_for_a_day() {
    let rotate = Command::RotateWebhookSecret { secret: "whsec_y".to_owned(), at: NOW };
    let state = given(State::default(), &[registered()])
        .when(&rotate)
        .then(&[Event::WebhookSecretRotated { secret: "whsec_y".to_owned(), at: NOW }]);
    let secrets =
        |at| state.signing_secrets(at).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(secrets(NOW), ["whsec_y", "whsec_x"]);
    assert_eq!(secrets(NOW.plus(SECRETS_OVERLAP)), ["whsec_y"]);
}

#[test]
fn a_snapshot_keeps_batch_keys_and_webhook() {
    let state = with_batch();
    let events =
        state.decide(&keyed(used("c", 1, NOW), Effect::Cancel(OrderId(7)), cancel(7))).unwrap();
    let rotated = Event::WebhookSecretRotated { secret: "whsec_y".to_owned(), at: NOW };
    let state = fold(fold(state, &events), &[webhook(100), rotated, due(1, Notice::Test)]);
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()), Some(state));
    let keyed_batch = fold(State::default(), &[registered(), credited(60)]);
    let events =
        keyed_batch.decide(&keyed(used("b", 1, NOW), Effect::Batch, batch(&[1, 2]))).unwrap();
    let keyed_batch = fold(keyed_batch, &events);
    assert_eq!(snapshot::read(&snapshot::write(&keyed_batch).unwrap()), Some(keyed_batch));
}
