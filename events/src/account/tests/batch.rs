//! Orders wanted together: each accepted or refused alone, run one after the other.

use super::*;

#[test]
fn a_batch_holds_every_price_at_once_and_runs_the_first() {
    let state = fold(State::default(), &[registered(), credited(200)]);
    let [first, first_hold] = placed(9, 50);
    let [second, second_hold] = placed(5, 50);
    let events = [
        Event::BatchPlaced { items: vec![accepted(9), accepted(5)], at: NOW },
        first,
        first_hold,
        second,
        second_hold,
        queued(5),
    ];
    let state = given(state, &[]).when(&batch(&[9, 5])).then(&events);
    assert_eq!((state.running(), state.open.len(), state.held), (1, 2, Money::from_cents(100)));
    given(state, &[]).when(&batch(&[9, 5])).then_nothing();
}

#[test]
fn each_order_of_a_batch_starts_when_the_one_before_it_ends() {
    let state = with_batch();
    let [end, release] = cancelled(9);
    let state = given(state, &[]).when(&cancel(9)).then(&[end, release, started(5)]);
    let [end, release] = cancelled(5);
    let state = given(state, &[]).when(&cancel(5)).then(&[end, release, started(7)]);
    let [end, release] = cancelled(7);
    let state = given(state, &[]).when(&cancel(7)).then(&[end, release]);
    assert_eq!(
        (state.balance, state.held, state.open.len()),
        (Money::from_cents(200), Money::ZERO, 0)
    );
}

#[test]
fn a_waiting_order_can_be_cancelled_and_frees_no_slot() {
    let [end, release] = cancelled(5);
    let state = given(with_batch(), &[]).when(&cancel(5)).then(&[end, release]);
    assert_eq!(state.queue, [OrderId(7)]);
}

#[test]
fn what_the_balance_cannot_cover_is_refused_alone() {
    let mut orders: Vec<PlaceOrder> = [1, 2, 3, 4].map(wanted).into();
    orders[1].max_price = Some(Money::from_cents(49));
    orders[2].list_price = Money::from_cents(90);
    let state = fold(State::default(), &[registered(), credited(120)]);
    let events = state.decide(&Command::PlaceBatch(PlaceBatch { orders, at: NOW })).unwrap();
    let cents = Money::from_cents;
    let refused = |order, why| BatchItem { order: OrderId(order), refused: Some(why) };
    let items = vec![
        accepted(1),
        refused(2, ItemRefusal::PriceAboveMaximum { price: cents(50), max_price: cents(49) }),
        refused(3, ItemRefusal::InsufficientBalance { needed: cents(90), available: cents(70) }),
        accepted(4),
    ];
    assert_eq!(events[0], Event::BatchPlaced { items, at: NOW });
    assert_eq!(fold(state, &events).balance, cents(20));
}

#[test]
fn a_batch_is_one_to_twenty_orders_and_waits_for_nobody() {
    let state = fold(State::default(), &[registered(), credited(9_900)]);
    given(state.clone(), &[])
        .when(&batch(&[]))
        .then_refused(&Refusal::Placing(PlacingRefusal::BatchSize));
    given(state.clone(), &[])
        .when(&batch(&(1..=21).collect::<Vec<_>>()))
        .then_refused(&Refusal::Placing(PlacingRefusal::BatchSize));
    assert!(state.decide(&batch(&(1..=20).collect::<Vec<_>>())).is_ok());
    given(with_open_order(), &[]).when(&batch(&[8])).then_refused(&Refusal::Placing(
        PlacingRefusal::OrderInProgress { open: vec![OrderId(1)], allowed: 1 },
    ));
    let busy = with_batch();
    let open = vec![OrderId(5), OrderId(7), OrderId(9)];
    given(busy, &[])
        .when(&Command::PlaceOrder(wanted(8)))
        .then_refused(&Refusal::Placing(PlacingRefusal::OrderInProgress { open, allowed: 1 }));
}

#[test]
fn more_slots_run_more_orders_at_once_and_never_too_many() {
    let orders = [1, 2, 3, 4].map(|order| PlaceOrder { max_concurrent: 3, ..wanted(order) });
    let state = fold(State::default(), &[registered(), credited(500)]);
    let events =
        state.decide(&Command::PlaceBatch(PlaceBatch { orders: orders.into(), at: NOW })).unwrap();
    let state = fold(state, &events);
    assert_eq!((state.running(), state.queue.len()), (3, 1));
    let events = state.decide(&cancel(2)).unwrap();
    let state = fold(state, &events);
    assert_eq!((state.running(), state.queue.len()), (3, 0));
}

#[test]
fn an_order_that_fails_at_once_leaves_its_slot_to_the_next() {
    let none = FirstAnswer {
        supplier: "own".parse().unwrap(),
        answer: Err(order::AttemptFailure::NoNumber),
    };
    let first = PlaceOrder { max_attempts: 1, first_answer: Some(none), ..wanted(1) };
    let state = fold(State::default(), &[registered(), credited(500)]);
    let events = state
        .decide(&Command::PlaceBatch(PlaceBatch {
            orders: vec![first, wanted(2), wanted(3)],
            at: NOW,
        }))
        .unwrap();
    let state = fold(state, &events);
    assert_eq!((state.running(), state.queue.clone().into()), (1, vec![OrderId(3)]));
    assert_eq!(state.order(OrderId(1)).unwrap().status, order::Status::Failed);
}

#[test]
fn a_suspension_cancels_what_waits_and_lets_run_what_runs() {
    let suspend = Command::Suspend { reason: "abuse".to_owned(), at: NOW };
    let events: Vec<Event> = [
        vec![Event::Suspended { reason: "abuse".to_owned(), at: NOW }],
        cancelled(5).into(),
        cancelled(7).into(),
    ]
    .concat();
    let state = given(with_batch(), &[]).when(&suspend).then(&events);
    assert_eq!((state.running(), state.queue.len(), state.held), (1, 0, Money::from_cents(50)));
    given(state, &[])
        .when(&batch(&[11]))
        .then_refused(&Refusal::Standing(StandingRefusal::Suspended));
}
