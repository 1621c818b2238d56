//! The rules of an account as scenarios: money and orders in one append.

mod after_code;
mod deposits;
mod keys;
mod limits;
mod policy;
mod test_mode;

use super::idempotency::{Effect, KEPT, Key, KeyUse, MAX_KEYS};
use super::statement::Statement;
use super::{
    BatchItem, CancelRules, Command, Event, FirstAnswer, IdempotencyRefusal, ItemRefusal,
    OperatorRefusal, OrderRefusal, PlaceBatch, PlaceOrder, PlacingRefusal, Refusal,
    SECRETS_OVERLAP, Standing, StandingRefusal, State, WebhookRefusal, ledger, snapshot,
};
use crate::country::Country;
use crate::decider::{Decider, fold};
use crate::id::{AccountId, DepositId, OrderId};
use crate::money::Money;
use crate::order;
use crate::platform::Platform;
use crate::policy::{Class, Judge};
use crate::spec::given;
use crate::time::Timestamp;
use crate::webhook::Notice;

const NOW: Timestamp = Timestamp::from_millis(5_000);

fn registered() -> Event {
    Event::Registered {
        id: AccountId(7),
        key_hash: [1; 32],
        webhook_secret: "whsec_x".to_owned(),
        at: NOW,
    }
}

fn credited(cents: i64) -> Event {
    Event::Credited { amount: Money::from_cents(cents), reason: "test".to_owned(), at: NOW }
}

fn wanted(order: u128) -> PlaceOrder {
    PlaceOrder {
        order: OrderId(order),
        platform: Platform::Google,
        country: Country::Us,
        list_price: Money::from_cents(50),
        max_price: None,
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 300,
        max_concurrent: 1,
        cancels: CancelRules::default(),
        judge: Judge::default(),
        scenario: None,
        first_answer: None,
        at: NOW,
    }
}

fn placed(order: u128, cents: i64) -> [Event; 2] {
    let PlaceOrder {
        platform,
        country,
        list_price,
        lifetime_seconds,
        seek_seconds,
        max_attempts,
        listen_seconds,
        judge,
        at,
        ..
    } = wanted(order);
    let price = Money::from_cents(cents);
    let placed = order::Placed {
        platform,
        country,
        list_price,
        price,
        lifetime_seconds,
        seek_seconds,
        max_attempts,
        listen_seconds,
        verdict: Some(judge.policy.verdict(platform, country, Class::New, judge.real_numbers)),
        at,
    };
    [
        Event::Order(OrderId(order), order::Event::Placed(placed)),
        Event::HoldTaken { order: OrderId(order), amount: price, at: NOW },
    ]
}

fn with_open_order() -> State {
    let [placed, hold] = placed(1, 50);
    fold(State::default(), &[registered(), credited(100), placed, hold])
}

fn number() -> order::Command {
    order::Command::AssignNumber {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: "+12025550123".parse().unwrap(),
        at: NOW,
    }
}

fn message(text: &str) -> order::Command {
    order::Command::ReceiveSms(order::IncomingSms {
        message_id: "m1".to_owned(),
        supplier: "own".parse().unwrap(),
        to: "+12025550123".parse().unwrap(),
        sender: "Google".to_owned(),
        text: text.to_owned(),
        receipt: order::Receipt::At(NOW),
        freed_at: None,
        at: NOW,
    })
}

fn after(state: State, command: &Command) -> (State, Vec<Event>) {
    let events = state.decide(command).expect("the command is allowed");
    (fold(state, &events), events)
}

#[test]
fn an_account_is_registered_once() {
    let register = Command::Register {
        id: AccountId(7),
        key_hash: [1; 32],
        webhook_secret: "whsec_x".to_owned(),
        at: NOW,
    };
    let account = given(State::default(), &[]).when(&register).then(&[registered()]);
    given(account, &[])
        .when(&register)
        .then_refused(&Refusal::Standing(StandingRefusal::AlreadyRegistered));
}

#[test]
fn nothing_can_be_wanted_of_an_account_that_does_not_exist() {
    given(State::default(), &[])
        .when(&Command::PlaceOrder(wanted(1)))
        .then_refused(&Refusal::Standing(StandingRefusal::NotRegistered));
}

