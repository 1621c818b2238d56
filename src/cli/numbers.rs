//! `telenumerus numbers`: imports, shows and retires the pools' numbers in the running service,
//! buys and gives back those of telecoms.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::admin::Asking;
use super::output::{cell, cells, listing, progress, say};
use super::{Outcome, Place};
use crate::admin::{Buy, GiveBack, Import, Retire, Row, Sync};

/// Lines sent at once: below what the admin API takes in one request.
const CHUNK: usize = 2_000;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus numbers import numbers.csv\n  telenumerus numbers list --json\n  telenumerus numbers messages --why order_ended"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the numbers of a CSV file: number,country and, if you like, platforms and supplier.
    /// Says of every line that was not taken why.
    #[command(
        after_help = "Examples:\n  telenumerus numbers import numbers.csv --supplier own --operator alice"
    )]
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
    /// Show every number and how it is: free, leased, or cooling: from platforms it has served, or
    /// from all for a moment.
    #[command(after_help = "Examples:\n  telenumerus numbers list --supplier own")]
    List {
        /// One source's only.
        #[arg(long)]
        supplier: Option<String>,
        /// Those that were retired, and why, in place of those that serve.
        #[arg(long)]
        retired: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show messages that gave no order its code, the latest first: late, for a number on no order
    /// or of nobody, of another brand, or without a code.
    #[command(
        after_help = "Examples:\n  telenumerus numbers messages --number +12025550123 --reveal"
    )]
    Messages {
        /// One number's only.
        #[arg(long)]
        number: Option<String>,
        /// For one reason only, as the list names it.
        #[arg(long)]
        why: Option<String>,
        /// Only those before this place in the log.
        #[arg(long)]
        before: Option<u64>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Senders and texts, too; without it they are hidden.
        #[arg(long)]
        reveal: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show numbers that a telecom has for sale.
    #[command(after_help = "Examples:\n  telenumerus numbers search twilio --country US --limit 5")]
    Search {
        /// The telecom, as the configuration names it.
        supplier: String,
        /// Where they are to be from.
        #[arg(long, default_value = "US")]
        country: String,
        /// How many at most.
        #[arg(long, default_value_t = 10)]
        limit: u8,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Buy a number from a telecom, within the month's limit; it serves at once.
    #[command(after_help = "Examples:\n  telenumerus numbers buy twilio +12025550123")]
    Buy {
        /// The telecom, as the configuration names it.
        supplier: String,
        /// The number, as the search showed it.
        number: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// Give a bought number back to its telecom.
    #[command(
        after_help = "Examples:\n  telenumerus numbers release twilio +12025550123 --reason 'too many'"
    )]
    Release {
        /// The telecom, as the configuration names it.
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
    #[command(after_help = "Examples:\n  telenumerus numbers sync telnyx")]
    Sync {
        /// The telecom, as the configuration names it.
        supplier: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// Have a number serve no further order.
    #[command(after_help = "Examples:\n  telenumerus numbers retire +12025550123 --reason sold")]
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
        Command::Import { file, supplier, operator } => {
            import(&Asking::new(place)?, file, supplier, operator)
        }
        Command::List { supplier, retired, json } => {
            list(&Asking::new(place)?, supplier.as_deref(), *retired, *json)
        }
        Command::Messages { number, why, before, limit, reveal, json } => {
            let (before, limit, reveal) =
                (before.map(|before| before.to_string()), limit.to_string(), reveal.to_string());
            let values = [
                ("number", number),
                ("why", why),
                ("before", &before),
                ("limit", &Some(limit)),
                ("reveal", &Some(reveal)),
            ];
            let query =
                asked("numbers/messages", values.map(|(name, value)| (name, value.as_deref())));
            Ok(messages(&Asking::new(place)?.ask(&query, None)?, *json))
        }
        Command::Retire { number, reason, operator } => {
            let retire = Retire {
                number: number.clone(),
                reason: reason.clone(),
                operator: operator.clone(),
            };
            show(place, "numbers/retire", Some(json!(retire)))
        }
        Command::Search { supplier, country, limit, json } => {
            let values =
                [("supplier", supplier), ("country", country), ("limit", &limit.to_string())];
            let answer = Asking::new(place)?.ask(
                &asked("numbers/search", values.map(|(name, value)| (name, Some(value.as_str())))),
                None,
            )?;
            Ok(offers(&answer, *json))
        }
        Command::Buy { supplier, number, operator } => {
            let buy = Buy {
                supplier: supplier.clone(),
                number: number.clone(),
                operator: operator.clone(),
            };
            show(place, "numbers/buy", Some(json!(buy)))
        }
        Command::Release { supplier, number, reason, operator } => {
            let (supplier, number, reason) = (supplier.clone(), number.clone(), reason.clone());
            show(
                place,
                "numbers/release",
                Some(json!(GiveBack { supplier, number, reason, operator: operator.clone() })),
            )
        }
        Command::Sync { supplier, operator } => show(
            place,
            "numbers/sync",
            Some(json!(Sync { supplier: supplier.clone(), operator: operator.clone() })),
        ),
    }
}

/// A path with what is asked for.
fn asked<'a>(
    path: &str,
    values: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
) -> String {
    let path = format!("{path}?");
    let end = path.len();
    let mut query = form_urlencoded::Serializer::for_suffix(path, end);
    query.extend_pairs(values.into_iter().filter_map(|(name, value)| Some((name, value?))));
    query.finish()
}

