//! Times, where the clock can be trusted: orders end by their deadlines, numbers rest from what
//! they have served.

use std::time::Duration;

use events::order::{Event as Fact, FailureReason};
use events::time::Timestamp;

use super::Log;
use crate::life::{COOL_DOWN, spans};
use crate::run::Remains;

/// How late an end may be, by the contract.
const LATE: Duration = Duration::from_secs(5);
/// What a store that fails or is slow may cost beside that.
const DISK: Duration = Duration::from_secs(25);
/// What a source that is being asked may cost an order that seeks.
const SOURCE: Duration = Duration::from_secs(8);

pub fn judge(log: &Log, remains: &Remains<'_>, findings: &mut Vec<String>) {
    let slack = LATE + if remains.script.has_true_disk() { Duration::ZERO } else { DISK };
    for (id, told) in &log.orders {
        let state = &told.state;
        for fact in &state.history {
            let (due, at, more) = match &**fact {
                Fact::Expired { at } => (state.expires_at.unwrap(), *at, Duration::ZERO),
                Fact::Failed { reason: FailureReason::SeekingTimedOut, at } => {
                    let seek = Duration::from_secs(state.placed.seek_seconds.into());
                    (state.started_at.plus(seek), *at, SOURCE)
                }
                Fact::Finished { at } => (state.listens_until.unwrap(), *at, Duration::ZERO),
                _ => continue,
            };
            // A process that was down when it was due has had since its start.
            let start = remains.starts.iter().filter(|start| **start <= at).max();
            let due = start.map_or(due, |start| due.max(*start));
            if at.since(due) > slack + more {
                findings.push(format!("O3: {id} was due at {due}, and is over since {at}"));
            }
        }
    }
    cool_downs(log, findings);
}

/// No number serves a platform again within its cool-down.
fn cool_downs(log: &Log, findings: &mut Vec<String>) {
    let mut leases: Vec<(String, String, Timestamp, Option<Timestamp>)> = Vec::new();
    for told in log.orders.values() {
        let code_at = told.state.code.as_ref().and(told.state.ended_at);
        let spans = spans(&told.state);
        for (place, span) in spans.iter().enumerate() {
            let served = code_at.filter(|_| place + 1 == spans.len());
            let platform = format!("{:?}", told.state.placed.platform);
            leases.push((span.phone.as_str().to_owned(), platform, span.since, served));
        }
    }
    leases.sort();
    for pair in leases.windows(2) {
        let (first, second) = (&pair[0], &pair[1]);
        let again = (&first.0, &first.1) == (&second.0, &second.1);
        if let Some(served) = first.3.filter(|_| again)
            && second.2.since(served) < COOL_DOWN
        {
            findings.push(format!("O5: {first:?} served, and {second:?} has it again"));
        }
    }
}
