//! Newcomers, for operators: codes that open accounts, and accounts that wait to be looked at.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path as PathParameter, State};
use axum::http::StatusCode;
use events::account::Command as OfAccount;
use events::id::{InviteId, to_base62};
use events::invite::{Command, Invite};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::access::{self, Access};
use super::{AdminApi, Refusal, account, accounts, refused, undone};
use crate::http::registration::invite_hash;

/// The longest that an invite lasts.
const MOST_DAYS: u32 = 366;

/// An invite to make.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InviteToMake)]
pub struct Invitation {
    /// How many accounts it opens.
    pub uses: u32,
    /// For so many days.
    pub days: u32,
    /// For whom; it stands in the log.
    pub note: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// Why something is so, and who says it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SaidByOperator)]
pub struct Said {
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// The invites, the latest first; their codes are shown only when they are made.
#[utoipa::path(get, path = "/invites", operation_id = "listInvites", tag = "accounts",
    responses((status = 200, description = "All invites", body = Value)))]
pub async fn list(State(api): State<Arc<AdminApi>>) -> Json<Value> {
    let (invites, now) = (api.service.invites.all(), api.service.invites.now());
    let row = |(id, invite): (InviteId, &Invite)| {
        json!({
            "invite": id.to_string(), "note": invite.note, "uses": invite.uses,
            "used": invite.accounts.len(), "left": invite.left(now),
            "created_at": invite.created_at.to_string(),
            "expires_at": invite.expires_at.to_string(), "revoked": invite.revoked,
            "accounts": invite.accounts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    Json(json!({ "invites": invites.iter().rev().map(row).collect::<Vec<_>>() }))
}

/// Makes an invite. Its code is shown this once.
#[utoipa::path(post, path = "/invites", operation_id = "makeInvite", tag = "accounts",
    request_body = Invitation,
    responses((status = 200, description = "The invite and its code", body = Value)))]
pub async fn make(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(wanted): Json<Invitation>,
) -> Result<Json<Value>, Refusal> {
    if !(1..=MOST_DAYS).contains(&wanted.days) {
        return Err(refused(StatusCode::BAD_REQUEST, format!("days is 1 to {MOST_DAYS}")));
    }
    let (service, who) = (&api.service, access.operator(&wanted.operator)?);
    let (invites, entropy) = (&service.invites, &service.entropy);
    let at = invites.now();
    let id = entropy.invite_id(at);
    let half = || to_base62(u128::from_be_bytes(entropy.bytes()));
    let code = format!("tni_{}{}", half(), half());
    let expires_at = at.plus(Duration::from_hours(24) * wanted.days);
    let (uses, note, hash) = (wanted.uses, wanted.note, invite_hash(&code));
    let command = Command::Create { id, hash, uses, expires_at, note, at };
    invites.transact(&command, who, at).await.map_err(|error| undone(&error))?;
    Ok(Json(json!({
        "invite": id.to_string(), "code": code, "uses": uses, "expires_at": expires_at.to_string(),
    })))
}

/// Has an invite open no account any more; those that it has opened stay.
#[utoipa::path(post, path = "/invites/{id}/revoke", operation_id = "revokeInvite",
    tag = "accounts", request_body = Said,
    params(("id" = String, Path, description = "The invite's id")),
    responses((status = 200, description = "The invite's id", body = Value)))]
pub async fn revoke(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(said): Json<Said>,
) -> Result<Json<Value>, Refusal> {
    let wrong = |_| {
        refused(StatusCode::BAD_REQUEST, format!("{id} is not an invite's id (inv_ and 22 more)"))
    };
    let invite: InviteId = id.parse().map_err(wrong)?;
    let (invites, who) = (&api.service.invites, access.operator(&said.operator)?);
    let at = invites.now();
    let command = Command::Revoke { id: invite, reason: said.reason, at };
    invites.transact(&command, who, at).await.map_err(|error| undone(&error))?;
    Ok(Json(json!({ "invite": invite.to_string() })))
}

/// Lets an account that waits order and be paid into.
#[utoipa::path(post, path = "/accounts/{id}/approve", operation_id = "approve", tag = "accounts",
    request_body = Said, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value)))]
pub async fn approve(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(said): Json<Said>,
) -> Result<Json<Value>, Refusal> {
    let command = OfAccount::Approve { reason: said.reason.clone(), at: api.service.clock.now() };
    answer(&api, &access, &id, &said, command).await
}

/// Says no to an account that waits; its owner may read why.
#[utoipa::path(post, path = "/accounts/{id}/decline", operation_id = "decline", tag = "accounts",
    request_body = Said, params(("id" = String, Path, description = "The account's id")),
    responses((status = 200, description = "The account as it is then", body = Value)))]
pub async fn decline(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(id): PathParameter<String>,
    Json(said): Json<Said>,
) -> Result<Json<Value>, Refusal> {
    let command = OfAccount::Decline { reason: said.reason.clone(), at: api.service.clock.now() };
    answer(&api, &access, &id, &said, command).await
}

async fn answer(
    api: &AdminApi,
    access: &Access,
    id: &str,
    said: &Said,
    command: OfAccount,
) -> Result<Json<Value>, Refusal> {
    let account = account(id)?;
    access::reason(&said.reason)?;
    let (who, at) = (access.operator(&said.operator)?, api.service.clock.now());
    accounts::decided(api, access, account, (command, at), who).await
}
