//! Numbers at telecoms, for operators: searched, bought, given back, and those that are owned
//! listed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use events::country::Country;
use events::phone::Phone;
use events::supplier::SupplierName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use suppliers::purchasing::{PurchaseError, TelecomError};
use utoipa::{IntoParams, ToSchema};

use super::access::{self, Access};
use super::{AdminApi, Refusal, refused};
use crate::read_model::chain_of;

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    supplier: String,
    country: String,
    limit: u8,
}

/// A number to buy.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Buy {
    pub supplier: String,
    pub number: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// A number to give back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveBack {
    pub supplier: String,
    pub number: String,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// A telecom whose numbers are to be listed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    pub supplier: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// Numbers that a telecom sells.
#[utoipa::path(get, path = "/numbers/search", operation_id = "searchNumbers", tag = "numbers",
    params(Wanted),
    responses((status = 200, description = "Numbers for sale", body = Value)))]
pub async fn search(
    State(api): State<Arc<AdminApi>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Refusal> {
    let country: Country = wanted
        .country
        .parse()
        .map_err(|error| bad(format!("country {:?}: {error}", wanted.country)))?;
    let offers = api
        .service
        .purchasing
        .search(&supplier(&wanted.supplier)?, country, wanted.limit)
        .await
        .map_err(refusal)?;
    let offer = |offer: &suppliers::purchasing::Offer| {
        json!({
            "number": offer.phone.as_str(), "country": offer.country.code(),
            "monthly": offer.monthly.to_string(),
        })
    };
    Ok(Json(json!({ "offers": offers.iter().map(offer).collect::<Vec<_>>() })))
}

/// Buys a number.
#[utoipa::path(
    post, path = "/numbers/buy", operation_id = "buyNumber", tag = "numbers", request_body = Buy,
    responses((
        status = 200, description = "The number, and what the month has cost so far", body = Value
    ))
)]
pub async fn buy(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(buy): Json<Buy>,
) -> Result<Json<Value>, Refusal> {
    let (who, supplier, phone) =
        (access.operator(&buy.operator)?, supplier(&buy.supplier)?, phone(&buy.number)?);
    let country = Country::of(&phone)
        .ok_or_else(|| bad("the number is of no country that is served".to_owned()))?;
    let bought =
        api.service.purchasing.buy(supplier.clone(), phone, country, who).await.map_err(refusal)?;
    let (spent, limit) = api.service.purchasing.spent(&supplier).await.map_err(refusal)?;
    Ok(Json(json!({
        "number": bought.phone.as_str(), "country": country.code(),
        "monthly": bought.monthly.to_string(),
        "spent_this_month": spent.to_string(),
        "monthly_limit": limit.map(|limit| limit.to_string()),
    })))
}

/// Gives a number back.
#[utoipa::path(
    post, path = "/numbers/release", operation_id = "releaseNumber", tag = "numbers",
    request_body = GiveBack,
    responses((status = 200, description = "It is the telecom's again", body = Value))
)]
pub async fn give_back(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(back): Json<GiveBack>,
) -> Result<Json<Value>, Refusal> {
    access::reason(&back.reason)?;
    let (who, supplier, phone) =
        (access.operator(&back.operator)?, supplier(&back.supplier)?, phone(&back.number)?);
    api.service
        .purchasing
        .give_back(supplier, phone.clone(), back.reason, who)
        .await
        .map_err(refusal)?;
    Ok(Json(json!({ "number": phone.as_str(), "state": "released" })))
}

/// Lists the numbers that are owned at a telecom.
#[utoipa::path(
    post, path = "/numbers/sync", operation_id = "syncNumbers", tag = "numbers",
    request_body = Sync, responses((status = 200, description = "What was listed", body = Value))
)]
pub async fn sync(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(sync): Json<Sync>,
) -> Result<Json<Value>, Refusal> {
    let synced = api
        .service
        .purchasing
        .sync(supplier(&sync.supplier)?, access.operator(&sync.operator)?)
        .await
        .map_err(refusal)?;
    let rejected: Vec<Value> = synced
        .rejected
        .iter()
        .map(|(phone, why)| json!({ "number": phone.as_str(), "why": why }))
        .collect();
    let listed: Vec<&str> = synced.listed.iter().map(Phone::as_str).collect();
    Ok(Json(json!({ "listed": listed, "unchanged": synced.unchanged, "rejected": rejected })))
}

fn supplier(text: &str) -> Result<SupplierName, Refusal> {
    text.parse().map_err(|error| bad(format!("supplier {text:?}: {error}")))
}

fn phone(text: &str) -> Result<Phone, Refusal> {
    text.parse().map_err(|error| bad(format!("{text:?} is {error}")))
}

fn bad(text: String) -> Refusal {
    refused(StatusCode::BAD_REQUEST, text)
}

fn refusal(error: PurchaseError) -> Refusal {
    let status = match &error {
        PurchaseError::NoApi(_) | PurchaseError::NotForSale => StatusCode::NOT_FOUND,
        PurchaseError::NotAllowed(_) => StatusCode::FORBIDDEN,
        PurchaseError::OnOrder
        | PurchaseError::Refused(_)
        | PurchaseError::Inventory(_)
        | PurchaseError::Telecom(_, TelecomError::Refused(_)) => StatusCode::CONFLICT,
        PurchaseError::Telecom(_, TelecomError::Unclear(_)) => StatusCode::BAD_GATEWAY,
        PurchaseError::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused(status, chain_of(&error))
}
