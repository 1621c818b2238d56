//! Accounts for tests: free, by scenarios alone, and beside one live account at most.

use super::*;
use crate::account::{Mode, TestKey, test_mode};
use crate::id::ApiKeyId;
use crate::order::Scenario;

fn opened() -> [Event; 2] {
    [registered(), Event::OpenedForTests { of: Some(AccountId(1)), at: NOW }]
}

fn test_order(order: u128, scenario: Scenario) -> Command {
    Command::PlaceOrder(PlaceOrder { scenario: Some(scenario), ..wanted(order) })
}

fn key(account: u128, live: u128) -> Command {
    let (name, webhook_secret) = ("ci".to_owned(), "whsec_x".to_owned());
    Command::AddTestKey(TestKey {
        account: AccountId(account),
        live: AccountId(live),
        id: ApiKeyId(9),
        name,
        hash: [2; 32],
        webhook_secret,
        at: NOW,
    })
}

#[test]
fn an_account_opens_for_tests_with_its_first_named_key() {
    let state = given(State::default(), &[]).when(&key(7, 1)).then(&[
        Event::Registered {
            id: AccountId(7),
            key_hash: [2; 32],
            webhook_secret: "whsec_x".to_owned(),
            at: NOW,
        },
        Event::OpenedForTests { of: Some(AccountId(1)), at: NOW },
        Event::ApiKeyAdded { id: ApiKeyId(9), name: "ci".to_owned(), hash: [2; 32], at: NOW },
        Event::ApiKeyRemoved { id: ApiKeyId(7), at: NOW },
    ]);
    assert_eq!(
        (state.mode, state.api_keys.iter().count()),
        (Mode::Test { of: Some(AccountId(1)) }, 1)
    );
    given(state.clone(), &[]).when(&key(7, 1)).then_nothing();
    given(state.clone(), &[]).when(&key(7, 2)).then_refused(&StandingRefusal::WrongMode.into());
    // Its owner can give it another one with the live key.
    let removed = Event::ApiKeyRemoved { id: ApiKeyId(9), at: NOW };
    given(state.clone(), &[])
        .when(&Command::RemoveApiKey { id: ApiKeyId(9), at: NOW })
        .then(&[removed]);
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()).unwrap(), state);
}

#[test]
fn a_live_account_has_one_test_account() {
    let open = |id| Command::OpenTestAccount { id: AccountId(id), at: NOW };
    let state = given(State::default(), &[registered()])
        .when(&open(8))
        .then(&[Event::TestAccountOpened { id: AccountId(8), at: NOW }]);
    given(state.clone(), &[]).when(&open(9)).then_nothing();
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()).unwrap(), state);
    given(State::default(), &opened())
        .when(&open(9))
        .then_refused(&StandingRefusal::WrongMode.into());
}

#[test]
fn tests_are_free_and_follow_scenarios_and_nothing_else_does() {
    let decided =
        fold(State::default(), &opened()).decide(&test_order(1, Scenario::NoCode)).unwrap();
    let [
        Event::Order(_, order::Event::Placed(placed)),
        Event::HoldTaken { amount, .. },
        Event::Order(_, order::Event::ScenarioChosen { scenario, .. }),
    ] = decided.as_slice()
    else {
        panic!("{decided:?}")
    };
    assert_eq!(
        (placed.price, *amount, placed.lifetime_seconds, *scenario),
        (Money::ZERO, Money::ZERO, 15, Scenario::NoCode)
    );
    given(State::default(), &opened())
        .when(&Command::PlaceOrder(wanted(1)))
        .then_refused(&StandingRefusal::WrongMode.into());
    given(State::default(), &[registered(), credited(100)])
        .when(&test_order(1, Scenario::Code))
        .then_refused(&StandingRefusal::WrongMode.into());
    let credit =
        Command::Credit { amount: Money::from_cents(100), reason: "x".to_owned(), at: NOW };
    given(State::default(), &opened())
        .when(&credit)
        .then_refused(&StandingRefusal::WrongMode.into());
}

#[test]
fn a_deposit_that_leaves_its_chain_is_credited_with_the_order_and_reversed_with_its_end() {
    let start = fold(State::default(), &opened());
    let placed = start.decide(&test_order(1, Scenario::DepositReorg)).unwrap();
    let open = fold(start, &placed);
    assert_eq!(open.balance, test_mode::REORG_AMOUNT);
    assert_eq!(snapshot::read(&snapshot::write(&open).unwrap()).unwrap(), open);
    let cancelled =
        open.decide(&Command::Order(OrderId(1), order::Command::Cancel { at: NOW })).unwrap();
    let state = fold(open, &cancelled);
    assert_eq!((state.balance, state.held, state.deposits.len()), (Money::ZERO, Money::ZERO, 0));
    assert!(!state.was_ever_funded());
}

#[test]
fn every_scenario_has_a_name_of_its_own() {
    for scenario in Scenario::ALL {
        assert_eq!(Scenario::named(scenario.name()), Some(scenario));
    }
}
