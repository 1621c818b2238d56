//! `telenumerus report`: what an operator shows to everybody, made of the log.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::path::Path;
use std::process::ExitCode;

use actors::store::sqlite::verify_chain;
use clap::{Args, Subcommand};
use events::time::Timestamp;
use events::transparency::{Sums, Transparency};
use jiff::civil;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::output::say;
use super::{Outcome, Place, holds_log, in_words};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus report transparency --quarter 2026Q4 > transparency-2026Q4.md"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What became of a quarter's orders, what was refused and by which rule, and what people
    /// decided: sums of the log, without a word about a single account. Whether the service runs or
    /// not.
    #[command(
        after_help = "Examples:\n  telenumerus report transparency --quarter 2026Q4\n  telenumerus report transparency --quarter 2026Q4 --json"
    )]
    Transparency {
        /// The quarter, in UTC, as in 2026Q4.
        #[arg(long, value_parser = quarter)]
        quarter: Quarter,
        /// As JSON, in place of Markdown.
        #[arg(long)]
        json: bool,
    },
}

/// A quarter of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quarter {
    year: i16,
    /// From 1.
    number: i8,
}

impl Display for Quarter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}Q{}", self.year, self.number)
    }
}

/// A quarter as people write it.
fn quarter(text: &str) -> Result<Quarter, String> {
    let read = || {
        let (year, number) = text.split_once(['Q', 'q'])?;
        let (year, number): (i16, i8) = (year.parse().ok()?, number.parse().ok()?);
        ((1970..=9000).contains(&year) && (1..=4).contains(&number))
            .then_some(Quarter { year, number })
    };
    read().ok_or_else(|| "is no quarter, such as 2026Q4".to_owned())
}

impl Quarter {
    /// Its first moment.
    fn begin(self) -> Result<Timestamp, String> {
        let date = civil::Date::new(self.year, self.number * 3 - 2, 1).map_err(in_words)?;
        let begin = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(in_words)?;
        Ok(Timestamp::from_millis(begin.as_millisecond()))
    }

    fn next(self) -> Self {
        let Self { year, number } = self;
        if number < 4 {
            Self { year, number: number + 1 }
        } else {
            Self { year: year + 1, number: 1 }
        }
    }
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let Command::Transparency { quarter, json } = &options.command;
    let (config, data_dir) = place.load().map_err(in_words)?;
    holds_log(&data_dir)?;
    let (from, until) = (quarter.begin()?, quarter.next().begin()?);
    let report = told(*quarter, (from, until), &sums(&data_dir, from, until)?);
    if *json {
        say!("{report:#}");
    } else {
        say!("{}", markdown(&report, config.operator.name.as_deref()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The sums of the log in `data_dir`; of one that is not as it was written there are none.
fn sums(data_dir: &Path, from: Timestamp, until: Timestamp) -> Result<Sums, String> {
    let mut followed = Transparency::between(from, until);
    let broken =
        verify_chain(data_dir, |record| followed.observe(&record.recorded)).map_err(in_words)?;
    if broken.is_empty() {
        return Ok(followed.sums());
    }
    let places = broken.len();
    Err(format!("the log is broken in {places} places; `telenumerus audit verify` names them"))
}

fn told(quarter: Quarter, (from, until): (Timestamp, Timestamp), sums: &Sums) -> Value {
    json!({
        "quarter": quarter.to_string(), "from": from.to_string(), "until": until.to_string(),
        "orders": {
            "placed": sums.orders, "with_made_up_numbers": sums.made_up, "ended": sums.ended,
        },
        "refused_by_rule": sums.refused, "would_have_been_refused_by_rule": sums.shadowed,
        "reported_by_callers": sums.reported, "accounts_opened": sums.opened,
        "decisions": sums.decided, "exports": sums.exported, "erasures": sums.erased,
    })
}

/// The report for people.
fn markdown(report: &Value, operator: Option<&str>) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut text = format!("# Transparency report {}\n\n", word(&report["quarter"]));
    if let Some(operator) = operator {
        let _ = writeln!(text, "Of {operator}.\n");
    }
    let _ = writeln!(
        text,
        "From {} on, before {}. Accounts for tests are left out. Within a day each account's \
         refusals of one kind are counted once.\n",
        word(&report["from"]),
        word(&report["until"])
    );
    let orders = &report["orders"];
    let _ = writeln!(
        text,
        "Orders placed: {}, of which with numbers that are made up: {}.",
        orders["placed"], orders["with_made_up_numbers"]
    );
    for (title, sums) in [
        ("Orders by what became of them", &orders["ended"]),
        ("Orders refused, by rule", &report["refused_by_rule"]),
        (
            "Orders that a rule on trial would have refused",
            &report["would_have_been_refused_by_rule"],
        ),
        ("Reported by callers", &report["reported_by_callers"]),
        ("Accounts opened", &report["accounts_opened"]),
        ("Decided by people", &report["decisions"]),
        ("Handed on to somebody with a right to it, by whose it was", &report["exports"]),
        ("Erased, by what (orders and accounts)", &report["erasures"]),
    ] {
        let _ = write!(text, "\n## {title}\n\n");
        let sums: BTreeMap<String, u64> = serde_json::from_value(sums.clone()).unwrap_or_default();
        if sums.is_empty() {
            text.push_str("None.\n");
            continue;
        }
        text.push_str("| | |\n|---|---|\n");
        for (name, sum) in sums {
            let _ = writeln!(text, "| {} | {sum} |", name.replace('_', " "));
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_is_three_months_of_utc() {
        let fourth = quarter("2026q4").unwrap();
        assert_eq!(fourth.to_string(), "2026Q4");
        assert_eq!(fourth.begin().unwrap().to_string(), "2026-10-01T00:00:00.000Z");
        assert_eq!(fourth.next().begin().unwrap().to_string(), "2027-01-01T00:00:00.000Z");
        for text in ["", "2026", "2026Q0", "2026Q5", "26Q", "Q1", "99999Q1", "2026Q4 "] {
            assert!(quarter(text).is_err(), "{text}");
        }
    }
}
