//! Money: what each account shows is the fold of its entries, nothing is held at the end, and a
//! suspended account spends nothing.

use std::collections::BTreeMap;

use events::account::{Event as Fact, State};
use events::audit::Sums;
use events::decider::Decider;
use events::id::AccountId;
use events::{Event, order};

use super::Log;

pub fn judge(log: &Log, sums: &BTreeMap<AccountId, Sums>, findings: &mut Vec<String>) {
    let mut states: BTreeMap<AccountId, (State, bool)> = BTreeMap::new();
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
            Fact::Order(id, order::Event::Placed(_)) if *is_suspended => {
                findings.push(format!("A3: {id} was placed by a suspended account"));
            }
            _ => {}
        }
    }
    for (account, sums) in sums {
        let (state, _) = &states[account];
        if (state.balance, state.held) != (sums.balance, sums.held) {
            findings.push(format!("M2: {account} has {:?}, its entries {sums:?}", state.balance));
        }
        if state.held != events::money::Money::default() {
            findings.push(format!("M4: {:?} of {account} is held at the end", state.held));
        }
    }
}
