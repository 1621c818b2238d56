//! The number APIs of Twilio, Telnyx and Vonage, as far as we and their SDKs use them: one stock,
//! one set of owned numbers, three dialects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actors::kernel::entropy::Entropy;
use axum::extract::{Form, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::country::Country;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::Faults;

/// What each knows its caller by.
pub const USER: &str = "AC00000000000000000000000000000001";
/// The secret beside it; Telnyx takes it alone.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[derive(Debug, Default)]
struct Numbers {
    for_sale: BTreeSet<String>,
    owned: BTreeSet<String>,
}

/// A telecom. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Telecom {
    numbers: Arc<Mutex<Numbers>>,
    faults: Faults,
    dice: Entropy,
}

type Words = BTreeMap<String, String>;

impl Telecom {
    /// A telecom with numbers for sale, which misbehaves as told.
    pub fn new(for_sale: &[&str], faults: Faults, seed: u64) -> Self {
        let for_sale = for_sale.iter().map(|number| (*number).to_owned()).collect();
        Self {
            numbers: Arc::new(Mutex::new(Numbers { for_sale, owned: BTreeSet::new() })),
            faults,
            dice: Entropy::seeded(seed),
        }
    }

    /// The numbers that are its caller's.
    pub fn owned(&self) -> BTreeSet<String> {
        self.numbers.lock().owned.clone()
    }

    /// Has a number that was bought by other means.
    pub fn plant(&self, number: &str) {
        self.numbers.lock().owned.insert(number.to_owned());
    }

    /// Has a number no more, without a word.
    pub fn take_away(&self, number: &str) {
        self.numbers.lock().owned.remove(number);
    }

    /// Its routes, in all three dialects.
    pub fn router(&self) -> Router {
        let twilio = "/2010-04-01/Accounts/{account}";
        Router::new()
            .route(
                &format!("{twilio}/IncomingPhoneNumbers.json"),
                get(twilio_owned).post(twilio_buy),
            )
            .route(&format!("{twilio}/IncomingPhoneNumbers/{{file}}"), delete(twilio_release))
            .route(
                &format!("{twilio}/AvailablePhoneNumbers/{{country}}/{{kind}}"),
                get(twilio_search),
            )
            .route("/v1/PhoneNumbers/Countries/{country}", get(twilio_prices))
            .route("/v2/phone_numbers", get(telnyx_owned))
            .route("/v2/phone_numbers/{id}", delete(telnyx_release))
            .route("/v2/available_phone_numbers", get(telnyx_search))
            .route("/v2/number_orders", post(telnyx_buy))
            .route("/account/numbers", get(vonage_owned))
            .route("/number/search", get(vonage_search))
            .route("/number/buy", post(vonage_buy))
            .route("/number/cancel", post(vonage_cancel))
            .layer(middleware::from_fn_with_state(self.clone(), network))
            .with_state(self.clone())
    }

    fn take(&self, number: &str) -> bool {
        let mut numbers = self.numbers.lock();
        numbers.for_sale.remove(number) && numbers.owned.insert(number.to_owned())
    }

    fn give_back(&self, number: &str) -> bool {
        self.numbers.lock().owned.remove(number)
    }

    fn for_sale(&self, country: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
        let of = |number: &&String| {
            number
                .parse()
                .ok()
                .and_then(|phone| Country::of(&phone))
                .is_some_and(|of| of.code() == country)
        };
        self.numbers
            .lock()
            .for_sale
            .iter()
            .filter(of)
            .filter(|number| fits(number))
            .cloned()
            .collect()
    }
}

async fn network(State(telecom): State<Telecom>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{SECRET}")));
    let is_telnyx = request.uri().path().starts_with("/v2/");
    if given != if is_telnyx { format!("Bearer {SECRET}") } else { basic } {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "message": "Authenticate", "error-code": "401" })),
        )
            .into_response();
    }
    if let Some(failure) = telecom.faults.before(&telecom.dice) {
        return failure;
    }
    let answer = next.run(request).await;
    telecom.faults.after(&telecom.dice, answer).await
}

fn word<'a>(words: &'a Words, name: &str) -> &'a str {
    words.get(name).map_or("", String::as_str)
}

fn most(words: &Words, name: &str) -> usize {
    word(words, name).parse().unwrap_or(50)
}

/// Twilio's id of a number.
fn sid(number: &str) -> String {
    format!("PN{:0>32}", &number[1..])
}

