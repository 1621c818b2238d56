//! The deposit's law as scenarios: one output, one account, one credit.

use super::{Command, Event, Refusal, State, Status, TxHash, deposit_id};
use crate::decider::Decider;
use crate::id::AccountId;
use crate::money::Money;
use crate::spec::given;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(5_000);

fn hash() -> TxHash {
    "ab".repeat(32).parse().unwrap()
}

fn claim(account: u128) -> Command {
    Command::Claim { account: AccountId(account), chain: "simulated".to_owned(), tx_hash: hash(), output: 0, at: NOW }
}

fn claimed() -> Event {
    Event::Claimed { account: AccountId(1), chain: "simulated".to_owned(), tx_hash: hash(), output: 0, at: NOW }
}

fn confirm() -> Command {
    Command::Confirm { amount: Money::from_cents(1_000), paid: "10".to_owned(), rate: "1".to_owned(), rate_source: "simulated".to_owned(), at: NOW }
}

fn confirmed() -> Event {
    Event::Confirmed { amount: Money::from_cents(1_000), paid: "10".to_owned(), rate: "1".to_owned(), rate_source: "simulated".to_owned(), at: NOW }
}

#[test]
fn an_output_is_one_account_s() {
    let deposit = given(State::default(), &[]).when(&claim(1)).then(&[claimed()]);
    given(deposit.clone(), &[]).when(&claim(1)).then_nothing();
    given(deposit, &[]).when(&claim(2)).then_refused(&Refusal::ClaimedByAnother);
}

#[test]
fn a_deposit_goes_from_claim_to_credit_and_each_step_is_taken_once() {
    let deposit = given(State::default(), &[claimed()]).when(&confirm()).then(&[confirmed()]);
    given(deposit.clone(), &[]).when(&confirm()).then_nothing();
    let deposit = given(deposit, &[]).when(&Command::MarkCredited { at: NOW }).then(&[Event::Credited { at: NOW }]);
    assert_eq!((deposit.status, deposit.amount), (Status::Credited, Money::from_cents(1_000)));
    assert!(deposit.is_terminal());
    given(deposit.clone(), &[]).when(&Command::MarkCredited { at: NOW }).then_nothing();
    given(deposit, &[]).when(&confirm()).then_nothing();
}

#[test]
fn no_step_is_skipped() {
    given(State::default(), &[]).when(&confirm()).then_refused(&Refusal::NotClaimed);
    given(State::default(), &[claimed()]).when(&Command::MarkCredited { at: NOW }).then_refused(&Refusal::NotConfirmed);
}

#[test]
fn every_way_to_write_a_hash_is_one_deposit() {
    let ways = ["ab".repeat(32), "AB".repeat(32), format!("0x{}", "aB".repeat(32)), format!("0X{}", "ab".repeat(32))];
    let ids: Vec<_> = ways.iter().map(|way| deposit_id("simulated", &way.parse().unwrap(), 0)).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_ne!(ids[0], deposit_id("simulated", &hash(), 1));
    assert_ne!(ids[0], deposit_id("btc", &hash(), 0));
}

#[test]
fn hostile_hashes_are_refused() {
    for text in [
        String::new(),
        "ab".repeat(31),
        "ab".repeat(33),
        "zz".repeat(32),
        format!("0x0x{}", "ab".repeat(31)),
        format!(" {}", "ab".repeat(32)),
        "é".repeat(32),
    ] {
        assert!(text.parse::<TxHash>().is_err(), "{text:?}");
    }
}
