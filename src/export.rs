//! What the log has of an account, a number or a period, as signed lines that stand for themselves:
//! whoever gets them can check that nothing was changed, left out or put elsewhere
//! (`contrib/verify-export.py`). For the command and for operators.
//!
//! The log is walked three times: to know what belongs to the scope, to know the lines' digest,
//! which stands in the log before anything is given out, and to give them out. Nothing of it is
//! kept meanwhile, neither in memory nor on disk.

use std::path::PathBuf;
use std::sync::Arc;

use actors::Journal;
use actors::kernel::entity::TransactError;
use actors::kernel::fault::Fault;
use actors::store::ReadError;
use actors::store::sqlite::{AuditRecord, end_in, verify_chain_opened};
use actors::vault::Vault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::envelope::{Actor, Position, StreamId};
use events::export::{Command, Made, Refusal, Scope, Selection, State as Exports};
use events::id::AccountId;
use events::phone::Phone;
use ring::digest::{Context, SHA256};
use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use utoipa::ToSchema;

use crate::anchor::{self, Anchor, KEY_FILE};
use crate::description::{self, hex};
use crate::moment::moment;

/// What the first line says it is, and what is signed begins with: no signature of another kind can
/// stand for one of an export.
const FORMAT: &str = "telenumerus export 1";

/// What is wanted: of an account, of a number, or of a period (`from` and `until`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExportToMake)]
pub struct Asked {
    /// The account's id: all that is its own, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// A number, such as +12025550123: of each order what concerns it, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// From this date or time on, in UTC: of everybody; texts, senders, codes and the numbers of
    /// orders are hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Before this date or time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

impl Asked {
    /// Whose events are wanted; an error says what is wrong.
    pub fn scope(&self) -> Result<Scope, String> {
        let wrong = |error: String, text: &str| format!("{text:?} {error}");
        match (&self.account, &self.number, &self.from, &self.until) {
            (Some(account), None, None, None) => {
                let id = account.parse::<AccountId>();
                id.map(Scope::Account)
                    .map_err(|_| format!("{account} is not an account id (acc_ and 22 characters)"))
            }
            (None, Some(number), None, None) => {
                number.parse::<Phone>().map(Scope::Number).map_err(|error| error.to_string())
            }
            (None, None, Some(from), Some(until)) => Ok(Scope::Period {
                from: moment(from).map_err(|error| wrong(error, from))?,
                until: moment(until).map_err(|error| wrong(error, until))?,
            }),
            _ => Err("name an account, a number, or from and until".to_owned()),
        }
    }
}

/// Nothing is given out.
#[derive(Debug, Error)]
pub enum ExportError {
    /// It may not be, as it was asked for.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The log cannot be written or read as it is now.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Unreadable(#[from] ReadError),
    /// What is in it is not as it was written.
    #[error("the log is broken in {0} places; `telenumerus audit verify` names them")]
    Broken(usize),
    /// What was read for the lines is not what was read for their digest.
    #[error("the log was changed while it was read")]
    Changed,
    /// There is no key to sign with.
    #[error("{0}")]
    Key(String),
}

/// A log, and what opens its secrets.
#[derive(Debug, Clone)]
pub struct LogPlace {
    pub data_dir: PathBuf,
    pub vault: Option<Arc<Vault>>,
}

/// An export that stands in the log, before its lines are given out.
#[derive(Debug)]
pub struct Export {
    lines: Lines,
    made: Made,
    last: String,
}

/// What the lines are made of.
#[derive(Debug, Clone)]
struct Lines {
    place: LogPlace,
    selection: Selection,
    header: String,
    head: Position,
    in_full: bool,
}

impl Export {
    /// Makes an export of the log as it is now, and has it stand there.
    pub async fn make(
        journal: &Journal,
        place: LogPlace,
        operator: Option<&str>,
        (scope, reason, who): (Scope, String, Actor),
    ) -> Result<Self, ExportError> {
        let at = journal.now().to_string();
        let service = json!({
            "name": "telenumerus", "version": env!("CARGO_PKG_VERSION"), "operator": operator,
        });
        let prepared =
            tokio::task::spawn_blocking(move || Self::prepare(place, &service, scope, at));
        let export = prepared.await.map_err(|_| Fault::ActorEnded)??;
        let mut exports = journal.load::<Exports>(StreamId::exports()).await?;
        let at = journal.now();
        let command = Command::Export { made: export.made.clone(), reason, at };
        match journal.transact(&mut exports, &command, who, at).await {
            Ok(_) => Ok(export),
            Err(TransactError::Refused(refusal)) => Err(refusal.into()),
            Err(TransactError::Fault(fault)) => Err(fault.into()),
        }
    }

