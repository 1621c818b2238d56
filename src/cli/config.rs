//! `telenumerus config`: whether a configuration is right, what one looks like, what one may be.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Place;
use super::output::{Lines, say};
use crate::config::mistakes::all as mistakes;
use crate::config::schema;

/// The manual shows every key once, with its default.
const MANUAL: &str = include_str!("../../docs/operating.md");

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus config example > telenumerus.toml\n  telenumerus config check telenumerus.toml"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say everything that is wrong with a configuration, each with its file and line; exit 1 if
    /// anything is. The environment counts, too.
    #[command(
        after_help = "Examples:\n  telenumerus config check /etc/telenumerus/telenumerus.toml\n  telenumerus config check --json"
    )]
    Check {
        /// The file; without it, that of --config.
        file: Option<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a configuration with every key, its default, and what it does.
    #[command(after_help = "Examples:\n  telenumerus config example > telenumerus.toml")]
    Example,
    /// Write the JSON schema of a configuration, for editors and other programs.
    #[command(
        after_help = "Examples:\n  telenumerus config schema > telenumerus.schema.json    # and in the configuration's first line: #:schema ./telenumerus.schema.json"
    )]
    Schema,
}

pub fn run(place: &Place, options: &Options) -> ExitCode {
    match &options.command {
        Command::Check { file, json } => check(file.as_ref().or(place.config.as_ref()), *json),
        Command::Example => {
            Lines::open().line(example());
            ExitCode::SUCCESS
        }
        Command::Schema => {
            say!("{:#}", schema::schema());
            ExitCode::SUCCESS
        }
    }
}

fn check(file: Option<&PathBuf>, as_json: bool) -> ExitCode {
    let found = mistakes(file.map(PathBuf::as_path));
    if as_json {
        say!("{:#}", json!({ "file": file, "ok": found.is_empty(), "mistakes": found }));
    } else {
        for mistake in &found {
            say!("{mistake}");
        }
        match found.len() {
            0 => say!("the configuration is right"),
            number => say!("{number} to mend"),
        }
    }
    if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The manual's own example: what it says is what is checked.
fn example() -> &'static str {
    let block = MANUAL.split("```toml\n").nth(1).and_then(|rest| rest.split("\n```").next());
    block.expect("the manual begins with a configuration")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_right() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), example()).unwrap();
        assert_eq!(mistakes(Some(file.path())), Vec::<String>::new());
    }
}
