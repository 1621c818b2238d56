//! The rules of a deposit as scenarios: one output, one account, one credit, and back again when
//! the chain changes its mind.

use std::time::Duration;

use super::*;
use crate::spec::given;

const NOW: Timestamp = Timestamp::from_millis(5_000_000);

fn hash() -> TxHash {
    "ab".repeat(32).parse().unwrap()
}

fn claim(account: u128) -> Command {
    Command::Claim {
        account: AccountId(account),
        chain: SIMULATED.to_owned(),
        tx_hash: hash(),
        output: 0,
        at: NOW,
    }
}

fn claimed(account: u128) -> Event {
    Event::Claimed {
        account: AccountId(account),
        chain: SIMULATED.to_owned(),
        tx_hash: hash(),
        output: 0,
        at: NOW,
    }
}

fn sight(account: Option<u128>, branch: &str) -> Sight {
    let block = Block { height: 100, hash: branch.to_owned() };
    Sight {
        account: account.map(AccountId),
        chain: "btc".to_owned(),
        tx_hash: hash(),
        output: 3,
        paid: "0.001".to_owned(),
        block,
    }
}

fn see(account: Option<u128>, branch: &str) -> Command {
    Command::See { sight: sight(account, branch), at: NOW }
}

fn seen(account: Option<u128>, branch: &str) -> Event {
    Event::Seen { sight: sight(account, branch), at: NOW }
}

fn confirm() -> Command {
    let (paid, rate, rate_source) = ("0.001".to_owned(), "10000".to_owned(), "fixed".to_owned());
    Command::Confirm {
        amount: Money::from_cents(1_000),
        paid,
        rate,
        rate_source,
        rate_at: NOW,
        at: NOW,
    }
}

fn confirmed() -> Event {
    let (paid, rate, rate_source) = ("0.001".to_owned(), "10000".to_owned(), "fixed".to_owned());
    Event::Confirmed {
        amount: Money::from_cents(1_000),
        paid,
        rate,
        rate_source,
        rate_at: NOW,
        at: NOW,
    }
}

const MARK_CREDITED: Command = Command::MarkCredited { at: NOW };
const CREDITED: Event = Event::Credited { at: NOW };
const ORPHANED: Event = Event::Orphaned { at: NOW };
const REVERSED: Event = Event::Reversed { at: NOW };

#[test]
fn an_output_is_one_account_s() {
    let deposit = given(State::default(), &[]).when(&claim(1)).then(&[claimed(1)]);
    given(deposit.clone(), &[]).when(&claim(1)).then_nothing();
    given(deposit, &[]).when(&claim(2)).then_refused(&Refusal::ClaimedByAnother);
}

#[test]
fn a_payment_to_a_personal_address_is_its_owner_s_whoever_claims_it() {
    let deposit = given(State::default(), &[]).when(&see(Some(1), "a")).then(&[seen(Some(1), "a")]);
    given(deposit.clone(), &[]).when(&claim(2)).then_refused(&Refusal::ClaimedByAnother);
    given(deposit.clone(), &[]).when(&claim(1)).then_nothing();
    given(deposit, &[]).when(&see(Some(1), "a")).then_nothing();
}

#[test]
fn a_payment_to_a_shared_address_waits_for_the_first_who_claims_it() {
    let deposit = given(State::default(), &[seen(None, "a")]).when(&confirm());
    deposit.then_refused(&Refusal::NotClaimed);
    let deposit = given(State::default(), &[seen(None, "a"), claimed(1)]).when(&claim(2));
    deposit.then_refused(&Refusal::ClaimedByAnother);
    let deposit = given(State::default(), &[seen(None, "a"), claimed(1)])
        .when(&confirm())
        .then(&[confirmed()]);
    assert_eq!(
        (deposit.account, deposit.chain.as_str(), deposit.output),
        (Some(AccountId(1)), "btc", 3)
    );
    // Claimed while it is in no block yet: it waits for one.
    let claim = Command::Claim {
        account: AccountId(1),
        chain: "btc".to_owned(),
        tx_hash: hash(),
        output: 3,
        at: NOW,
    };
    let claimed = Event::Claimed {
        account: AccountId(1),
        chain: "btc".to_owned(),
        tx_hash: hash(),
        output: 3,
        at: NOW,
    };
    let deposit = given(State::default(), &[]).when(&claim).then(std::slice::from_ref(&claimed));
    assert_eq!(deposit.next_step(), Step::Wait);
    given(deposit.clone(), &[]).when(&confirm()).then_refused(&Refusal::NotInBlock);
    let deposit = given(deposit, &[]).when(&see(None, "a")).then(&[seen(None, "a")]);
    assert_eq!((deposit.next_step(), deposit.account), (Step::AskChain, Some(AccountId(1))));
}

