//! Deposits for operators: how far each chain is, and what somebody should look at.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use events::deposit::Currency;
use projections::{Concern, DepositRow};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{AdminApi, Refusal, failed, reached};
use crate::boot::Service;

/// Deposits of one concern in one answer.
const MOST: u32 = 500;
const HOUR: Duration = Duration::from_hours(1);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    #[serde(default)]
    stuck_hours: u32,
}

/// Chains, and the deposits that are stuck, unknown, too small or were taken back.
#[utoipa::path(
    get, path = "/deposits", operation_id = "deposits", tag = "deposits", params(Asked),
    responses((
        status = 200, description = "Chains, and deposits by what is wrong with them", body = Value
    ))
)]
pub async fn of_concern(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let service = &api.service;
    let views = reached(service).await?;
    let stuck_before = service.clock.now().minus(HOUR * asked.stuck_hours);
    let mut answer = json!({ "chains": chains(service) });
    for (name, concern) in [
        ("stuck", Concern::Stuck(stuck_before)),
        ("unknown", Concern::Unknown),
        ("dust", Concern::Dust),
        ("reversed", Concern::Reversed),
    ] {
        let rows =
            views.deposits_of_concern(concern, MOST).await.map_err(|error| failed(&error))?;
        answer[name] = rows.iter().map(shown).collect();
    }
    Ok(Json(answer))
}

/// How far each chain is, for the metrics.
pub fn measure(service: &Service) {
    let Some(deposits) = &service.deposits else { return };
    let failing = deposits.failing_for(Duration::ZERO);
    metrics::gauge!("deposit_steps_failing")
        .set(u32::try_from(failing).map_or(f64::MAX, f64::from));
    let gauge = |name: &'static str, currency: Currency, value: u64| {
        metrics::gauge!(name, "chain" => currency.name())
            .set(u32::try_from(value).map_or(f64::MAX, f64::from));
    };
    for coin in deposits.coins() {
        let (status, currency) = (coin.status(), coin.currency());
        gauge("chain_head_height", currency, status.tip.as_ref().map_or(0, |tip| tip.block.height));
        gauge("chain_scanned_height", currency, status.scanned.unwrap_or(0));
        gauge("chain_lag_blocks", currency, status.lag());
        gauge("chain_failing", currency, u64::from(status.error.is_some()));
        let silent = status
            .answered_at
            .map_or_else(|| service.started.elapsed(), |at| service.clock.now().since(at));
        gauge("chain_silent_seconds", currency, silent.as_secs());
        gauge("deposit_addresses_given", currency, coin.book().next_index().unwrap_or(0).into());
    }
}

fn chains(service: &Service) -> Vec<Value> {
    let coins = service.deposits.iter().flat_map(actors::Deposits::coins);
    coins
        .map(|coin| {
            let status = coin.status();
            json!({
                "chain": coin.currency().name(),
                "endpoints": coin.endpoint(),
                "height": status.tip.as_ref().map(|tip| tip.block.height),
                "finalized_height": status.tip.as_ref().and_then(|tip| tip.finalized),
                "scanned_height": status.scanned,
                "lag_blocks": status.lag(),
                "answered_at": status.answered_at.map(|at| at.to_string()),
                "error": status.error,
                "addresses_given": coin.book().next_index(),
                "rate": coin.known_rate().map(|rate| rate.to_string()),
            })
        })
        .collect()
}

/// A deposit as operators see it.
pub fn shown(row: &DepositRow) -> Value {
    json!({
        "deposit_id": row.deposit.to_string(),
        "account_id": row.account.map(|account| account.to_string()),
        "chain": row.chain,
        "tx_hash": row.tx_hash,
        "output": row.output,
        "paid": row.paid,
        "block_height": row.block.as_ref().map(|block| block.height),
        "status": row.status,
        "amount": row.amount.map(|amount| amount.to_string()),
        "rate": row.rate,
        "seen_at": row.since.to_string(),
        "credited_at": row.credited_at.map(|at| at.to_string()),
        "reversals": row.reversals,
    })
}
