//! What a coin is worth: a rate on which several sources agree, and the amount it makes of a
//! payment. All exact.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rust_decimal::Decimal;
use thiserror::Error;

use super::currency::Currency;
use crate::money::Money;
use crate::time::Timestamp;

/// Dollars for one coin; positive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(Decimal);

/// The text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a rate in dollars for one coin, such as 65000.50")]
pub struct ParseRateError;

/// What a source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Which source.
    pub source: String,
    /// What it says.
    pub rate: Rate,
    /// When it was true, as the source says; when it was asked, where it does not say.
    pub at: Timestamp,
}

/// A rate that may be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Dollars for one coin.
    pub rate: Rate,
    /// Who agreed on it.
    pub source: String,
    /// When the oldest of their quotes was true.
    pub at: Timestamp,
}

/// There is no rate just now; deposits wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Disagreement {
    /// Too few sources have answered with a quote that is fresh.
    #[error("{fresh} of {needed} rate sources have a fresh quote")]
    TooFew {
        /// How many have.
        fresh: usize,
        /// How many must.
        needed: usize,
    },
    /// They say too different things.
    #[error("the rate sources differ by more than {0} %")]
    TooFarApart(u32),
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, ParseRateError> {
        let rate = Decimal::from_str_exact(text)
            .or_else(|_| Decimal::from_scientific(text))
            .map_err(|_| ParseRateError)?;
        let plausible =
            rate > Decimal::ZERO && rate <= Decimal::from(1_000_000_000u32) && rate.scale() <= 12;
        plausible.then_some(Self(rate)).ok_or(ParseRateError)
    }
}

/// The median of the quotes that are not older than `max_age`, if enough are and none is more than
/// `max_spread_percent` from it.
///
/// Enough is one of one, two of two or three, and more than half of any more.
pub fn agreed_rate(
    quotes: &[Quote],
    configured: usize,
    now: Timestamp,
    max_age: Duration,
    max_spread_percent: u32,
) -> Result<Agreement, Disagreement> {
    let oldest = now.minus(max_age);
    let mut fresh: Vec<&Quote> = quotes.iter().filter(|quote| quote.at >= oldest).collect();
    let needed = configured / 2 + 1;
    if fresh.len() < needed {
        return Err(Disagreement::TooFew { fresh: fresh.len(), needed });
    }
    fresh.sort_by(|one, other| (one.rate, &one.source).cmp(&(other.rate, &other.source)));
    // Of an even number the lower of the two in the middle: no rate that nobody has quoted.
    let median =
        fresh.get((fresh.len() - 1) / 2).ok_or(Disagreement::TooFew { fresh: 0, needed })?.rate;
    let spread = median.0 * Decimal::from(max_spread_percent) / Decimal::ONE_HUNDRED;
    if fresh.iter().any(|quote| (quote.rate.0 - median.0).abs() > spread) {
        return Err(Disagreement::TooFarApart(max_spread_percent));
    }
    let source = fresh.iter().map(|quote| quote.source.as_str()).collect::<Vec<_>>().join(", ");
    let at = fresh.iter().map(|quote| quote.at).min().unwrap_or(now);
    Ok(Agreement { rate: median, source, at })
}

/// What `paid` coins are worth at `rate`, rounded down to the micro-dollar; `None` for a text that
/// is no amount or more than money holds.
pub fn worth(paid: &str, rate: Rate) -> Option<Money> {
    let paid = Decimal::from_str_exact(paid).ok().filter(|paid| !paid.is_sign_negative())?;
    let micros = paid.checked_mul(rate.0)?.checked_mul(Decimal::from(1_000_000u32))?.floor();
    i64::try_from(micros).ok().map(Money::from_micros)
}

/// Whole smallest units as decimal text of coins, without trailing zeros.
pub fn coins(units: u128, currency: Currency) -> Option<String> {
    let units = i128::try_from(units).ok()?;
    Decimal::try_from_i128_with_scale(units, currency.decimals())
        .ok()
        .map(|coins| coins.normalize().to_string())
}

/// Decimal text of coins as whole smallest units; `None` for a text that is no amount, is negative
/// or has more decimals than the coin.
pub fn units(coins: &str, currency: Currency) -> Option<u128> {
    let coins = Decimal::from_str_exact(coins)
        .or_else(|_| Decimal::from_scientific(coins))
        .ok()?
        .normalize();
    let missing = currency.decimals().checked_sub(coins.scale())?;
    let mantissa = u128::try_from(coins.mantissa()).ok()?;
    mantissa.checked_mul(10u128.checked_pow(missing)?)
}
