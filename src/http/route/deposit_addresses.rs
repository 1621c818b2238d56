//! `GET /api/v1/deposit/addresses`: where to pay.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::json::Dollars;
use events::money::Money;

/// The guide: `"minimum_deposit_usd": 1.00`.
pub const MINIMUM: Money = Money::from_cents(100);

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DepositAddresses)]
pub struct Reply {
    addresses: Addresses,
    minimum_deposit_usd: Dollars,
    personal: bool,
    simulated: bool,
    message: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Addresses)]
struct Addresses {
    btc: String,
    ltc: String,
    usdt_erc20: String,
}

/// Where to pay. With a key, the addresses are your own.
#[utoipa::path(get, path = "/deposit/addresses", operation_id = "depositAddresses", tag = "deposits",
    responses((status = 200, description = "An address per currency", body = Reply)))]
pub async fn handle(State(app): State<Shared>, caller: Option<Caller>) -> ApiResult<Reply> {
    if app.service.deposits.is_none() {
        return Err(ApiError::new(ErrorCode::ProviderUnavailable, "This service takes no deposits; ask its operator for credit."));
    }
    let owner = caller.as_ref().map_or_else(|| "shared".to_owned(), |caller| caller.account.digits());
    // No wallet takes these: a hyphen is in no address format, so nobody can pay real money to nobody.
    let address = |prefix: &str| format!("{prefix}-simulated-do-not-pay-{owner}");
    Ok(Json(Reply {
        addresses: Addresses { btc: address("bc1q"), ltc: address("ltc1q"), usdt_erc20: address("0x") },
        minimum_deposit_usd: Dollars(MINIMUM),
        personal: caller.is_some(),
        simulated: true,
        message: "Simulated: send nothing. POST any 64-hex tx_hash to /api/v1/deposit/verify, and $10 are credited after 2 seconds.",
    }))
}
