//! The coins that deposits are paid in.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A coin, by the name it has from the API to the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Currency {
    /// Bitcoin.
    Btc,
    /// Litecoin.
    Ltc,
    /// Tether dollars, the token on Ethereum.
    UsdtErc20,
}

/// The text names none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not one of btc, ltc and usdt_erc20")]
pub struct ParseCurrencyError;

impl Currency {
    /// All of them, in the guide's order.
    pub const ALL: [Self; 3] = [Self::Btc, Self::Ltc, Self::UsdtErc20];

    /// As the guide writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Btc => "btc",
            Self::Ltc => "ltc",
            Self::UsdtErc20 => "usdt_erc20",
        }
    }

    /// Decimals of one coin in its smallest unit.
    pub const fn decimals(self) -> u32 {
        match self {
            Self::Btc | Self::Ltc => 8,
            Self::UsdtErc20 => 6,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Currency {
    type Err = ParseCurrencyError;

    fn from_str(text: &str) -> Result<Self, ParseCurrencyError> {
        Self::ALL
            .into_iter()
            .find(|currency| currency.name().eq_ignore_ascii_case(text))
            .ok_or(ParseCurrencyError)
    }
}
