//! The questions of `telenumerus admin`: each is a call of the operator's API that changes nothing
//! but what a reveal records.

use clap::{Args, Subcommand};
use events::id::{AccountId, OrderId};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::Why;

#[derive(Debug, Subcommand)]
pub enum Query {
    /// Show how the service is: what runs, success by source and platform, money, lags, warnings.
    #[command(after_help = "Examples:\n  telenumerus admin overview --hours 6")]
    Overview {
        /// Success and delivery of so many hours.
        #[arg(long, default_value_t = 24)]
        hours: u32,
    },
    /// List all accounts, the latest first.
    #[command(after_help = "Examples:\n  telenumerus admin accounts --suspended")]
    Accounts {
        /// Only those that are suspended.
        #[arg(long)]
        suspended: bool,
        /// live or test: only accounts that pay, or only those for tests.
        #[arg(long)]
        mode: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// List all orders, newest first.
    #[command(
        after_help = "Examples:\n  telenumerus admin orders --open\n  telenumerus admin orders --search ord_…"
    )]
    Orders {
        /// An order's id, an account's id or a phone number.
        #[arg(long)]
        search: Option<String>,
        /// How they are, such as completed.
        #[arg(long)]
        status: Option<String>,
        /// Only those that are not over.
        #[arg(long)]
        open: bool,
        #[arg(long)]
        platform: Option<String>,
        #[arg(long)]
        country: Option<String>,
        #[arg(long)]
        supplier: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Show an order with every fact of it; numbers, texts and codes masked.
    #[command(after_help = "Examples:\n  telenumerus admin order ord_…")]
    Order {
        /// The order's id.
        order: OrderId,
        /// How it was at a time, or after the event of this number.
        #[arg(long)]
        as_of: Option<String>,
    },
    /// Show an account's ledger, newest first.
    #[command(after_help = "Examples:\n  telenumerus admin ledger acc_…")]
    Ledger {
        /// The account's id.
        account: AccountId,
        /// The page before's `next_cursor`.
        #[arg(long)]
        cursor: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// List an account's deposits, the latest first.
    #[command(after_help = "Examples:\n  telenumerus admin account-deposits acc_…")]
    AccountDeposits {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        page: Page,
    },
    /// List webhook deliveries of all accounts, the latest due first.
    #[command(after_help = "Examples:\n  telenumerus admin deliveries --status exhausted")]
    Deliveries {
        /// pending, delivered or exhausted.
        #[arg(long)]
        status: Option<String>,
        /// Only this account's.
        #[arg(long)]
        account: Option<AccountId>,
        #[command(flatten)]
        page: Page,
    },
    /// Show orders, success, delivery, revenue and cost by the hour.
    #[command(after_help = "Examples:\n  telenumerus admin usage --hours 48")]
    Usage {
        /// So many hours.
        #[arg(long, default_value_t = 24)]
        hours: u32,
    },
    /// List the sources: their numbers, how they fare, their sessions.
    #[command(after_help = "Examples:\n  telenumerus admin suppliers")]
    Suppliers,
    /// Show what is masked: an order, message-<position>, delivery-<account>-<number>. Who looked,
    /// and why, stands in the log.
    #[command(after_help = "Examples:\n  telenumerus admin reveal ord_… --reason \"ticket 7\"")]
    Reveal {
        /// An order's id, message-<position> or delivery-<account>-<number>.
        subject: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Args)]
pub struct Page {
    /// The page before's `next_before`.
    #[arg(long)]
    before: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

impl Page {
    fn parts(&self) -> [(&'static str, Option<String>); 2] {
        [("before", self.before.clone()), ("limit", Some(self.limit.to_string()))]
    }
}

impl Query {
    /// The call: its path with its query, and the body of one that records something.
    pub fn call(&self) -> (String, Option<Value>) {
        let set = |is_set: bool| is_set.then(|| "true".to_owned());
        let path = match self {
            Self::Overview { hours } => with("overview", [("hours", Some(hours.to_string()))]),
            Self::Usage { hours } => with("usage", [("hours", Some(hours.to_string()))]),
            Self::Suppliers => "suppliers".to_owned(),
            Self::Accounts { suspended, mode, page } => {
                let parts = [("suspended", set(*suspended)), ("mode", mode.clone())];
                with("accounts", parts.into_iter().chain(page.parts()))
            }
            Self::AccountDeposits { account, page } => {
                with(&format!("accounts/{account}/deposits"), page.parts())
            }
            Self::Orders { search, status, open, platform, country, supplier, page } => {
                let parts = [
                    ("search", search),
                    ("status", status),
                    ("platform", platform),
                    ("country", country),
                    ("supplier", supplier),
                ];
                let parts = parts.into_iter().map(|(name, value)| (name, value.clone()));
                with("orders", parts.chain([("open", set(*open))]).chain(page.parts()))
            }
            Self::Order { order, as_of } => {
                with(&format!("orders/{order}"), [("as_of", as_of.clone())])
            }
            Self::Ledger { account, cursor, limit } => with(
                &format!("accounts/{account}/ledger"),
                [("cursor", cursor.clone()), ("limit", Some(limit.to_string()))],
            ),
            Self::Deliveries { status, account, page } => with(
                "deliveries",
                [
                    ("status", status.clone()),
                    ("account", account.map(|account| account.to_string())),
                ]
                .into_iter()
                .chain(page.parts()),
            ),
            Self::Reveal { subject, why } => {
                return (
                    "reveal".to_owned(),
                    Some(json!({
                        "subject": subject, "reason": why.reason, "operator": why.operator,
                    })),
                );
            }
        };
        (path, None)
    }
}

/// A path with those of its parameters that are given.
fn with(path: &str, parts: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let mut query = Serializer::new(format!("{path}?"));
    for (name, value) in parts {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    query.finish().trim_end_matches('?').to_owned()
}
