//! The pools' numbers, for operators: imported, shown, retired.

use std::collections::BTreeSet;
use std::sync::Arc;

use actors::numbers::inventory::InventoryError;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use events::country::Country;
use events::number::Listing;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use futures_util::{StreamExt, stream};
use projections::Retired;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::{self, operator};
use super::{Door, Refusal, failed, reached, refused};
use crate::boot::Service;
use crate::feed::chain_of;

/// Lines listed at once: their appends share syncs.
const AT_ONCE: usize = 64;

/// Lines of a file of numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Who; it stands in the log.
    pub operator: String,
    /// The lines.
    pub rows: Vec<Row>,
}

/// A line, as it was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its place in the file.
    pub line: u64,
    pub number: String,
    pub country: String,
    pub supplier: String,
    /// Slugs with spaces between them; all platforms, if there is none.
    #[serde(default)]
    pub platforms: String,
}

/// A number to retire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    pub number: String,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    supplier: Option<String>,
    /// Those that serve no further order, in place of those that do.
    #[serde(default)]
    retired: bool,
}

impl Row {
    fn read(&self) -> Result<(Phone, Listing), String> {
        let phone = self.number.trim().parse().map_err(|error| format!("number {:?} is {error}", self.number))?;
        let country: Country = self.country.trim().parse().map_err(|error| format!("country {:?}: {error}", self.country))?;
        let supplier: SupplierName = self.supplier.trim().parse().map_err(|error| format!("supplier {:?}: {error}", self.supplier))?;
        let platform = |slug: &str| slug.parse::<Platform>().map_err(|error| format!("platform {slug:?}: {error}"));
        let mut platforms = self.platforms.split_whitespace().map(platform).collect::<Result<Vec<_>, _>>()?;
        platforms.sort_unstable();
        platforms.dedup();
        Ok((phone, Listing { supplier, country, platforms: (!platforms.is_empty()).then_some(platforms) }))
    }
}

/// Lists numbers; answers with every line that was not taken, and why.
pub async fn import(State(door): State<Arc<Door>>, Json(import): Json<Import>) -> Result<Json<Value>, Refusal> {
    let who = operator(&import.operator)?;
    let outcomes = stream::iter(import.rows.into_iter().map(|row| {
        let (inventory, who) = (door.service.inventory.clone(), who.clone());
        async move {
            let listed = match row.read() {
                Ok((phone, listing)) => inventory.list(phone, listing, who).await.map_err(|error| chain_of(&error)),
                Err(what) => Err(what),
            };
            (row.line, listed)
        }
    }));
    let mut outcomes: Vec<(u64, Result<bool, String>)> = outcomes.buffer_unordered(AT_ONCE).collect().await;
    outcomes.sort_unstable_by_key(|(line, _)| *line);
    let count = |wanted: bool| outcomes.iter().filter(|(_, listed)| *listed == Ok(wanted)).count();
    let rejected: Vec<Value> = outcomes.iter().filter_map(|(line, listed)| Some(json!({ "line": line, "why": listed.as_ref().err()? }))).collect();
    Ok(Json(json!({ "listed": count(true), "unchanged": count(false), "rejected": rejected })))
}

/// Retires a number.
pub async fn retire(State(door): State<Arc<Door>>, Json(retire): Json<Retire>) -> Result<Json<Value>, Refusal> {
    let phone: Phone = retire.number.parse().map_err(|error| refused(StatusCode::BAD_REQUEST, format!("{:?} is {error}", retire.number)))?;
    access::reason(&retire.reason)?;
    let who = operator(&retire.operator)?;
    match door.service.inventory.retire(phone.clone(), retire.reason, who).await {
        Ok(()) => Ok(Json(json!({ "number": phone.as_str(), "state": "retired" }))),
        Err(error @ InventoryError::Fault(_)) => Err(failed(&error)),
        Err(error) => Err(refused(StatusCode::CONFLICT, chain_of(&error))),
    }
}

/// Every number of every pool, and how it is.
pub async fn states(State(door): State<Arc<Door>>, Query(filter): Query<Filter>) -> Result<Json<Value>, Refusal> {
    if filter.retired {
        return retired(&door.service, filter.supplier.as_deref()).await;
    }
    let states = door.service.inventory.states();
    let wanted = states.iter().filter(|(supplier, _)| filter.supplier.as_deref().is_none_or(|wanted| wanted == supplier.as_str()));
    let numbers: Vec<Value> = wanted
        .map(|(supplier, state)| {
            let cooling: Vec<Value> =
                state.cooling.iter().map(|(platform, until)| json!({ "platform": platform.slug(), "until": until.to_string() })).collect();
            let word = if state.listens {
                "listening"
            } else if state.leased {
                "leased"
            } else if cooling.is_empty() && state.rests_until.is_none() {
                "free"
            } else {
                "cooling"
            };
            let platforms = state.number.platforms.as_ref().map(|platforms| slugs(platforms));
            json!({
                "number": state.number.phone.as_str(), "supplier": supplier.as_str(), "country": state.number.country.code(), "platforms": platforms,
                "state": word, "cooling": cooling, "rests_until": state.rests_until.map(|until| until.to_string()),
            })
        })
        .collect();
    Ok(Json(json!({ "numbers": numbers })))
}

async fn retired(service: &Service, supplier: Option<&str>) -> Result<Json<Value>, Refusal> {
    let retired = reached(service).await?.retired().await.map_err(|error| failed(&error))?;
    let wanted = retired.iter().filter(|number| supplier.is_none_or(|wanted| wanted == number.listing.supplier.as_str()));
    let shown = |number: &Retired| {
        json!({
            "number": number.phone.as_str(), "supplier": number.listing.supplier.as_str(), "country": number.listing.country.code(),
            "platforms": number.listing.platforms.as_ref().map(|platforms| slugs(platforms)),
            "state": "retired", "retired_at": number.at.to_string(), "reason": number.reason,
        })
    };
    Ok(Json(json!({ "numbers": wanted.map(shown).collect::<Vec<_>>() })))
}

fn slugs<'a>(platforms: impl IntoIterator<Item = &'a Platform>) -> BTreeSet<&'static str> {
    platforms.into_iter().map(|platform| platform.slug()).collect()
}
