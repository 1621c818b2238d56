//! `telenumerus admin erase-order`, `erase-account`, `hold`, `release-hold`, and lists of what was
//! erased, held and exported.

use clap::{Args, Subcommand};
use events::id::{AccountId, OrderId};
use serde_json::Value;

use super::super::output::{cells, listing, say};
use super::{Why, in_words};
use crate::admin::{EraseNumber, Said};

#[derive(Debug, Subcommand)]
pub enum Erasures {
    /// Erase what the messages of an order say, its codes and its number. It cannot be undone.
    #[command(
        after_help = "Examples:\n  telenumerus admin erase-order ord_… --reason \"request 7\""
    )]
    EraseOrder {
        /// The order's id.
        order: OrderId,
        #[command(flatten)]
        why: Why,
    },
    /// Erase the same of all orders of an account that are over, and its webhook, which is off
    /// until it is set again. It cannot be undone.
    #[command(
        after_help = "Examples:\n  telenumerus admin erase-account acc_… --reason \"request 7\""
    )]
    EraseAccount {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
    /// Erase the same of all orders that were on a number and are over. It cannot be undone.
    #[command(
        after_help = "Examples:\n  telenumerus admin erase-number +12025550123 --reason \"request 7\""
    )]
    EraseNumber {
        /// The number in E.164, with its plus.
        number: String,
        #[command(flatten)]
        why: Why,
    },
    /// Have nothing of an account erased, by nobody and no retention, until the hold is lifted.
    #[command(
        after_help = "Examples:\n  telenumerus admin hold acc_… --reason \"court order 7/26\""
    )]
    Hold {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
    /// List accounts under a legal hold: since when, why and by whom.
    #[command(after_help = "Examples:\n  telenumerus admin holds --json")]
    Holds {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// List what was erased, and holds that were placed and lifted, the latest first.
    #[command(name = "erasures", after_help = "Examples:\n  telenumerus admin erasures --limit 20")]
    Decided(Page),
    /// List what was exported, the latest first.
    #[command(after_help = "Examples:\n  telenumerus admin exports --json")]
    Exports(Page),
    /// Lift an account's hold.
    #[command(after_help = "Examples:\n  telenumerus admin release-hold acc_… --reason \"over\"")]
    ReleaseHold {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
}

/// A page of a list.
#[derive(Debug, Args)]
pub struct Page {
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Only those before this one, as `next_before` of an answer says it.
    #[arg(long)]
    before: Option<u64>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Page {
    fn of(&self, list: &str) -> (String, Option<Value>) {
        let before = self.before.map_or_else(String::new, |before| format!("&before={before}"));
        (format!("{list}?limit={}{before}", self.limit), None)
    }
}

impl Erasures {
    /// The call of the operator's API.
    pub fn call(&self) -> Result<(String, Option<Value>), String> {
        let (path, why) = match self {
            Self::EraseOrder { order, why } => (format!("orders/{order}/erase"), why),
            Self::EraseAccount { account, why } => (format!("accounts/{account}/erase"), why),
            Self::Hold { account, why } => (format!("accounts/{account}/hold"), why),
            Self::ReleaseHold { account, why } => (format!("accounts/{account}/release"), why),
            Self::EraseNumber { number, why } => {
                let (reason, operator) = (why.reason.clone(), why.operator.clone());
                let wanted = EraseNumber { number: number.clone(), reason, operator };
                let body = serde_json::to_value(wanted).map_err(in_words)?;
                return Ok(("numbers/erase".to_owned(), Some(body)));
            }
            Self::Holds { .. } => return Ok(("holds".to_owned(), None)),
            Self::Decided(page) => return Ok(page.of("erasures")),
            Self::Exports(page) => return Ok(page.of("exports")),
        };
        let said = Said { reason: why.reason.clone(), operator: why.operator.clone() };
        Ok((path, Some(serde_json::to_value(said).map_err(in_words)?)))
    }

    /// Shows the answer.
    pub fn show(&self, answer: &Value) {
        let (name, as_json, columns) = match self {
            Self::Holds { json } => ("holds", *json, &["since", "account_id", "by", "reason"][..]),
            Self::Decided(page) => ("erasures", page.json, &["at", "event", "by", "reason"][..]),
            Self::Exports(page) => {
                ("exports", page.json, &["at", "by", "scope", "records", "reason"][..])
            }
            Self::EraseOrder { .. }
            | Self::EraseAccount { .. }
            | Self::EraseNumber { .. }
            | Self::Hold { .. }
            | Self::ReleaseHold { .. } => return say!("{answer:#}"),
        };
        let rows = answer[name].as_array().into_iter().flatten();
        listing(as_json, answer, columns, rows.map(|row| cells(row, columns)));
    }
}
