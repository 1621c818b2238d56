//! Deposits in the account's ledger: credited once, together where they are small, and back where
//! the chain has left them.

use super::*;

fn credit(deposit: u128, cents: i64) -> Command {
    Command::CreditDeposit {
        deposit: DepositId(deposit),
        amount: Money::from_cents(cents),
        at: NOW,
    }
}

fn deposited(deposit: u128, cents: i64) -> Event {
    Event::DepositCredited {
        deposit: DepositId(deposit),
        amount: Money::from_cents(cents),
        at: NOW,
    }
}

fn kept(deposit: u128, cents: i64) -> Event {
    Event::DustKept { deposit: DepositId(deposit), amount: Money::from_cents(cents), at: NOW }
}

fn reverse(deposit: u128) -> Command {
    Command::ReverseDeposit { deposit: DepositId(deposit), at: NOW }
}

fn reversed(deposit: u128, cents: i64) -> Event {
    Event::DepositReversed {
        deposit: DepositId(deposit),
        amount: Money::from_cents(cents),
        at: NOW,
    }
}

#[test]
fn a_deposit_is_credited_once() {
    let account = given(State::default(), &[registered()])
        .when(&credit(3, 1_000))
        .then(&[deposited(3, 1_000)]);
    given(account, &[]).when(&credit(3, 1_000)).then_nothing();
}

#[test]
fn small_deposits_are_credited_together_once_they_come_to_a_dollar() {
    let account =
        given(State::default(), &[registered()]).when(&credit(1, 40)).then(&[kept(1, 40)]);
    given(account.clone(), &[]).when(&credit(1, 40)).then_nothing();
    let account = given(account, &[]).when(&credit(2, 59)).then(&[kept(2, 59)]);
    assert_eq!((account.balance, account.dust_total()), (Money::ZERO, Money::from_cents(99)));
    let account = given(account, &[]).when(&credit(3, 1)).then(&[
        deposited(1, 40),
        deposited(2, 59),
        deposited(3, 1),
    ]);
    assert_eq!((account.balance, account.dust_total()), (Money::from_cents(100), Money::ZERO));
    given(account, &[]).when(&credit(1, 40)).then_nothing();
    // One that is enough alone brings the small ones too; one that is worth nothing brings nothing.
    given(State::default(), &[registered(), kept(1, 40)])
        .when(&credit(2, 100))
        .then(&[deposited(1, 40), deposited(2, 100)]);
    given(State::default(), &[registered()]).when(&credit(2, 0)).then_nothing();
}

#[test]
fn a_reversed_deposit_may_leave_less_than_nothing_and_then_nothing_can_be_ordered() {
    let [placed, hold] = placed(1, 50);
    let cancelled = [
        Event::Order(OrderId(1), order::Event::Cancelled { at: NOW }),
        Event::HoldReleased { order: OrderId(1), amount: Money::from_cents(50), at: NOW },
    ];
    let account = given(State::default(), &[registered(), deposited(3, 100), placed, hold])
        .when(&reverse(3))
        .then(&[reversed(3, 100)]);
    assert_eq!((account.balance, account.held), (Money::from_cents(-50), Money::from_cents(50)));
    given(account.clone(), &[]).when(&reverse(3)).then_nothing();
    let account = fold(account, &cancelled);
    assert_eq!(account.balance, Money::ZERO);
    // Even what costs nothing, while something is owed.
    let owing = fold(State::default(), &[registered(), deposited(3, 100), reversed(3, 101)]);
    let free = PlaceOrder { list_price: Money::ZERO, ..wanted(2) };
    let refusal = Refusal::Item(ItemRefusal::InsufficientBalance {
        needed: Money::ZERO,
        available: owing.balance,
    });
    given(owing, &[]).when(&Command::PlaceOrder(free)).then_refused(&refusal);
}

#[test]
fn a_deposit_that_came_back_is_credited_again() {
    let account = given(State::default(), &[registered(), deposited(3, 100), reversed(3, 100)])
        .when(&credit(3, 101))
        .then(&[deposited(3, 101)]);
    assert_eq!(account.balance, Money::from_cents(101));
}

#[test]
fn a_small_deposit_that_is_gone_counts_no_more() {
    let dropped =
        Event::DustDropped { deposit: DepositId(1), amount: Money::from_cents(40), at: NOW };
    let account =
        given(State::default(), &[registered(), kept(1, 40)]).when(&reverse(1)).then(&[dropped]);
    given(account.clone(), &[]).when(&credit(2, 60)).then(&[kept(2, 60)]);
    given(account, &[]).when(&reverse(1)).then_nothing();
}

#[test]
fn the_owner_is_told_when_a_reversal_takes_the_balance_below_the_threshold() {
    let set = Event::WebhookSet {
        url: "https://a.dev/h".to_owned(),
        threshold: Money::from_cents(100),
        at: NOW,
    };
    let notice = Notice::BalanceLow { balance: Money::ZERO, threshold: Money::from_cents(100) };
    let due = Event::WebhookDue { sequence: 1, notice, at: NOW };
    given(State::default(), &[registered(), deposited(3, 100), set])
        .when(&reverse(3))
        .then(&[reversed(3, 100), due]);
}

#[test]
fn snapshots_keep_deposits_and_what_they_brought() {
    let account = fold(State::default(), &[registered(), deposited(3, 100), kept(4, 7)]);
    assert_eq!(snapshot::read(&snapshot::write(&account).unwrap()), Some(account));
}
