//! Accounts under what the operator wants of every newcomer: one that waits orders nothing.

use super::*;
use crate::account::{Admission, RegistrationKind};
use crate::id::InviteId;

fn admitted(kind: RegistrationKind) -> Event {
    Event::Admitted { kind, terms: Some("2026-11".to_owned()), at: NOW }
}

fn under(kind: RegistrationKind, register: Command) -> Command {
    let (register, terms) = (Box::new(register), Some("2026-11".to_owned()));
    Command::RegisterUnder { register, kind, terms, at: NOW }
}

fn register() -> Command {
    let (id, key_hash, webhook_secret) = (AccountId(7), [1; 32], "whsec_x".to_owned());
    Command::Register { id, key_hash, webhook_secret, at: NOW }
}

fn approve() -> Command {
    Command::Approve { reason: "talked".to_owned(), at: NOW }
}

fn decline(reason: &str) -> Command {
    Command::Decline { reason: reason.to_owned(), at: NOW }
}

#[test]
fn an_account_is_opened_with_what_it_accepted_and_by_which_way() {
    let kind = RegistrationKind::Invite(InviteId(3));
    let state = given(State::default(), &[])
        .when(&under(kind, register()))
        .then(&[registered(), admitted(kind)]);
    assert_eq!((state.terms.as_deref(), &state.admission), (Some("2026-11"), &Admission::Given));
    given(state, &[])
        .when(&under(kind, register()))
        .then_refused(&StandingRefusal::AlreadyRegistered.into());
}

#[test]
fn an_account_that_waits_orders_nothing_until_an_operator_has_looked() {
    let waits = [registered(), credited(100), admitted(RegistrationKind::Approval)];
    let place = Command::PlaceOrder(wanted(1));
    let refusal = StandingRefusal::AwaitsApproval;
    given(State::default(), &waits).when(&place).then_refused(&refusal.clone().into());
    let batch = Command::PlaceBatch(PlaceBatch { orders: vec![wanted(1)], at: NOW });
    given(State::default(), &waits).when(&batch).then_refused(&refusal.clone().into());
    let key = Command::Keyed {
        used: KeyUse { key: "k".parse().unwrap(), fingerprint: [1; 32], at: NOW },
        effect: Effect::Order(OrderId(1)),
        command: Some(Box::new(place.clone())),
    };
    given(State::default(), &waits).when(&key).then_refused(&refusal.clone().into());
    let tests = Command::OpenTestAccount { id: AccountId(8), at: NOW };
    given(State::default(), &waits).when(&tests).then_refused(&refusal.into());
    let approved = Event::Approved { reason: "talked".to_owned(), at: NOW };
    let state = given(State::default(), &waits).when(&approve()).then(&[approved]);
    assert!(state.decide(&place).is_ok());
    given(state.clone(), &[]).when(&approve()).then_nothing();
    given(state, &[]).when(&decline("late")).then_refused(&OperatorRefusal::NothingAwaited.into());
}

#[test]
fn money_that_comes_to_an_account_that_waits_is_its_own() {
    let waits = [registered(), admitted(RegistrationKind::Approval)];
    let credit = Command::Credit { amount: Money::from_cents(100), reason: "x".into(), at: NOW };
    let state = given(State::default(), &waits).when(&credit).then(&[Event::Credited {
        amount: Money::from_cents(100),
        reason: "x".to_owned(),
        at: NOW,
    }]);
    assert_eq!(state.balance, Money::from_cents(100));
}

#[test]
fn an_account_that_was_declined_says_why_and_may_be_approved_later() {
    let declined = Event::Declined { reason: "no answer".to_owned(), at: NOW };
    let waits = [registered(), admitted(RegistrationKind::Approval)];
    let state = given(State::default(), &waits).when(&decline("no answer")).then(&[declined]);
    given(state.clone(), &[]).when(&decline("no answer")).then_nothing();
    given(state.clone(), &[]).when(&decline(" ")).then_refused(&OperatorRefusal::NoReason.into());
    let reason = "no answer".to_owned();
    given(state.clone(), &[])
        .when(&Command::PlaceOrder(wanted(1)))
        .then_refused(&StandingRefusal::Declined { reason }.into());
    assert_eq!(snapshot::read(&snapshot::write(&state).unwrap()), Some(state.clone()));
    assert_eq!(
        fold(state, &[Event::Approved { reason: "ok".into(), at: NOW }]).is_admitted(),
        Ok(())
    );
}

#[test]
fn a_test_account_waits_for_nobody() {
    let events = [
        registered(),
        Event::OpenedForTests { of: None, at: NOW },
        admitted(RegistrationKind::Approval),
    ];
    assert_eq!(fold(State::default(), &events).is_admitted(), Ok(()));
}
