//! Webhooks: each delivery ends, and none is told to be delivered that no receiver has taken.

use std::collections::BTreeSet;

use events::Event;
use events::webhook::{self, delivery_id};

use super::Log;
use crate::marks::Mark;
use crate::receivers::open_deliveries;
use crate::run::Remains;

pub async fn judge(log: &Log, remains: &Remains<'_>, findings: &mut Vec<String>) {
    let open = open_deliveries(remains.disk).await;
    if !open.is_empty() {
        findings.push(format!("W1: deliveries have not ended: {open:?}"));
    }
    let mut ended = BTreeSet::new();
    for record in &log.records {
        let (Event::Webhook(event), Some(account)) =
            (&record.event, record.stream.webhook_account_id())
        else {
            continue;
        };
        let id = delivery_id(account, event.sequence()).to_string();
        match event {
            webhook::Event::Delivered { .. } => {
                remains.marks.see(Mark::Delivered);
                if !remains.receivers.has_taken(&id) {
                    findings.push(format!("W1: {id} is delivered, and nobody has taken it"));
                }
            }
            webhook::Event::Exhausted { .. } => remains.marks.see(Mark::Exhausted),
            webhook::Event::Attempted { .. } | webhook::Event::RedeliveryRequested { .. } => {
                continue;
            }
        }
        if !ended.insert(id.clone()) {
            findings.push(format!("W1: {id} has ended twice"));
        }
    }
}
