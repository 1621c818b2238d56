//! What callers say of their orders, for operators: who complains of which source, and who was paid
//! back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use events::envelope::Position;
use projections::Report;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{AdminApi, Refusal, failed, reached};

/// Reports in one answer.
const MOST: u32 = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Only those before this place in the log.
    before: Option<u64>,
    /// How many at most.
    #[serde(default = "usual")]
    limit: u32,
}

const fn usual() -> u32 {
    50
}

/// The latest first.
#[utoipa::path(get, path = "/reports", operation_id = "reports", tag = "orders",
    params(Asked),
    responses((status = 200, description = "Reports", body = Value)))]
pub async fn reports(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let views = reached(&api.service).await?;
    let reports = views
        .reports(asked.before.map(Position), asked.limit.min(MOST))
        .await
        .map_err(|error| failed(&error))?;
    let shown = |report: &Report| {
        json!({
            "position": report.position.0, "at": report.at.to_string(),
            "account_id": report.account.to_string(), "order_id": report.order.to_string(),
            "reason": report.complaint, "supplier": report.supplier.as_str(),
            "platform": report.platform.slug(), "country": report.country.code(),
            "refunded": report.refunded,
        })
    };
    Ok(Json(json!({ "reports": reports.iter().map(shown).collect::<Vec<_>>() })))
}
