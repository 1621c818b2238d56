//! Numbers at telecoms, for operators: searched, bought, given back, and those that are owned listed.

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

use super::access::{self, operator};
use super::{Door, Refusal, refused};
use crate::feed::chain_of;

/// What is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    supplier: String,
    country: String,
    limit: u8,
}

/// A number to buy.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buy {
    pub supplier: String,
    pub number: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// A number to give back.
#[derive(Debug, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    pub supplier: String,
    /// Who; it stands in the log.
    pub operator: String,
}

pub async fn search(State(door): State<Arc<Door>>, Query(wanted): Query<Wanted>) -> Result<Json<Value>, Refusal> {
    let country: Country = wanted.country.parse().map_err(|error| bad(format!("country {:?}: {error}", wanted.country)))?;
    let offers = door.service.purchasing.search(&supplier(&wanted.supplier)?, country, wanted.limit).await.map_err(refusal)?;
    let offer = |offer: &suppliers::purchasing::Offer| json!({ "number": offer.phone.as_str(), "country": offer.country.code(), "monthly": offer.monthly.to_string() });
    Ok(Json(json!({ "offers": offers.iter().map(offer).collect::<Vec<_>>() })))
}

pub async fn buy(State(door): State<Arc<Door>>, Json(buy): Json<Buy>) -> Result<Json<Value>, Refusal> {
    let (who, supplier, phone) = (operator(&buy.operator)?, supplier(&buy.supplier)?, phone(&buy.number)?);
    let country = Country::of(&phone).ok_or_else(|| bad("the number is of no country that is served".to_owned()))?;
    let bought = door.service.purchasing.buy(supplier.clone(), phone, country, who).await.map_err(refusal)?;
    let (spent, limit) = door.service.purchasing.spent(&supplier).await.map_err(refusal)?;
    Ok(Json(json!({
        "number": bought.phone.as_str(), "country": country.code(), "monthly": bought.monthly.to_string(),
        "spent_this_month": spent.to_string(), "monthly_limit": limit.map(|limit| limit.to_string()),
    })))
}

pub async fn give_back(State(door): State<Arc<Door>>, Json(back): Json<GiveBack>) -> Result<Json<Value>, Refusal> {
    access::reason(&back.reason)?;
    let (who, supplier, phone) = (operator(&back.operator)?, supplier(&back.supplier)?, phone(&back.number)?);
    door.service.purchasing.give_back(supplier, phone.clone(), back.reason, who).await.map_err(refusal)?;
    Ok(Json(json!({ "number": phone.as_str(), "state": "released" })))
}

pub async fn sync(State(door): State<Arc<Door>>, Json(sync): Json<Sync>) -> Result<Json<Value>, Refusal> {
    let synced = door.service.purchasing.sync(supplier(&sync.supplier)?, operator(&sync.operator)?).await.map_err(refusal)?;
    let rejected: Vec<Value> = synced.rejected.iter().map(|(phone, why)| json!({ "number": phone.as_str(), "why": why })).collect();
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
        PurchaseError::OnOrder | PurchaseError::Refused(_) | PurchaseError::Inventory(_) | PurchaseError::Telecom(_, TelecomError::Refused(_)) => {
            StatusCode::CONFLICT
        }
        PurchaseError::Telecom(_, TelecomError::Unclear(_)) => StatusCode::BAD_GATEWAY,
        PurchaseError::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused(status, chain_of(&error))
}
