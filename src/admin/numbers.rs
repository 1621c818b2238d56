//! The pools' numbers, for operators: imported, shown, retired.

use std::collections::BTreeSet;
use std::sync::Arc;

use actors::numbers::inventory::InventoryError;
use actors::numbers::pool::NumberState;
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
use utoipa::{IntoParams, ToSchema};

use super::access::{self, Access};
use super::{AdminApi, Refusal, failed, page_limit, reached, refused};
use crate::boot::Service;
use crate::read_model::chain_of;

/// Lines listed at once: their appends share syncs.
const AT_ONCE: usize = 64;

/// Lines of a file of numbers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Who; it stands in the log.
    pub operator: String,
    /// The lines.
    pub rows: Vec<Row>,
}

/// A line, as it was written.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    pub number: String,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    supplier: Option<String>,
    /// Those that serve no further order, in place of those that do.
    #[serde(default)]
    retired: bool,
    /// `free`, `leased`, `listening` or `cooling`.
    state: Option<String>,
    /// The page before's `next_after`.
    after: Option<String>,
    /// How many at most, up to 500; all of them, if absent.
    limit: Option<u32>,
}

impl Row {
    fn read(&self) -> Result<(Phone, Listing), String> {
        let phone = self
            .number
            .trim()
            .parse()
            .map_err(|error| format!("number {:?} is {error}", self.number))?;
        let country: Country = self
            .country
            .trim()
            .parse()
            .map_err(|error| format!("country {:?}: {error}", self.country))?;
        let supplier: SupplierName = self
            .supplier
            .trim()
            .parse()
            .map_err(|error| format!("supplier {:?}: {error}", self.supplier))?;
        let platform = |slug: &str| {
            slug.parse::<Platform>().map_err(|error| format!("platform {slug:?}: {error}"))
        };
        let mut platforms =
            self.platforms.split_whitespace().map(platform).collect::<Result<Vec<_>, _>>()?;
        platforms.sort_unstable();
        platforms.dedup();
        Ok((
            phone,
            Listing { supplier, country, platforms: (!platforms.is_empty()).then_some(platforms) },
        ))
    }
}

/// Lists numbers; answers with every line that was not taken, and why.
#[utoipa::path(
    post, path = "/numbers/import", operation_id = "importNumbers", tag = "numbers",
    request_body = Import,
    responses((
        status = 200, description = "How many were listed, and every line that was not",
        body = Value
    ))
)]
pub async fn import(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(import): Json<Import>,
) -> Result<Json<Value>, Refusal> {
    let who = access.operator(&import.operator)?;
    let outcomes = stream::iter(import.rows.into_iter().map(|row| {
        let (inventory, who) = (api.service.inventory.clone(), who.clone());
        async move {
            let listed = match row.read() {
                Ok((phone, listing)) => {
                    inventory.list(phone, listing, who).await.map_err(|error| chain_of(&error))
                }
                Err(what) => Err(what),
            };
            (row.line, listed)
        }
    }));
    let mut outcomes: Vec<(u64, Result<bool, String>)> =
        outcomes.buffer_unordered(AT_ONCE).collect().await;
    outcomes.sort_unstable_by_key(|(line, _)| *line);
    let count = |wanted: bool| outcomes.iter().filter(|(_, listed)| *listed == Ok(wanted)).count();
    let rejected: Vec<Value> = outcomes
        .iter()
        .filter_map(|(line, listed)| Some(json!({ "line": line, "why": listed.as_ref().err()? })))
        .collect();
    Ok(Json(json!({ "listed": count(true), "unchanged": count(false), "rejected": rejected })))
}

/// Retires a number.
#[utoipa::path(
    post, path = "/numbers/retire", operation_id = "retireNumber", tag = "numbers",
    request_body = Retire,
    responses((status = 200, description = "It serves no further order", body = Value))
)]
pub async fn retire(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(retire): Json<Retire>,
) -> Result<Json<Value>, Refusal> {
    let phone: Phone = retire.number.parse().map_err(|error| {
        refused(StatusCode::BAD_REQUEST, format!("{:?} is {error}", retire.number))
    })?;
    access::reason(&retire.reason)?;
    let who = access.operator(&retire.operator)?;
    match api.service.inventory.retire(phone.clone(), retire.reason, who).await {
        Ok(()) => Ok(Json(json!({ "number": phone.as_str(), "state": "retired" }))),
        Err(error @ InventoryError::Fault(_)) => Err(failed(&error)),
        Err(error) => Err(refused(StatusCode::CONFLICT, chain_of(&error))),
    }
}

