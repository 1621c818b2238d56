//! `telenumerus supplier`: whether a source that is asked for numbers keeps to the protocol, and
//! where suppliers' numbers come from.

mod provenance;

use std::process::ExitCode;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use clap::{Args, Subcommand};
use events::country::Country;
use events::id::to_base62;
use events::platform::Platform;
use serde_json::{Value, json};
use suppliers::http::{HttpSource, Questions, Source, SourceError, check};

use super::output::say;
use super::{Outcome, Place, in_words};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus supplier check --url https://numbers.acme.example/v1 --token …"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask a source everything the protocol has, and say what it does wrong. Leases a few numbers,
    /// and releases them.
    #[command(
        after_help = "Examples:\n  telenumerus supplier check --url https://numbers.acme.example/v1 --token … --message-seconds 60"
    )]
    Check {
        /// Where it is; `/leases` comes behind it.
        #[arg(long)]
        url: String,
        /// What it knows us by.
        #[arg(long, env = "TELENUMERUS_SUPPLIER_TOKEN", hide_env_values = true)]
        token: String,
        /// For whose messages numbers are leased.
        #[arg(long, default_value = "google")]
        platform: Platform,
        /// Where they are to be from.
        #[arg(long, default_value = "US")]
        country: Country,
        /// Wait so long for a message on a leased number; not at all, if absent.
        #[arg(long, value_name = "SECONDS")]
        message_seconds: Option<u64>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// State where suppliers' numbers come from: no order has a number of one of which that is not
    /// stated, where the configuration requires it.
    #[command(subcommand, after_help = "Examples:\n  telenumerus supplier provenance list")]
    Provenance(provenance::Command),
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (url, token, platform, country, message_seconds, json) = match &options.command {
        Command::Check { url, token, platform, country, message_seconds, json } => {
            (url, token, platform, country, message_seconds, json)
        }
        Command::Provenance(command) => return provenance::run(place, command),
    };
    let source = HttpSource::new(url, token)?;
    let stranger = HttpSource::new(url, "not-the-token")?;
    let run = format!("check{}", to_base62(u128::from_be_bytes(Entropy::System.bytes())));
    let message_patience = message_seconds.map(Duration::from_secs);
    let questions = Questions {
        platform: *platform,
        country: *country,
        run: run.clone(),
        since: Clock::System.now(),
        message_patience,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let (findings, unknown) = runtime.block_on(async {
        let unknown = stranger.look(format!("{run}-9")).await;
        (check(&source, &questions).await, unknown)
    });
    let is_refused = matches!(unknown, Err(SourceError::Refused(_)));
    let first = (
        "another token than its own is refused: 401",
        (!is_refused).then(|| format!("{unknown:?}")),
    );
    let told: Vec<(&str, Option<String>)> = std::iter::once(first)
        .chain(findings.iter().map(|finding| (finding.rule, finding.wrong.clone())))
        .collect();
    let wrong = told.iter().filter(|(_, what)| what.is_some()).count();
    if *json {
        let rules: Vec<Value> = told
            .iter()
            .map(|(rule, what)| json!({ "rule": rule, "ok": what.is_none(), "wrong": what }))
            .collect();
        say!("{:#}", json!({ "ok": wrong == 0, "rules": rules }));
        return Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for (rule, what) in &told {
        match what {
            None => say!("ok     {rule}"),
            Some(what) => say!("WRONG  {rule}\n         {what}"),
        }
    }
    if wrong == 0 {
        say!("it keeps to the protocol");
        return Ok(ExitCode::SUCCESS);
    }
    say!("{wrong} things to mend; docs/suppliers.md says how they should be");
    Ok(ExitCode::FAILURE)
}
