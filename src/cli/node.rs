//! `telenumerus node`: how a node stands to the log that it shares with others.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use actors::store::chain::Mark;
use actors::store::shared::{Lead, SharedLogError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::admin::Asking;
use super::output::say;
use super::{Outcome, Place, in_words};
use crate::admin::StepDown;
use crate::node::{difference, hindrance, is_own, patience, shared_log};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus node status --config telenumerus.toml --data-dir /var/lib/telenumerus"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say who leads and when it was last heard, where the shared log ends, how far this node's
    /// copy of it is, and what would keep this node from taking over; exit 1 if log and copy
    /// contradict each other.
    #[command(
        after_help = "Examples:\n  telenumerus node status --json\n  telenumerus node status --config telenumerus.toml --data-dir /var/lib/telenumerus"
    )]
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have this node, which leads, stop in order, so that another leads at once. It ends with exit
    /// code 75; started again it stands by. A node that stands by says who leads instead.
    #[command(
        after_help = "Examples:\n  telenumerus node step-down --reason \"kernel update\" --data-dir /var/lib/telenumerus"
    )]
    StepDown {
        /// Why; it stands in the event log.
        #[arg(long)]
        reason: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    match &options.command {
        Command::Status { json } => status(place, *json),
        Command::StepDown { reason, operator } => {
            if let Some(leader) = another(place)? {
                return Err(format!(
                    "this node stands by, and has nothing to step down from: {leader} leads; give \
                     the command on that machine"
                ));
            }
            let wanted = StepDown { reason: reason.clone(), operator: operator.clone() };
            let body = serde_json::to_value(wanted).map_err(in_words)?;
            Asking::new(place)?.ask("node/step-down", Some(&body))?;
            say!("this node stops; another one leads");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Another node that leads, as far as the shared log says; where that does not answer, the service
/// of this directory knows better.
fn another(place: &Place) -> Result<Option<String>, String> {
    let (config, data_dir) = place.load().map_err(in_words)?;
    let Some(log) = shared_log(&config).map_err(in_words)? else { return Ok(None) };
    let lead = runtime()?.block_on(async { log.leader().await.ok().flatten() });
    let lead = lead.filter(|lead| !lead.is_released && !is_own(&data_dir, &lead.leader.node));
    Ok(lead.map(|lead| lead.leader.node))
}

fn runtime() -> Result<Runtime, String> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)
}

/// What there is to say of a node and its log.
struct Found {
    own: Mark,
    head: Mark,
    lead: Option<Lead>,
    /// How long ago that leader was heard.
    heard: Duration,
    patience: Duration,
    difference: Option<String>,
    hindrance: Option<String>,
}

impl Found {
    /// Whether the leader has neither stopped nor been silent for too long.
    fn leads(&self, lead: &Lead) -> bool {
        !lead.is_released && self.heard < self.patience
    }
}

fn status(place: &Place, json: bool) -> Outcome {
    let (config, data_dir) = place.load().map_err(in_words)?;
    let Some(log) = shared_log(&config).map_err(in_words)? else {
        return Err("this node's log is its own: store.shared names no other".to_owned());
    };
    let own = own_end(&data_dir)?;
    let asked = runtime()?.block_on(async {
        let (end, lead, since) = (log.head().await?, log.leader().await?, log.heard().await?);
        Ok((end, lead, since.unwrap_or_default(), difference(&*log, own).await?))
    });
    let (end, lead, since, difference) = asked.map_err(|error: SharedLogError| {
        format!("{error}\nthis node's copy: position {}", own.position.0)
    })?;
    let hindrance = lead.as_ref().and_then(|lead| hindrance(&config, &data_dir, lead));
    let difference = difference.map(|difference| difference.to_string());
    let patience = patience(&config);
    let found = Found { own, head: end, lead, heard: since, patience, difference, hindrance };
    if json {
        say!("{}", as_json(&found));
    } else {
        tell(&found);
    }
    Ok(if found.difference.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(found: &Found) {
    let (head, own) = (found.head.position.0, found.own.position.0);
    say!("shared log: position {head}");
    say!("this node's copy: position {own}, {} behind", head.saturating_sub(own));
    match &found.lead {
        None => say!("leader: nobody yet"),
        Some(lead) => say!("leader: {}", of_lead(found, lead)),
    }
    if let Some(hindrance) = &found.hindrance {
        say!("this node would not take over: {hindrance}");
    }
    if let Some(difference) = &found.difference {
        say!("{difference}");
    }
}

fn of_lead(found: &Found, lead: &Lead) -> String {
    let Lead { leader, since, .. } = lead;
    let who = format!(
        "{} {} (version {}, since position {})",
        leader.node, leader.url, leader.version, since.0
    );
    let (heard, patience) = (found.heard.as_secs_f32(), found.patience.as_secs());
    if lead.is_released {
        format!("nobody: {who} has stopped")
    } else if found.leads(lead) {
        format!("{who}, heard {heard:.1} s ago; another takes its place after {patience} s")
    } else {
        format!(
            "nobody: {who} was last heard {heard:.0} s ago, and after {patience} s another takes \
             its place that can"
        )
    }
}

fn as_json(found: &Found) -> Value {
    let leader = found.lead.as_ref().map(|lead| {
        json!({
            "node": lead.leader.node, "url": lead.leader.url, "version": lead.leader.version,
            "term": lead.term.to_string(), "since": lead.since.0, "stopped": lead.is_released,
            "leads": found.leads(lead), "heard_seconds_ago": found.heard.as_secs_f32(),
            "patience_seconds": found.patience.as_secs(),
        })
    });
    json!({
        "shared": { "position": found.head.position.0 },
        "copy": { "position": found.own.position.0 },
        "leader": leader,
        "hindrance": found.hindrance,
        "difference": found.difference,
    })
}

/// Where the copy ends, also while a service writes it; a directory without one has nothing.
fn own_end(data_dir: &Path) -> Result<Mark, String> {
    if !data_dir.join("events.db").is_file() {
        return Ok(Mark::START);
    }
    let (position, chain) = actors::store::sqlite::end_in(data_dir).map_err(in_words)?;
    Ok(Mark { position, chain })
}
