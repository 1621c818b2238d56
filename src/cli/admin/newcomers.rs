//! `telenumerus admin invite`, `approve` and `decline`: who may open accounts, and which may order.

use clap::Subcommand;
use events::id::{AccountId, InviteId};
use serde_json::Value;

use super::super::output::{cells, listing, say};
use super::{Why, in_words};
use crate::admin::{Invitation, Said};

#[derive(Debug, Subcommand)]
pub enum Newcomers {
    /// Let an account that waits for approval order and be paid into.
    #[command(after_help = "Examples:\n  telenumerus admin approve acc_… --reason \"called back\"")]
    Approve {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
    /// Say no to an account that waits for approval; its owner may read why.
    #[command(after_help = "Examples:\n  telenumerus admin decline acc_… --reason \"no answer\"")]
    Decline {
        /// The account's id.
        account: AccountId,
        #[command(flatten)]
        why: Why,
    },
    /// Make a code that opens accounts; it is shown this once.
    #[command(
        after_help = "Examples:\n  telenumerus admin invite \"for the team of ada\" --uses 5 --days 14"
    )]
    Invite {
        /// For whom; it stands in the event log.
        note: String,
        /// How many accounts it opens.
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For so many days.
        #[arg(long, default_value_t = 14)]
        days: u32,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// List invites: for whom, how often used, until when.
    #[command(after_help = "Examples:\n  telenumerus admin invites --json")]
    Invites {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Have an invite open no account any more.
    #[command(
        after_help = "Examples:\n  telenumerus admin revoke-invite inv_… --reason \"was published\""
    )]
    RevokeInvite {
        /// The invite's id.
        invite: InviteId,
        #[command(flatten)]
        why: Why,
    },
}

impl Newcomers {
    /// The call of the operator's API.
    pub fn call(&self) -> Result<(String, Option<Value>), String> {
        let said = |why: &Why| {
            let (reason, operator) = (why.reason.clone(), why.operator.clone());
            serde_json::to_value(Said { reason, operator }).map_err(in_words)
        };
        Ok(match self {
            Self::Approve { account, why } => {
                (format!("accounts/{account}/approve"), Some(said(why)?))
            }
            Self::Decline { account, why } => {
                (format!("accounts/{account}/decline"), Some(said(why)?))
            }
            Self::RevokeInvite { invite, why } => {
                (format!("invites/{invite}/revoke"), Some(said(why)?))
            }
            Self::Invites { .. } => ("invites".to_owned(), None),
            Self::Invite { note, uses, days, operator } => {
                let (note, operator) = (note.clone(), operator.clone());
                let wanted = Invitation { uses: *uses, days: *days, note, operator };
                ("invites".to_owned(), Some(serde_json::to_value(wanted).map_err(in_words)?))
            }
        })
    }

    /// Shows the answer.
    pub fn show(&self, answer: &Value) {
        let Self::Invites { json } = self else { return say!("{answer:#}") };
        let columns = ["created_at", "invite", "note", "used", "left", "expires_at", "revoked"];
        let rows = answer["invites"].as_array().into_iter().flatten();
        listing(*json, answer, &columns, rows.map(|invite| cells(invite, &columns)));
    }
}
