//! Deposits: what an account has of a chain is what the chain has paid it, once.

use std::collections::BTreeMap;

use events::Event;
use events::account::Event as Fact;
use events::id::AccountId;

use super::Log;
use crate::marks::Mark;
use crate::run::Remains;

pub async fn judge(log: &Log, remains: &Remains<'_>, findings: &mut Vec<String>) {
    let mut has: BTreeMap<AccountId, i64> = BTreeMap::new();
    for record in &log.records {
        let (Event::Account(event), Some(account)) = (&record.event, record.stream.account_id())
        else {
            continue;
        };
        let cents = has.entry(account).or_default();
        match event {
            Fact::DepositCredited { amount, .. } => {
                remains.marks.see(Mark::DepositCredited);
                *cents += amount.micros() / 10_000;
            }
            Fact::DepositReversed { amount, .. } => {
                remains.marks.see(Mark::DepositReversed);
                *cents -= amount.micros() / 10_000;
            }
            _ => {}
        }
    }
    let Some(coins) = remains.coins else { return };
    for (account, owed) in coins.owed().await {
        if has.get(&account).copied().unwrap_or(0) != owed {
            findings.push(format!("M7: {account} has {has:?} of the chain, which paid {owed}"));
        }
    }
}