#[test]
fn an_order_and_its_hold_are_one_append() {
    let account = given(State::default(), &[registered(), credited(100)])
        .when(&Command::PlaceOrder(wanted(1)))
        .then(&placed(1, 50));
    assert_eq!((account.balance, account.held), (Money::from_cents(50), Money::from_cents(50)));
}

#[test]
fn an_order_whose_first_source_has_answered_starts_with_the_answer() {
    let first = |answer| Some(FirstAnswer { supplier: "own".parse().unwrap(), answer });
    let with_number =
        PlaceOrder { first_answer: first(Ok("+12025550123".parse().unwrap())), ..wanted(1) };
    let (account, events) = after(
        fold(State::default(), &[registered(), credited(100)]),
        &Command::PlaceOrder(with_number),
    );
    assert_eq!(events.len(), 3);
    assert_eq!(account.open[&OrderId(1)].status, order::Status::Active);
    let sold_out = PlaceOrder {
        first_answer: first(Err(order::AttemptFailure::NoNumber)),
        max_attempts: 1,
        ..wanted(1)
    };
    let (account, _) = after(
        fold(State::default(), &[registered(), credited(100)]),
        &Command::PlaceOrder(sold_out),
    );
    assert_eq!(
        (account.balance, account.held, account.open.len()),
        (Money::from_cents(100), Money::ZERO, 0)
    );
}

#[test]
fn the_same_order_id_is_the_same_order() {
    given(with_open_order(), &[]).when(&Command::PlaceOrder(wanted(1))).then_nothing();
}

#[test]
fn a_second_order_waits_for_the_first() {
    let refusal =
        Refusal::Placing(PlacingRefusal::OrderInProgress { open: vec![OrderId(1)], allowed: 1 });
    given(with_open_order(), &[]).when(&Command::PlaceOrder(wanted(2))).then_refused(&refusal);
    let two = PlaceOrder { max_concurrent: 2, ..wanted(2) };
    given(with_open_order(), &[]).when(&Command::PlaceOrder(two)).then(&placed(2, 50));
}

#[test]
fn an_order_needs_its_whole_price() {
    let refusal = Refusal::Item(ItemRefusal::InsufficientBalance {
        needed: Money::from_cents(50),
        available: Money::from_cents(49),
    });
    given(State::default(), &[registered(), credited(49)])
        .when(&Command::PlaceOrder(wanted(1)))
        .then_refused(&refusal);
}

#[test]
fn a_price_above_the_caller_s_limit_is_refused() {
    let limited = |cents| {
        Command::PlaceOrder(PlaceOrder { max_price: Some(Money::from_cents(cents)), ..wanted(1) })
    };
    let refusal = Refusal::Item(ItemRefusal::PriceAboveMaximum {
        price: Money::from_cents(50),
        max_price: Money::from_cents(49),
    });
    given(State::default(), &[registered(), credited(100)])
        .when(&limited(49))
        .then_refused(&refusal);
    given(State::default(), &[registered(), credited(100)]).when(&limited(50)).then(&placed(1, 50));
}

#[test]
fn the_price_follows_the_tier_of_completed_orders() {
    let mut account = fold(State::default(), &[registered(), credited(10_000)]);
    let mut prices = Vec::new();
    for number in 1..=101 {
        let (next, events) = after(account, &Command::PlaceOrder(wanted(number)));
        let Event::HoldTaken { amount, .. } = &events[1] else { panic!("{events:?}") };
        prices.push(amount.to_string());
        let (next, _) = after(
            next,
            &Command::Order(
                OrderId(number),
                order::Command::AssignNumber {
                    attempt: 1,
                    supplier: "own".parse().unwrap(),
                    phone: "+12025550123".parse().unwrap(),
                    at: NOW,
                },
            ),
        );
        (account, _) = after(
            next,
            &Command::Order(OrderId(number), message("G-123456 is your Google verification code")),
        );
    }
    assert_eq!(
        [&prices[19], &prices[20], &prices[49], &prices[50], &prices[99], &prices[100]],
        ["0.5", "0.475", "0.475", "0.45", "0.45", "0.425"]
    );
    assert_eq!(account.completed, 101);
}

