//! What an auditor finds of orders and the policy they were judged by.

use super::Auditor;
use crate::account::{self, OrderRefused, RegistrationKind};
use crate::code::Sensitive;
use crate::country::Country;
use crate::envelope::{Position, Recorded, Revision, StreamId};
use crate::event::Event;
use crate::id::{AccountId, EventId, InviteId, OrderId};
use crate::invite;
use crate::money::Money;
use crate::order::{self, FailureReason, Placed};
use crate::platform::Platform;
use crate::policy::{self, Class, InForce, Mode, Policy, Ruling, Verdict};
use crate::time::Timestamp;

const AT: Timestamp = Timestamp::from_millis(1_795_512_345_678);
const ACCOUNT: AccountId = AccountId(1);
const ORDER: OrderId = OrderId(7);

/// The rules of policies and registration that a log of these events breaks, in their order.
fn found(events: Vec<Event>) -> Vec<&'static str> {
    broken(events).into_iter().filter(|rule| rule.starts_with(['P', 'R'])).collect()
}

/// The rules that a log of these events breaks, in their order.
fn broken(events: Vec<Event>) -> Vec<&'static str> {
    let mut auditor = Auditor::default();
    for (place, event) in (1..).zip(events) {
        let stream = match &event {
            Event::Policy(_) => StreamId::policy(),
            Event::Invite(_) => StreamId::invites(),
            _ => StreamId::account(ACCOUNT),
        };
        auditor.observe(&Recorded {
            id: EventId(u128::from(place)),
            stream,
            revision: Revision(place),
            position: Position(place),
            at: AT,
            correlation: None,
            event,
        });
    }
    auditor.finish().into_iter().map(|finding| finding.rule).collect()
}

fn registered() -> Event {
    account::Event::Registered {
        id: ACCOUNT,
        key_hash: [0; 32],
        webhook_secret: "whsec_".to_owned(),
        at: AT,
    }
    .into()
}

fn applied(version: u32, mode: Mode) -> Event {
    policy::Event::Applied {
        version,
        policy: Policy { mode, ..Policy::default() },
        by: "ada".to_owned(),
        basis: "board".to_owned(),
        at: AT,
    }
    .into()
}

fn placed(platform: Platform, verdict: Option<Verdict>) -> Event {
    let placed = Placed {
        platform,
        country: Country::Us,
        list_price: Money::ZERO,
        price: Money::ZERO,
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 0,
        verdict,
        at: AT,
    };
    account::Event::Order(ORDER, order::Event::Placed(placed)).into()
}

fn held() -> Event {
    account::Event::HoldTaken { order: ORDER, amount: Money::ZERO, at: AT }.into()
}

fn verdict(version: u32, mode: Mode, platform: Platform) -> Verdict {
    let policy = InForce::new(version, Policy { mode, ..Policy::default() });
    policy.verdict(platform, Country::Us, Class::New, true)
}

fn refused() -> Event {
    account::Event::OrderRefused(OrderRefused {
        order: ORDER,
        platform: Platform::PayPal,
        country: Country::Us,
        verdict: verdict(0, Mode::Enforce, Platform::PayPal),
        reason: "denied".to_owned(),
        at: AT,
    })
    .into()
}

#[test]
fn lawful_orders_and_refusals_are_not_found() {
    let of =
        |version, mode| placed(Platform::Google, Some(verdict(version, mode, Platform::Google)));
    assert_eq!(found(vec![registered(), of(0, Mode::Enforce), held()]), [""; 0]);
    let shadow = placed(Platform::PayPal, Some(verdict(1, Mode::Shadow, Platform::PayPal)));
    assert_eq!(found(vec![registered(), applied(1, Mode::Shadow), shadow, held()]), [""; 0]);
    assert_eq!(found(vec![registered(), refused()]), [""; 0]);
    // From before there were verdicts.
    let old = placed(Platform::Google, None);
    assert_eq!(found(vec![registered(), old, held(), applied(1, Mode::Shadow)]), [""; 0]);
}

#[test]
fn an_order_fails_over_a_held_message_only_if_it_has_one() {
    let of_order = |fact: order::Event| Event::from(account::Event::Order(ORDER, fact));
    let failed = || of_order(order::Event::Failed { reason: FailureReason::MessageHeld, at: AT });
    let held_back = || {
        of_order(order::Event::SmsHeld {
            message_id: "m1".to_owned(),
            supplier: "own".parse().unwrap(),
            kinds: vec![Sensitive::PasswordReset],
            received_at: AT,
            at: AT,
        })
    };
    let assigned = || {
        of_order(order::Event::NumberAssigned {
            attempt: 1,
            supplier: "own".parse().unwrap(),
            phone: "+12025550123".parse().unwrap(),
            expires_at: AT,
            at: AT,
        })
    };
    let released =
        || account::Event::HoldReleased { order: ORDER, amount: Money::ZERO, at: AT }.into();
    let begun = || vec![registered(), placed(Platform::Google, None), held(), assigned()];
    let log = |rest: Vec<Event>| [begun(), rest].concat();
    assert_eq!(broken(log(vec![held_back(), failed(), released()])), [""; 0]);
    assert_eq!(broken(log(vec![failed(), released()])), ["O2"]);
    // The same message twice is none.
    assert_eq!(broken(log(vec![held_back(), held_back()])), ["O2"]);
}

