//! `telenumerus code replay`: the messages of a log, read once more with this version, and what
//! would come out differently.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use actors::store::sqlite::{last_record, verify_chain_opened};
use clap::Args;
use events::Event;
use events::account::Event as AccountEvent;
use events::code::{Extraction, Message, Verdict, extract};
use events::codec::Withheld;
use events::id::OrderId;
use events::order;
use events::platform::Platform;
use serde_json::{Value, json};

use crate::cli::output::{Lines, progress};
use crate::cli::{Outcome, Place, holds_log, in_words};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus code replay /var/backups/telenumerus/monday --json"
)]
pub struct Options {
    /// The data directory with the log; without it, the configuration's. Nothing in it is changed.
    #[arg(value_name = "DATADIR")]
    log: Option<PathBuf>,
    /// One JSON object a line, the sums last.
    #[arg(long)]
    json: bool,
    /// Message texts and codes as they are; without it, every word with a digit, every code and
    /// every address is masked.
    #[arg(long)]
    reveal: bool,
}

/// What an order's messages are read with.
struct Expected {
    platform: Platform,
    phone: Option<String>,
}

/// A message that this version reads differently.
struct Difference {
    position: u64,
    order: OrderId,
    platform: Platform,
    message_id: String,
    text: String,
    old: Extraction,
    new: Extraction,
}

