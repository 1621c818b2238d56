//! The log that several nodes share, as `doctor` finds it: whether it is reached, what this role
//! may do there, what is in it, and whether this node could lead.

use std::path::Path;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::store::chain::Mark;
use actors::store::shared::{SharedLog, SharedLogError};
use actors::store::sqlite::end_in;
use events::time::Timestamp;
use shared_log::{Postgres, Survey, Tables};

use super::{Findings, Status};
use crate::config::Config;
use crate::node;

/// Clocks are set by the network; those of two machines are never further apart than that.
const TOLERATED_APART: Duration = Duration::from_secs(5);

/// Looks at it, if there is one.
pub fn look(config: &Config, data_dir: &Path, findings: &mut Findings) {
    let log = match node::postgres(config) {
        Ok(None) => return,
        Ok(Some(log)) => log,
        Err(error) => return findings.note("shared log", Status::Wrong, error.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return findings.note("shared log", Status::Wrong, error.to_string()),
    };
    runtime.block_on(async {
        match log.survey().await {
            Ok(survey) => {
                of_server(config, &survey, findings);
                if let Tables::Whole { .. } = survey.tables {
                    of_node(config, data_dir, &log, findings).await;
                }
            }
            Err(error) => findings.note("shared log", Status::Wrong, unreached(&error)),
        }
    });
}

/// What is to be done about a database that is not spoken to.
fn unreached(error: &SharedLogError) -> String {
    let advice = match error {
        SharedLogError::Unavailable(_) => {
            "is its address in store.shared right, does the server run and listen, does a firewall \
             stand between? While it does not answer no node takes orders"
        }
        SharedLogError::Denied(_) => {
            "role, password and database of store.shared must be those of the server \
             (TELENUMERUS_STORE__SHARED stands above the file)"
        }
        SharedLogError::Unusable(_) => "is it the database that was meant?",
    };
    format!("{error}; {advice}")
}

fn of_server(config: &Config, survey: &Survey, findings: &mut Findings) {
    let Survey { version, database, role, .. } = survey;
    let place = format!("PostgreSQL {version}, database {database}, as {role}");
    findings.note("shared log", Status::Ok, place);
    findings.result("shared log tables", Status::Wrong, tables(survey));
    let (now, database) = (Clock::System.now(), survey.now);
    let apart = now.since(database).max(database.since(now));
    let clock = if apart <= TOLERATED_APART {
        Ok(format!("the database's is {} ms apart", apart.as_millis()))
    } else {
        Err(format!("the database's says {database}, and this machine's {now}"))
    };
    findings.result("shared log clock", Status::Warning, clock);
    let allowed = Duration::from_secs(config.store.max_clock_behind_seconds.into());
    let last = match survey.tables {
        Tables::Whole { last, .. } => last,
        Tables::Missing | Tables::Forbidden | Tables::Lacking(_) | Tables::Wrong(_) => None,
    };
    if let Some(last) = last.filter(|last: &Timestamp| last.since(now) > allowed) {
        let told = format!(
            "this machine's says {now}, and the shared log's last record is of {last}: this node \
             does not take over"
        );
        findings.note("shared log clock", Status::Wrong, told);
    }
    let durability = if !survey.is_durable {
        Err("fsync or full_page_writes is off: a crash of the server may lose what was \
             acknowledged"
            .to_owned())
    } else if survey.synchronous.is_empty() {
        Ok("no synchronous standby: an order is as durable as this server's disk".to_owned())
    } else {
        Ok(format!("synchronous standbys: {}", survey.synchronous))
    };
    findings.result("shared log disk", Status::Warning, durability);
}

fn tables(survey: &Survey) -> Result<String, String> {
    let role = &survey.role;
    match &survey.tables {
        Tables::Missing => Ok("there are none yet; the first node to start makes them".to_owned()),
        Tables::Forbidden => Err(format!(
            "they are not there, and {role} may not make them: GRANT CREATE on a schema of its \
             search_path"
        )),
        Tables::Lacking(rights) => Err(format!(
            "{role} lacks {rights}: they are another role's; ALTER TABLE … OWNER TO {role}"
        )),
        Tables::Wrong(detail) => Err(detail.clone()),
        Tables::Whole { end, .. } => Ok(format!("the log ends at position {}", end.position.0)),
    }
}

/// Whether this node's copy is of that log, and whether it could lead.
async fn of_node(config: &Config, data_dir: &Path, log: &Postgres, findings: &mut Findings) {
    let own = if data_dir.join("events.db").is_file() {
        match end_in(data_dir) {
            Ok((position, chain)) => Mark { position, chain },
            // Named as what is wrong with the log of this directory.
            Err(_) => return,
        }
    } else {
        Mark::START
    };
    let copy = match node::difference(log, own).await {
        Ok(None) => Ok(format!("this node's ends at position {}", own.position.0)),
        Ok(Some(difference)) => Err(difference.to_string()),
        Err(error) => Err(error.to_string()),
    };
    findings.result("shared log copy", Status::Wrong, copy);
    let leader = match log.leader().await {
        Ok(None) => Ok("nobody has led yet".to_owned()),
        Ok(Some(lead)) => match node::hindrance(config, data_dir, &lead) {
            None => Ok(format!("{} led last; this node could take over", lead.leader.node)),
            Some(hindrance) => Err(format!("this node would not take over: {hindrance}")),
        },
        Err(error) => Err(error.to_string()),
    };
    findings.result("shared log leader", Status::Warning, leader);
}
