//! Answers: what a caller was told is so in the log, and was so when it was told.

use std::collections::BTreeMap;

use events::Event;
use events::account::idempotency::Effect;
use events::account::{Event as AccountFact, OrderRefusal, Refusal, State};
use events::decider::Decider;
use events::id::{AccountId, OrderId};
use events::order::{self, Event as Fact, Status};

use super::Log;
use crate::answers::{Answer, No, Seen, Told};
use crate::marks::Mark;
use crate::run::Remains;

pub fn judge(log: &Log, remains: &Remains<'_>, findings: &mut Vec<String>) {
    for answer in &remains.answers {
        if let Some(wrong) = wrong(log, remains, answer) {
            findings.push(format!("answers: {wrong}: {answer:?}"));
        }
    }
    keys(log, remains, findings);
    shown(log, remains, findings);
}

fn wrong(log: &Log, remains: &Remains<'_>, answer: &Answer) -> Option<&'static str> {
    let by_then = |place: Option<usize>| place.is_some_and(|at| at <= answer.told_at);
    let placed = |order: OrderId| log.place(order, |fact| matches!(fact, Fact::Placed(_)));
    let is_theirs = |order: OrderId| {
        by_then(placed(order))
            && log.orders.get(&order).is_some_and(|told| told.account == answer.account)
    };
    let nothing = |no: &No, orders: &[OrderId]| {
        let is_certain = matches!(no, No::Refused(_) | No::NotWritten);
        (is_certain && orders.iter().any(|order| placed(*order).is_some()))
            .then_some("what was refused is in the log")
    };
    match &answer.told {
        Told::Placed { order, is: Ok((told, replayed)), .. } => (!is_theirs(*told)
            || (!replayed && told != order))
            .then_some("the order that was acknowledged is not there"),
        Told::Placed { order, is: Err(no), .. } => nothing(no, &[*order]),
        Told::Batch { is: Ok((items, _)), .. } => items
            .iter()
            .any(|item| item.refused.is_none() != is_theirs(item.order))
            .then_some("a row of the batch is not as it was told"),
        Told::Batch { orders, is: Err(no), .. } => nothing(no, orders),
        Told::Cancelled { order, is: Ok(_) } => {
            let cancelled = log.place(*order, |fact| matches!(fact, Fact::Cancelled { .. }));
            let is_back = by_then(released(log, *order));
            (!by_then(cancelled) || !is_back).then_some("the cancelled order's hold is not back")
        }
        Told::Finished { order, is: Ok(()) } => {
            let finished = log.place(*order, |fact| match fact {
                Fact::Finished { .. } | Fact::Refunded { .. } => true,
                Fact::Completed { listens_until, at, .. } => listens_until <= at,
                _ => false,
            });
            (!by_then(finished)).then_some("the finished order is not")
        }
        Told::Reported { order, complaint, is: Ok(()) } => {
            let reported = log.place(
                *order,
                |fact| matches!(fact, Fact::Reported { complaint: of, .. } if of == complaint),
            );
            (!by_then(reported)).then_some("the report is not there")
        }
        Told::Cancelled { order, is: Err(no) }
        | Told::Finished { order, is: Err(no) }
        | Told::Reported { order, is: Err(no), .. } => refused(log, remains, answer, *order, no),
        Told::Trespassed { is } => (!matches!(
            is,
            Err(No::Refused(Refusal::Order(OrderRefusal::NotFound)) | No::Unknown | No::NotWritten)
        ))
        .then_some("somebody else's order is not like a missing one"),
        Told::Suspended { .. } | Told::Credited { .. } | Told::Seen(_) => None,
    }
}

/// What an order's caller was refused must be what the order says.
fn refused(
    log: &Log,
    remains: &Remains<'_>,
    answer: &Answer,
    order: OrderId,
    no: &No,
) -> Option<&'static str> {
    let No::Refused(Refusal::Order(refusal)) = no else { return None };
    let state = log.orders.get(&order).map(|told| &told.state);
    match refusal {
        OrderRefusal::NotFound => {
            let was_there = remains.answers[..answer.answers].iter().any(|before| {
                matches!(&before.told, Told::Placed { is: Ok((told, _)), .. } if *told == order)
            });
            let was_over = log.place(order, Fact::is_end).is_some_and(|at| at <= answer.told_at);
            (was_there && !was_over).then_some("an open order was not found")
        }
        OrderRefusal::Order(order::Refusal::AlreadyEnded(status)) => {
            let ended = log.place(order, Fact::is_end);
            (state.is_none_or(|state| state.status != *status)
                || ended.is_none_or(|at| at > answer.told_at))
            .then_some("the order had not ended so")
        }
        // With a slow disk it may be in the log before anybody is told.
        OrderRefusal::Order(order::Refusal::NotCompleted(_)) if remains.script.has_true_disk() => {
            log.place(order, |fact| matches!(fact, Fact::Completed { .. }))
                .is_some_and(|at| at <= answer.asked_at)
                .then_some("the order had its code")
        }
        OrderRefusal::TooManyReports | OrderRefusal::Order(_) => None,
    }
}