fn of_twilio(number: &str) -> Value {
    json!({
        "sid": sid(number), "account_sid": USER, "phone_number": number, "friendly_name": number,
        "capabilities": { "sms": true, "voice": true, "mms": false },
    })
}

async fn twilio_owned(State(telecom): State<Telecom>, Query(words): Query<Words>) -> Json<Value> {
    let only = word(&words, "PhoneNumber");
    let (size, page) =
        (most(&words, "PageSize").clamp(1, 2), word(&words, "Page").parse().unwrap_or(0usize));
    let owned: Vec<String> =
        telecom.owned().into_iter().filter(|number| only.is_empty() || number == only).collect();
    let shown: Vec<Value> =
        owned.iter().skip(page * size).take(size).map(|number| of_twilio(number)).collect();
    let more = owned.len() > (page + 1) * size;
    // Small pages, so that callers have to turn them.
    let numbers = format!("/2010-04-01/Accounts/{USER}/IncomingPhoneNumbers.json");
    let next = more.then(|| format!("{numbers}?PageSize={size}&Page={}&PageToken=x", page + 1));
    Json(json!({
        "incoming_phone_numbers": shown, "page": page, "page_size": size, "next_page_uri": next,
    }))
}

async fn twilio_search(
    State(telecom): State<Telecom>,
    Path((_, country, kind)): Path<(String, String, String)>,
    Query(words): Query<Words>,
) -> Response {
    if kind != "Local.json" {
        return (
            StatusCode::NOT_FOUND,
            Json(json!({
                "code": 20404, "message": "The requested resource was not found", "status": 404,
            })),
        )
            .into_response();
    }
    let contains = word(&words, "Contains").trim_start_matches('+').to_owned();
    let offer = |number: &String| {
        json!({
            "phone_number": number, "friendly_name": number, "iso_country": country,
            "capabilities": { "SMS": true, "voice": true, "MMS": false },
        })
    };
    let found = telecom.for_sale(&country, |number| number.contains(&contains));
    Json(json!({
        "available_phone_numbers": found.iter().take(
            most(&words, "PageSize"),
        ).map(offer).collect::<Vec<_>>(),
    }))
    .into_response()
}

async fn twilio_buy(State(telecom): State<Telecom>, Form(words): Form<Words>) -> Response {
    let number = word(&words, "PhoneNumber");
    if telecom.take(number) {
        return (StatusCode::CREATED, Json(of_twilio(number))).into_response();
    }
    let refusal = json!({
        "code": 21422, "message": format!("Invalid phone number: {number} is not available"),
        "status": 400,
    });
    (StatusCode::BAD_REQUEST, Json(refusal)).into_response()
}

async fn twilio_release(
    State(telecom): State<Telecom>,
    Path((_, file)): Path<(String, String)>,
) -> Response {
    let owned = telecom.owned().into_iter().find(|number| file == format!("{}.json", sid(number)));
    match owned {
        Some(number) if telecom.give_back(&number) => StatusCode::NO_CONTENT.into_response(),
        _ => (
            StatusCode::NOT_FOUND,
            Json(json!({ "code": 20404, "message": "not found", "status": 404 })),
        )
            .into_response(),
    }
}

async fn twilio_prices(Path(country): Path<String>) -> Json<Value> {
    let price = json!({ "number_type": "local", "base_price": "1.15", "current_price": "1.15" });
    Json(json!({
        "country": country, "iso_country": country, "phone_number_prices": [price],
        "price_unit": "USD",
    }))
}

fn of_telnyx(number: &str) -> Value {
    json!({
        "id": format!("1{}", &number[1..]), "record_type": "phone_number", "phone_number": number,
        "status": "active",
    })
}

async fn telnyx_owned(State(telecom): State<Telecom>, Query(words): Query<Words>) -> Json<Value> {
    let only = word(&words, "filter[phone_number]");
    let (size, page) = (
        most(&words, "page[size]").clamp(1, 2),
        word(&words, "page[number]").parse().unwrap_or(1usize),
    );
    let owned: Vec<String> =
        telecom.owned().into_iter().filter(|number| only.is_empty() || number == only).collect();
    let shown: Vec<Value> =
        owned.iter().skip((page - 1) * size).take(size).map(|number| of_telnyx(number)).collect();
    let meta = json!({
        "page_number": page, "page_size": size, "total_pages": owned.len().div_ceil(size),
        "total_results": owned.len(),
    });
    Json(json!({ "data": shown, "meta": meta }))
}

