//! `telenumerus policy`: checks a policy, shows the one in force, tries one on the orders there
//! were, and applies it: in the running service, or on the directory of one that is stopped.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use actors::Policies;
use actors::kernel::clock::Clock;
use clap::{Args, Subcommand};
use events::envelope::Actor;
use events::policy::{Command as OfPolicy, InForce};
use serde_json::Value;

use super::admin::Asking;
use super::output::{cells, listing, say};
use super::stopped::Stopped;
use super::{Outcome, Place, holds_log, in_words};
use crate::admin::{Apply, policy_shown};
use crate::policy::{Document, replay, told};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus policy check policy.toml\n  telenumerus policy diff policy.toml --days 30\n  telenumerus policy apply policy.toml --basis \"board of 12 May\""
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether a file is a policy that can be applied.
    #[command(after_help = "Examples:\n  telenumerus policy check policy.toml")]
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Show what orders are judged by, whether the service runs or not.
    #[command(after_help = "Examples:\n  telenumerus policy show")]
    Show,
    /// Judge the orders of the last days by a policy, and show those that it would have decided in
    /// another way, were all of it enforced. Reads the log, whether the service runs or not.
    #[command(after_help = "Examples:\n  telenumerus policy diff policy.toml --days 30 --json")]
    Diff {
        /// The file.
        file: PathBuf,
        /// So many days back.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have orders judged by a policy from here on: by the running service, or, where none runs on
    /// the directory, from its next start on.
    #[command(
        after_help = "Examples:\n  telenumerus policy apply policy.toml --basis \"board of 12 May\" --replaces 3"
    )]
    Apply {
        /// The file.
        file: PathBuf,
        /// On what basis; it stands in the event log.
        #[arg(long)]
        basis: String,
        /// The version that it was made from: another one in force refuses it.
        #[arg(long)]
        replaces: Option<u32>,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    match &options.command {
        Command::Check { file } => {
            let policy = Document::read(file)?.policy()?;
            let (rules, limits, mode) =
                (policy.rules.len(), policy.limits.len(), policy.mode.name());
            say!("it can be applied: {rules} rules, {limits} limits, mode {mode}");
        }
        Command::Show => {
            let shown = match Stopped::find(place)? {
                Some(stopped) => show(&stopped)?,
                None => Asking::new(place)?.ask("policy", None)?,
            };
            say!("{shown:#}");
        }
        Command::Diff { file, days, json } => {
            let policy = Document::read(file)?.policy()?;
            let (_, data_dir) = place.load().map_err(in_words)?;
            holds_log(&data_dir)?;
            let since = Clock::System.now().minus(Duration::from_hours(24) * *days);
            let found = replay(&data_dir, InForce::new(0, policy), since)?;
            show_diff(&told(&found), *json);
        }
        Command::Apply { file, basis, replaces, operator } => {
            let document = Document::read(file)?;
            document.policy()?;
            let apply = Apply {
                policy: document,
                basis: basis.clone(),
                replaces: *replaces,
                operator: operator.clone(),
            };
            if let Some(stopped) = Stopped::find(place)? {
                let version = self::apply(&stopped, &apply)?;
                say!("orders are judged by version {version} from the service's next start on");
                return Ok(ExitCode::SUCCESS);
            }
            let body = serde_json::to_value(apply).map_err(in_words)?;
            let answer = Asking::new(place)?.ask("policy", Some(&body))?;
            say!("orders are judged by version {} from here on", answer["version"]);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn apply(stopped: &Stopped, wanted: &Apply) -> Result<u32, String> {
    let policy = wanted.policy.policy()?;
    stopped.with(async |journal| {
        let policies = Policies::open(journal).await.map_err(in_words)?;
        let (replaces, basis, by) =
            (wanted.replaces, wanted.basis.clone(), wanted.operator.clone());
        let who = Actor::Operator(by.as_str().into());
        let command = OfPolicy::Apply { policy, replaces, by, basis, at: policies.now() };
        let known = policies.transact(&command, who).await.map_err(in_words)?;
        Ok(known.in_force.version)
    })
}

fn show(stopped: &Stopped) -> Result<Value, String> {
    stopped.with(async |journal| {
        let policies = Policies::open(journal).await.map_err(in_words)?;
        Ok(policy_shown(&policies.state()))
    })
}

fn show_diff(found: &Value, as_json: bool) {
    if !as_json {
        say!(
            "{} orders judged, {} would be refused, {} would be decided in another way",
            found["judged"],
            found["would_be_refused"],
            found["changed"]
        );
    }
    let columns =
        ["at", "account_id", "class", "order_id", "platform", "country", "was", "would_be", "rule"];
    let rows = found["orders"].as_array().into_iter().flatten().map(|order| cells(order, &columns));
    listing(as_json, found, &columns, rows);
}