fn released(log: &Log, order: OrderId) -> Option<usize> {
    log.records
        .iter()
        .position(|record| {
            matches!(
                &record.event,
                Event::Account(AccountFact::HoldReleased { order: of, .. }) if *of == order
            )
        })
        .map(|index| index + 1)
}

/// A key names one order, unless that came to nothing before the next.
fn keys(log: &Log, remains: &Remains<'_>, findings: &mut Vec<String>) {
    let mut named: BTreeMap<(AccountId, u8), BTreeMap<usize, OrderId>> = BTreeMap::new();
    for answer in &remains.answers {
        let Told::Placed { key: Some(key), is: Ok((order, replayed)), .. } = &answer.told else {
            continue;
        };
        let placed = log.place(*order, |fact| matches!(fact, Fact::Placed(_))).unwrap_or(0);
        named.entry((answer.account, *key)).or_default().insert(placed, *order);
        let used = log.records.iter().any(|record| {
            record.stream.account_id() == Some(answer.account)
                && matches!(
                    &record.event,
                    Event::Account(AccountFact::KeyUsed { key: used, effect, .. })
                        if used.as_str() == format!("key-{key}")
                            && *effect == Effect::Order(*order)
                )
        });
        if !used {
            findings.push(format!("I1: the key of {order} (replayed: {replayed}) is not kept"));
        }
    }
    for ((account, key), orders) in named {
        let orders: Vec<(usize, OrderId)> = orders.into_iter().collect();
        for pair in orders.windows(2) {
            let ((_, first), (placed, second)) = (pair[0], pair[1]);
            if released(log, first).is_none_or(|at| at > placed) {
                findings.push(format!("I1: key {key} of {account} named {first} and {second}"));
            } else {
                remains.marks.see(Mark::KeyLetGo);
            }
        }
    }
}

/// What an account showed was the fold of its stream as far as it said, and in the log by then.
fn shown(log: &Log, remains: &Remains<'_>, findings: &mut Vec<String>) {
    let mut shown: BTreeMap<AccountId, Vec<(usize, &Seen)>> = BTreeMap::new();
    for answer in &remains.answers {
        if let Told::Seen(seen) = &answer.told {
            shown.entry(answer.account).or_default().push((answer.told_at, seen));
        }
    }
    for (account, mut shown) in shown {
        shown.sort_by_key(|(_, seen)| seen.revision);
        let mut facts = log
            .records
            .iter()
            .filter(|record| record.stream.account_id() == Some(account))
            .peekable();
        let mut state = State::default();
        for (told_at, seen) in shown {
            while let Some(record) = facts.next_if(|record| Some(record.revision) <= seen.revision)
            {
                if let Event::Account(event) = &record.event {
                    state = state.evolve(event);
                }
            }
            let orders: Vec<(OrderId, Status, Option<String>)> = state
                .open
                .values()
                .chain(state.listening.values())
                .map(|order| (order.id, order.status, order.code.clone()))
                .collect();
            if (seen.balance, seen.held, &seen.orders) != (state.balance, state.held, &orders) {
                findings.push(format!("M2: {account} showed {seen:?}, its log says {orders:?}"));
            }
            if usize::try_from(seen.position.0).unwrap() > told_at {
                findings.push(format!("S4: {account} showed {seen:?} before it was in the log"));
            }
        }
    }
}
