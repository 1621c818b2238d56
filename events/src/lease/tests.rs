//! The rules of a lease as scenarios: sought before it is asked for, released once, whatever is
//! heard in between.

use std::collections::BTreeMap;

use super::{
    Command, Costs, Discrepancy, Event, LeaseId, Outcome, Refusal, Request, State, Status, Step,
    Theirs, costs, next_step, reconcile,
};
use crate::country::Country;
use crate::decider::fold;
use crate::id::{AccountId, OrderId};
use crate::money::Money;
use crate::order::{self, AttemptFailure, Placed};
use crate::phone::Phone;
use crate::platform::Platform;
use crate::spec::given;
use crate::time::Timestamp;

const AT: Timestamp = Timestamp::from_millis(5);
const COST: Money = Money::from_cents(12);

fn id(supplier: &str, attempt: u8) -> LeaseId {
    LeaseId { supplier: supplier.parse().unwrap(), order: OrderId(7), attempt }
}

fn request() -> Request {
    Request {
        id: id("acme", 1),
        account: AccountId(1),
        platform: Platform::Google,
        country: Country::Us,
    }
}

fn phone() -> Phone {
    "+12025550123".parse().unwrap()
}

fn sought() -> Event {
    Event::Sought { request: request(), at: AT }
}

fn obtained() -> Event {
    Event::Obtained { phone: phone(), cost: COST, at: AT }
}

fn release_sought(outcome: Outcome) -> Event {
    Event::ReleaseSought { outcome, at: AT }
}

const RELEASED: Event = Event::Released { charged: Money::ZERO, at: AT };

#[test]
fn a_lease_is_sought_obtained_and_released_once() {
    let seek = Command::Seek { request: request(), at: AT };
    let lease = given(State::default(), &[]).when(&seek).then(&[sought()]);
    // Asked again after a crash: the same lease.
    let lease = given(lease, &[]).when(&seek).then_nothing();
    let obtain = Command::Obtain { phone: phone(), cost: COST, at: AT };
    let lease = given(lease, &[]).when(&obtain).then(&[obtained()]);
    let lease = given(lease, &[]).when(&obtain).then_nothing();
    given(lease.clone(), &[])
        .when(&Command::Release { charged: Money::ZERO, at: AT })
        .then_refused(&Refusal::NotSought);
    let lease = given(lease, &[])
        .when(&Command::SeekRelease { outcome: Outcome::Served, at: AT })
        .then(&[release_sought(Outcome::Served)]);
    assert_eq!(lease.status, Status::Releasing(Outcome::Served));
    given(lease.clone(), &[])
        .when(&Command::SeekRelease { outcome: Outcome::Unused, at: AT })
        .then_nothing();
    let lease = given(lease, &[])
        .when(&Command::Release { charged: COST, at: AT })
        .then(&[Event::Released { charged: COST, at: AT }]);
    given(lease.clone(), &[])
        .when(&Command::Release { charged: Money::ZERO, at: AT })
        .then_nothing();
    given(lease, &[]).when(&seek).then_refused(&Refusal::Over);
}

#[test]
fn what_is_heard_too_late_changes_nothing() {
    let releasing = [sought(), release_sought(Outcome::Unused)];
    given(State::default(), &releasing)
        .when(&Command::Obtain { phone: phone(), cost: COST, at: AT })
        .then_refused(&Refusal::Over);
    given(State::default(), &releasing)
        .when(&Command::Decline { at: AT })
        .then_refused(&Refusal::Over);
    given(State::default(), &[sought(), release_sought(Outcome::Unused), RELEASED])
        .when(&Command::Decline { at: AT })
        .then_refused(&Refusal::Over);
    given(State::default(), &[])
        .when(&Command::Decline { at: AT })
        .then_refused(&Refusal::NotSought);
}

#[test]
fn a_source_cannot_take_back_or_change_what_it_has_leased() {
    given(State::default(), &[sought(), obtained()])
        .when(&Command::Decline { at: AT })
        .then_refused(&Refusal::AnotherNumber);
    let other = Command::Obtain { phone: "+12025550124".parse().unwrap(), cost: COST, at: AT };
    given(State::default(), &[sought(), obtained()])
        .when(&other)
        .then_refused(&Refusal::AnotherNumber);
    let declined = given(State::default(), &[sought()])
        .when(&Command::Decline { at: AT })
        .then(&[Event::Declined { at: AT }]);
    given(declined, &[])
        .when(&Command::SeekRelease { outcome: Outcome::Unused, at: AT })
        .then_nothing();
}

#[test]
fn a_reference_names_its_lease() {
    let id = id("my-source", 2);
    assert_eq!(LeaseId::of_reference("my-source".parse().unwrap(), &id.reference()), Some(id));
    for stranger in ["", "x", "1-2", "0000000000000000000007-300", "0000000000000000000007"] {
        assert_eq!(LeaseId::of_reference("acme".parse().unwrap(), stranger), None, "{stranger}");
    }
}

fn placed() -> order::State {
    let price = Money::from_cents(50);
    let placed = Placed {
        platform: Platform::Google,
        country: Country::Us,
        list_price: price,
        price,
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 300,
        verdict: None,
        at: AT,
    };
    order::State::new(OrderId(7), placed)
}

