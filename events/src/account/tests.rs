//! The rules of an account as scenarios: money and orders in one append.

mod admission;
mod after_code;
mod batch;
mod deposits;
mod idempotency;
mod keys;
mod limits;
mod policy;
mod test_mode;
mod unused;
mod webhooks;

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
        hold: Vec::new(),
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
