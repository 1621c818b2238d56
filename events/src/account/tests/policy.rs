//! Orders under a policy: refused before anything is held, recorded once, and carried on in shadow.

use std::sync::Arc;

use super::*;
use crate::account::judged::{OrderRefused, PolicyRefusal};
use crate::policy::conduct::RECORDED_REFUSALS;
use crate::policy::{ConductLimit, FINANCIAL, InForce, Limit, Mode, Policy, Ruling, Verdict};

fn under(policy: Policy) -> Judge {
    Judge { policy: Arc::new(InForce::new(4, policy)), real_numbers: true }
}

fn real() -> Judge {
    under(Policy::default())
}

fn shadow() -> Judge {
    under(Policy { mode: Mode::Shadow, ..Policy::default() })
}

fn paypal(order: u128, judge: Judge) -> PlaceOrder {
    PlaceOrder { platform: Platform::PayPal, judge, ..wanted(order) }
}

fn refused(wanted: &PlaceOrder) -> OrderRefused {
    let PlaceOrder { order, platform, country, judge, at, .. } = wanted.clone();
    let verdict = judge.policy.verdict(platform, country, Class::New, true);
    let reason = judge.policy.reason(&verdict);
    OrderRefused { order, platform, country, verdict, reason, at }
}

fn funded() -> State {
    fold(State::default(), &[registered(), credited(100)])
}

fn policy_refusal(wanted: &PlaceOrder) -> PolicyRefusal {
    refused(wanted).refusal()
}

#[test]
fn a_denied_order_is_a_fact_of_its_own_and_nothing_is_held_for_it() {
    let wanted = paypal(1, real());
    let state = given(funded(), &[])
        .when(&Command::PlaceOrder(wanted.clone()))
        .then(&[Event::OrderRefused(refused(&wanted))]);
    assert_eq!((state.held, state.open.len()), (Money::ZERO, 0));
    // The account of the same day knows it: it is refused and not recorded again.
    let again = paypal(2, real());
    let refusal = ItemRefusal::Policy(policy_refusal(&again));
    given(state, &[]).when(&Command::PlaceOrder(again)).then_refused(&refusal.into());
}

#[test]
fn a_shadow_lets_the_order_go_on_with_its_verdict() {
    let events = funded().decide(&Command::PlaceOrder(paypal(1, shadow()))).unwrap();
    let Event::Order(_, order::Event::Placed(placed)) = &events[0] else { panic!("{events:?}") };
    let Verdict { version, rule, ruling, mode, .. } = placed.verdict.clone().unwrap();
    assert_eq!((version, rule.as_str(), ruling, mode), (4, FINANCIAL, Ruling::Deny, Mode::Shadow));
    assert!(matches!(events[1], Event::HoldTaken { .. }));
}

#[test]
fn whoever_has_no_money_is_told_of_the_policy_first() {
    let poor = fold(State::default(), &[registered()]);
    let wanted = paypal(1, real());
    given(poor, &[])
        .when(&Command::PlaceOrder(wanted.clone()))
        .then(&[Event::OrderRefused(refused(&wanted))]);
}

#[test]
fn an_order_of_a_batch_is_refused_alone() {
    let orders = vec![PlaceOrder { judge: real(), ..wanted(1) }, paypal(2, real())];
    let events = funded().decide(&Command::PlaceBatch(PlaceBatch { orders, at: NOW })).unwrap();
    let Event::BatchPlaced { items, .. } = &events[0] else { panic!("{events:?}") };
    let refusal = policy_refusal(&paypal(2, real()));
    assert_eq!(items[0].refused, None);
    assert_eq!(items[1].refused, Some(ItemRefusal::Policy(refusal)));
    assert_eq!(events.last(), Some(&Event::OrderRefused(refused(&paypal(2, real())))));
    let state = fold(funded(), &events);
    assert_eq!(state.open.len(), 1);
}

