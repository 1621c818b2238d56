//! `GET /api/v1/deposits`: what was paid to the account's addresses, and how far each payment has come.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::feed::reach_head;
use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::cursor::{self, Limit};
use crate::http::deposit_reply::Shown;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json::Parameters;
use actors::store::EventStore;

/// Further than any log gets.
const LAST_POSITION: u64 = 1_000_000_000_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    limit: Option<Limit>,
    cursor: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deposits)]
pub struct Reply {
    deposits: Vec<Shown>,
    /// Give it as `cursor` to get the next page; null on the last one.
    next_cursor: Option<u64>,
}

/// What was paid to you and how far each payment has come, newest first. Nothing has to be claimed: payments to your addresses are found.
#[utoipa::path(get, path = "/deposits", operation_id = "listDeposits", tag = "deposits",
    params(("limit" = Option<u32>, Query, description = "Length of a page, 1 to 200", minimum = 1, maximum = 200),
        ("cursor" = Option<u64>, Query, description = "The page before's next_cursor", minimum = 1, maximum = 1_000_000_000_000u64)),
    responses((status = 200, description = "A page of deposits", body = Reply)))]
pub async fn handle(State(app): State<Shared>, caller: Caller, Parameters(query): Parameters<Query>) -> ApiResult<Reply> {
    let limit = Limit::of(query.limit)?;
    if query.cursor.is_some_and(|cursor| !(1..=LAST_POSITION).contains(&cursor)) {
        return Err(ApiError::invalid("cursor is a next_cursor of a page."));
    }
    reach_head(&app.service.views, &app.service.store.head()).await?;
    let rows = app.service.views.deposits(caller.account, query.cursor, limit + 1).await?;
    let (rows, last) = cursor::page(rows, limit);
    let deposits = rows.iter().map(|row| Shown::of(&app, row)).collect();
    Ok(Json(Reply { deposits, next_cursor: last.map(|row| row.position.0) }))
}