async fn telnyx_search(State(telecom): State<Telecom>, Query(words): Query<Words>) -> Json<Value> {
    let contains = word(&words, "filter[phone_number][contains]").to_owned();
    let found =
        telecom.for_sale(word(&words, "filter[country_code]"), |number| number.contains(&contains));
    let offer = |number: &String| {
        let cost = json!({ "upfront_cost": "0.00", "monthly_cost": "1.00000", "currency": "USD" });
        json!({
            "record_type": "available_phone_number", "phone_number": number,
            "cost_information": cost, "features": [{ "name": "sms" }],
        })
    };
    Json(json!({
        "data": found.iter().take(most(&words, "filter[limit]")).map(offer).collect::<Vec<_>>(),
    }))
}

async fn telnyx_buy(State(telecom): State<Telecom>, Json(order): Json<Value>) -> Response {
    let number = order["phone_numbers"][0]["phone_number"].as_str().unwrap_or_default().to_owned();
    if telecom.take(&number) {
        let line = json!({ "id": "line", "phone_number": number, "status": "success" });
        let data = json!({
            "id": "order", "record_type": "number_order", "status": "success",
            "phone_numbers": [line],
        });
        return Json(json!({ "data": data })).into_response();
    }
    let error = json!({
        "code": "85001", "title": "Number not available",
        "detail": "The number can not be ordered.",
    });
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "errors": [error] }))).into_response()
}

async fn telnyx_release(State(telecom): State<Telecom>, Path(id): Path<String>) -> Response {
    let owned = telecom.owned().into_iter().find(|number| of_telnyx(number)["id"] == id);
    match owned {
        Some(number) if telecom.give_back(&number) => {
            Json(json!({ "data": of_telnyx(&number) })).into_response()
        }
        _ => (
            StatusCode::NOT_FOUND,
            Json(json!({
                "errors": [{ "code": "10005", "title": "Resource not found", "detail": "" }],
            })),
        )
            .into_response(),
    }
}

fn of_vonage(number: &str, more: &Value) -> Value {
    let country =
        number.parse().ok().and_then(|phone| Country::of(&phone)).map_or("", Country::code);
    let mut shown = json!({
        "country": country, "msisdn": &number[1..], "type": "mobile-lvn",
        "features": ["SMS", "VOICE"],
    });
    if let (Some(shown), Some(more)) = (shown.as_object_mut(), more.as_object()) {
        shown.extend(more.clone());
    }
    shown
}

async fn vonage_owned(State(telecom): State<Telecom>, Query(words): Query<Words>) -> Json<Value> {
    let pattern = word(&words, "pattern").to_owned();
    let (size, index) =
        (most(&words, "size").clamp(1, 2), word(&words, "index").parse().unwrap_or(1usize));
    let owned: Vec<String> =
        telecom.owned().into_iter().filter(|number| number.contains(&pattern)).collect();
    let shown: Vec<Value> = owned
        .iter()
        .skip((index - 1) * size)
        .take(size)
        .map(|number| of_vonage(number, &json!({})))
        .collect();
    Json(json!({ "count": owned.len(), "numbers": shown }))
}

async fn vonage_search(State(telecom): State<Telecom>, Query(words): Query<Words>) -> Json<Value> {
    let pattern = word(&words, "pattern").to_owned();
    let found = telecom.for_sale(word(&words, "country"), |number| number.contains(&pattern));
    let shown: Vec<Value> = found
        .iter()
        .take(most(&words, "size"))
        .map(|number| of_vonage(number, &json!({ "cost": "1.25" })))
        .collect();
    Json(json!({ "count": found.len(), "numbers": shown }))
}

async fn vonage_buy(State(telecom): State<Telecom>, Form(words): Form<Words>) -> Response {
    vonage_done(telecom.take(&format!("+{}", word(&words, "msisdn"))))
}

async fn vonage_cancel(State(telecom): State<Telecom>, Form(words): Form<Words>) -> Response {
    vonage_done(telecom.give_back(&format!("+{}", word(&words, "msisdn"))))
}

fn vonage_done(done: bool) -> Response {
    if done {
        return Json(json!({ "error-code": "200", "error-code-label": "success" })).into_response();
    }
    (
        StatusCode::from_u16(420).unwrap_or(StatusCode::BAD_REQUEST),
        Json(json!({ "error-code": "420", "error-code-label": "method failed" })),
    )
        .into_response()
}
