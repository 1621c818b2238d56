//! `telenumerus numbers`: imports, shows and retires the pools' numbers in the running service,
//! buys and gives back those of telecoms.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::admin::Asking;
use super::output::{cell, cells, listing, say};
use super::{Outcome, Place};
use crate::admin::{Buy, GiveBack, Retire, Sync};

mod import;

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
            import::import(&Asking::new(place)?, file, supplier, operator)
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