/// Every number of every pool, and how it is.
#[utoipa::path(
    get, path = "/numbers", operation_id = "listNumbers", tag = "numbers", params(Filter),
    responses((
        status = 200, description = "Numbers; next_after is null on the last page", body = Value
    ))
)]
pub async fn states(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Refusal> {
    if filter.retired {
        return retired(&api.service, &access, filter.supplier.as_deref()).await;
    }
    let mut states = api.service.inventory.states();
    states.retain(|(supplier, _)| {
        filter.supplier.as_deref().is_none_or(|wanted| wanted == supplier.as_str())
    });
    if let Some(wanted) = &filter.state {
        states.retain(|(_, state)| word(state) == wanted);
    }
    let (in_all, mut next_after) = (states.len(), None);
    if let Some(limit) = filter.limit {
        states.sort_unstable_by(|(_, one), (_, other)| one.number.phone.cmp(&other.number.phone));
        let after = filter.after.as_deref().filter(|after| !after.is_empty());
        let after = after.map(|place| api.places.open(place).ok_or_else(no_place)).transpose()?;
        let start = after.map_or(0, |after| {
            states.partition_point(|(_, state)| state.number.phone.as_str() <= after.as_str())
        });
        states.drain(..start.min(states.len()));
        let limit = page_limit(Some(limit));
        // Whoever may not see numbers goes through the pages all the same.
        next_after = super::cut(&mut states, limit).and_then(|(_, state)| {
            api.places.seal(state.number.phone.as_str(), api.service.entropy.bytes())
        });
    }
    let mut numbers = Vec::with_capacity(states.len());
    for (supplier, state) in &states {
        numbers.push(shown(&api.service, &access, supplier, state).await);
    }
    Ok(Json(json!({ "numbers": numbers, "in_all": in_all, "next_after": next_after })))
}

fn no_place() -> Refusal {
    let text = "after is no page's next_after since the service has started: begin anew";
    refused(StatusCode::BAD_REQUEST, text.to_owned())
}

const fn word(state: &NumberState) -> &'static str {
    if state.listens {
        "listening"
    } else if state.leased {
        "leased"
    } else if state.cooling.is_empty() && state.rests_until.is_none() {
        "free"
    } else {
        "cooling"
    }
}

async fn shown(
    service: &Service,
    access: &Access,
    supplier: &SupplierName,
    state: &NumberState,
) -> Value {
    let cooling: Vec<Value> = state
        .cooling
        .iter()
        .map(|(platform, until)| json!({ "platform": platform.slug(), "until": until.to_string() }))
        .collect();
    let platforms = state.number.platforms.as_ref().map(|platforms| slugs(platforms));
    let lease = service.router.lease_of(supplier, &state.number.phone);
    let order = match &lease {
        Some(lease) => service.accounts.order(lease.account, lease.order).await.ok().flatten(),
        None => None,
    };
    json!({
        "number": access.number(&state.number.phone), "supplier": supplier.as_str(),
        "country": state.number.country.code(), "platforms": platforms,
        "state": word(state), "cooling": cooling,
        "rests_until": state.rests_until.map(|until| until.to_string()),
        "order_id": lease.map(|lease| lease.order.to_string()),
        "until": order.and_then(
            |order| order.listens_until.or(order.expires_at),
        ).map(|until| until.to_string()),
    })
}

async fn retired(
    service: &Service,
    access: &Access,
    supplier: Option<&str>,
) -> Result<Json<Value>, Refusal> {
    let retired = reached(service).await?.retired().await.map_err(|error| failed(&error))?;
    let wanted = retired
        .iter()
        .filter(|number| supplier.is_none_or(|wanted| wanted == number.listing.supplier.as_str()));
    let shown = |number: &Retired| {
        json!({
            "number": access.number(&number.phone), "supplier": number.listing.supplier.as_str(),
            "country": number.listing.country.code(),
            "platforms": number.listing.platforms.as_ref().map(|platforms| slugs(platforms)),
            "state": "retired", "retired_at": number.at.to_string(), "reason": number.reason,
        })
    };
    Ok(Json(json!({ "numbers": wanted.map(shown).collect::<Vec<_>>() })))
}

fn slugs<'a>(platforms: impl IntoIterator<Item = &'a Platform>) -> BTreeSet<&'static str> {
    platforms.into_iter().map(|platform| platform.slug()).collect()
}
