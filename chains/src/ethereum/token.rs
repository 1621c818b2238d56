//! The contract of the token: what it says of itself must be what is configured.

use events::address::Destination;
use events::deposit::Currency;
use serde_json::json;

use super::{Ethereum, WORD, plain, whole};
use crate::http::MAX_DETAIL;
use actors::deposit::chain::{Chain, ChainError};
use actors::kernel::foreign::explanation;

/// The first four bytes of keccak256 of `decimals()` and `symbol()`.
const DECIMALS_CALL: &str = "0x313ce567";
const SYMBOL_CALL: &str = "0x95d89b41";

/// The token as it is configured.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its contract, 40 lower-case hex digits.
    pub contract: Destination,
    /// What it calls itself.
    pub symbol: String,
}

impl Ethereum {
    /// The contract's own word on what its units are: with other decimals a payment of cents would
    /// be credited as a fortune.
    pub(super) async fn check_token(&self) -> Result<(), ChainError> {
        let wrong =
            |detail: String| Err(ChainError::WrongToken { endpoint: self.endpoint(), detail });
        let contract = self.token.contract.as_str();
        let decimals = self
            .view(DECIMALS_CALL)
            .await?
            .filter(|word| word.len() == WORD)
            .and_then(|word| whole(&word));
        let Some(decimals) = decimals else {
            return wrong(format!(
                "0x{contract} does not say how many decimals it has; it is no token"
            ));
        };
        if decimals != u128::from(Currency::UsdtErc20.decimals()) {
            return wrong(format!(
                "0x{contract} has {decimals} decimals, not {}",
                Currency::UsdtErc20.decimals()
            ));
        }
        let symbol =
            self.view(SYMBOL_CALL).await?.and_then(|answer| text(&answer)).unwrap_or_default();
        if symbol != self.token.symbol {
            return wrong(format!(
                "0x{contract} calls itself {symbol:.20?}, not {:?}",
                self.token.symbol
            ));
        }
        Ok(())
    }

    /// What the contract answers to a call without arguments, in plain hex; `None` if it does not
    /// answer it.
    async fn view(&self, call: &str) -> Result<Option<String>, ChainError> {
        let params = json!([
            { "to": format!("0x{}", self.token.contract.as_str()), "data": call }, "latest",
        ]);
        match self.endpoint.call("eth_call", params).await? {
            Ok(raw) => self
                .endpoint
                .parse("eth_call", raw.get())
                .map(|answer: String| Some(plain(&answer))),
            // A contract that has no such function.
            Err(refusal)
                if refusal.code == 3
                    || refusal.message.contains("revert")
                    || refusal.message.contains("opcode") =>
            {
                Ok(None)
            }
            Err(refusal) => Err(self.endpoint.unreachable(format!(
                "eth_call: {} {}",
                refusal.code,
                explanation(&refusal.message, MAX_DETAIL)
            ))),
        }
    }
}

/// A text as contracts answer it: its place, its length, its bytes; or, of old ones, 32 bytes.
fn text(answer: &str) -> Option<String> {
    let bytes: Vec<u8> = (0..answer.len() / 2)
        .map(|at| answer.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect::<Option<_>>()?;
    let text = if bytes.len() == WORD / 2 {
        bytes.as_slice()
    } else {
        let length = bytes.get(WORD / 2..WORD)?.iter().try_fold(0usize, |length, byte| {
            length.checked_mul(256)?.checked_add(usize::from(*byte))
        })?;
        bytes.get(WORD..)?.get(..length)?
    };
    std::str::from_utf8(text).ok().map(|text| text.trim_end_matches('\0').to_owned())
}
