//! `POST /api/v1/deposit/verify`: claims a transaction; asked again, it says how far the deposit has come.

use axum::Json;
use axum::extract::State;
use events::deposit::{Status, TxHash};
use serde::{Deserialize, Serialize};

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::json::{Body, Dollars};
use actors::deposit::ClaimError;

/// Coins a caller may name; the simulated chain takes each.
const CURRENCIES: &[&str] = &["btc", "ltc", "usdt_erc20"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    tx_hash: String,
    #[serde(default)]
    currency: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Reply {
    status: &'static str,
    transaction_id: Option<String>,
    tx_hash: String,
    amount: Option<Dollars>,
    simulated: bool,
    message: &'static str,
}

pub async fn handle(State(app): State<Shared>, caller: Caller, Body(request): Body<Request>) -> ApiResult<Reply> {
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
    let (deposit, state) = match deposits.claim(caller.account, tx_hash).await {
        Ok(claimed) => claimed,
        Err(ClaimError::NotYours) => return Ok(Json(reply("rejected", None, None, "No payment to this account is known under this hash."))),
        Err(error) => return Err(error.into()),
    };
    let transaction_id = Some(deposit.to_string());
    Ok(Json(match state.status {
        Status::Credited => reply("confirmed", transaction_id, Some(Dollars(state.amount)), "Simulated deposit: credited to your balance."),
        Status::Unclaimed | Status::Claimed | Status::Confirmed => {
            reply("pending", transaction_id, None, "Verifying on-chain... (simulated: any hash is credited $10 after 2 seconds)")
        }
    }))
}