#[test]
fn an_order_without_a_verdict_under_a_policy_is_found() {
    let bare = placed(Platform::Google, None);
    assert_eq!(found(vec![registered(), applied(1, Mode::Shadow), bare, held()]), ["P1"]);
    let early = placed(Platform::Google, Some(verdict(2, Mode::Enforce, Platform::Google)));
    assert_eq!(found(vec![registered(), early, held()]), ["P1"]);
    assert_eq!(found(vec![applied(2, Mode::Shadow)]), ["P1"]);
}

#[test]
fn a_verdict_that_its_version_does_not_say_is_found() {
    let lenient = Verdict { ruling: Ruling::Allow, ..verdict(0, Mode::Enforce, Platform::PayPal) };
    assert_eq!(found(vec![registered(), placed(Platform::PayPal, Some(lenient)), held()]), ["P2"]);
}

#[test]
fn a_hold_of_a_refused_order_is_found() {
    assert_eq!(found(vec![registered(), refused(), held()]), ["P3"]);
    let strict = placed(Platform::PayPal, Some(verdict(0, Mode::Enforce, Platform::PayPal)));
    assert_eq!(found(vec![registered(), strict, held()]), ["P3"]);
}

fn removed_after(days: i64) -> Event {
    let at = Timestamp::from_millis(AT.millis() + days * 24 * 3_600_000);
    account::Event::Removed { unused_days: 30, at }.into()
}

fn credited() -> Event {
    account::Event::Credited { amount: Money::from_cents(1), reason: "x".to_owned(), at: AT }.into()
}

#[test]
fn an_account_is_removed_only_if_nobody_used_it_and_then_nobody_does() {
    let reopened = || account::Event::Reopened { at: AT }.into();
    let suspended = || account::Event::Suspended { reason: "x".to_owned(), at: AT }.into();
    let rotated =
        || account::Event::WebhookSecretRotated { secret: "whsec_".to_owned(), at: AT }.into();
    let lawful = [
        vec![removed_after(30)],
        vec![removed_after(30), reopened(), credited(), rotated()],
        vec![removed_after(30), suspended(), credited()],
    ];
    for log in lawful {
        assert!(found([vec![registered()], log].concat()).is_empty());
    }
    let unlawful = [
        vec![removed_after(29)],
        vec![credited(), removed_after(30)],
        vec![suspended(), removed_after(30)],
        vec![removed_after(30), credited()],
        vec![removed_after(30), rotated()],
        vec![reopened()],
    ];
    for log in unlawful {
        assert_eq!(found([vec![registered()], log].concat()), ["R3"]);
    }
}

fn admitted(kind: RegistrationKind) -> Event {
    account::Event::Admitted { kind, terms: None, at: AT }.into()
}

#[test]
fn an_order_of_an_account_that_waits_or_was_declined_is_found() {
    let approved = || account::Event::Approved { reason: "x".to_owned(), at: AT }.into();
    let declined = || account::Event::Declined { reason: "x".to_owned(), at: AT }.into();
    let tests = || account::Event::OpenedForTests { of: None, at: AT }.into();
    let (waits, open) = (RegistrationKind::Approval, RegistrationKind::Open);
    let ordered = || placed(Platform::Google, None);
    let found = |log: Vec<Event>| found([vec![registered()], log].concat());
    assert_eq!(found(vec![admitted(waits), ordered()]), ["R1"]);
    assert_eq!(found(vec![admitted(waits), declined(), ordered()]), ["R1"]);
    assert_eq!(found(vec![admitted(waits), approved(), declined(), ordered()]), ["R1"]);
    let lawful = [
        vec![ordered()],
        vec![admitted(open), ordered()],
        vec![admitted(waits), approved(), ordered()],
        vec![admitted(waits), declined(), approved(), ordered()],
        vec![tests(), admitted(waits), ordered()],
    ];
    for log in lawful {
        assert_eq!(found(log), Vec::<&str>::new());
    }
}

#[test]
fn an_invite_that_opens_more_than_it_may_is_found() {
    let invite = InviteId(5);
    let created = |uses: u32, lasts_millis: i64| -> Event {
        let expires_at = Timestamp::from_millis(AT.millis() + lasts_millis);
        let (hash, note) = ([5; 32], "for Ada".to_owned());
        invite::Event::Created { id: invite, hash, uses, expires_at, note, at: AT }.into()
    };
    let used = |account: u128| -> Event {
        invite::Event::Used { id: invite, account: AccountId(account), at: AT }.into()
    };
    let revoked = || -> Event {
        invite::Event::Revoked { id: invite, reason: "x".to_owned(), at: AT }.into()
    };
    let by_it = || admitted(RegistrationKind::Invite(invite));
    let found = |log: Vec<Event>| found([vec![registered()], log].concat());
    assert_eq!(found(vec![created(1, 1_000), used(1), by_it()]), Vec::<&str>::new());
    assert_eq!(found(vec![created(2, 1_000), used(2), used(1), by_it()]), Vec::<&str>::new());
    assert_eq!(found(vec![created(1, 1_000), used(1), used(2)]), ["R2"], "one too many");
    assert_eq!(found(vec![created(1, 0), used(1)]), ["R2"], "too late");
    assert_eq!(found(vec![created(1, 1_000), revoked(), used(1)]), ["R2"], "revoked");
    assert_eq!(found(vec![created(1, 1_000), by_it()]), ["R2"], "not used");
    assert_eq!(found(vec![created(2, 1_000), used(2), by_it()]), ["R2"], "used for another");
}