#[test]
fn the_code_and_the_capture_are_one_append() {
    let (account, _) = after(with_open_order(), &Command::Order(OrderId(1), number()));
    let (account, events) =
        after(account, &Command::Order(OrderId(1), message("Google code 123456")));
    assert_eq!(
        events.last(),
        Some(&Event::HoldCaptured { order: OrderId(1), amount: Money::from_cents(50), at: NOW })
    );
    assert_eq!(
        (account.balance, account.held, account.completed),
        (Money::from_cents(50), Money::ZERO, 1)
    );
    assert!(account.open.is_empty());
}

#[test]
fn an_order_without_a_code_gives_its_whole_hold_back() {
    let ends = [
        order::Command::Cancel { at: NOW },
        order::Command::Fail { reason: order::FailureReason::NoSourceLeft, at: NOW },
        order::Command::Expire { at: NOW.plus(std::time::Duration::from_mins(1)) },
    ];
    for end in ends {
        let (account, events) = after(with_open_order(), &Command::Order(OrderId(1), end.clone()));
        assert!(matches!(events.last(), Some(Event::HoldReleased { .. })), "{end:?}");
        assert_eq!(
            (account.balance, account.held, account.completed),
            (Money::from_cents(100), Money::ZERO, 0),
            "{end:?}"
        );
    }
}

#[test]
fn an_order_s_refusal_is_the_account_s() {
    let refusal = Refusal::Order(OrderRefusal::Order(order::Refusal::StaleAttempt));
    let dead = Command::Order(OrderId(1), order::Command::ReportNumberDead { attempt: 1, at: NOW });
    given(with_open_order(), &[]).when(&dead).then_refused(&refusal);
    given(with_open_order(), &[])
        .when(&Command::Order(OrderId(9), number()))
        .then_refused(&Refusal::Order(OrderRefusal::NotFound));
}

#[test]
fn a_suspended_account_orders_nothing_and_still_gets_its_refunds() {
    let suspend = Command::Suspend { reason: "abuse".to_owned(), at: NOW };
    let suspended = Event::Suspended { reason: "abuse".to_owned(), at: NOW };
    let account = given(with_open_order(), &[]).when(&suspend).then(&[suspended]);
    given(account.clone(), &[]).when(&suspend).then_nothing();
    given(account.clone(), &[])
        .when(&Command::PlaceOrder(wanted(2)))
        .then_refused(&Refusal::Standing(StandingRefusal::Suspended));
    let (account, _) =
        after(account, &Command::Order(OrderId(1), order::Command::Cancel { at: NOW }));
    assert_eq!(account.balance, Money::from_cents(100));
    let reinstate = Command::Reinstate { reason: "talked".to_owned(), at: NOW };
    let account = given(account, &[])
        .when(&reinstate)
        .then(&[Event::Reinstated { reason: "talked".to_owned(), at: NOW }]);
    given(account, &[]).when(&reinstate).then_nothing();
}

#[test]
fn a_credit_is_positive_and_bounded() {
    for amount in [Money::ZERO, Money::from_cents(-1), Money::from_micros(i64::MAX)] {
        let credit = Command::Credit { amount, reason: "test".to_owned(), at: NOW };
        given(State::default(), &[registered()])
            .when(&credit)
            .then_refused(&Refusal::Operator(OperatorRefusal::AmountOutOfRange));
    }
}

#[test]
fn every_movement_of_money_is_an_entry() {
    let (account, events) =
        after(with_open_order(), &Command::Order(OrderId(1), order::Command::Cancel { at: NOW }));
    let [placed, hold] = placed(1, 50);
    let log = [vec![registered(), credited(100), placed, hold], events].concat();
    let balance: Money = log.iter().filter_map(ledger::entry).map(|entry| entry.balance).sum();
    let of_order: Money = log
        .iter()
        .filter_map(ledger::entry)
        .filter(|entry| entry.order == Some(OrderId(1)))
        .map(|entry| entry.balance + entry.held)
        .sum();
    assert_eq!((balance, of_order), (account.balance, Money::ZERO));
}

