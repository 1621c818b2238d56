//! `telenumerus export`: what the log has of an account, a number or a period, as signed lines: by
//! the running service, or from the directory of one that is stopped.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::admin::Asking;
use super::output::CLOSED;
use super::stopped::Stopped;
use super::{Outcome, Place, in_words};
use crate::admin::access;
use crate::export::{Asked, Export, LogPlace};
use crate::read_model::chain_of;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus export account acc_… --reason \"request of 12 May\" --out export.jsonl\n  telenumerus export number +12025550123 --reason \"court order 7/26\" --out export.jsonl\n  telenumerus export period 2026-10-01 2027-01-01 --reason audit --out export.jsonl\n  python3 contrib/verify-export.py export.jsonl --key \"$(telenumerus audit anchors --show-key)\""
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All that is the account's own, in full: its orders with messages and codes, its money, its
    /// deliveries, deposits and leases.
    #[command(
        after_help = "Examples:\n  telenumerus export account acc_… --reason \"request of 12 May\" --out export.jsonl"
    )]
    Account {
        /// The account's id.
        account: String,
        #[command(flatten)]
        how: How,
    },
    /// What happened on a number, in full: of each order what was on it while it had the number,
    /// and messages that no order took.
    #[command(
        after_help = "Examples:\n  telenumerus export number +12025550123 --reason \"court order 7/26\" --out export.jsonl"
    )]
    Number {
        /// The number, in E.164.
        number: String,
        #[command(flatten)]
        how: How,
    },
    /// What happened in a period, of everybody: texts, senders, codes and the numbers of orders are
    /// hidden.
    #[command(
        after_help = "Examples:\n  telenumerus export period 2026-10-01 2027-01-01 --reason audit --out export.jsonl"
    )]
    Period {
        /// From this date or time on, in UTC.
        from: String,
        /// Before this date or time.
        until: String,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, Args)]
struct How {
    /// Why; it stands in the event log.
    #[arg(long)]
    reason: String,
    /// Who you are; it stands in the event log.
    #[arg(long, env = "USER", default_value = "operator")]
    operator: String,
    /// Into this file, which must not be there yet, readable by you alone; without it to standard
    /// output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl How {
    fn asked(&self) -> Asked {
        let (reason, operator) = (self.reason.clone(), self.operator.clone());
        Asked { account: None, number: None, from: None, until: None, reason, operator }
    }
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (asked, how) = match &options.command {
        Command::Account { account, how } => {
            (Asked { account: Some(account.clone()), ..how.asked() }, how)
        }
        Command::Number { number, how } => {
            (Asked { number: Some(number.clone()), ..how.asked() }, how)
        }
        Command::Period { from, until, how } => {
            let (from, until) = (Some(from.clone()), Some(until.clone()));
            (Asked { from, until, ..how.asked() }, how)
        }
    };
    asked.scope()?;
    let mut out = Out::open(how.out.as_deref())?;
    let given = match Stopped::find(place)? {
        Some(stopped) => of_stopped(&stopped, &asked, &mut out),
        None => Asking::new(place)?.copy("export", &asked, |bytes| out.write(bytes)),
    };
    if let Err(text) = given {
        out.discard();
        return Err(text);
    }
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}

/// From the directory of a service that is stopped.
fn of_stopped(stopped: &Stopped, asked: &Asked, out: &mut Out) -> Result<(), String> {
    let scope = asked.scope()?;
    let who = access::operator(&asked.operator).map_err(access::in_words)?;
    access::reason(&asked.reason).map_err(access::in_words)?;
    let operator = stopped.config.operator.name.as_deref();
    stopped.with(async |journal| {
        let wanted = (scope, asked.reason.clone(), who);
        let vault = stopped.config.vault.open(&stopped.data_dir)?.map(Arc::new);
        let place = LogPlace { data_dir: stopped.data_dir.clone(), vault };
        let export = Export::make(&journal, place, operator, wanted)
            .await
            .map_err(|error| chain_of(&error))?;
        export.give(|line| out.write(line.as_bytes())).map_err(|error| chain_of(&error))
    })
}

/// Where the lines go.
enum Out {
    Stdout(BufWriter<std::io::Stdout>),
    File { file: BufWriter<File>, path: PathBuf, failed: Option<std::io::Error> },
}

impl Out {
    /// A file is made before anything stands in the log: what cannot be written is not exported.
    fn open(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self::Stdout(BufWriter::new(std::io::stdout()))) };
        let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
        let file = made.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::File { file: BufWriter::new(file), path: path.to_owned(), failed: None })
    }

    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Stdout(out) => {
                if out.write_all(bytes).is_err() {
                    std::process::exit(CLOSED);
                }
            }
            Self::File { file, failed, .. } => {
                if failed.is_none() {
                    *failed = file.write_all(bytes).err();
                }
            }
        }
    }

    /// A file without its last line is of no use to anybody, and in the way of the next try.
    fn discard(self) {
        if let Self::File { path, .. } = self {
            let _ = std::fs::remove_file(path);
        }
    }

    fn finish(self) -> Result<(), String> {
        match self {
            Self::Stdout(mut out) => {
                if out.flush().is_err() {
                    std::process::exit(CLOSED);
                }
                Ok(())
            }
            Self::File { mut file, path, failed } => {
                let written = failed.map_or_else(|| file.flush(), Err);
                let synced = written.and_then(|()| file.get_ref().sync_all());
                synced.map_err(|error| in_words(format_args!("{}: {error}", path.display())))
            }
        }
    }
}
