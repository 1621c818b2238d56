//! `GET /api/v1/deposit/addresses`: where to pay, as text and as QR codes.

use actors::deposit::AddressError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use events::deposit::{Currency, MINIMUM};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::json::Dollars;
use crate::http::vocabulary;

/// Pixels of a code's side, at least.
const QR_SIDE: u32 = 240;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DepositAddresses)]
pub struct Reply {
    addresses: Addresses,
    minimum_deposit_usd: Dollars,
    /// Whether the addresses are the caller's own: what is paid there is credited to nobody else.
    personal: bool,
    simulated: bool,
    message: &'static str,
}

/// Null where the service takes no such coin (from callers without a key, perhaps), or cannot follow its chain just now.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Addresses)]
struct Addresses {
    btc: Option<String>,
    ltc: Option<String>,
    usdt_erc20: Option<String>,
}

/// Where to pay. With a key, the addresses are your own, and whatever is paid there is credited without a further call.
#[utoipa::path(get, path = "/deposit/addresses", operation_id = "depositAddresses", tag = "deposits",
    responses((status = 200, description = "An address per currency", body = Reply)))]
pub async fn handle(State(app): State<Shared>, caller: Option<Caller>) -> ApiResult<Reply> {
    let is_simulated = app.service.deposits.as_ref().is_some_and(actors::Deposits::is_simulated);
    let addresses = Addresses {
        btc: address(&app, caller.as_ref(), Currency::Btc).await?,
        ltc: address(&app, caller.as_ref(), Currency::Ltc).await?,
        usdt_erc20: address(&app, caller.as_ref(), Currency::UsdtErc20).await?,
    };
    let none = addresses.btc.is_none() && addresses.ltc.is_none() && addresses.usdt_erc20.is_none();
    let message = match (is_simulated, caller.is_some(), none) {
        (true, ..) => "Simulated: send nothing. POST any 64-hex tx_hash to /api/v1/deposit/verify, and $10 are credited after 2 seconds.",
        (false, true, false) => "These addresses are yours alone. What is paid there is credited once it is confirmed; no further call is needed.",
        (false, true, true) => "No chain can be followed just now, so no address is given out; ask again in a minute.",
        (false, false, true) => "Send your API key: the addresses are then your own.",
        (false, false, false) => {
            "Shared addresses: whoever first posts a payment's tx_hash to /api/v1/deposit/verify is credited, and everybody can read hashes on the chain. Send your API key to get addresses of your own."
        }
    };
    Ok(Json(Reply { addresses, minimum_deposit_usd: Dollars(MINIMUM), personal: caller.is_some(), simulated: is_simulated, message }))
}

/// The address as a QR code (SVG), for a wallet's camera: a `bitcoin:` or `litecoin:` link, or the plain address of USDT.
#[utoipa::path(get, path = "/deposit/addresses/{currency}/qr", operation_id = "depositAddressQr", tag = "deposits",
    params(("currency" = vocabulary::Currency, Path, description = "A coin")),
    responses((status = 200, description = "The code", body = String, content_type = "image/svg+xml")))]
pub async fn qr(State(app): State<Shared>, caller: Option<Caller>, Path(currency): Path<String>) -> Result<Response, ApiError> {
    let unknown = || ApiError::invalid(format!("currency is one of {}.", Currency::ALL.map(Currency::name).join(", ")));
    let currency: Currency = currency.parse().map_err(|_| unknown())?;
    let address = address(&app, caller.as_ref(), currency).await?;
    let missing = || ApiError::invalid(format!("There is no {currency} address to show.")).with_status(StatusCode::NOT_FOUND);
    let address = address.ok_or_else(missing)?;
    let link = match currency {
        Currency::Btc => format!("bitcoin:{address}"),
        Currency::Ltc => format!("litecoin:{address}"),
        Currency::UsdtErc20 => address,
    };
    let code = QrCode::new(link).map_err(|_| missing())?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(QR_SIDE, QR_SIDE).build();
    Ok(([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")], image).into_response())
}

/// The caller's own address, or the shared one of those without a key.
async fn address(app: &Shared, caller: Option<&Caller>, currency: Currency) -> Result<Option<String>, ApiError> {
    let Some(deposits) = &app.service.deposits else {
        return Err(ApiError::new(ErrorCode::ProviderUnavailable, "This service takes no deposits; ask its operator for credit."));
    };
    if deposits.is_simulated() {
        // No wallet takes these: a hyphen is in no address format, so nobody can pay real money to nobody.
        let owner = caller.map_or_else(|| "shared".to_owned(), |caller| caller.account.digits());
        let prefix = match currency {
            Currency::Btc => "bc1q",
            Currency::Ltc => "ltc1q",
            Currency::UsdtErc20 => "0x",
        };
        return Ok(Some(format!("{prefix}-simulated-do-not-pay-{owner}")));
    }
    // Before it is known from which block on the chain is followed, what is paid might be missed.
    let Some(coin) = deposits.coin(currency).filter(|coin| coin.is_followed()) else { return Ok(None) };
    let address = match caller {
        None => coin.book().shared().cloned(),
        Some(caller) => match coin.book().address(caller.account).await {
            Ok(address) => address,
            Err(AddressError::Fault(fault)) => return Err(fault.into()),
            Err(AddressError::Refused(refusal)) => {
                tracing::error!(%currency, %refusal, "no address can be given out; configure another account's key");
                return Err(ApiError::new(ErrorCode::ProviderUnavailable, format!("No {currency} address can be given out just now.")));
            }
        },
    };
    Ok(address.map(|address| address.text))
}
