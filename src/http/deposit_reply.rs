//! A deposit as callers see it, the same in every reply.

use actors::deposit::Coin;
use actors::deposit::chain::Payment;
use events::chain::Block;
use events::deposit::{Currency, Finality, MINIMUM, TxHash, deposit_id};
use projections::DepositRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::json::{Dollars, Moment};
use super::{Shared, openapi_types};

/// Shown by `GET /deposits` and `POST /deposit/verify`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DepositOutput)]
pub struct Shown {
    /// Null until it is in a block, for a token.
    deposit_id: Option<String>,
    /// `btc`, `ltc` or `usdt_erc20`; `simulated` where no money is real.
    currency: String,
    tx_hash: String,
    /// The output's number in the transaction; of USDT, the log's number in its block.
    output: Option<u32>,
    /// How much was paid, in the coin's own unit, as an exact decimal.
    #[schema(value_type = Option<openapi_types::Decimal>)]
    paid: Option<String>,
    /// `pending`, `confirmed` (in your balance) or `rejected`.
    pub status: &'static str,
    /// Why it is as it is, for programs: `unconfirmed`, `below_minimum`, `credited` or `reversed`.
    pub reason: &'static str,
    /// Blocks on it so far, its own counted.
    pub confirmations: Option<u64>,
    /// Blocks that its amount needs; null while that is not known, and for USDT, whose chain says
    /// itself when a block is final.
    pub confirmations_required: Option<u32>,
    /// What it is worth, once it is final.
    pub amount: Option<Dollars>,
    /// Dollars for one coin when it was confirmed, as an exact decimal.
    #[schema(value_type = Option<openapi_types::Decimal>)]
    rate: Option<String>,
    rate_source: Option<String>,
    /// When the chain first had it in a block, or when it was claimed.
    seen_at: Option<Moment>,
    credited_at: Option<Moment>,
}

impl Shown {
    /// A deposit from the views.
    pub fn of(app: &Shared, row: &DepositRow) -> Self {
        let coin = coin(app, &row.chain);
        let confirmations =
            coin.zip(row.block.as_ref()).map(|(coin, block)| coin.confirmations(block.height));
        let (status, reason) = if row.is_credited() {
            ("confirmed", "credited")
        } else if row.reversals > 0 && row.block.is_none() {
            ("rejected", "reversed")
        } else if row.kept {
            ("pending", "below_minimum")
        } else {
            ("pending", "unconfirmed")
        };
        Self {
            deposit_id: Some(row.deposit.to_string()),
            currency: row.chain.clone(),
            tx_hash: row.tx_hash.clone(),
            output: Some(row.output),
            paid: (!row.paid.is_empty()).then(|| row.paid.clone()),
            status,
            reason,
            confirmations,
            confirmations_required: row_required(coin, row),
            amount: row.amount.map(Dollars),
            rate: row.rate.clone(),
            rate_source: row.rate_source.clone(),
            seen_at: Some(Moment(row.since)),
            credited_at: row.credited_at.map(Moment),
        }
    }

    /// A payment that the chain tells of and the log does not have yet.
    pub fn live(app: &Shared, currency: Currency, payment: &Payment) -> Self {
        let coin = app
            .service
            .deposits
            .as_ref()
            .and_then(|deposits| deposits.coin(currency))
            .map(AsRef::as_ref);
        let has_number = payment.block.is_some() || currency != Currency::UsdtErc20;
        let confirmations = payment
            .block
            .as_ref()
            .map_or(0, |block| coin.map_or(0, |coin| coin.confirmations(block.height)));
        Self {
            deposit_id: has_number
                .then(|| deposit_id(currency.name(), &payment.tx_hash, payment.output).to_string()),
            currency: currency.name().to_owned(),
            tx_hash: payment.tx_hash.as_str().to_owned(),
            output: has_number.then_some(payment.output),
            paid: Some(payment.paid.clone()),
            status: "pending",
            reason: "unconfirmed",
            confirmations: Some(confirmations),
            confirmations_required: required(
                coin,
                &payment.paid,
                &payment.tx_hash,
                payment.block.as_ref(),
            ),
            amount: None,
            rate: None,
            rate_source: None,
            seen_at: None,
            credited_at: None,
        }
    }

    /// The same deposit.
    pub fn is(&self, other: &Self) -> bool {
        self.deposit_id.is_some() && self.deposit_id == other.deposit_id
    }

    /// In words.
    pub fn words(&self) -> String {
        match (self.reason, self.confirmations, self.confirmations_required) {
            ("credited", ..) => "Credited to your balance.".to_owned(),
            ("reversed", ..) => {
                "The chain does not have this payment any more; its credit was taken back. It is \
                 credited again if it comes back."
                    .to_owned()
            }
            ("below_minimum", ..) => {
                format!(
                    "Final, and below the minimum of ${MINIMUM}: it is credited as soon as \
                    your small payments come to that."
                )
            }
            (_, Some(have), Some(need)) => {
                format!("Verifying on-chain: {have} of {need} confirmations.")
            }
            (_, Some(have), None) => format!(
                "Verifying on-chain: {have} confirmations; it is \
                credited when its block is final."
            ),
            (_, None, _) => "Verifying on-chain: in no block yet.".to_owned(),
        }
    }
}

fn coin<'a>(app: &'a Shared, chain: &str) -> Option<&'a Coin> {
    let currency: Currency = chain.parse().ok()?;
    app.service.deposits.as_ref()?.coin(currency).map(AsRef::as_ref)
}

fn row_required(coin: Option<&Coin>, row: &DepositRow) -> Option<u32> {
    required(coin, &row.paid, &row.tx_hash.parse().ok()?, row.block.as_ref())
}

fn required(
    coin: Option<&Coin>,
    paid: &str,
    tx_hash: &TxHash,
    block: Option<&Block>,
) -> Option<u32> {
    match coin?.finality(paid, tx_hash, block)? {
        Finality::Confirmations(confirmations) => Some(confirmations),
        Finality::ByChain => None,
    }
}
