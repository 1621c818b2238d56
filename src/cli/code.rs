//! `telenumerus code`: what the extraction makes of messages, with its reasons; for operators who
//! wonder, and for measuring it.

mod replay;

use std::io::BufRead;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use events::code::{Extraction, Message, Verdict, extract};
use events::platform::Platform;
use serde::Deserialize;
use serde_json::{Value, json};

use super::output::{Lines, say};
use super::{Outcome, Place, in_words};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus code explain --platform google \"G-482913 is your code\"\n  telenumerus code replay --json"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain one message: every candidate with its points, its confidence and its reasons.
    #[command(
        after_help = "Examples:\n  telenumerus code explain --platform google \"G-482913 is your code\""
    )]
    Explain {
        /// The platform the number is leased for; none in particular, if absent.
        #[arg(long)]
        platform: Option<Platform>,
        /// Who sent it, as the network says.
        #[arg(long)]
        sender: Option<String>,
        /// The same as JSON.
        #[arg(long)]
        json: bool,
        /// The message's text.
        text: String,
    },
    /// Read messages from standard input, one JSON object a line (`text`, optional `platform` and
    /// `sender`), and write what was found in each.
    #[command(
        after_help = "Examples:\n  echo '{\"text\": \"Your code is 482913\"}' | telenumerus code extract"
    )]
    Extract,
    /// Read the messages of a log once more with this version, and list what would come out
    /// differently; exit 1 if anything would.
    Replay(replay::Options),
}

#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    platform: Option<String>,
    #[serde(default)]
    sender: Option<String>,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    match &options.command {
        Command::Explain { platform, sender, json, text } => {
            let extraction = extract(
                &Message { sender: sender.as_deref(), ..Message::new(text) },
                platform.map(Platform::service),
            );
            if *json {
                say!("{:#}", described(&extraction));
            } else {
                say!("{}", table(&extraction).trim_end());
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Extract => extract_lines(),
        Command::Replay(options) => replay::run(place, options),
    }
}

fn extract_lines() -> Outcome {
    let mut out = Lines::open();
    for (number, line) in (1_usize..).zip(std::io::stdin().lock().lines()) {
        let line = line.map_err(in_words)?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|error| {
            let words = error.to_string();
            let what = words.split(" at line ").next().unwrap_or_default().to_owned();
            format!(
                "standard input, line {number}, column {}: {what}; each line is an object \
                with a `text`",
                error.column()
            )
        })?;
        // Platforms that are none of ours say nothing about the message.
        let platform: Option<Platform> =
            line.platform.as_deref().and_then(|name| name.parse().ok());
        let message = Message { sender: line.sender.as_deref(), ..Message::new(&line.text) };
        out.line(described(&extract(&message, platform.map(Platform::service))));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(verdict: &Verdict, reveal: bool) -> String {
    match verdict {
        Verdict::Code(code) if reveal => format!("code {code}"),
        Verdict::OtherBrand(name) => format!("other_brand {name}"),
        Verdict::Code(_) | Verdict::Unsure | Verdict::Nothing => verdict.name().to_owned(),
    }
}

/// The verdict, and a line a candidate.
fn table(extraction: &Extraction) -> String {
    let verdict = shown(&extraction.verdict, true);
    let means = match &extraction.verdict {
        Verdict::Code(_) => "the code, and it completes the order",
        Verdict::Unsure => {
            "no candidate has enough points, or two have nearly as many: it completes nothing"
        }
        Verdict::Nothing => "nothing in it could be a code",
        Verdict::OtherBrand(_) => {
            "it names another sender than the one expected: it completes nothing"
        }
    };
    let head = format!(
        "verdict     {verdict}\n            {means}\n\n{:<12} {:>6} {:>10}  reasons and their points\n",
        "candidate", "points", "confidence"
    );
    let lines =
        extraction.candidates.iter().zip(extraction.confidence()).map(|(candidate, confidence)| {
            let reasons: Vec<String> = candidate
                .reasons
                .iter()
                .map(|reason| format!("{} {:+}", reason.name(), reason.points()))
                .collect();
            let percent = format!("{}.{} %", confidence / 10, confidence % 10);
            format!(
                "{:<12} {:>6} {percent:>10}  {}\n",
                candidate.code,
                candidate.score,
                reasons.join(", ")
            )
        });
    std::iter::once(head).chain(lines).collect::<Vec<_>>().concat()
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
        .zip(extraction.confidence())
        .map(|(candidate, confidence)| {
            let reasons: Vec<&str> = candidate.reasons.iter().map(|reason| reason.name()).collect();
            json!({
                "code": candidate.code, "score": candidate.score,
                "confidence": f64::from(confidence) / 1_000.0, "reasons": reasons,
            })
        })
        .collect();
    json!({
        "code": code, "verdict": extraction.verdict.name(), "other_brand": brand,
        "candidates": candidates,
    })
}
