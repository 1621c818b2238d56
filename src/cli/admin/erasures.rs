//! `telenumerus admin erase-order`, `erase-account`, `hold` and `release-hold`: what the log
//! forgets.

use clap::Subcommand;
use serde_json::Value;

use super::super::output::say;
use super::{Why, in_words};
use crate::admin::Said;

#[derive(Debug, Subcommand)]
pub enum Erasures {
    /// Erase what the messages of an order say, its codes with it. It cannot be undone.
    #[command(
        after_help = "Examples:\n  telenumerus admin erase-order ord_… --reason \"request 7\""
    )]
    EraseOrder {
        /// The order's id.
        order: String,
        #[command(flatten)]
        why: Why,
    },
    /// Erase the same of all orders of an account that are over. It cannot be undone.
    #[command(
        after_help = "Examples:\n  telenumerus admin erase-account acc_… --reason \"request 7\""
    )]
    EraseAccount {
        /// The account's id.
        account: String,
        #[command(flatten)]
        why: Why,
    },
    /// Have nothing of an account erased, by nobody and no retention, until the hold is lifted.
    #[command(
        after_help = "Examples:\n  telenumerus admin hold acc_… --reason \"court order 7/26\""
    )]
    Hold {
        /// The account's id.
        account: String,
        #[command(flatten)]
        why: Why,
    },
    /// Lift an account's hold.
    #[command(after_help = "Examples:\n  telenumerus admin release-hold acc_… --reason \"over\"")]
    ReleaseHold {
        /// The account's id.
        account: String,
        #[command(flatten)]
        why: Why,
    },
}

impl Erasures {
    /// The call of the operator's API.
    pub fn call(&self) -> Result<(String, Option<Value>), String> {
        let (path, why) = match self {
            Self::EraseOrder { order, why } => (format!("orders/{order}/erase"), why),
            Self::EraseAccount { account, why } => (format!("accounts/{account}/erase"), why),
            Self::Hold { account, why } => (format!("accounts/{account}/hold"), why),
            Self::ReleaseHold { account, why } => (format!("accounts/{account}/release"), why),
        };
        let said = Said { reason: why.reason.clone(), operator: why.operator.clone() };
        Ok((path, Some(serde_json::to_value(said).map_err(in_words)?)))
    }

    /// Shows the answer.
    pub fn show(answer: &Value) {
        say!("{answer:#}");
    }
}
