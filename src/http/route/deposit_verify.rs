//! `POST /api/v1/deposit/verify`: claims a transaction; asked again, it says how far the deposit has come.

use axum::extract::State;
use events::deposit::{Status, TxHash};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::Dollars;
use crate::http::vocabulary::{Currency, TxHashText};
use actors::deposit::{ClaimError, Claimed};

/// Coins a caller may name; the simulated chain takes each.
pub const CURRENCIES: &[&str] = &["btc", "ltc", "usdt_erc20"];

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyDepositRequest)]
pub struct Request {
    /// The transaction's hash: 64 hex digits; `0x` before them and any case are taken.
    #[schema(value_type = TxHashText)]
    tx_hash: String,
    /// `btc`, `ltc` or `usdt_erc20`; found out, if absent.
    #[serde(default)]
    #[schema(value_type = Option<Currency>)]
    currency: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deposit)]
pub struct Reply {
    status: &'static str,
    transaction_id: Option<String>,
    tx_hash: String,
    amount: Option<Dollars>,
    simulated: bool,
    message: &'static str,
}

/// Say that you have paid. Asked again, it says how far the deposit has come: `pending`, `confirmed`, or `rejected`.
#[utoipa::path(post, path = "/deposit/verify", operation_id = "verifyDeposit", tag = "deposits", request_body = Request,
    responses((status = 200, description = "How far the deposit has come", body = Reply)))]
pub async fn handle(State(app): State<Shared>, caller: Caller, Keyed { body: request, key }: Keyed<Request>) -> Result<Answer<Reply>, ApiError> {
    let deposits = app.service.deposits.as_ref();
    let deposits =
        deposits.ok_or_else(|| ApiError::new(ErrorCode::ProviderUnavailable, "This service takes no deposits; ask its operator for credit."))?;
    let tx_hash: TxHash = request.tx_hash.parse().map_err(|error| ApiError::invalid(format!("tx_hash is {error}.")))?;
    if let Some(currency) = &request.currency
        && !CURRENCIES.iter().any(|known| known.eq_ignore_ascii_case(currency))
    {
        let text = format!("currency is one of {}.", CURRENCIES.join(", "));
        return Err(ApiError::invalid(text));
    }
    let written = tx_hash.as_str().to_owned();
    let reply = |status, transaction_id, amount, message| Reply { status, transaction_id, tx_hash: written, amount, simulated: true, message };
    let Claimed { deposit, state, replayed } = match deposits.claim(caller.account, tx_hash, key).await {
        Ok(claimed) => claimed,
        Err(ClaimError::NotYours) => {
            let body = reply("rejected", None, None, "No payment to this account is known under this hash.");
            return Ok(Answer { body, replayed: false });
        }
        Err(error) => return Err(error.into()),
    };
    let transaction_id = Some(deposit.to_string());
    let body = match state.status {
        Status::Credited => reply("confirmed", transaction_id, Some(Dollars(state.amount)), "Simulated deposit: credited to your balance."),
        Status::Unclaimed | Status::Claimed | Status::Confirmed => {
            reply("pending", transaction_id, None, "Verifying on-chain... (simulated: any hash is credited $10 after 2 seconds)")
        }
    };
    Ok(Answer { body, replayed: replayed.0 })
}
