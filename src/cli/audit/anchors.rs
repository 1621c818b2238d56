//! `telenumerus audit anchors`: signed places of the log, kept where whoever can change the log
//! cannot change them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use actors::kernel::clock::{Clock, Stopwatch};
use actors::kernel::outbound;
use actors::store::chain::Hash;
use actors::store::sqlite::{end_in, walk_chain};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use events::envelope::Position;
use ring::signature::{Ed25519KeyPair, KeyPair};
use url::Url;

use crate::anchor::{self, Anchor, KEY_FILE};
use crate::cli::output::say;
use crate::cli::{Outcome, in_words};

/// Between two looks at the log.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// For a receiver to take an anchor.
const RECEIVER_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus audit anchors --file anchors.jsonl --every-events 1000\n  telenumerus audit anchors --show-key"
)]
pub struct Options {
    /// An anchor after so many events.
    #[arg(
        long,
        default_value_t = 1_000,
        value_name = "EVENTS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    every_events: u64,
    /// An anchor after so many seconds, if there is something new.
    #[arg(
        long,
        default_value_t = 60,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    every_seconds: u64,
    /// Appends each to this file, a line of JSON; goes on from its last one.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Prints each.
    #[arg(long)]
    stdout: bool,
    /// Posts each to this address.
    #[arg(long, value_name = "URL")]
    webhook: Option<Url>,
    /// The key that signs (32 bytes in base64); made if it is not there. Better on a machine other
    /// than the service's.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// One anchor of the log as it is now, and no more.
    #[arg(long)]
    once: bool,
    /// Prints the public key that verifies anchors, and ends.
    #[arg(long)]
    show_key: bool,
}

/// Checks the log from an anchor on.
pub fn verify(data_dir: &Path, file: &Path, key: Option<&str>) -> Outcome {
    let anchor = Anchor::read(file, key)?;
    let from = anchor.mark()?;
    match walk_chain(data_dir, from) {
        Ok((end, _)) => {
            say!(
                "the anchor of {} at position {} is signed with {}",
                anchor.at,
                anchor.position,
                anchor.key
            );
            say!(
                "the log is the one that was anchored, and its chain is whole from there to \
                 position {}",
                end.0
            );
            say!("what stands before the anchor, and the rules, are checked without --from");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            say!("BROKEN: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

pub fn run(data_dir: &Path, options: &Options) -> Outcome {
    let key = options.key.clone().unwrap_or_else(|| data_dir.join(KEY_FILE));
    let pair = anchor::pair(&key)?;
    if options.show_key {
        say!("{}", STANDARD.encode(pair.public_key()));
        return Ok(ExitCode::SUCCESS);
    }
    if options.file.is_none() && options.webhook.is_none() && !options.stdout {
        return Err("name where anchors go: --file, --webhook or --stdout".to_owned());
    }
    let last = match options.file.as_deref().filter(|file| file.exists()) {
        Some(file) => Some(Anchor::read(file, None)?.mark()?),
        None => None,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    runtime.block_on(
        Anchoring {
            data_dir,
            options,
            pair,
            last: last.unwrap_or((Position(0), actors::store::chain::GENESIS)),
        }
        .run(),
    )
}

struct Anchoring<'a> {
    data_dir: &'a Path,
    options: &'a Options,
    pair: Ed25519KeyPair,
    /// The last anchor's place.
    last: (Position, Hash),
}

impl Anchoring<'_> {
    async fn run(mut self) -> Outcome {
        let patience = Duration::from_secs(self.options.every_seconds);
        let mut since = Stopwatch::start();
        loop {
            let (end, _) = end_in(self.data_dir).map_err(in_words)?;
            if end < self.last.0 {
                return Err(format!(
                    "the log ends at position {}, and was anchored at {}: it has lost its end",
                    end.0, self.last.0.0
                ));
            }
            let new = end.0 - self.last.0.0;
            if self.options.once
                || new >= self.options.every_events
                || (new > 0 && since.elapsed() >= patience)
            {
                self.anchor().await?;
                since = Stopwatch::start();
            }
            if self.options.once {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Signs where the log ends, once the chain from the last anchor to there was walked.
    async fn anchor(&mut self) -> Result<(), String> {
        let (position, chain) = walk_chain(self.data_dir, self.last)
            .map_err(|error| format!("nothing is signed: {error}"))?;
        let anchor = Anchor::sign(position, &chain, Clock::System.now().to_string(), &self.pair);
        self.last = (position, chain);
        if self.options.stdout {
            say!("{anchor}");
        }
        if let Some(path) = &self.options.file {
            let written = std::fs::OpenOptions::new().create(true).append(true).open(path);
            let written = written
                .and_then(|mut file| writeln!(file, "{anchor}").and_then(|()| file.sync_all()));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        if let Some(url) = &self.options.webhook {
            self.post(url, &anchor).await?;
        }
        Ok(())
    }

    /// A receiver that does not take an anchor gets the next one; an anchor that is the only one
    /// has to arrive.
    async fn post(&self, url: &Url, anchor: &Anchor) -> Result<(), String> {
        let client = outbound::client(RECEIVER_PATIENCE)?;
        let sent = client
            .post(url.clone())
            .json(anchor)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let Err(error) = sent else { return Ok(()) };
        let told = format!(
            "the anchor at position {} was not taken: {}",
            anchor.position,
            error.without_url()
        );
        if self.options.once {
            return Err(told);
        }
        eprintln!("{told}");
        Ok(())
    }
}
