//! The views: however the log is cut, and wherever the process that folds it ends, they are what a
//! fresh rebuild is, and their sums are the ledger's.

use std::collections::BTreeMap;

use events::audit::Sums;
use events::id::AccountId;
use projections::Views;

use super::Log;
use crate::dice::Dice;

pub async fn judge(
    log: &Log,
    sums: &BTreeMap<AccountId, Sums>,
    seed: u64,
    findings: &mut Vec<String>,
) {
    let dice = Dice::of(seed, 3);
    let (grown, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut rest = log.records.as_slice();
    while !rest.is_empty() {
        // A process that ends and one that starts.
        let views = Views::open(grown.path()).unwrap();
        for _ in 0..4 {
            let (batch, later) = rest.split_at(rest.len().min(1 + dice.index(80)));
            views.apply(batch).unwrap();
            rest = later;
        }
    }
    let rebuilt = Views::open(fresh.path()).unwrap();
    rebuilt.apply(&log.records).unwrap();
    let grown = Views::open(grown.path()).unwrap();
    if grown.dump().unwrap() != rebuilt.dump().unwrap() {
        findings.push("E6: the views are not what a rebuild is".to_owned());
    }
    for (account, sums) in sums {
        let view = rebuilt.account(*account).await.unwrap();
        if (view.balance, view.held) != (sums.balance, sums.held) {
            findings.push(format!("M2: the view of {account} is {view:?}, its ledger {sums:?}"));
        }
    }
    let open = rebuilt.open_orders().await.unwrap();
    if !open.is_empty() {
        findings.push(format!("E6: the views have open orders: {open:?}"));
    }
}
