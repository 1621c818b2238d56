//! `GET /api/v1/deposits`: what was paid to the account's addresses, and how far each payment has
//! come.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Shared;
use crate::http::auth::Caller;
use crate::http::cursor::{self, Limit};
use crate::http::deposit_reply::Shown;
use crate::http::error::ApiResult;
use crate::http::json::Parameters;
use crate::http::openapi_types::CursorNumber;
use crate::read_model::reach_head;
use actors::store::EventStore;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    limit: Option<Limit>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DepositList)]
pub struct Reply {
    deposits: Vec<Shown>,
    /// Give it as `cursor` to get the next page; null on the last one.
    next_cursor: Option<String>,
}

/// What was paid to you and how far each payment has come, newest first. Nothing has to be claimed:
/// payments to your addresses are found.
#[utoipa::path(
    get, path = "/deposits", operation_id = "listDeposits", tag = "deposits",
    params(
        (
            "limit" = Option<u32>, Query, description = "Length of a page, 1 to 200", minimum = 1,
            maximum = 200
        ),
        ("cursor" = Option<CursorNumber>, Query, description = "The page before's next_cursor")
    ),
    responses((status = 200, description = "A page of deposits", body = Reply))
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> ApiResult<Reply> {
    let limit = Limit::of(query.limit);
    let before = cursor::number(query.cursor.as_deref())?;
    reach_head(&app.service.views, &app.service.store.head()).await?;
    let rows = app.service.views.deposits(caller.account, before, limit + 1).await?;
    let (rows, last) = cursor::page(rows, limit);
    let deposits = rows.iter().map(|row| Shown::of(&app, row)).collect();
    Ok(Json(Reply { deposits, next_cursor: last.map(|row| row.position.0.to_string()) }))
}