    fn prepare(
        place: LogPlace,
        service: &Value,
        scope: Scope,
        at: String,
    ) -> Result<Self, ExportError> {
        let pair = anchor::pair(&place.data_dir.join(KEY_FILE)).map_err(ExportError::Key)?;
        let (head, chain) = end_in(&place.data_dir)?;
        let in_full = !matches!(scope, Scope::Period { .. });
        let header = json!({
            "format": FORMAT, "service": service,
            "scope": description::scope(&scope, true),
            "content": if in_full { "full" } else { "hidden" },
            "anchor": Anchor::sign(head, &chain, at, &pair),
        });
        let mut selection = Selection::of(scope.clone());
        walk(&place, head, |record| selection.collect(&record.recorded))?;
        let header = format!("{header}\n");
        let lines = Lines { place, selection, header, head, in_full };
        let (records, digest) = lines.clone().give(|_| {})?;
        let made = Made { scope, records, digest, head: head.0 };
        Ok(Self { lines, last: last(&made, &pair), made })
    }

    /// Gives the lines out, each with its line feed.
    pub fn give(self, mut line: impl FnMut(&str)) -> Result<(), ExportError> {
        let given = self.lines.give(&mut line)?;
        if given != (self.made.records, self.made.digest) {
            return Err(ExportError::Changed);
        }
        line(&self.last);
        Ok(())
    }
}

impl Lines {
    /// Gives the lines before the last one out; how many records are in them, and their digest.
    fn give(mut self, mut line: impl FnMut(&str)) -> Result<(u64, [u8; 32]), ExportError> {
        let (mut digest, mut records) = (Context::new(&SHA256), 0u64);
        let mut give = |text: &str| {
            digest.update(text.as_bytes());
            line(text);
        };
        give(&self.header);
        walk(&self.place, self.head, |record| {
            if self.selection.has(&record.recorded) {
                records += 1;
                give(&format!("{}\n", described(record, self.in_full)));
            }
        })?;
        let digest = digest.finish().as_ref().try_into().map_err(|_| ExportError::Changed)?;
        Ok((records, digest))
    }
}

/// Hands the records up to `head` to `visit`; of a log that is broken nothing is exported.
fn walk(
    place: &LogPlace,
    head: Position,
    mut visit: impl FnMut(&AuditRecord),
) -> Result<(), ExportError> {
    let broken = verify_chain_opened(&place.data_dir, place.vault.as_deref(), |record| {
        if record.recorded.position <= head {
            visit(record);
        }
    })?;
    if broken.is_empty() { Ok(()) } else { Err(ExportError::Broken(broken.len())) }
}

/// A record's line. Whoever has the digest of an event and all of it but a code has the code soon:
/// digest and chain stand where nothing is hidden.
fn described(record: &AuditRecord, in_full: bool) -> Value {
    let mut line = description::record(record, in_full);
    if in_full {
        line["digest"] = json!(hex(&record.digest));
        line["chain"] = json!(hex(&record.chain));
    }
    line
}

/// The last line: what stands before it, signed.
fn last(made: &Made, pair: &Ed25519KeyPair) -> String {
    let (count, sha256) = (made.records, hex(&made.digest));
    let signed = format!("{FORMAT}\n{count}\n{sha256}\n");
    let signature = STANDARD.encode(pair.sign(signed.as_bytes()));
    format!("{}\n", json!({ "count": count, "sha256": sha256, "signature": signature }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_of_one_thing_that_is_named_right() {
        let asked = |account: Option<&str>, number: Option<&str>, from: Option<&str>| {
            let [account, number, from] =
                [account, number, from].map(|text| text.map(str::to_owned));
            let until = from.as_ref().map(|_| "2026-12-01".to_owned());
            let (reason, operator) = (String::new(), String::new());
            Asked { account, number, from, until, reason, operator }.scope()
        };
        let account = AccountId(7);
        let id = account.to_string();
        assert_eq!(asked(Some(&id), None, None), Ok(Scope::Account(account)));
        let number = "+12025550123";
        assert_eq!(asked(None, Some(number), None), Ok(Scope::Number(number.parse().unwrap())));
        assert!(asked(None, None, Some("2026-11-01")).is_ok());
        for (account, number, from) in [
            (None, None, None),
            (Some(&*id), Some(number), None),
            (Some(&*id), None, Some("2026-11-01")),
            (Some("acc_1"), None, None),
            (None, Some("12025550123"), None),
            (None, None, Some("yesterday")),
        ] {
            assert!(asked(account, number, from).is_err(), "{account:?} {number:?} {from:?}");
        }
    }
}
