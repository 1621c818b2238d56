//! `telenumerus supplier provenance`: where suppliers' numbers come from, stated in the running
//! service.

use std::process::ExitCode;

use clap::Subcommand;
use events::supplier::SupplierName;

use super::super::admin::Asking;
use super::super::output::{cells, listing, say};
use super::super::{Outcome, Place, in_words};
use crate::admin::{Statement, Withdrawal};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the suppliers of real numbers, and what is stated of each.
    #[command(after_help = "Examples:\n  telenumerus supplier provenance list --json")]
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// State where a supplier's numbers come from, and until when that is so.
    #[command(
        after_help = "Examples:\n  telenumerus supplier provenance state own --legal-name \"Example GmbH\" --source \"SIM cards of our own\" --consent \"they are ours\" --contact numbers@example.com --valid-until 2027-06-30T00:00:00Z"
    )]
    State {
        /// The supplier, as the configuration names it.
        supplier: SupplierName,
        /// Who it is, as in its contract.
        #[arg(long)]
        legal_name: String,
        /// Where its numbers come from.
        #[arg(long)]
        source: String,
        /// On what basis their holders have agreed.
        #[arg(long)]
        consent: String,
        /// Who answers questions about them.
        #[arg(long)]
        contact: String,
        /// When it has to be looked at again, as in 2027-06-30T00:00:00Z.
        #[arg(long)]
        valid_until: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
    /// Take back what was stated of a supplier.
    #[command(
        after_help = "Examples:\n  telenumerus supplier provenance withdraw own --reason \"contract ended\""
    )]
    Withdraw {
        /// The supplier, as the configuration names it.
        supplier: SupplierName,
        /// Why; it stands in the event log.
        #[arg(long)]
        reason: String,
        /// Who you are; it stands in the event log.
        #[arg(long, env = "USER", default_value = "operator")]
        operator: String,
    },
}

pub fn run(place: &Place, command: &Command) -> Outcome {
    let (path, body) = match command {
        Command::List { .. } => ("provenance".to_owned(), None),
        Command::State {
            supplier,
            legal_name,
            source,
            consent,
            contact,
            valid_until,
            operator,
        } => {
            let statement = Statement {
                legal_name: legal_name.clone(),
                source: source.clone(),
                consent: consent.clone(),
                contact: contact.clone(),
                valid_until: valid_until.clone(),
                operator: operator.clone(),
            };
            let body = serde_json::to_value(statement).map_err(in_words)?;
            (format!("provenance/{supplier}"), Some(body))
        }
        Command::Withdraw { supplier, reason, operator } => {
            let withdrawal = Withdrawal { reason: reason.clone(), operator: operator.clone() };
            let body = serde_json::to_value(withdrawal).map_err(in_words)?;
            (format!("provenance/{supplier}/withdraw"), Some(body))
        }
    };
    let answer = Asking::new(place)?.ask(&path, body.as_ref())?;
    let is_json = matches!(command, Command::List { json: true });
    if !is_json {
        let rule = if answer["required"] == true { "required" } else { "not required" };
        say!("provenance is {rule} (suppliers.provenance)");
    }
    let columns = ["supplier", "serves", "holds", "stated"];
    let rows = answer["suppliers"].as_array().into_iter().flatten();
    listing(is_json, &answer, &columns, rows.map(|row| cells(row, &columns)));
    Ok(ExitCode::SUCCESS)
}
