//! `telenumerus addresses`: what the configured keys give, without a service and without a chain.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use events::deposit::Currency;

use super::{Outcome, Place, in_words};

#[derive(Debug, Args)]
pub struct Options {
    /// `btc`, `ltc` or `usdt_erc20`.
    currency: Currency,
    /// The first index.
    #[arg(long, default_value_t = 0)]
    from: u32,
    /// How many.
    #[arg(long, default_value_t = 5)]
    count: u32,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let (config, _) = place.load().map_err(in_words)?;
    let found = config.deposits.coins().find(|(currency, _)| *currency == options.currency);
    let missing = || {
        format!(
            "deposits.{}.xpub is not configured: it is your wallet's extended public key, of which addresses are made (docs/deposits.md)",
            options.currency
        )
    };
    let (currency, coin) = found.ok_or_else(missing)?;
    let key = coin.key(currency).map_err(in_words)?.ok_or_else(missing)?;
    let mut out = std::io::stdout().lock();
    for index in (options.from..).take(usize::try_from(options.count).unwrap_or(usize::MAX)) {
        let Some(address) = key.address(index) else { continue };
        // Whoever reads may have seen enough (`| head`).
        if writeln!(out, "{index} {}", address.text).is_err() {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}
