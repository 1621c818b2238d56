//! `POST /api/v1/register`: a new account, its key and its webhook secret, shown this once.

use axum::extract::State;
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::money::Money;
use events::tier::Tier;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::client_address::ClientAddress;
use crate::http::error::ApiResult;
use crate::http::json::{Body, Dollars};
use crate::http::limit::{Subject, within};
use crate::http::livemode::{ModeWanted, check_offered};
use crate::http::{ApiKey, Shared};

/// Nothing has to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RegisterRequest)]
pub struct Request {
    /// `test` for an account whose orders are free and follow scenarios; `live` if absent.
    #[serde(default)]
    mode: ModeWanted,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountRegistered)]
pub struct Reply {
    api_key: String,
    webhook_secret: String,
    account_id: String,
    balance: Dollars,
    tier: &'static str,
    /// False for an account for tests.
    livemode: bool,
    next_steps: NextSteps,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextSteps)]
struct NextSteps {
    deposit: &'static str,
    verify_deposit: &'static str,
    browse_services: &'static str,
    check_availability: &'static str,
    order: &'static str,
    account: &'static str,
}

/// Open an account. Nobody has to approve it. The key and the webhook secret are shown this once.
#[utoipa::path(
    post, path = "/register", operation_id = "register", tag = "account", request_body = Request,
    responses((status = 200, description = "The account, its key and its secret", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    Extension(client): Extension<ClientAddress>,
    Body(Request { mode }): Body<Request>,
) -> ApiResult<Reply> {
    if mode == ModeWanted::Test {
        check_offered(&app)?;
    }
    within(app.registrations.take(Subject::address(client.0), app.now()))?;
    let service = &app.service;
    let account = service.entropy.account_id(service.clock.now());
    let key = ApiKey::fresh(account, &service.entropy);
    let webhook_secret = format!("whsec_{}", STANDARD.encode(service.entropy.bytes::<32>()));
    match mode {
        ModeWanted::Live => {
            service.accounts.register(account, key.hash(), webhook_secret.clone()).await?
        }
        ModeWanted::Test => {
            service.accounts.register_for_tests(account, key.hash(), webhook_secret.clone()).await?
        }
    };
    Ok(Json(Reply {
        api_key: key.expose(),
        webhook_secret,
        account_id: account.to_string(),
        balance: Dollars(Money::ZERO),
        tier: Tier::Standard.name(),
        livemode: mode == ModeWanted::Live,
        next_steps: NextSteps {
            deposit: "GET /api/v1/deposit/addresses",
            verify_deposit: "POST /api/v1/deposit/verify",
            browse_services: "GET /api/v1/services",
            check_availability: "GET /api/v1/availability",
            order: "POST /api/v1/order",
            account: "GET /api/v1/account",
        },
    }))
}