#[test]
fn a_simulated_deposit_goes_from_claim_to_credit_and_each_step_is_taken_once() {
    let deposit = given(State::default(), &[claimed(1)]).when(&confirm()).then(&[confirmed()]);
    given(deposit.clone(), &[]).when(&confirm()).then_nothing();
    let deposit = given(deposit, &[]).when(&MARK_CREDITED).then(&[CREDITED]);
    assert_eq!((deposit.status, deposit.amount), (Status::Credited, Money::from_cents(1_000)));
    assert_eq!(deposit.next_step(), Step::Done);
    given(deposit.clone(), &[]).when(&MARK_CREDITED).then_nothing();
    given(deposit, &[]).when(&confirm()).then_nothing();
}

#[test]
fn a_deposit_in_a_block_is_watched_until_it_is_settled() {
    let events = [seen(Some(1), "a"), confirmed(), CREDITED];
    let deposit = given(State::default(), &events)
        .when(&Command::Settle { at: NOW })
        .then(&[Event::Settled { at: NOW }]);
    assert_eq!(deposit.next_step(), Step::Done);
    given(deposit.clone(), &[]).when(&Command::Settle { at: NOW }).then_nothing();
    given(deposit.clone(), &[]).when(&see(Some(1), "b")).then_refused(&Refusal::Settled);
    given(deposit, &[]).when(&Command::Orphan { at: NOW }).then_refused(&Refusal::Settled);
    given(State::default(), &events[..1])
        .when(&Command::Settle { at: NOW })
        .then_refused(&Refusal::NotConfirmed);
}

#[test]
fn a_credited_deposit_whose_block_is_gone_is_reversed_and_credited_again_when_it_is_back() {
    let orphan = Command::Orphan { at: NOW };
    let deposit = given(State::default(), &[seen(Some(1), "a"), confirmed(), CREDITED])
        .when(&orphan)
        .then(&[ORPHANED]);
    assert_eq!(deposit.next_step(), Step::Reverse);
    given(deposit.clone(), &[]).when(&orphan).then_nothing();
    given(deposit.clone(), &[]).when(&confirm()).then_refused(&Refusal::NotConfirmed);
    let deposit = given(deposit, &[]).when(&Command::MarkReversed { at: NOW }).then(&[REVERSED]);
    assert_eq!(
        (deposit.status, deposit.next_step(), deposit.reversals, deposit.amount),
        (Status::Pending, Step::Wait, 1, Money::ZERO)
    );
    let deposit = given(deposit, &[]).when(&see(Some(1), "b")).then(&[seen(Some(1), "b")]);
    let deposit = given(deposit, &[]).when(&confirm()).then(&[confirmed()]);
    assert_eq!(
        given(deposit, &[CREDITED]).when(&MARK_CREDITED).then_nothing().status,
        Status::Credited
    );
}

#[test]
fn a_credited_deposit_in_another_block_is_reversed_first() {
    for events in
        [vec![seen(Some(1), "a"), confirmed()], vec![seen(Some(1), "a"), confirmed(), CREDITED]]
    {
        let deposit = given(State::default(), &events)
            .when(&see(Some(1), "b"))
            .then(&[ORPHANED, seen(Some(1), "b")]);
        assert_eq!(deposit.next_step(), Step::Reverse);
        let deposit =
            given(deposit, &[]).when(&Command::MarkReversed { at: NOW }).then(&[REVERSED]);
        assert_eq!(deposit.next_step(), Step::AskChain);
    }
}

#[test]
fn an_unconfirmed_deposit_whose_block_is_gone_waits() {
    let deposit = given(State::default(), &[seen(Some(1), "a")])
        .when(&Command::Orphan { at: NOW })
        .then(&[ORPHANED]);
    assert_eq!((deposit.status, deposit.next_step()), (Status::Pending, Step::Wait));
    given(deposit, &[]).when(&confirm()).then_refused(&Refusal::NotInBlock);
}

