//! `telenumerus backup` and `telenumerus restore`: a copy of everything that cannot be built anew,
//! checked by the chain, and the way back.

use std::path::PathBuf;
use std::process::ExitCode;

use actors::store::sqlite::{CopyError, backup, restore};
use clap::Args;

use super::output::say;
use super::{Outcome, Place, holds_log, in_words};
use crate::data;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  telenumerus backup /var/backups/telenumerus/monday")]
pub struct Backup {
    /// Where the copy goes: a directory that is empty or not there yet.
    directory: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus restore /var/backups/telenumerus/monday --data-dir /var/lib/telenumerus"
)]
pub struct Restore {
    /// What `backup` has made.
    directory: PathBuf,
    /// Also where the log in the data directory holds what the backup does not: that is given up.
    /// It is kept beside the restored one.
    #[arg(long)]
    discard_newer: bool,
}

/// Copies the data directory; the service may run.
pub fn make(place: &Place, options: &Backup) -> Outcome {
    let (_, data_dir) = place.load().map_err(in_words)?;
    holds_log(&data_dir)?;
    let end = backup(&data_dir, &options.directory).map_err(in_words)?;
    say!("{} events, all as they were written, are in {}", end.0, options.directory.display());
    Ok(ExitCode::SUCCESS)
}

/// Puts a backup in the place of the data directory's log; the service must not run.
pub fn put_back(place: &Place, options: &Restore) -> Outcome {
    let (_, data_dir) = place.load().map_err(in_words)?;
    let _lock = data::lock(&data_dir)
        .map_err(|detail| format!("the data directory {}: {detail}", data_dir.display()))?;
    let end =
        restore(&options.directory, &data_dir, options.discard_newer).map_err(
            |error| match error {
                CopyError::Newer { .. } => format!(
                    "{error}; --discard-newer restores all the same, and \
            keeps that log beside the restored one"
                ),
                other => other.to_string(),
            },
        )?;
    // What was there before, and is kept, may have been open to others.
    data::make_private(&data_dir);
    say!(
        "{} events are in {}; the views are built anew at the next start",
        end.0,
        data_dir.display()
    );
    Ok(ExitCode::SUCCESS)
}
