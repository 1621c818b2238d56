//! `telenumerus admin`: talks to the running service through its admin API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use events::id::AccountId;
use serde_json::Value;

use super::output::{cell, cells, listing, say};
use super::{Outcome, Place, in_words};
use crate::admin::{AccountAction, Classify};

mod asking;
mod erasures;
mod newcomers;
mod queries;

pub use asking::Asking;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus admin credit acc_… 25 --reason \"invoice 17\"\n  telenumerus admin show acc_…\n  telenumerus admin reports --json"
)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Give an account money.
    #[command(
        after_help = "Examples:\n  telenumerus admin credit acc_… 12.50 --reason \"invoice 17\" --idempotency-key invoice-17"
    )]
    Credit {
        /// The account's id, as registration returned it.
        account: AccountId,
        /// Dollars, such as 12.50.
        amount: String,
        /// The same key gives the money once, however often the command is repeated.
        #[arg(long)]
        idempotency_key: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Take money back from an account: a credit that was mistyped.
    #[command(
        after_help = "Examples:\n  telenumerus admin debit acc_… 12.50 --reason \"mistyped\""
    )]
    Debit {
        /// The account's id.
        account: AccountId,
        /// Dollars, such as 12.50.
        amount: String,
        /// Take it also where less can be spent: the balance is below zero then, until money comes.
        #[arg(long)]
        may_overdraw: bool,
        /// The same key takes the money once, however often the command is repeated.
        #[arg(long)]
        idempotency_key: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Stop an account from ordering; its open orders end as usual, refunds included.
    #[command(after_help = "Examples:\n  telenumerus admin suspend acc_… --reason abuse")]
    Suspend {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
    /// Let an account order again.
    #[command(after_help = "Examples:\n  telenumerus admin reinstate acc_… --reason \"talked\"")]
    Reinstate {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
    /// Say how well an account is known: new, verified or trusted. Rules of the policy speak for
    /// classes, and what waited for a review is decided.
    #[command(
        after_help = "Examples:\n  telenumerus admin class acc_… trusted --reason \"contract 12\""
    )]
    Class {
        /// The account's id.
        account: AccountId,
        /// new, verified or trusted.
        class: String,
        #[command(flatten)]
        why: Why,
    },
    /// Show what waits for a person: accounts that want to be approved, orders that were refused,
    /// and orders that went on because the policy is in shadow. `admin approve`, `admin decline`
    /// and `admin class` decide.
    #[command(after_help = "Examples:\n  telenumerus admin review --json")]
    Review {
        /// Also those that wait for nobody.
        #[arg(long)]
        all: bool,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a fresh key in the place of all of an account's: for an owner who has lost them, or
    /// whose keys somebody else has. It is shown this once.
    #[command(
        after_help = "Examples:\n  telenumerus admin rotate-key acc_… --reason \"key was lost\""
    )]
    RotateKey {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
    /// Show an account.
    #[command(after_help = "Examples:\n  telenumerus admin show acc_…")]
    Show {
        /// The account's id.
        account: AccountId,
    },
    /// Show what callers say of their orders: wrong codes, no codes, used numbers, and who was paid
    /// back; the latest first.
    #[command(after_help = "Examples:\n  telenumerus admin reports --limit 20")]
    Reports {
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Only those before this place in the log, as an answer shows it.
        #[arg(long)]
        before: Option<u64>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show how chains are followed, and the deposits that somebody should look at.
    #[command(after_help = "Examples:\n  telenumerus admin deposits --stuck-hours 6")]
    Deposits {
        /// An unconfirmed deposit counts as stuck after so many hours.
        #[arg(long, default_value_t = 3)]
        stuck_hours: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Erasures(erasures::Erasures),
    #[command(flatten)]
    Newcomers(newcomers::Newcomers),
    #[command(flatten)]
    Query(queries::Query),
}

#[derive(Debug, Args)]
struct Why {
    /// Why; it stands in the event log.
    #[arg(long)]
    reason: String,
    /// Who you are; it stands in the event log.
    #[arg(long, env = "USER", default_value = "operator")]
    operator: String,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (path, body) = call(&options.command)?;
    let answer = Asking::new(place)?.ask(&path, body.as_ref())?;
    match &options.command {
        Command::Reports { json, .. } => reports(&answer, *json),
        Command::Deposits { json, .. } => deposits(&answer, *json),
        Command::Review { json, .. } => reviews(&answer, *json),
        Command::Newcomers(newcomers) => newcomers.show(&answer),
        Command::Erasures(erasures) => erasures.show(&answer),
        Command::Credit { .. }
        | Command::Debit { .. }
        | Command::Suspend { .. }
        | Command::Reinstate { .. }
        | Command::RotateKey { .. }
        | Command::Class { .. }
        | Command::Show { .. }
        | Command::Query(_) => say!("{answer:#}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The call of the operator's API that a command is.
fn call(command: &Command) -> Result<(String, Option<Value>), String> {
    let (path, order) = match command {
        Command::Query(query) => return Ok(query.call()),
        Command::Newcomers(newcomers) => return newcomers.call(),
        Command::Erasures(erasures) => return erasures.call(),
        Command::Class { account, class, why } => {
            let (class, reason, operator) =
                (class.clone(), why.reason.clone(), why.operator.clone());
            let body = serde_json::to_value(Classify { class, reason, operator });
            return Ok((format!("accounts/{account}/class"), Some(body.map_err(in_words)?)));
        }
        Command::Review { all, limit, .. } => {
            return Ok((format!("reviews?all={all}&limit={limit}"), None));
        }
        Command::Credit { account, amount, idempotency_key, why } => {
            let order = AccountAction {
                amount: Some(amount.clone()),
                idempotency_key: idempotency_key.clone(),
                ..why.order()
            };
            (format!("accounts/{account}/credit"), Some(order))
        }
        Command::Debit { account, amount, may_overdraw, idempotency_key, why } => {
            let (amount, idempotency_key) = (Some(amount.clone()), idempotency_key.clone());
            let order = AccountAction {
                amount,
                may_overdraw: *may_overdraw,
                idempotency_key,
                ..why.order()
            };
            (format!("accounts/{account}/debit"), Some(order))
        }
        Command::Suspend { account, why } => {
            (format!("accounts/{account}/suspend"), Some(why.order()))
        }
        Command::Reinstate { account, why } => {
            (format!("accounts/{account}/reinstate"), Some(why.order()))
        }
        Command::RotateKey { account, why } => {
            (format!("accounts/{account}/rotate-key"), Some(why.order()))
        }
        Command::Show { account } => (format!("accounts/{account}"), None),
        Command::Reports { limit, before, .. } => {
            let before = before.map_or_else(String::new, |before| format!("&before={before}"));
            (format!("reports?limit={limit}{before}"), None)
        }
        Command::Deposits { stuck_hours, .. } => {
            (format!("deposits?stuck_hours={stuck_hours}"), None)
        }
    };
    Ok((path, order.map(serde_json::to_value).transpose().map_err(in_words)?))
}

fn reviews(answer: &Value, as_json: bool) {
    let columns = [
        "at",
        "account_id",
        "class",
        "order_id",
        "platform",
        "country",
        "rule",
        "verdict",
        "mode",
        "decided",
        "reason",
    ];
    if !as_json {
        let waiting = ["registered_at", "account_id", "livemode"];
        let accounts = answer["accounts"].as_array().into_iter().flatten();
        let rows: Vec<_> = accounts.map(|account| cells(account, &waiting)).collect();
        if !rows.is_empty() {
            say!("accounts that wait for approval:");
            listing(false, answer, &waiting, rows);
            say!("orders:");
        }
    }
    let rows =
        answer["reviews"].as_array().into_iter().flatten().map(|review| cells(review, &columns));
    listing(as_json, answer, &columns, rows);
}

fn reports(answer: &Value, as_json: bool) {
    let columns = [
        "position",
        "at",
        "account_id",
        "order_id",
        "reason",
        "supplier",
        "platform",
        "country",
        "refunded",
    ];
    let rows =
        answer["reports"].as_array().into_iter().flatten().map(|report| cells(report, &columns));
    listing(as_json, answer, &columns, rows);
}

/// Two lists: the chains, and the deposits that somebody should look at.
fn deposits(answer: &Value, as_json: bool) {
    if as_json {
        return say!("{answer:#}");
    }
    for (name, values) in answer.as_object().into_iter().flatten() {
        let Some(values) = values.as_array() else {
            say!("{name}: {}", cell(values));
            continue;
        };
        let columns: Vec<&str> = values
            .first()
            .and_then(Value::as_object)
            .map(|first| first.keys().map(String::as_str).collect())
            .unwrap_or_default();
        say!("{name}: {}", values.len());
        if !columns.is_empty() {
            listing(false, answer, &columns, values.iter().map(|value| cells(value, &columns)));
        }
    }
}

impl Why {
    fn order(&self) -> AccountAction {
        let (reason, operator) = (self.reason.clone(), self.operator.clone());
        AccountAction { amount: None, may_overdraw: false, idempotency_key: None, reason, operator }
    }
}