#[test]
fn no_step_is_skipped() {
    for command in [
        confirm(),
        MARK_CREDITED,
        Command::MarkReversed { at: NOW },
        Command::Settle { at: NOW },
        Command::Orphan { at: NOW },
    ] {
        given(State::default(), &[]).when(&command).then_refused(&Refusal::NotClaimed);
    }
    given(State::default(), &[claimed(1)])
        .when(&MARK_CREDITED)
        .then_refused(&Refusal::NotConfirmed);
}

#[test]
fn every_way_to_write_a_hash_is_one_deposit() {
    let ways = [
        "ab".repeat(32),
        "AB".repeat(32),
        format!("0x{}", "aB".repeat(32)),
        format!("0X{}", "ab".repeat(32)),
    ];
    let ids: Vec<_> = ways.iter().map(|way| deposit_id("btc", &way.parse().unwrap(), 0)).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_ne!(ids[0], deposit_id("btc", &hash(), 1));
    assert_ne!(ids[0], deposit_id("ltc", &hash(), 0));
    assert_ne!(ids[0], transaction_id(&hash()));
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

#[test]
fn new_coins_need_to_be_mature_whatever_the_table_says() {
    for (usual, of_new_coins) in [(1, 100), (6, 100), (100, 100), (120, 120)] {
        assert_eq!(
            Finality::Confirmations(usual).of_new_coins(),
            Finality::Confirmations(of_new_coins)
        );
    }
    assert_eq!(Finality::ByChain.of_new_coins(), Finality::ByChain);
    let ends = |height| Ends { height, finalized: None };
    let mature = Finality::Confirmations(1).of_new_coins();
    assert!(!mature.is_reached(10, ends(108)) && mature.is_reached(10, ends(109)));
}

#[test]
fn larger_amounts_need_more_confirmations() {
    let (btc, ltc) = (Policy::usual(Currency::Btc), Policy::usual(Currency::Ltc));
    let blocks = |policy: &Policy, cents| policy.finality(Money::from_cents(cents));
    for (cents, expected) in
        [(1, 1), (5_000, 1), (5_001, 2), (50_000, 2), (50_001, 3), (500_000, 3), (500_001, 6)]
    {
        assert_eq!(blocks(&btc, cents), Finality::Confirmations(expected), "{cents}");
    }
    assert_eq!(
        (blocks(&ltc, 5_000), blocks(&ltc, 5_001)),
        (Finality::Confirmations(6), Finality::Confirmations(20))
    );
    assert_eq!(blocks(&Policy::usual(Currency::UsdtErc20), 1), Finality::ByChain);
    let table = |up_to: &[(i64, u32)], above| Policy::ByAmount {
        up_to: up_to.iter().map(|(cents, blocks)| (Money::from_cents(*cents), *blocks)).collect(),
        above,
    };
    assert!(btc.is_sound() && ltc.is_sound() && table(&[], 1).is_sound());
    for unsound in [
        table(&[], 0),
        table(&[(1, 0)], 1),
        table(&[(1, 3)], 2),
        table(&[(1, 3), (2, 2)], 6),
        table(&[(2, 1), (1, 2)], 6),
    ] {
        assert!(!unsound.is_sound(), "{unsound:?}");
    }
}

#[test]
fn a_payment_is_final_when_enough_blocks_stand_on_it_or_its_chain_says_so() {
    let ends = |height, finalized| Ends { height, finalized };
    assert_eq!(
        (
            ends(100, None).confirmations(100),
            ends(100, None).confirmations(95),
            ends(100, None).confirmations(101)
        ),
        (1, 6, 0)
    );
    let six = Finality::Confirmations(6);
    assert!(
        six.is_reached(95, ends(100, None))
            && !six.is_reached(96, ends(100, None))
            && !six.is_reached(u64::MAX, ends(100, None))
    );
    assert!(
        Finality::ByChain.is_reached(98, ends(100, Some(98)))
            && !Finality::ByChain.is_reached(99, ends(100, Some(98)))
    );
    assert!(!Finality::ByChain.is_reached(1, ends(100, None)));
    let btc = Policy::usual(Currency::Btc);
    assert!(
        btc.is_settled(1, ends(100, Some(100)), 100)
            && !btc.is_settled(2, ends(100, Some(100)), 100)
    );
    assert!(
        Policy::ByChain.is_settled(98, ends(100, Some(98)), 1_000)
            && !Policy::ByChain.is_settled(99, ends(100, Some(98)), 1_000)
    );
}

fn quotes(rates: &[(&str, i64)]) -> Vec<Quote> {
    let quote = |(place, (rate, age)): (usize, &(&str, i64))| Quote {
        source: format!("s{place}"),
        rate: rate.parse().unwrap(),
        at: Timestamp::from_millis(NOW.millis() - age),
    };
    rates.iter().enumerate().map(quote).collect()
}

fn agree(rates: &[(&str, i64)], configured: usize) -> Result<(String, String, i64), Disagreement> {
    let agreement = agreed_rate(&quotes(rates), configured, NOW, Duration::from_mins(1), 2)?;
    Ok((agreement.rate.to_string(), agreement.source, agreement.at.millis() - NOW.millis()))
}

#[test]
fn a_rate_is_the_median_of_fresh_sources_that_agree() {
    let agreed = |rate: &str, source: &str, at| Ok((rate.to_owned(), source.to_owned(), at));
    assert_eq!(agree(&[("100.50", 0)], 1), agreed("100.5", "s0", 0));
    assert_eq!(agree(&[("100", 5), ("101", 9), ("99.5", 0)], 3), agreed("100", "s2, s0, s1", -9));
    assert_eq!(agree(&[("100", 0), ("101", 0)], 2), agreed("100", "s0, s1", 0));
    // The stale one does not count; two of three are enough.
    assert_eq!(agree(&[("100", 0), ("250", 60_001), ("101", 0)], 3), agreed("100", "s0, s2", 0));
    assert_eq!(
        agree(&[("100", 0), ("101", 60_001)], 2),
        Err(Disagreement::TooFew { fresh: 1, needed: 2 })
    );
    assert_eq!(agree(&[("100", 0)], 3), Err(Disagreement::TooFew { fresh: 1, needed: 2 }));
    assert_eq!(agree(&[], 1), Err(Disagreement::TooFew { fresh: 0, needed: 1 }));
    assert_eq!(agree(&[("100", 0), ("102.01", 0)], 2), Err(Disagreement::TooFarApart(2)));
    assert_eq!(agree(&[("100", 0), ("100", 0), ("1", 0)], 3), Err(Disagreement::TooFarApart(2)));
}

#[test]
fn coins_and_their_smallest_units_are_the_same_amount() {
    for (text, written, whole) in [
        ("0.00100000", "0.001", 100_000),
        ("1", "1", 100_000_000),
        ("21000000.00000001", "21000000.00000001", 2_100_000_000_000_001),
        ("1e-8", "0.00000001", 1),
    ] {
        assert_eq!(units(text, Currency::Btc), Some(whole), "{text}");
        assert_eq!(coins(whole, Currency::Btc).as_deref(), Some(written));
    }
    assert_eq!(coins(1_500_000, Currency::UsdtErc20).as_deref(), Some("1.5"));
    assert_eq!(coins(u128::MAX, Currency::UsdtErc20), None);
    for hostile in ["", "-1", "0.000000001", "1e400", "NaN", "0x1", "1 "] {
        assert_eq!(units(hostile, Currency::Btc), None, "{hostile}");
    }
}

#[test]
fn a_payment_s_worth_is_exact_and_rounded_down() {
    let worth = |paid: &str, rate: &str| worth(paid, rate.parse().unwrap()).map(Money::micros);
    assert_eq!(worth("0.00012345", "65000.01"), Some(8_024_251));
    // More than an account can ever hold.
    assert_eq!(worth("21000000", "1000000"), None);
    assert_eq!(worth("0.00000001", "80"), Some(0));
    assert_eq!(worth("1.999999", "1"), Some(1_999_999));
    for (paid, rate) in
        [("-1", "1"), ("", "1"), ("1e400", "1"), ("x", "1"), ("10000000000", "1000000000")]
    {
        assert_eq!(worth(paid, rate), None, "{paid}");
    }
    assert_eq!("6.5e4".parse::<Rate>().unwrap().to_string(), "65000");
    for hostile in ["", "0", "-1", "NaN", "inf", "1e30", "1,5", "0.0000000000001", &"9".repeat(40)]
    {
        assert!(hostile.parse::<Rate>().is_err(), "{hostile}");
    }
}
