//! `GET /api/v1/deposit/addresses`: where to pay, as text and as QR codes.

use actors::deposit::AddressError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use events::account::Refusal;
use events::deposit::{Currency, MINIMUM};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::json::Dollars;
use crate::http::openapi_types;

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

/// Null where the service takes no such coin (from callers without a key, perhaps), or cannot
/// follow its chain just now.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Addresses)]
struct Addresses {
    btc: Option<String>,
    ltc: Option<String>,
    usdt_erc20: Option<String>,
}

/// Where to pay. With a key, the addresses are your own, and whatever is paid there is credited
/// without a further call.
#[utoipa::path(
    get, path = "/deposit/addresses", operation_id = "depositAddresses", tag = "deposits",
    responses((status = 200, description = "An address per currency", body = Reply))
)]
pub async fn handle(State(app): State<Shared>, caller: Option<Caller>) -> ApiResult<Reply> {
    let is_test = caller.as_ref().is_some_and(Caller::is_test);
    let takes_claims = app.service.deposits.as_ref().is_some_and(actors::Deposits::is_simulated);
    let is_simulated = is_test || takes_claims;
    let btc = place(&app, caller.as_ref(), Currency::Btc).await?;
    let ltc = place(&app, caller.as_ref(), Currency::Ltc).await?;
    let usdt_erc20 = place(&app, caller.as_ref(), Currency::UsdtErc20).await?;
    let given: Vec<bool> =
        [&btc, &ltc, &usdt_erc20].into_iter().flatten().map(|place| place.personal).collect();
    let (none, personal) =
        (given.is_empty(), caller.is_some() && given.iter().all(|personal| *personal));
    let message = match (is_simulated, caller.is_some(), none) {
        (true, ..) if !takes_claims => {
            "Test: send nothing. Orders of a test key are free, and no payment is credited to it."
        }
        (true, ..) => {
            "Simulated: send nothing. POST any 64-hex tx_hash to /api/v1/deposit/verify, and $10 \
             are credited after 2 seconds."
        }
        (false, true, true) => {
            "No chain can be followed just now, so no address is given out; ask again in a minute."
        }
        (false, false, true) => "Send your API key: the addresses are then your own.",
        (false, true, false) if personal => {
            "These addresses are yours alone. What is paid there is credited once it is \
             confirmed; no further call is needed."
        }
        (false, ..) => {
            "Shared addresses: whoever first posts a payment's tx_hash to /api/v1/deposit/verify \
             is credited, and everybody can read hashes on the chain. Where this service gives \
             accounts addresses of their own, your API key gets you yours."
        }
    };
    let text = |place: Option<Place>| place.map(|place| place.text);
    let addresses = Addresses { btc: text(btc), ltc: text(ltc), usdt_erc20: text(usdt_erc20) };
    Ok(Json(Reply {
        addresses,
        minimum_deposit_usd: Dollars(MINIMUM),
        personal,
        simulated: is_simulated,
        message,
    }))
}

/// The address as a QR code (SVG), for a wallet's camera: a `bitcoin:` or `litecoin:` link, or the
/// plain address of USDT.
#[utoipa::path(
    get, path = "/deposit/addresses/{currency}/qr", operation_id = "depositAddressQr",
    tag = "deposits", params(("currency" = openapi_types::Currency, Path, description = "A coin")),
    responses((
        status = 200, description = "The code", body = String, content_type = "image/svg+xml"
    ))
)]
pub async fn qr(
    State(app): State<Shared>,
    caller: Option<Caller>,
    Path(currency): Path<String>,
) -> Result<Response, ApiError> {
    let unknown = || {
        ApiError::of_field(
            "currency",
            format!("currency is one of {}.", Currency::ALL.map(Currency::name).join(", ")),
        )
    };
    let currency: Currency = currency.parse().map_err(|_| unknown())?;
    let place = place(&app, caller.as_ref(), currency).await?;
    let missing = || {
        ApiError::invalid(format!("There is no {currency} address to show."))
            .with_status(StatusCode::NOT_FOUND)
    };
    let address = place.ok_or_else(missing)?.text;
    let link = match currency {
        Currency::Btc => format!("bitcoin:{address}"),
        Currency::Ltc => format!("litecoin:{address}"),
        Currency::UsdtErc20 => address,
    };
    let code = QrCode::new(link).map_err(|_| missing())?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(QR_SIDE, QR_SIDE).build();
    Ok(([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")], image).into_response())
}

/// Where to pay.
struct Place {
    text: String,
    /// Whether nobody else is credited for what is paid there.
    personal: bool,
}

/// The caller's own address; the shared one for those without a key, and where accounts get none of
/// their own.
async fn place(
    app: &Shared,
    caller: Option<&Caller>,
    currency: Currency,
) -> Result<Option<Place>, ApiError> {
    if let Some(caller) = caller {
        caller.is_admitted().map_err(Refusal::from)?;
    }
    let is_test = caller.is_some_and(Caller::is_test);
    let deposits = app.service.deposits.as_ref();
    if is_test || deposits.is_some_and(actors::Deposits::is_simulated) {
        // No wallet takes these: a hyphen is in no address format, so nobody can pay real money to
        // nobody.
        let owner = caller.map_or_else(|| "shared".to_owned(), |caller| caller.account.digits());
        let prefix = match currency {
            Currency::Btc => "bc1q",
            Currency::Ltc => "ltc1q",
            Currency::UsdtErc20 => "0x",
        };
        return Ok(Some(Place {
            text: format!("{prefix}-simulated-do-not-pay-{owner}"),
            personal: caller.is_some(),
        }));
    }
    let Some(deposits) = deposits else {
        return Err(ApiError::new(
            ErrorCode::ProviderUnavailable,
            "This service takes no deposits; ask its operator for credit.",
        ));
    };
    // Before it is known from which block on the chain is followed, what is paid might be missed.
    let Some(coin) = deposits.coin(currency).filter(|coin| coin.is_followed()) else {
        return Ok(None);
    };
    let own = match caller {
        None => None,
        Some(caller) => coin.book().address(caller.account).await.map_err(|error| match error {
            AddressError::Fault(fault) => ApiError::from(fault),
            AddressError::Refused(refusal) => {
                tracing::error!(
                    %currency, %refusal,
                    "no address can be given out; configure another account's key"
                );
                ApiError::new(
                    ErrorCode::ProviderUnavailable,
                    format!("No {currency} address can be given out just now."),
                )
            }
        })?,
    };
    let own = own.map(|address| Place { text: address.text, personal: true });
    Ok(own.or_else(|| {
        coin.book().shared().map(|address| Place { text: address.text.clone(), personal: false })
    }))
}
