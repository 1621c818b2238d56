//! `GET /api/v1/register/challenge`: what opening an account takes.

use axum::Json;
use axum::extract::State;

use crate::http::Shared;
use crate::http::error::ApiResult;
use crate::http::registration::{Wanted, wanted};

/// What opening an account takes: terms to accept, an invite, a challenge to solve. A refusal of
/// `POST /register` has the same as `detail.registration`.
#[utoipa::path(
    get, path = "/register/challenge", operation_id = "registerChallenge", tag = "account",
    responses((status = 200, description = "What is wanted", body = Wanted))
)]
pub async fn handle(State(app): State<Shared>) -> ApiResult<Wanted> {
    Ok(Json(wanted(&app)))
}
