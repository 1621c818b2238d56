//! `telenumerus addresses`: what the configured keys give, without a service and without a chain.

use std::process::ExitCode;

use clap::Args;
use events::deposit::Currency;
use serde_json::{Value, json};

use super::output::{cells, listing};
use super::{Outcome, Place, in_words};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus addresses btc --count 10 --config telenumerus.toml"
)]
pub struct Options {
    /// `btc`, `ltc` or `usdt_erc20`.
    currency: Currency,
    /// The first index.
    #[arg(long, default_value_t = 0)]
    from: u32,
    /// How many.
    #[arg(long, default_value_t = 5)]
    count: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (config, _) = place.load().map_err(in_words)?;
    let found = config.deposits.coins().find(|(currency, _)| *currency == options.currency);
    let missing = || {
        format!(
            "deposits.{}.xpub is not configured: it is your wallet's extended public key, of \
             which addresses are made (docs/deposits.md)",
            options.currency
        )
    };
    let (currency, coin) = found.ok_or_else(missing)?;
    let key = coin.key(currency).map_err(in_words)?.ok_or_else(missing)?;
    let indices = (options.from..).take(usize::try_from(options.count).unwrap_or(usize::MAX));
    let found: Vec<Value> = indices
        .filter_map(|index| Some(json!({ "index": index, "address": key.address(index)?.text })))
        .collect();
    let rows: Vec<Vec<String>> =
        found.iter().map(|address| cells(address, &["index", "address"])).collect();
    listing(options.json, &Value::Array(found), &["index", "address"], rows);
    Ok(ExitCode::SUCCESS)
}
