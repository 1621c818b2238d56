//! `telenumerus node`: how a node stands to the log that it shares with others.

use std::process::ExitCode;

use actors::store::chain::Mark;
use actors::store::shared::{Lead, SharedLogError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::Asking;
use super::output::say;
use super::{Outcome, Place, in_words};
use crate::admin::StepDown;
use crate::node::{difference, shared_log};

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
    /// Say who leads, where the shared log ends, and how far this node's copy of it is; exit 1 if
    /// the two contradict each other.
    #[command(
        after_help = "Examples:\n  telenumerus node status --json\n  telenumerus node status --config telenumerus.toml --data-dir /var/lib/telenumerus"
    )]
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have this node, which leads, stop in order, so that another leads at once. It ends with exit
    /// code 75; started again it stands by.
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
            let wanted = StepDown { reason: reason.clone(), operator: operator.clone() };
            let body = serde_json::to_value(wanted).map_err(in_words)?;
            Asking::new(place)?.ask("node/step-down", Some(&body))?;
            say!("this node stops; another one leads");
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn status(place: &Place, json: bool) -> Outcome {
    let (config, data_dir) = place.load().map_err(in_words)?;
    let Some(log) = shared_log(&config).map_err(in_words)? else {
        return Err("this node's log is its own: store.shared names no other".to_owned());
    };
    let own = own_end(&data_dir)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let found = runtime.block_on(async {
        let (head, lead) = (log.head().await?, log.leader().await?);
        let difference = difference(&*log, own).await?;
        Ok((head, lead, difference))
    });
    let (head, lead, difference) = found.map_err(|error: SharedLogError| error.to_string())?;
    let difference = difference.map(|difference| difference.to_string());
    if json {
        say!("{}", as_json(head, own, lead.as_ref(), difference.as_deref()));
    } else {
        say!("shared log: position {}", head.position.0);
        let behind = head.position.0.saturating_sub(own.position.0);
        say!("this node's copy: position {}, {behind} behind", own.position.0);
        match &lead {
            None => say!("leader: nobody yet"),
            Some(lead) => say!(
                "leader: {} {} (version {}, since position {}){}",
                lead.leader.node,
                lead.leader.url,
                lead.leader.version,
                lead.since.0,
                if lead.is_released { ", has stopped" } else { "" }
            ),
        }
        if let Some(difference) = &difference {
            say!("{difference}");
        }
    }
    Ok(if difference.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn as_json(head: Mark, own: Mark, lead: Option<&Lead>, difference: Option<&str>) -> Value {
    json!({
        "shared": { "position": head.position.0 },
        "copy": { "position": own.position.0 },
        "leader": lead.map(|lead| json!({
            "node": lead.leader.node, "url": lead.leader.url, "version": lead.leader.version,
            "term": lead.term.to_string(), "since": lead.since.0, "stopped": lead.is_released,
        })),
        "difference": difference,
    })
}

/// Where the copy ends, also while a service writes it; a directory without one has nothing.
fn own_end(data_dir: &std::path::Path) -> Result<Mark, String> {
    if !data_dir.join("events.db").is_file() {
        return Ok(Mark::START);
    }
    let (position, chain) = actors::store::sqlite::end_in(data_dir).map_err(in_words)?;
    Ok(Mark { position, chain })
}