fn assigned(supplier: &str, attempt: u8) -> order::Event {
    order::Event::NumberAssigned {
        attempt,
        supplier: supplier.parse().unwrap(),
        phone: phone(),
        expires_at: Timestamp::from_millis(300_000),
        at: AT,
    }
}

#[test]
fn the_order_says_whether_a_lease_is_still_wanted() {
    let failed = order::Event::AttemptFailed {
        attempt: 1,
        supplier: "other".parse().unwrap(),
        reason: AttemptFailure::TimedOut,
        at: AT,
    };
    let dead =
        order::Event::NumberReportedDead { attempt: 1, supplier: "acme".parse().unwrap(), at: AT };
    let completed = order::Event::Completed {
        code: "123456".to_owned(),
        message_id: "m".to_owned(),
        listens_until: Timestamp::from_millis(300_000),
        at: AT,
    };
    let finished = order::Event::Finished { at: AT };
    let cancelled = order::Event::Cancelled { at: AT };
    let unused = Step::Release(Outcome::Unused);
    for (facts, lease, expected) in [
        (vec![], id("acme", 1), Step::Wait),
        (vec![order::Event::Queued { at: AT }], id("acme", 1), Step::Wait),
        (vec![failed.clone()], id("other", 1), unused),
        (vec![failed], id("acme", 2), Step::Wait),
        (vec![assigned("acme", 1)], id("acme", 1), Step::Keep),
        // After a crash the attempt was made with another source.
        (vec![assigned("other", 1)], id("acme", 1), unused),
        (vec![assigned("acme", 1), completed.clone()], id("acme", 1), Step::Keep),
        (
            vec![assigned("acme", 1), completed, finished],
            id("acme", 1),
            Step::Release(Outcome::Served),
        ),
        (vec![assigned("acme", 1), cancelled], id("acme", 1), unused),
        (vec![assigned("acme", 1), dead.clone()], id("acme", 1), Step::Release(Outcome::Dead)),
        (
            vec![assigned("acme", 1), dead, assigned("other", 2)],
            id("acme", 1),
            Step::Release(Outcome::Dead),
        ),
    ] {
        assert_eq!(next_step(&lease, Some(&fold(placed(), &facts))), expected, "{facts:?}");
    }
    assert_eq!(next_step(&id("acme", 1), None), unused);
}

#[test]
fn our_leases_and_the_sources_list_are_compared_both_ways() {
    let charged = |cents| Event::Released { charged: Money::from_cents(cents), at: AT };
    let lease = |facts: &[Event]| fold(State::default(), facts);
    let open = lease(&[sought(), obtained()]);
    let served = lease(&[sought(), obtained(), release_sought(Outcome::Served), charged(12)]);
    let unused = lease(&[sought(), obtained(), release_sought(Outcome::Unused), charged(0)]);
    let kept = lease(&[sought(), obtained(), release_sought(Outcome::Unused), charged(12)]);
    let asking = lease(&[sought()]);
    let there = |is_open, cents| {
        vec![Theirs {
            reference: id("acme", 1).reference(),
            phone: Some(phone()),
            is_open,
            cost: Money::from_cents(cents),
        }]
    };
    let otherwise =
        Discrepancy::ChargedOtherwise { said: Money::ZERO, charges: Money::from_cents(12) };
    for (ours, theirs, expected) in [
        (Some(&open), there(true, 12), None),
        (Some(&open), there(false, 12), Some(Discrepancy::NotLeasedThere)),
        (Some(&open), vec![], Some(Discrepancy::NotLeasedThere)),
        (Some(&served), there(false, 12), None),
        (Some(&served), vec![], None),
        (Some(&unused), there(true, 12), Some(Discrepancy::StillLeased)),
        (Some(&unused), there(false, 12), Some(otherwise)),
        (Some(&unused), there(false, 0), None),
        (Some(&kept), there(false, 12), Some(Discrepancy::NotRefunded(COST))),
        (Some(&kept), vec![], Some(Discrepancy::NotRefunded(COST))),
        (Some(&asking), there(true, 12), None),
        (Some(&asking), vec![], None),
        (None, there(true, 12), Some(Discrepancy::NoOrderKnows)),
        (None, there(false, 12), None),
    ] {
        let ours: BTreeMap<LeaseId, State> =
            ours.map(|lease| (id("acme", 1), lease.clone())).into_iter().collect();
        let found = reconcile(&"acme".parse().unwrap(), &ours, &theirs);
        assert_eq!(
            found.into_iter().map(|(_, discrepancy)| discrepancy).next(),
            expected,
            "{ours:?} {theirs:?}"
        );
    }
    let other =
        Theirs { phone: Some("+12025550199".parse().unwrap()), ..there(true, 12).remove(0) };
    let ours = BTreeMap::from([(id("acme", 1), open.clone())]);
    assert_eq!(
        reconcile(&"acme".parse().unwrap(), &ours, &[other])[0].1,
        Discrepancy::AnotherNumber
    );
    // Another source's leases are none of this one's.
    assert_eq!(reconcile(&"other".parse().unwrap(), &ours, &[]), []);
    let sum = costs([&open, &served, &unused, &asking]);
    let (cost, charged) = (Money::from_cents(36), Money::from_cents(12));
    assert_eq!(sum, Costs { attempts: 4, leased: 3, served: 1, cost, charged, under_way: 1 });
}