#[test]
fn a_refused_order_leaves_its_key_free() {
    let command = Command::PlaceOrder(paypal(1, real()));
    let keyed = keyed(used("k", 1, NOW), Effect::Order(OrderId(1)), command);
    let state =
        given(funded(), &[]).when(&keyed).then(&[Event::OrderRefused(refused(&paypal(1, real())))]);
    assert!(state.keys.get(&"k".parse().unwrap(), NOW).is_none());
}

#[test]
fn the_refusals_of_a_day_fill_no_disk() {
    let mut state = funded();
    let mut recorded = 0;
    for (order, platform) in (1..).zip(Platform::ALL.iter().cycle().take(66)) {
        let rules = vec![crate::policy::Rule {
            id: "all".parse().unwrap(),
            platforms: Vec::new(),
            countries: Vec::new(),
            classes: Vec::new(),
            ruling: Ruling::Deny,
            reason: "closed".to_owned(),
            basis: String::new(),
        }];
        let judge = under(Policy { rules, ..Policy::default() });
        let wanted = PlaceOrder { platform: *platform, judge, ..wanted(order) };
        if let Ok(events) = state.decide(&Command::PlaceOrder(wanted)) {
            recorded += events.len();
            state = fold(state, &events);
        }
    }
    assert_eq!(recorded, RECORDED_REFUSALS);
}

#[test]
fn a_day_s_limit_says_when_it_is_over() {
    let limits =
        vec![ConductLimit { limit: Limit::OrdersPerPlatform, allowed: 1, mode: Mode::Enforce }];
    let judge = under(Policy { limits, ..Policy::default() });
    let first = PlaceOrder { judge: judge.clone(), max_concurrent: 9, ..wanted(1) };
    let events = funded().decide(&Command::PlaceOrder(first)).unwrap();
    let state = fold(funded(), &events);
    let second = PlaceOrder { judge, max_concurrent: 9, ..wanted(2) };
    let events = state.decide(&Command::PlaceOrder(second)).unwrap();
    let Event::OrderRefused(refused) = &events[0] else { panic!("{events:?}") };
    let seconds = refused.refusal().retry_after_seconds.unwrap();
    assert!((1..=24 * 3_600).contains(&seconds), "{seconds}");
}

#[test]
fn a_class_is_set_with_a_reason_and_decides() {
    let set = |reason: &str| Command::SetClass {
        class: Class::Trusted,
        reason: reason.to_owned(),
        at: NOW,
    };
    given(funded(), &[]).when(&set(" ")).then_refused(&OperatorRefusal::NoReason.into());
    let state = given(funded(), &[]).when(&set("contract 12")).then(&[Event::ClassSet {
        class: Class::Trusted,
        reason: "contract 12".to_owned(),
        at: NOW,
    }]);
    assert_eq!(state.conduct.class, Class::Trusted);
    let bytes = state.snapshot().unwrap();
    assert_eq!(State::from_snapshot(&bytes).unwrap().conduct, state.conduct);
}

#[test]
fn a_snapshot_keeps_what_conduct_is_judged_by() {
    let mut state = funded();
    for command in [
        Command::PlaceOrder(PlaceOrder { max_concurrent: 9, judge: real(), ..wanted(1) }),
        Command::Order(OrderId(1), number()),
        Command::Order(OrderId(1), order::Command::Cancel { at: NOW }),
        Command::PlaceOrder(PlaceOrder { max_concurrent: 9, judge: real(), ..wanted(2) }),
        Command::Order(OrderId(2), number()),
        Command::PlaceOrder(paypal(3, real())),
    ] {
        if let Ok(events) = state.decide(&command) {
            state = fold(state, &events);
        }
    }
    assert_eq!((state.conduct.ended, state.conduct.with_number.len()), (1, 1));
    let bytes = state.snapshot().unwrap();
    assert_eq!(State::from_snapshot(&bytes).unwrap().conduct, state.conduct);
}
