//! A source that is asked for each number, as `docs/suppliers.md` describes the protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use actors::kernel::entropy::Entropy;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use events::country::Country;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::Faults;

/// What it knows its caller by.
pub const TOKEN: &str = "token-of-the-source";
/// What a number costs that serves.
const COST: &str = "0.12";
/// Leases on a page of the list.
const PAGE: usize = 500;

/// A lease.
#[derive(Debug, Clone)]
pub struct Held {
    /// The number; none for a reference that was released before it was leased.
    pub number: Option<String>,
    /// What became of it, once it was released.
    pub outcome: Option<String>,
    platform: String,
    died: bool,
    looks: u32,
}

/// The source. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Source {
    leases: Arc<Mutex<BTreeMap<String, Held>>>,
    faults: Arc<Mutex<Faults>>,
    dice: Entropy,
    /// What its numbers begin with, behind the country's code.
    area: &'static str,
    /// Messages come at the second look; else never.
    has_messages: bool,
}

impl Source {
    /// A source that misbehaves as told.
    pub fn new(faults: Faults, seed: u64) -> Self {
        Self {
            leases: Arc::default(),
            faults: Arc::new(Mutex::new(faults)),
            dice: Entropy::seeded(seed),
            area: "20",
            has_messages: true,
        }
    }

    /// The same with numbers that begin otherwise: sources have no number in common.
    #[must_use]
    pub fn in_area(mut self, area: &'static str) -> Self {
        self.area = area;
        self
    }

    /// A source whose messages never come.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.has_messages = false;
        self
    }

    /// Behaves from here on.
    pub fn heal(&self) {
        *self.faults.lock() = Faults::default();
    }

    fn faults(&self) -> Faults {
        *self.faults.lock()
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/leases", get(list).post(lease))
            .route("/leases/{reference}", get(look).delete(release))
            .route("/stock", get(stock))
            .layer(middleware::from_fn_with_state(self.clone(), network))
            .with_state(self.clone())
    }

    /// Leases that stand.
    pub fn open(&self) -> Vec<String> {
        let leases = self.leases.lock();
        leases
            .iter()
            .filter(|(_, held)| held.number.is_some() && held.outcome.is_none())
            .map(|(reference, _)| reference.clone())
            .collect()
    }

    /// Every lease there was.
    pub fn leases(&self) -> BTreeMap<String, Held> {
        self.leases.lock().clone()
    }

    /// Has a lease that nobody asked for.
    pub fn plant(&self, reference: &str, number: &str) {
        let held = Held {
            number: Some(number.to_owned()),
            outcome: None,
            platform: "google".to_owned(),
            died: false,
            looks: 0,
        };
        self.leases.lock().insert(reference.to_owned(), held);
    }
}

/// The code that comes on the number leased under `reference`: told by nothing but the reference.
pub fn code(reference: &str) -> String {
    let digest = reference.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:06}", digest % 900_000 + 100_000)
}

async fn network(State(source): State<Source>, request: Request, next: Next) -> Response {
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if token != Some(&format!("Bearer {TOKEN}")) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "wrong_token" }))).into_response();
    }
    if let Some(failure) = source.faults().before(&source.dice) {
        return failure;
    }
    let answer = next.run(request).await;
    source.faults().after(&source.dice, answer).await
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

async fn lease(State(source): State<Source>, Json(wanted): Json<Value>) -> Response {
    let (Some(reference), Some(platform), Some(country)) =
        (wanted["reference"].as_str(), wanted["platform"].as_str(), wanted["country"].as_str())
    else {
        return refused(StatusCode::BAD_REQUEST, "reference, platform and country are needed");
    };
    let Ok(country) = country.parse::<Country>() else {
        return refused(StatusCode::CONFLICT, "no_number");
    };
    let mut leases = source.leases.lock();
    if let Some(held) = leases.get(reference) {
        return match (&held.number, &held.outcome) {
            (Some(number), None) => Json(json!({ "number": number, "cost": COST })).into_response(),
            _ => refused(StatusCode::GONE, "released"),
        };
    }
    if source.dice.chance(source.faults().empty) {
        return refused(StatusCode::CONFLICT, "no_number");
    }
    let taken =
        leases.values().filter(|held| held.outcome.is_none()).find_map(|held| held.number.clone());
    let number = match taken {
        Some(taken) if source.dice.chance(source.faults().wrong_number) => taken,
        _ if source.dice.chance(source.faults().wrong_number) => "+35312345678".to_owned(),
        _ => format!("+{}{}{:07}", country.dial_code(), source.area, leases.len()),
    };
    let held = Held {
        number: Some(number.clone()),
        outcome: None,
        platform: platform.to_owned(),
        died: false,
        looks: 0,
    };
    leases.insert(reference.to_owned(), held);
    Json(json!({ "number": number, "cost": COST })).into_response()
}

async fn look(State(source): State<Source>, Path(reference): Path<String>) -> Response {
    let mut leases = source.leases.lock();
    let Some(held) = leases.get_mut(&reference).filter(|held| held.number.is_some()) else {
        return refused(StatusCode::NOT_FOUND, "unknown");
    };
    held.looks += 1;
    held.died |= source.dice.chance(source.faults().dead);
    let mut messages = Vec::new();
    if source.has_messages && held.looks > 1 {
        if source.dice.chance(source.faults().noise) {
            messages.push(json!({
                "id": format!("{reference}-noise"), "from": "Acme",
                "text": "Your parcel 991823 arrives today.",
            }));
        }
        let text = format!("Your {} verification code is {}", held.platform, code(&reference));
        messages.push(json!({ "id": format!("{reference}-1"), "from": "Verify", "text": text }));
    }
    let state = match (&held.outcome, held.died) {
        (Some(_), _) => "released",
        (None, true) => "dead",
        (None, false) => "leased",
    };
    Json(json!({ "state": state, "number": held.number, "messages": messages })).into_response()
}

async fn release(
    State(source): State<Source>,
    Path(reference): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let outcome = query.get("outcome").cloned().unwrap_or_else(|| "unused".to_owned());
    let mut leases = source.leases.lock();
    let unknown =
        || Held { number: None, outcome: None, platform: String::new(), died: false, looks: 0 };
    let held = leases.entry(reference).or_insert_with(unknown);
    let outcome = held.outcome.get_or_insert(outcome);
    let cost = if outcome == "served" && held.number.is_some() { COST } else { "0" };
    Json(json!({ "state": "released", "cost": cost })).into_response()
}

async fn list(
    State(source): State<Source>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let after = query.get("cursor").cloned().unwrap_or_default();
    let leases = source.leases.lock();
    let page: Vec<(&String, &Held)> =
        leases.iter().filter(|(reference, _)| **reference > after).take(PAGE).collect();
    let next =
        page.last().filter(|_| page.len() == PAGE).map(|(reference, _)| (*reference).clone());
    let shown = |(reference, held): &(&String, &Held)| {
        let cost = if held.outcome.as_deref() == Some("served") || held.outcome.is_none() {
            COST
        } else {
            "0"
        };
        json!({
            "reference": reference, "number": held.number,
            "state": if held.outcome.is_some() { "released" } else { "leased" }, "cost": cost,
        })
    };
    Json(json!({ "leases": page.iter().map(shown).collect::<Vec<_>>(), "next": next }))
        .into_response()
}

async fn stock() -> Response {
    let platforms = ["google", "discord", "steam", "telegram"];
    let line = |platform: &str| {
        json!({
            "platform": platform, "country": "US", "count": 50, "cost": COST,
        })
    };
    Json(json!({ "stock": platforms.map(line) })).into_response()
}
