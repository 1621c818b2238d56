//! `telenumerus policy`: checks a policy, shows the one in force, tries one on the orders there
//! were, and applies it: in the running service, or on the directory of one that is stopped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use actors::store::EventStore;
use actors::store::sqlite::{Loss, SqliteStore};
use actors::{Journal, Policies};
use clap::{Args, Subcommand};
use events::envelope::Actor;
use events::policy::{Command as OfPolicy, InForce};
use serde_json::Value;

use super::admin::Asking;
use super::output::{cells, listing, say};
use super::{Outcome, Place, holds_log, in_words};
use crate::admin::{Apply, policy_shown};
use crate::boot::open_store;
use crate::config::Config;
use crate::data;
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
                Some(stopped) => stopped.show()?,
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
                let version = stopped.apply(&apply)?;
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

/// The directory of a service that does not run; each look at its log holds its lock, so that none
/// starts on it meanwhile.
struct Stopped {
    config: Config,
    data_dir: PathBuf,
}

impl Stopped {
    /// The directory, if there is a log in it and no service runs on it.
    fn find(place: &Place) -> Result<Option<Self>, String> {
        let (config, data_dir) = place.load().map_err(in_words)?;
        if holds_log(&data_dir).is_err() || is_locked(&data_dir) {
            return Ok(None);
        }
        Ok(Some(Self { config, data_dir }))
    }

    /// The policy as the log has it, with what `work` makes of it.
    fn with<T>(&self, work: impl AsyncFnOnce(&Policies) -> Result<T, String>) -> Result<T, String> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
        runtime.block_on(async {
            let (_lock, store): (File, Arc<SqliteStore>) =
                open_store(&self.config, &self.data_dir, Loss::Refused).map_err(in_words)?;
            let log = Arc::clone(&store) as Arc<dyn EventStore>;
            let journal = Journal::new(log, Clock::System, Entropy::System);
            let done = match Policies::open(journal).await {
                Ok(policies) => work(&policies).await,
                Err(fault) => Err(in_words(fault)),
            };
            store.close().await;
            done
        })
    }

    fn show(&self) -> Result<Value, String> {
        self.with(async |policies| Ok(policy_shown(&policies.state())))
    }

    fn apply(&self, wanted: &Apply) -> Result<u32, String> {
        let policy = wanted.policy.policy()?;
        self.with(async |policies| {
            let (replaces, basis, by) =
                (wanted.replaces, wanted.basis.clone(), wanted.operator.clone());
            let who = Actor::Operator(by.as_str().into());
            let command = OfPolicy::Apply { policy, replaces, by, basis, at: policies.now() };
            let known = policies.transact(&command, who).await.map_err(in_words)?;
            Ok(known.in_force.version)
        })
    }
}

/// Whether a service runs on the directory.
fn is_locked(data_dir: &Path) -> bool {
    matches!(data::lock(data_dir), Err(data::LockError::InUse))
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
