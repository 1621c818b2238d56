//! `POST /api/v1/register`: a new account, its key and its webhook secret, shown this once.

use axum::extract::State;
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::account::{Admission, Command, RegistrationKind};
use events::id::AccountId;
use events::money::Money;
use events::tier::Tier;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::client_address::ClientAddress;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::{Body, Dollars};
use crate::http::livemode::{ModeWanted, check_offered};
use crate::http::proof_of_work::Answer;
use crate::http::registration::{Brought, admit};
use crate::http::{ApiKey, Shared};

/// Nothing has to be said, unless the operator wants something of newcomers: `GET
/// /register/challenge` says what, and so does a refusal (`detail.registration`).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RegisterRequest)]
pub struct Request {
    /// `test` for an account whose orders are free and follow scenarios; `live` if absent.
    #[serde(default)]
    mode: ModeWanted,
    /// The operator's invite, where one is needed.
    #[serde(default)]
    invite: Option<String>,
    /// The version of the operator's terms, where there are some.
    #[serde(default)]
    accept_terms: Option<String>,
    /// The answer to a challenge, where one is needed.
    #[serde(default)]
    proof_of_work: Option<Answer>,
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
    /// `approved`, or `awaiting_approval`: then it may read, and order and pay once the operator
    /// has looked at it.
    registration: &'static str,
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

/// Open an account. Unless the operator wants something of newcomers, nobody has to approve it.
/// The key and the webhook secret are shown this once.
#[utoipa::path(
    post, path = "/register", operation_id = "register", tag = "account", request_body = Request,
    responses((status = 200, description = "The account, its key and its secret", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    Extension(client): Extension<ClientAddress>,
    Body(request): Body<Request>,
) -> ApiResult<Reply> {
    let Request { mode, invite, accept_terms, proof_of_work } = request;
    if mode == ModeWanted::Test {
        check_offered(&app)?;
    }
    let service = &app.service;
    let account = service.entropy.account_id(service.clock.now());
    let brought = Brought { invite, accept_terms, proof_of_work };
    let (kind, terms) = admit(&app, client.0, account, &brought).await?;
    let key = ApiKey::fresh(account, &service.entropy);
    let webhook_secret = format!("whsec_{}", STANDARD.encode(service.entropy.bytes::<32>()));
    open(&app, account, (key.hash(), webhook_secret.clone()), mode, (kind, terms)).await?;
    let waits = kind == RegistrationKind::Approval && mode == ModeWanted::Live;
    Ok(Json(Reply {
        api_key: key.expose(),
        webhook_secret,
        account_id: account.to_string(),
        balance: Dollars(Money::ZERO),
        tier: Tier::Standard.name(),
        livemode: mode == ModeWanted::Live,
        registration: if waits { Admission::Awaited.name() } else { Admission::Given.name() },
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

/// Opens the account. What is as it is without any wish of the operator's is not written down.
async fn open(
    app: &Shared,
    account: AccountId,
    (key_hash, webhook_secret): ([u8; 32], String),
    mode: ModeWanted,
    (kind, terms): (RegistrationKind, Option<String>),
) -> Result<(), ApiError> {
    let accounts = &app.service.accounts;
    let is_plain = kind == RegistrationKind::Open && terms.is_none();
    let opened = match (mode, is_plain) {
        (ModeWanted::Live, true) => accounts.register(account, key_hash, webhook_secret).await,
        (ModeWanted::Test, true) => {
            accounts.register_for_tests(account, key_hash, webhook_secret).await
        }
        (_, false) => {
            let (id, at) = (account, app.service.clock.now());
            let register = if mode == ModeWanted::Live {
                Command::Register { id, key_hash, webhook_secret, at }
            } else {
                Command::RegisterForTests { id, key_hash, webhook_secret, at }
            };
            accounts.register_under(account, register, kind, terms).await
        }
    };
    opened?;
    Ok(())
}
