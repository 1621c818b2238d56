//! `telenumerus numbers`: imports, shows and retires the pools' numbers in the running service, buys and gives back those of telecoms.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::Asking;
use super::{Outcome, Place, in_words};
use crate::admin::{Buy, GiveBack, Import, Retire, Row, Sync};

/// Lines sent at once: below what the door takes in one request.
const CHUNK: usize = 2_000;

#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the numbers of a CSV file: number,country and, if you like, platforms and supplier. Says of every line that was not taken why.
    Import {
        /// The file; its first line names the columns.
        file: PathBuf,
        /// Whose numbers they are, where a line does not say.
        #[arg(long, default_value = "own")]
        supplier: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// Show every number and how it is: free, leased, or cooling: from platforms it has served, or from all for a moment.
    List {
        /// One source's only.
        #[arg(long)]
        supplier: Option<String>,
    },
    /// Show numbers that a telecom has for sale.
    Search {
        /// twilio, telnyx or vonage.
        supplier: String,
        /// Where they are to be from.
        #[arg(long, default_value = "US")]
        country: String,
        /// How many at most.
        #[arg(long, default_value_t = 10)]
        limit: u8,
    },
    /// Buy a number from a telecom, within the month's limit; it serves at once.
    Buy {
        /// twilio, telnyx or vonage.
        supplier: String,
        /// The number, as the search showed it.
        number: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// Give a bought number back to its telecom.
    Release {
        /// twilio, telnyx or vonage.
        supplier: String,
        /// The number.
        number: String,
        /// Why; it stands in the event log.
        #[arg(long)]
        reason: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// Have every number that you own at a telecom in its pool.
    Sync {
        /// twilio, telnyx or vonage.
        supplier: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// Have a number serve no further order.
    Retire {
        /// The number.
        number: String,
        /// Why; it stands in the event log.
        #[arg(long)]
        reason: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    match &options.command {
        Command::Import { file, supplier, operator } => import(&Asking::new(place)?, file, supplier, operator),
        Command::List { supplier } => list(&Asking::new(place)?, supplier.as_deref()),
        Command::Retire { number, reason, operator } => {
            let retire = Retire { number: number.clone(), reason: reason.clone(), operator: operator.clone() };
            show(place, "numbers/retire", Some(json!(retire)))
        }
        Command::Search { supplier, country, limit } => {
            show(place, &format!("numbers/search?supplier={supplier}&country={country}&limit={limit}"), None)
        }
        Command::Buy { supplier, number, operator } => {
            let buy = Buy { supplier: supplier.clone(), number: number.clone(), operator: operator.clone() };
            show(place, "numbers/buy", Some(json!(buy)))
        }
        Command::Release { supplier, number, reason, operator } => {
            let (supplier, number, reason) = (supplier.clone(), number.clone(), reason.clone());
            show(place, "numbers/release", Some(json!(GiveBack { supplier, number, reason, operator: operator.clone() })))
        }
        Command::Sync { supplier, operator } => {
            show(place, "numbers/sync", Some(json!(Sync { supplier: supplier.clone(), operator: operator.clone() })))
        }
    }
}

fn show(place: &Place, path: &str, body: Option<Value>) -> Outcome {
    let answer = Asking::new(place)?.ask(path, body.as_ref())?;
    println!("{answer:#}");
    Ok(ExitCode::SUCCESS)
}

fn import(asking: &Asking, file: &PathBuf, supplier: &str, operator: &str) -> Outcome {
    let (rows, mut rejected) = read(file, supplier)?;
    let (mut listed, mut unchanged) = (0, 0);
    for chunk in rows.chunks(CHUNK) {
        let import = Import { operator: operator.to_owned(), rows: chunk.to_vec() };
        let answer = asking.ask("numbers/import", Some(&json!(import)))?;
        listed += answer["listed"].as_u64().unwrap_or(0);
        unchanged += answer["unchanged"].as_u64().unwrap_or(0);
        let refused = answer["rejected"].as_array().into_iter().flatten();
        rejected.extend(refused.map(|line| (line["line"].as_u64().unwrap_or(0), line["why"].as_str().unwrap_or_default().to_owned())));
    }
    rejected.sort();
    for (line, why) in &rejected {
        println!("line {line}: {why}");
    }
    println!("{listed} listed, {unchanged} as they were, {} rejected", rejected.len());
    Ok(if rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Rejected = Vec<(u64, String)>;

/// The file's lines, and those that are no lines of such a file.
fn read(file: &PathBuf, supplier: &str) -> Result<(Vec<Row>, Rejected), String> {
    let named = |error: csv::Error| format!("{}: {error}", file.display());
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_path(file).map_err(named)?;
    let header = reader.headers().map_err(named)?.clone();
    let column = |name: &str| header.iter().position(|column| column.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
    let (Some(number), Some(country)) = (column("number"), column("country")) else {
        return Err(format!("{}: its first line must name the columns number and country, and may name platforms and supplier", file.display()));
    };
    let stranger = header.iter().find(|name| {
        !["number", "country", "platforms", "supplier"].iter().any(|known| name.trim_start_matches('\u{feff}').eq_ignore_ascii_case(known))
    });
    if let Some(stranger) = stranger {
        return Err(format!("{}: there is no column {stranger:?}; number, country, platforms and supplier are", file.display()));
    }
    let (platforms, own) = (column("platforms"), column("supplier"));
    let (mut rows, mut rejected, mut seen) = (Vec::new(), Vec::new(), std::collections::BTreeMap::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                rejected.push((error.position().map_or(0, csv::Position::line), "it is no text in UTF-8".to_owned()));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            rejected.push((line, format!("it has {} fields, and the first line has {}", record.len(), header.len())));
            continue;
        }
        let field = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default();
        let supplier = Some(field(own)).filter(|own| !own.is_empty()).unwrap_or(supplier).to_owned();
        let row = Row {
            line,
            number: field(Some(number)).to_owned(),
            country: field(Some(country)).to_owned(),
            supplier,
            platforms: field(platforms).replace(';', " "),
        };
        let digits: String = row.number.chars().filter(char::is_ascii_digit).collect();
        match seen.insert(digits, line) {
            Some(before) if !row.number.is_empty() => rejected.push((line, format!("its number stands in line {before} already"))),
            _ => rows.push(row),
        }
    }
    Ok((rows, rejected))
}

fn list(asking: &Asking, supplier: Option<&str>) -> Outcome {
    let query = supplier.map_or_else(String::new, |supplier| format!("?supplier={supplier}"));
    let answer = asking.ask(&format!("numbers{query}"), None)?;
    let mut out = std::io::stdout().lock();
    for number in answer["numbers"].as_array().into_iter().flatten() {
        let text = |field: &str| number[field].as_str().unwrap_or_default().to_owned();
        let joined = |values: &Value| values.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let platforms = if number["platforms"].is_null() { "all".to_owned() } else { joined(&number["platforms"]) };
        let cooling: Vec<&str> = number["cooling"].as_array().into_iter().flatten().filter_map(|rest| rest["platform"].as_str()).collect();
        let cooling = if cooling.is_empty() { String::new() } else { format!(" (rests from {})", cooling.join(" ")) };
        let until = number["rests_until"].as_str().map_or_else(String::new, |until| format!(" (rests until {until})"));
        let line =
            writeln!(out, "{:<16} {:<8} {} {:<8} {platforms}{until}{cooling}", text("number"), text("supplier"), text("country"), text("state"));
        // Whoever reads may have seen enough (`| head`).
        if line.is_err() {
            break;
        }
    }
    out.flush().map_err(in_words)?;
    Ok(ExitCode::SUCCESS)
}
