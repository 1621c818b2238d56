//! Legal holds, erasures and exports as lists, for operators: what was decided, by whom and why.

use std::sync::Arc;

use actors::store::{Record, Records};
use axum::Json;
use axum::extract::{Query, State};
use events::envelope::{Revision, StreamId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{AdminApi, Refusal, cut, failed, page_limit};
use crate::description::data;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Only those before this one, as `next_before` says it.
    before: Option<u64>,
    /// How many at most.
    limit: Option<u32>,
}

/// Accounts of which nothing is erased, by their ids.
#[utoipa::path(get, path = "/holds", operation_id = "listHolds", tag = "accounts",
    responses((status = 200, description = "Who, since when, why and by whom", body = Value)))]
pub async fn holds(State(api): State<Arc<AdminApi>>) -> Result<Json<Value>, Refusal> {
    let mut holds = Vec::new();
    for (account, hold) in api.service.erasures.state().held() {
        let found = api.service.store.stored_in(StreamId::erasures(), Revision(hold.fact), 1);
        let found = found.await.map_err(|error| failed(&error))?;
        holds.push(json!({
            "account_id": account.to_string(), "since": hold.since.to_string(),
            "reason": hold.reason, "by": found.first().map(|record| record.actor.to_string()),
        }));
    }
    Ok(Json(json!({ "holds": holds })))
}

/// What was erased, and holds that were placed and lifted, the latest first.
#[utoipa::path(get, path = "/erasures", operation_id = "listErasures", tag = "accounts",
    params(Asked),
    responses((status = 200, description = "A page of decisions", body = Value)))]
pub async fn erasures(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    page(&api, StreamId::erasures(), "erasures", &asked).await
}

/// What was exported, the latest first.
#[utoipa::path(get, path = "/exports", operation_id = "listExports", tag = "audit", params(Asked),
    responses((status = 200, description = "A page of exports", body = Value)))]
pub async fn exports(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    page(&api, StreamId::exports(), "exports", &asked).await
}

async fn page(
    api: &AdminApi,
    stream: StreamId,
    name: &str,
    asked: &Asked,
) -> Result<Json<Value>, Refusal> {
    let limit = page_limit(asked.limit);
    let before = Revision(asked.before.unwrap_or(u64::MAX));
    let one_more = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let store = &api.service.store;
    let mut found =
        store.stored_in_before(stream, before, one_more).await.map_err(|error| failed(&error))?;
    let next = cut(&mut found, limit).map(|last| last.revision.0);
    let told = |record: &Record| {
        let event = store.event_of(record).map_err(|error| failed(&error))?;
        let mut told = json!({
            "at": record.at.to_string(), "event": &*record.name, "by": &*record.actor,
        });
        if let (Some(told), Value::Object(data)) = (told.as_object_mut(), data(&event, false)) {
            told.extend(data);
        }
        Ok::<_, Refusal>(told)
    };
    let told: Vec<Value> = found.iter().map(told).collect::<Result<_, _>>()?;
    Ok(Json(json!({ name: told, "next_before": next })))
}