fn show(place: &Place, path: &str, body: Option<Value>) -> Outcome {
    let answer = Asking::new(place)?.ask(path, body.as_ref())?;
    say!("{answer:#}");
    Ok(ExitCode::SUCCESS)
}

fn import(asking: &Asking, file: &PathBuf, supplier: &str, operator: &str) -> Outcome {
    let (rows, mut rejected) = read(file, supplier)?;
    let (mut listed, mut unchanged) = (0, 0);
    let bar = progress("importing", u64::try_from(rows.len()).unwrap_or(u64::MAX));
    for chunk in rows.chunks(CHUNK) {
        let import = Import { operator: operator.to_owned(), rows: chunk.to_vec() };
        let answer = asking.ask("numbers/import", Some(&json!(import)))?;
        listed += answer["listed"].as_u64().unwrap_or(0);
        unchanged += answer["unchanged"].as_u64().unwrap_or(0);
        bar.inc(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        let refused = answer["rejected"].as_array().into_iter().flatten();
        rejected.extend(refused.map(|line| {
            (
                line["line"].as_u64().unwrap_or(0),
                line["why"].as_str().unwrap_or_default().to_owned(),
            )
        }));
    }
    bar.finish_and_clear();
    rejected.sort();
    for (line, why) in &rejected {
        say!("line {line}: {why}");
    }
    say!("{listed} listed, {unchanged} as they were, {} rejected", rejected.len());
    Ok(if rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Rejected = Vec<(u64, String)>;

/// The file's lines, and those that are no lines of such a file.
fn read(file: &PathBuf, supplier: &str) -> Result<(Vec<Row>, Rejected), String> {
    let named = |error: csv::Error| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    // The reader counts line feeds, and the second half of a CRLF only with the next record: each
    // line ends in a feed alone.
    let bytes = one_line_feed_a_line(&bytes);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(bytes.as_slice());
    let header = reader.headers().map_err(named)?.clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|column| column.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
    };
    let (Some(number), Some(country)) = (column("number"), column("country")) else {
        return Err(format!(
            "{}: its first line must name the columns number and country, and may name platforms \
             and supplier",
            file.display()
        ));
    };
    let stranger = header.iter().find(|name| {
        !["number", "country", "platforms", "supplier"]
            .iter()
            .any(|known| name.trim_start_matches('\u{feff}').eq_ignore_ascii_case(known))
    });
    if let Some(stranger) = stranger {
        return Err(format!(
            "{}: there is no column {stranger:?}; number, country, platforms and supplier are",
            file.display()
        ));
    }
    let (platforms, own) = (column("platforms"), column("supplier"));
    let (mut rows, mut rejected, mut seen) =
        (Vec::new(), Vec::new(), std::collections::BTreeMap::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                rejected.push((
                    error.position().map_or(0, csv::Position::line),
                    "it is no text in UTF-8".to_owned(),
                ));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            rejected.push((
                line,
                format!("it has {} fields, and the first line has {}", record.len(), header.len()),
            ));
            continue;
        }
        let field = |column: Option<usize>| {
            column.and_then(|column| record.get(column)).unwrap_or_default()
        };
        let supplier =
            Some(field(own)).filter(|own| !own.is_empty()).unwrap_or(supplier).to_owned();
        let row = Row {
            line,
            number: field(Some(number)).to_owned(),
            country: field(Some(country)).to_owned(),
            supplier,
            platforms: field(platforms).replace(';', " "),
        };
        // The same number of another country or supplier is another claim: which of them holds is
        // for the service to say.
        let digits: String = row.number.chars().filter(char::is_ascii_digit).collect();
        match seen.insert((digits, row.country.to_ascii_uppercase(), row.supplier.clone()), line) {
            Some(before) if !row.number.is_empty() => {
                rejected.push((line, format!("its number stands in line {before} already")));
            }
            _ => rows.push(row),
        }
    }
    Ok((rows, rejected))
}

/// The bytes, with a line feed for each CRLF and each carriage return.
fn one_line_feed_a_line(bytes: &[u8]) -> Vec<u8> {
    let is_first_half = |place: usize| bytes.get(place..place + 2) == Some(b"\r\n");
    let kept = bytes.iter().enumerate().filter(|(place, _)| !is_first_half(*place));
    kept.map(|(_, byte)| if *byte == b'\r' { b'\n' } else { *byte }).collect()
}

fn elements(values: &Value) -> impl Iterator<Item = &Value> {
    values.as_array().into_iter().flatten()
}

fn messages(answer: &Value, as_json: bool) -> ExitCode {
    let rows = elements(&answer["messages"]).map(|message| {
        let said = message["text"].as_str().map_or_else(
            || "-".to_owned(),
            |text| format!("{:?}: {text:?}", cell(&message["sender"])),
        );
        cells(message, &["position", "at", "number", "supplier", "why"])
            .into_iter()
            .chain([said])
            .collect()
    });
    listing(as_json, answer, &["position", "at", "number", "supplier", "why", "said"], rows);
    ExitCode::SUCCESS
}

fn offers(answer: &Value, as_json: bool) -> ExitCode {
    let rows =
        elements(&answer["numbers"]).map(|offer| cells(offer, &["number", "country", "monthly"]));
    listing(as_json, answer, &["number", "country", "monthly"], rows);
    ExitCode::SUCCESS
}

fn list(asking: &Asking, supplier: Option<&str>, retired: bool, as_json: bool) -> Outcome {
    let answer = asking.ask(
        &asked(
            "numbers",
            [("retired", Some(retired.to_string().as_str())), ("supplier", supplier)],
        ),
        None,
    )?;
    let rows = elements(&answer["numbers"]).map(|number| {
        let platforms = if number["platforms"].is_null() {
            "all".to_owned()
        } else {
            cell(&number["platforms"])
        };
        let cooling: Vec<&str> =
            elements(&number["cooling"]).filter_map(|rest| rest["platform"].as_str()).collect();
        let cooling = (!cooling.is_empty()).then(|| format!("rests from {}", cooling.join(" ")));
        let until = number["rests_until"].as_str().map(|until| format!("rests until {until}"));
        let why = number["reason"]
            .as_str()
            .map(|reason| format!("{}: {reason:?}", cell(&number["retired_at"])));
        let remarks: Vec<String> = [until, cooling, why].into_iter().flatten().collect();
        cells(number, &["number", "supplier", "country", "state"])
            .into_iter()
            .chain([platforms, remarks.join(", ")])
            .collect()
    });
    listing(
        as_json,
        &answer,
        &["number", "supplier", "country", "state", "platforms", "remarks"],
        rows,
    );
    Ok(ExitCode::SUCCESS)
}
