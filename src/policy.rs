//! A policy in the words of files and of operators' calls, and the orders of a log judged by it
//! once more. For the command and for operators.

mod document;

use std::path::Path;

use actors::store::sqlite::verify_chain;
use events::policy::InForce;
use events::policy::replay::{Differs, Replay};
use events::time::Timestamp;
use serde_json::{Value, json};

pub use document::Document;

use crate::description;

/// The orders of the log in `data_dir` from `since` on, judged by another policy.
pub fn replay(data_dir: &Path, policy: InForce, since: Timestamp) -> Result<Replay, String> {
    let mut replay = Replay::new(policy, since);
    let broken = verify_chain(data_dir, |record| replay.observe(&record.recorded))
        .map_err(|error| error.to_string())?;
    if broken.is_empty() {
        Ok(replay)
    } else {
        Err(format!(
            "the log is broken in {} places; `telenumerus audit verify` names them",
            broken.len()
        ))
    }
}

/// What a replay has found, for operators.
pub fn told(replay: &Replay) -> Value {
    let differs = |differs: &Differs| {
        json!({
            "at": differs.at.to_string(), "account_id": differs.account.to_string(),
            "class": differs.class.name(),
            "order_id": differs.order.to_string(), "platform": differs.platform.slug(),
            "country": differs.country.code(),
            "was": if differs.was_refused { "refused" } else { "accepted" },
            "would_be": if differs.was_refused { "accepted" } else { "refused" },
            "rule": differs.verdict.would_be_decided_by(),
            "verdict": description::verdict(&differs.verdict),
        })
    };
    json!({
        "judged": replay.judged, "would_be_refused": replay.refused, "changed": replay.changed,
        "orders": replay.differs.iter().map(differs).collect::<Vec<_>>(),
    })
}
