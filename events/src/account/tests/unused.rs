//! Accounts that nobody uses: closed after a while, opened again by money, and small till then.

use super::*;
use crate::account::{Mode, RemovalRefusal};
use crate::id::ApiKeyId;

const DAY: i64 = 24 * 3_600_000;

fn after_days(days: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + days * DAY)
}

fn remove(at: Timestamp) -> Command {
    Command::RemoveUnused { unused_days: 30, is_awaited: false, at }
}

fn removed() -> Event {
    Event::Removed { unused_days: 30, at: after_days(30) }
}

fn credit() -> Command {
    Command::Credit { amount: Money::from_cents(5), reason: "x".to_owned(), at: after_days(31) }
}

fn set_webhook(url: &str) -> Command {
    Command::SetWebhook { url: url.to_owned(), threshold: Money::ZERO, at: NOW }
}

fn within(command: Command, bytes: u64) -> Command {
    Command::Within { bytes, command: Box::new(command) }
}

#[test]
fn an_account_that_nobody_used_is_removed_when_its_time_has_come() {
    let early = Timestamp::from_millis(after_days(30).millis() - 1);
    given(State::default(), &[registered()])
        .when(&remove(early))
        .then_refused(&Refusal::Removal(RemovalRefusal::TooYoung));
    let never = Command::RemoveUnused { unused_days: 0, is_awaited: false, at: after_days(9_000) };
    given(State::default(), &[registered()])
        .when(&never)
        .then_refused(&RemovalRefusal::TooYoung.into());
    let set =
        Event::WebhookSet { url: "https://a.example".into(), threshold: Money::ZERO, at: NOW };
    let state = given(State::default(), &[registered(), set])
        .when(&remove(after_days(30)))
        .then(&[removed()]);
    assert_eq!((&state.standing, &state.webhook), (&Standing::Removed, &None));
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()), Some(state.clone()));
    given(state, &[]).when(&remove(after_days(99))).then_nothing();
}

#[test]
fn whatever_was_used_once_stays() {
    let dust = Event::DustKept { deposit: DepositId(1), amount: Money::from_cents(1), at: NOW };
    let debit = Event::Debited {
        amount: Money::from_cents(100),
        reason: "typo".to_owned(),
        overdraws: false,
        at: NOW,
    };
    for used in [vec![credited(100)], vec![credited(100), debit], vec![dust]] {
        let facts: Vec<Event> = [registered()].into_iter().chain(used).collect();
        given(State::default(), &facts)
            .when(&remove(after_days(99)))
            .then_refused(&RemovalRefusal::Used.into());
    }
    let funded = fold(State::default(), &[registered(), credited(100)]);
    let placed = funded.decide(&Command::PlaceOrder(wanted(1))).unwrap();
    let ordered = fold(State::default(), &[registered(), placed[0].clone()]);
    assert!(ordered.is_used, "an order alone is use");
}

#[test]
fn whatever_an_operator_or_a_payment_keeps_is_not_removed() {
    let suspended = Event::Suspended { reason: "fraud".to_owned(), at: NOW };
    given(State::default(), &[registered(), suspended])
        .when(&remove(after_days(99)))
        .then_refused(&RemovalRefusal::Suspended.into());
    let awaited = Command::RemoveUnused { unused_days: 30, is_awaited: true, at: after_days(99) };
    given(State::default(), &[registered()])
        .when(&awaited)
        .then_refused(&RemovalRefusal::Awaited.into());
    let of_live = Event::OpenedForTests { of: Some(AccountId(1)), at: NOW };
    given(State::default(), &[registered(), of_live])
        .when(&remove(after_days(99)))
        .then_refused(&RemovalRefusal::OfLiveAccount.into());
    let approved = Event::Approved { reason: "ok".to_owned(), at: after_days(29) };
    given(State::default(), &[registered(), approved])
        .when(&remove(after_days(30)))
        .then_refused(&RemovalRefusal::TooYoung.into());
}

#[test]
fn money_opens_a_removed_account_again_with_the_keys_it_had() {
    let at = after_days(31);
    let closed = [registered(), removed()];
    let reopened = Event::Reopened { at };
    let state = given(State::default(), &closed).when(&credit()).then(&[
        reopened.clone(),
        Event::Credited { amount: Money::from_cents(5), reason: "x".to_owned(), at },
    ]);
    assert_eq!((&state.standing, state.api_keys.iter().count()), (&Standing::Good, 1));
    given(state, &[]).when(&remove(after_days(99))).then_refused(&RemovalRefusal::Used.into());
    let (deposit, amount) = (DepositId(9), Money::from_cents(500));
    let pay = |amount| Command::CreditDeposit { deposit, amount, at };
    given(State::default(), &closed)
        .when(&pay(amount))
        .then(&[reopened.clone(), Event::DepositCredited { deposit, amount, at }]);
    let little = Money::from_cents(1);
    given(State::default(), &closed)
        .when(&pay(little))
        .then(&[reopened, Event::DustKept { deposit, amount: little, at }]);
    given(State::default(), &closed).when(&pay(Money::ZERO)).then_nothing();
}

