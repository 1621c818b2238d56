//! `POST /api/v1/deposit/verify`: a hint to look at a transaction now; asked again, it says how far
//! the deposit has come.

use actors::Deposits;
use actors::account::Replayed;
use actors::deposit::chain::Payment;
use actors::deposit::{ClaimError, Claimed, Looked};
use actors::store::EventStore;
use axum::extract;
use events::account::Refusal;
use events::account::idempotency::KeyUse;
use events::deposit::{Currency, State, TxHash, transaction_id};
use events::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::deposit_reply::Shown;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::idempotency::{Answer, Keyed};
use crate::http::json::Dollars;
use crate::http::openapi_types::{self, TxHashText};
use crate::read_model::reach_head;

/// Of a hash that no payment is known under: whoever has paid may have been shown another.
const UNKNOWN: &str = "No payment to this account is known under this hash yet. If it was sent a \
    moment ago, ask again. Otherwise give the hash of the \
    transaction that has an output (USDT: a transfer) to your address, as a block explorer shows \
    it under that address: wallets, exchanges and payments \
    out of Litecoin's MWEB may show a number of their own. A payment to your address is credited, \
    asked or not.";

const UNKNOWN_SIMULATED: &str = "No payment to this account is known under this hash. Payments \
    are simulated here: give a hash of your own making, any 64 \
    hex digits.";

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyDepositRequest)]
pub struct Request {
    /// The transaction's hash: 64 hex digits; `0x` before them and any case are taken.
    #[schema(value_type = TxHashText)]
    tx_hash: String,
    /// `btc`, `ltc` or `usdt_erc20`; found out, if absent.
    #[serde(default)]
    #[schema(value_type = Option<openapi_types::Currency>)]
    currency: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deposit)]
pub struct Reply {
    /// `pending`, `confirmed` or `rejected`: confirmed once everything that the transaction pays
    /// you is in your balance.
    status: &'static str,
    /// Why it is rejected: `failed` (it failed on its chain) or `reversed`. While pending:
    /// `unknown` if no payment to you is known under this hash; `message` says which hash to give.
    reason: Option<&'static str>,
    transaction_id: Option<String>,
    tx_hash: String,
    /// What the confirmed part of it was worth.
    amount: Option<Dollars>,
    /// Blocks on it so far, its own counted.
    confirmations: Option<u64>,
    /// Blocks that it needs; null where its chain says itself when a block is final.
    confirmations_required: Option<u32>,
    /// What the transaction pays you, output by output.
    deposits: Vec<Shown>,
    simulated: bool,
    message: String,
}

/// Say that you have paid. Asked again, it says how far the deposit has come: `pending`,
/// `confirmed`, or `rejected`.
#[utoipa::path(
    post, path = "/deposit/verify", operation_id = "verifyDeposit", tag = "deposits",
    request_body = Request,
    responses((status = 200, description = "How far the deposit has come", body = Reply))
)]
pub async fn handle(
    extract::State(app): extract::State<Shared>,
    caller: Caller,
    Keyed { body: request, key }: Keyed<Request>,
) -> Result<Answer<Reply>, ApiError> {
    caller.is_admitted().map_err(Refusal::from)?;
    let deposits = app.service.deposits.as_ref();
    let deposits = deposits.ok_or_else(|| {
        ApiError::new(
            ErrorCode::ProviderUnavailable,
            "This service takes no deposits; ask its operator for credit.",
        )
    })?;
    let tx_hash: TxHash = request
        .tx_hash
        .parse()
        .map_err(|error| ApiError::of_field("tx_hash", format!("tx_hash: {error}.")))?;
    let currency = request
        .currency
        .as_deref()
        .map(|text| text.parse::<Currency>().map_err(|_| unknown_currency()))
        .transpose()?;
    if caller.is_test() && !deposits.is_simulated() {
        let text = "This is a test key: its orders are free, and no payment is credited to it. \
            The scenario deposit_reorg shows a deposit that is taken back.";
        return Err(ApiError::invalid(text));
    }
    if deposits.is_simulated() {
        return simulated(&app, &caller, deposits, tx_hash, key).await;
    }
    if let Some(currency) = currency.filter(|currency| deposits.coin(*currency).is_none()) {
        let taken =
            deposits.coins().map(|coin| coin.currency().name()).collect::<Vec<_>>().join(", ");
        return Err(ApiError::of_field(
            "currency",
            format!("This service takes no {currency}; it takes {taken}."),
        ));
    }
    let looked = deposits.look(caller.account, tx_hash.clone(), currency, key).await?;
    let shown = outputs(&app, &caller, &tx_hash, &looked.payments).await?;
    let Looked { replayed: Replayed(replayed), .. } = looked;
    Ok(Answer { body: answer(&tx_hash, shown, &looked), replayed })
}

