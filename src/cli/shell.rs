//! `telenumerus completions`, `man` and `version`: what shells, manuals and scripts want to know of
//! the binary itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use super::output::{Lines, say};
use super::{Cli, Outcome, in_words};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus completions bash > /usr/share/bash-completion/completions/telenumerus\n  source <(telenumerus completions zsh)"
)]
pub struct Completions {
    /// For which shell.
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus man | man -l -\n  telenumerus man --directory /usr/share/man/man1"
)]
pub struct Man {
    /// Write a page for every command into this directory, in place of the first one to standard
    /// output.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus version\n  telenumerus version --json | jq -r .version"
)]
pub struct Version {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub fn completions(options: &Completions) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "telenumerus", &mut script);
    Lines::open().line(String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}

pub fn man(options: &Man) -> Outcome {
    if let Some(directory) = &options.directory {
        std::fs::create_dir_all(directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        clap_mangen::generate_to(Cli::command(), directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(in_words)?;
    Lines::open().line(String::from_utf8_lossy(&page).trim_end());
    Ok(ExitCode::SUCCESS)
}

pub fn version(options: &Version) -> ExitCode {
    let (version, target) =
        (env!("CARGO_PKG_VERSION"), format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS));
    if options.json {
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        say!(
            "{:#}",
            json!({
                "name": "telenumerus", "version": version, "target": target, "profile": profile,
                "api": "v1",
            })
        );
    } else {
        say!("telenumerus {version} ({target})");
    }
    ExitCode::SUCCESS
}