#[test]
fn an_operator_s_credit_under_a_key_opens_a_removed_account_too() {
    let used = KeyUse { key: "k".parse().unwrap(), fingerprint: [1; 32], at: after_days(31) };
    let keyed =
        Command::Keyed { used, effect: Effect::Operator, command: Some(Box::new(credit())) };
    let closed = fold(State::default(), &[registered(), removed()]);
    let facts = closed.decide(&keyed).unwrap();
    assert_eq!(fold(closed, &facts).balance, Money::from_cents(5));
    assert!(facts.contains(&Event::Reopened { at: after_days(31) }));
}

#[test]
fn a_removed_account_does_nothing_until_an_operator_or_money_opens_it() {
    let closed = [registered(), removed()];
    let at = after_days(31);
    let add = Command::AddApiKey { id: ApiKeyId(3), name: "n".to_owned(), hash: [3; 32], at };
    let debit = Command::Debit {
        amount: Money::from_cents(1),
        reason: "x".to_owned(),
        may_overdraw: true,
        at,
    };
    for command in
        [set_webhook("https://a.example"), Command::PlaceOrder(wanted(1)), add.clone(), debit]
    {
        given(State::default(), &closed)
            .when(&command)
            .then_refused(&StandingRefusal::Removed.into());
        given(State::default(), &closed)
            .when(&within(command, 1 << 20))
            .then_refused(&StandingRefusal::Removed.into());
    }
    let reinstate = Command::Reinstate { reason: "asked".to_owned(), at };
    let state = given(State::default(), &closed)
        .when(&reinstate)
        .then(&[Event::Reinstated { reason: "asked".to_owned(), at }]);
    assert!(state.decide(&add).is_ok());
    given(state, &[]).when(&remove(after_days(60))).then_refused(&RemovalRefusal::TooYoung.into());
    let state = given(State::default(), &closed)
        .when(&Command::Suspend { reason: "fraud".to_owned(), at })
        .then(&[Event::Suspended { reason: "fraud".to_owned(), at }]);
    let state = given(state, &[]).when(&credit()).then(&[Event::Credited {
        amount: Money::from_cents(5),
        reason: "x".to_owned(),
        at,
    }]);
    assert!(matches!(state.standing, Standing::Suspended(_)), "money lifts no suspension");
}

#[test]
fn an_account_without_money_causes_only_so_much_log() {
    const BUDGET: u64 = 64 << 10;
    let url = |turn: usize| format!("https://a.example/{}{turn}", "x".repeat(1_900));
    let mut state = fold(State::default(), &[registered()]);
    let mut turns = 0;
    loop {
        match state.decide(&within(set_webhook(&url(turns)), BUDGET)) {
            Ok(events) => state = events.iter().fold(state, State::evolve),
            Err(refusal) => {
                assert_eq!(refusal, StandingRefusal::NeverFunded.into());
                break;
            }
        }
        turns += 1;
    }
    assert!((20..40).contains(&turns), "{turns}");
    assert!(state.unfunded_bytes < BUDGET + 4_096, "one fact beyond, at most");
    let take_away = within(Command::RemoveWebhook { at: NOW }, BUDGET);
    assert!(state.decide(&take_away).is_ok(), "what takes away is never refused");
    let state = state.evolve(&credited(1));
    assert!(state.decide(&within(set_webhook("https://b.example"), BUDGET)).is_ok());
    let bytes = state.unfunded_bytes;
    assert_eq!(state.evolve(&credited(1)).unfunded_bytes, bytes, "with money nothing is counted");
}

#[test]
fn a_test_account_s_orders_and_a_deposit_s_key_are_told_apart() {
    let state = fold(State::default(), &[registered()]);
    assert_eq!(state.mode, Mode::Live);
    let used = KeyUse { key: "k".parse().unwrap(), fingerprint: [1; 32], at: NOW };
    let keyed = |effect| Command::Keyed { used: used.clone(), effect, command: None };
    assert!(!keyed(Effect::Deposit(DepositId(1))).grows(), "whoever pays is never refused");
    assert!(keyed(Effect::Batch).grows());
    given(state, &[])
        .when(&within(keyed(Effect::Batch), 0))
        .then_refused(&StandingRefusal::NeverFunded.into());
}
