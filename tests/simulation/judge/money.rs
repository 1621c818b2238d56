//! Money, counted here once more by nobody else's rules: what each account has is what it was given
//! less what its codes cost, nothing is held at the end, and a suspended account spends nothing.

use std::collections::BTreeMap;

use events::account::{Event as Fact, State};
use events::audit::Sums;
use events::decider::Decider;
use events::id::AccountId;
use events::money::Money;
use events::{Event, order};

use super::Log;

pub fn judge(log: &Log, sums: &BTreeMap<AccountId, Sums>, findings: &mut Vec<String>) {
    let mut states: BTreeMap<AccountId, (State, bool)> = BTreeMap::new();
    let mut given: BTreeMap<AccountId, Money> = BTreeMap::new();
    for record in &log.records {
        let (Event::Account(event), Some(account)) = (&record.event, record.stream.account_id())
        else {
            continue;
        };
        let (state, is_suspended) = states.entry(account).or_default();
        *state = std::mem::take(state).evolve(event);
        match event {
            Fact::Suspended { .. } => *is_suspended = true,
            Fact::Reinstated { .. } => *is_suspended = false,
            Fact::Credited { amount, .. } | Fact::DepositCredited { amount, .. } => {
                let sum = given.entry(account).or_default();
                *sum = *sum + *amount;
            }
            Fact::DepositReversed { amount, .. } => {
                let sum = given.entry(account).or_default();
                *sum = *sum - *amount;
            }
            Fact::Order(id, order::Event::Placed(_)) if *is_suspended => {
                findings.push(format!("A3: {id} was placed by a suspended account"));
            }
            _ => {}
        }
    }
    for told in log.orders.values().filter(|told| told.state.code.is_some()) {
        if !told.state.is_refunded {
            let sum = given.entry(told.account).or_default();
            *sum = *sum - told.state.placed.price;
        }
    }
    for (account, sums) in sums {
        let has = given.get(account).copied().unwrap_or_default();
        if has != sums.balance {
            findings.push(format!("M1: {account} has {:?} and must have {has:?}", sums.balance));
        }
        let (state, _) = &states[account];
        if (state.balance, state.held) != (sums.balance, sums.held) {
            findings.push(format!("M2: {account} has {:?}, its entries {sums:?}", state.balance));
        }
        if state.held != Money::ZERO {
            findings.push(format!("M4: {:?} of {account} is held at the end", state.held));
        }
    }
}