fn unknown_currency() -> ApiError {
    let text = format!("currency is one of {}.", Currency::ALL.map(Currency::name).join(", "));
    ApiError::invalid(text)
}

/// Everything the transaction pays the caller: as the log has it, and what only the chain has so
/// far.
async fn outputs(
    app: &Shared,
    caller: &Caller,
    tx_hash: &TxHash,
    live: &[(Currency, Payment)],
) -> Result<Vec<Shown>, ApiError> {
    reach_head(&app.service.views, &app.service.store.head()).await?;
    let rows = app
        .service
        .views
        .deposits_of_transaction(caller.account, tx_hash.as_str().to_owned())
        .await?;
    let mut shown: Vec<Shown> = rows.iter().map(|row| Shown::of(app, row)).collect();
    for (currency, payment) in live {
        let live = Shown::live(app, *currency, payment);
        if !shown.iter().any(|known| known.is(&live)) {
            shown.push(live);
        }
    }
    Ok(shown)
}

fn answer(tx_hash: &TxHash, deposits: Vec<Shown>, looked: &Looked) -> Reply {
    // The one that is furthest from the balance speaks for all.
    let order = |shown: &&Shown| {
        ["pending", "rejected", "confirmed"].iter().position(|status| *status == shown.status)
    };
    let speaker = deposits.iter().min_by_key(order);
    let (status, reason, message) = match speaker {
        Some(shown) => {
            (shown.status, (shown.status == "rejected").then_some(shown.reason), shown.words())
        }
        None if looked.failed => (
            "rejected",
            Some("failed"),
            "The transaction failed on its chain: it has paid nothing.".to_owned(),
        ),
        None if looked.unanswered.is_empty() => ("pending", Some("unknown"), UNKNOWN.to_owned()),
        None => (
            "pending",
            None,
            "The chain cannot be asked just now; ask again. A payment to \
            your address is credited, asked or not."
                .to_owned(),
        ),
    };
    let credited: Vec<Money> = deposits
        .iter()
        .filter(|shown| shown.status == "confirmed")
        .filter_map(|shown| Some(shown.amount?.0))
        .collect();
    Reply {
        status,
        reason,
        transaction_id: speaker.map(|_| transaction_id(tx_hash).to_string()),
        tx_hash: tx_hash.as_str().to_owned(),
        amount: (!credited.is_empty()).then(|| Dollars(credited.into_iter().sum())),
        confirmations: speaker.and_then(|shown| shown.confirmations),
        confirmations_required: speaker.and_then(|shown| shown.confirmations_required),
        deposits,
        simulated: false,
        message,
    }
}

async fn simulated(
    app: &Shared,
    caller: &Caller,
    deposits: &Deposits,
    tx_hash: TxHash,
    key: Option<KeyUse>,
) -> Result<Answer<Reply>, ApiError> {
    let (transaction_id, replayed, state) =
        match deposits.claim(caller.account, tx_hash.clone(), key).await {
            Ok(Claimed { deposit, state, replayed: Replayed(replayed) }) => {
                (Some(deposit.to_string()), replayed, Some(state))
            }
            Err(ClaimError::NotYours) => (None, false, None),
            Err(error) => return Err(error.into()),
        };
    let (status, reason, message) = match state.as_ref().map(State::is_credited) {
        None => ("pending", Some("unknown"), UNKNOWN_SIMULATED),
        Some(true) => ("confirmed", None, "Simulated deposit: credited to your balance."),
        Some(false) => (
            "pending",
            None,
            "Verifying on-chain... (simulated: any hash is credited $10 after 2 seconds)",
        ),
    };
    let deposits = outputs(app, caller, &tx_hash, &[]).await?;
    let amount = state.filter(State::is_credited).map(|state| Dollars(state.amount));
    let body = Reply {
        status,
        reason,
        transaction_id,
        tx_hash: tx_hash.as_str().to_owned(),
        amount,
        confirmations: None,
        confirmations_required: None,
        deposits,
        simulated: true,
        message: message.to_owned(),
    };
    Ok(Answer { body, replayed })
}