#[test]
fn a_snapshot_is_the_state() {
    let (account, _) = after(with_open_order(), &Command::Order(OrderId(1), number()));
    let (ended, _) =
        after(account.clone(), &Command::Order(OrderId(1), message("Google code 123456")));
    for state in [account, ended] {
        let bytes = snapshot::write(&state).unwrap();
        assert_eq!(snapshot::read(&bytes), Some(state));
        assert_eq!(snapshot::read(&bytes[..bytes.len() - 1]), None);
    }
    assert_eq!(snapshot::write(&State::default()), None);
    assert_eq!(snapshot::read(&[]), None);
}

#[test]
fn secrets_do_not_show() {
    let shown = format!("{:?} {:?}", registered(), fold(State::default(), &[registered()]));
    assert!(!shown.contains("whsec") && !shown.contains("[1, 1"), "{shown}");
    assert_eq!(fold(State::default(), &[registered()]).standing, Standing::Good);
}

// Batches.

fn batch(orders: &[u128]) -> Command {
    Command::PlaceBatch(PlaceBatch {
        orders: orders.iter().map(|order| wanted(*order)).collect(),
        at: NOW,
    })
}

fn accepted(order: u128) -> BatchItem {
    BatchItem { order: OrderId(order), refused: None }
}

fn queued(order: u128) -> Event {
    Event::Order(OrderId(order), order::Event::Queued { at: NOW })
}

fn started(order: u128) -> Event {
    Event::Order(OrderId(order), order::Event::Started { at: NOW })
}

fn cancel(order: u128) -> Command {
    Command::Order(OrderId(order), order::Command::Cancel { at: NOW })
}

fn cancelled(order: u128) -> [Event; 2] {
    [
        Event::Order(OrderId(order), order::Event::Cancelled { at: NOW }),
        Event::HoldReleased { order: OrderId(order), amount: Money::from_cents(50), at: NOW },
    ]
}

/// Three orders, the first running and the others waiting; ids against the order asked, for ids say
/// nothing of it.
fn with_batch() -> State {
    let state = fold(State::default(), &[registered(), credited(200)]);
    let events = state.decide(&batch(&[9, 5, 7])).unwrap();
    fold(state, &events)
}

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

// Idempotency keys.

fn used(key: &str, body: u8, at: Timestamp) -> KeyUse {
    KeyUse { key: key.parse().unwrap(), fingerprint: [body; 32], at }
}

fn keyed(used: KeyUse, effect: Effect, command: Command) -> Command {
    Command::Keyed { used, effect, command: Some(Box::new(command)) }
}

fn keyed_order(key: &str, body: u8, order: u128) -> Command {
    keyed(used(key, body, NOW), Effect::Order(OrderId(order)), Command::PlaceOrder(wanted(order)))
}

fn key_used(key: &str, effect: Effect) -> Event {
    Event::KeyUsed { key: key.parse().unwrap(), fingerprint: [1; 32], effect, at: NOW }
}

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

// Webhooks.

fn webhook(cents: i64) -> Event {
    Event::WebhookSet {
        url: "https://hooks.acme.dev/in".to_owned(),
        threshold: Money::from_cents(cents),
        at: NOW,
    }
}

fn due(sequence: u64, notice: Notice) -> Event {
    Event::WebhookDue { sequence, notice, at: NOW }
}

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

fn assigned_event() -> order::Event {
    order::Event::NumberAssigned {
        attempt: 1,
        supplier: "own".parse().unwrap(),
        phone: "+12025550123".parse().unwrap(),
        expires_at: NOW.plus(std::time::Duration::from_mins(5)),
        at: NOW,
    }
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

#[test]
fn a_statement_sums_what_the_ledger_and_the_orders_say() {
    let [placed, hold] = placed(1, 50);
    let [end, release] = cancelled(1);
    let mut statement = Statement::default();
    for event in [registered(), credited(100), placed, hold, end, release] {
        statement.add(&event);
    }
    assert_eq!(
        statement,
        Statement {
            balance: Money::from_cents(100),
            orders: 1,
            cancelled: 1,
            ..Statement::default()
        }
    );
}
