//! `telenumerus code`: what the extraction makes of messages, with its reasons; for operators who wonder, and for measuring it.

use std::io::BufRead;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use events::code::{Extraction, Message, Verdict, extract};
use events::platform::Platform;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, in_words};

#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain one message.
    Explain {
        /// The platform the number is leased for; none in particular, if absent.
        #[arg(long)]
        platform: Option<Platform>,
        /// The message's text.
        text: String,
    },
    /// Read messages from standard input, one JSON object a line (`text`, optional `platform` and `sender`), and write what was found in each.
    Extract,
}

#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    platform: Option<String>,
    #[serde(default)]
    sender: Option<String>,
}

pub fn run(options: &Options) -> Outcome {
    match &options.command {
        Command::Explain { platform, text } => println!("{:#}", described(&extract(&Message::new(text), platform.map(Platform::service)))),
        Command::Extract => {
            for line in std::io::stdin().lock().lines() {
                let line: Line = serde_json::from_str(&line.map_err(in_words)?).map_err(in_words)?;
                // Platforms that are none of ours say nothing about the message.
                let platform: Option<Platform> = line.platform.as_deref().and_then(|name| name.parse().ok());
                let message = Message { sender: line.sender.as_deref(), ..Message::new(&line.text) };
                println!("{}", described(&extract(&message, platform.map(Platform::service))));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn described(extraction: &Extraction) -> Value {
    let (code, brand) = match &extraction.verdict {
        Verdict::Code(code) => (Some(code), None),
        Verdict::Unsure | Verdict::Nothing => (None, None),
        Verdict::OtherBrand(brand) => (None, Some(brand)),
    };
    let candidates: Vec<Value> = extraction
        .candidates
        .iter()
        .map(|candidate| {
            let reasons: Vec<&str> = candidate.reasons.iter().map(|reason| reason.name()).collect();
            json!({ "code": candidate.code, "score": candidate.score, "reasons": reasons })
        })
        .collect();
    json!({ "code": code, "verdict": extraction.verdict.name(), "other_brand": brand, "candidates": candidates })
}