/// What was read, and what of it came out differently.
#[derive(Default)]
struct Sums {
    messages: u64,
    orders: u64,
    different: u64,
    /// By what they were, and are now.
    changes: BTreeMap<String, u64>,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (config, data_dir) = place.load().map_err(in_words)?;
    let data_dir = options.log.clone().unwrap_or(data_dir);
    holds_log(&data_dir)?;
    let vault = config.vault.open(&data_dir)?;
    let mut out = Lines::open();
    let bar =
        progress("reading", last_record(&data_dir).ok().flatten().map_or(0, |(end, _)| end.0));
    let mut orders: BTreeMap<OrderId, Expected> = BTreeMap::new();
    let mut sums = Sums::default();
    let broken = verify_chain_opened(&data_dir, vault.as_ref(), |record| {
        let position = record.recorded.position.0;
        bar.set_position(position);
        if let Some(difference) = observe(position, &record.recorded.event, &mut orders, &mut sums)
        {
            let line = if options.json {
                difference.described(options.reveal).to_string()
            } else {
                difference.in_lines(options.reveal)
            };
            out.line(line);
        }
    });
    bar.finish_and_clear();
    let broken = broken.map_err(in_words)?;
    sums.orders = u64::try_from(orders.len()).unwrap_or(u64::MAX);
    let last = if options.json { sums.described().to_string() } else { sums.in_lines() };
    out.line(last);
    drop(out);
    if !broken.is_empty() {
        return Err(format!(
            "the log is broken in {} places; `telenumerus audit verify` names them",
            broken.len()
        ));
    }
    Ok(if sums.different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn observe(
    position: u64,
    event: &Event,
    orders: &mut BTreeMap<OrderId, Expected>,
    sums: &mut Sums,
) -> Option<Difference> {
    let Event::Account(AccountEvent::Order(id, fact)) = event else { return None };
    match (fact, orders.get_mut(id)) {
        (order::Event::Placed(placed), _) => {
            orders.insert(*id, Expected { platform: placed.platform, phone: None });
        }
        (order::Event::NumberAssigned { phone, .. }, Some(expected)) => {
            expected.phone = Some(phone.as_str().to_owned());
        }
        // A text that is not there reads as nothing.
        (order::Event::SmsReceived(received), _) if Withheld::is_word(&received.text) => {}
        (order::Event::SmsReceived(received), Some(expected)) => {
            sums.messages += 1;
            let message = Message {
                recipient: expected.phone.as_deref(),
                ..Message::new(&received.text).sent_by(&received.sender)
            };
            let new = extract(&message, Some(expected.platform.service()));
            if new.verdict != received.extraction.verdict {
                sums.different += 1;
                *sums
                    .changes
                    .entry(format!(
                        "{} -> {}",
                        received.extraction.verdict.name(),
                        new.verdict.name()
                    ))
                    .or_default() += 1;
                let (message_id, text, old) = (
                    received.message_id.clone(),
                    received.text.clone(),
                    received.extraction.clone(),
                );
                return Some(Difference {
                    position,
                    order: *id,
                    platform: expected.platform,
                    message_id,
                    text,
                    old,
                    new,
                });
            }
        }
        _ => {}
    }
    None
}

impl Difference {
    fn in_lines(&self, reveal: bool) -> String {
        let (old, new) =
            (super::shown(&self.old.verdict, reveal), super::shown(&self.new.verdict, reveal));
        let (was, is) = (reasons(&self.old).join(", "), reasons(&self.new).join(", "));
        let text = self.text(reveal);
        format!(
            "{}\t{}\t{old} -> {new}\n\twas: {was}\n\tis:  {is}\n\t{text:?}",
            self.order, self.platform
        )
    }

    fn described(&self, reveal: bool) -> Value {
        let side = |extraction: &Extraction| {
            let code = if let Verdict::Code(code) = &extraction.verdict {
                Some(if reveal { code.clone() } else { masked(code, &[]) })
            } else {
                None
            };
            let brand = if let Verdict::OtherBrand(brand) = &extraction.verdict {
                Some(brand)
            } else {
                None
            };
            json!({
                "verdict": extraction.verdict.name(), "code": code, "other_brand": brand,
                "reasons": reasons(extraction),
            })
        };
        json!({
            "position": self.position, "order": self.order.to_string(),
            "platform": self.platform.slug(), "message_id": self.message_id,
            "old": side(&self.old), "new": side(&self.new), "text": self.text(reveal),
        })
    }

    fn text(&self, reveal: bool) -> String {
        let codes: Vec<&str> = self
            .old
            .candidates
            .iter()
            .chain(&self.new.candidates)
            .map(|candidate| candidate.code.as_str())
            .collect();
        if reveal { self.text.clone() } else { masked(&self.text, &codes) }
    }
}

impl Sums {
    fn in_lines(&self) -> String {
        let changes = self.changes.iter().map(|(change, count)| format!("{count:>8} {change}\n"));
        let head = format!(
            "{} messages of {} orders, {} would come out differently",
            self.messages, self.orders, self.different
        );
        changes.chain(std::iter::once(head)).collect::<Vec<_>>().concat()
    }

    fn described(&self) -> Value {
        json!({
            "messages": self.messages, "orders": self.orders, "different": self.different,
            "changes": self.changes,
        })
    }
}

/// What spoke for and against the best candidate.
fn reasons(extraction: &Extraction) -> Vec<&'static str> {
    extraction
        .candidates
        .first()
        .map(|best| best.reasons.iter().map(|reason| reason.name()).collect())
        .unwrap_or_default()
}

/// The text without what is nobody's business: words with a digit, codes of letters, addresses.
fn masked(text: &str, codes: &[&str]) -> String {
    let hides = |word: &str| {
        let plain = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        word.chars().any(char::is_numeric)
            || word.contains('@')
            || word.contains("://")
            || codes.contains(&plain)
    };
    let hidden = |word: &str| {
        word.chars()
            .map(|letter| if letter.is_alphanumeric() { '•' } else { letter })
            .collect::<String>()
    };
    text.split_inclusive(char::is_whitespace)
        .map(|word| if hides(word) { hidden(word) } else { word.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nobody_s_business_is_masked() {
        let text =
            "Your code is 482-913.\nABXYZ for a.smith@example.com, ٤٨٢٩ at https://acme.example/x";
        assert_eq!(
            masked(text, &["ABXYZ"]),
            "Your code is •••-•••.\n••••• for •.•••••@•••••••.•••, •••• at •••••://••••.•••••••/•"
        );
    }
}
