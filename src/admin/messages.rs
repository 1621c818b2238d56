//! Messages that gave no order its code, for operators: late, for numbers on no order or of nobody,
//! of another brand, or without a code.

use std::sync::Arc;

use actors::store::EventStore;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use events::account;
use events::code::Verdict;
use events::envelope::Position;
use events::number::Unclaimed;
use events::phone::Phone;
use events::{Event, number, order};
use projections::{AnyOrderFilter, HELD, REPEATED, StrayFilter};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::access::Access;
use super::{AdminApi, Refusal, failed, reached, refused, reveal};
use crate::config::AdminRole;

/// Orders of a number that are looked through for the one it was on.
const ORDERS_OF_A_NUMBER: u32 = 500;
/// Who reveals with the shared token and gives no name.
const UNNAMED: &str = "admin";
/// Messages in one answer.
const MOST: u32 = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Only of this number.
    number: Option<String>,
    /// Only for this reason.
    why: Option<String>,
    /// Only those before this place in the log.
    before: Option<u64>,
    /// How many at most.
    #[serde(default = "usual")]
    limit: u32,
    /// Texts and senders too.
    #[serde(default)]
    reveal: bool,
}

const fn usual() -> u32 {
    50
}

/// The latest first.
#[utoipa::path(get, path = "/numbers/messages", operation_id = "listMessages", tag = "messages",
    params(Asked),
    responses((status = 200, description = "Messages", body = Value)))]
pub async fn strays(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let service = &api.service;
    if asked.reveal {
        if access.role != AdminRole::Operator {
            return Err(refused(
                StatusCode::FORBIDDEN,
                "a viewer's token reveals nothing".to_owned(),
            ));
        }
        reveal::record(&api, access.operator(UNNAMED)?, "messages", "reveal=true of the admin API")
            .await?;
    }
    let phone = asked.number.as_deref().map(str::parse::<Phone>).transpose();
    let phone =
        phone.map_err(|error| refused(StatusCode::BAD_REQUEST, format!("number is {error}")))?;
    if let Some(why) = asked.why.as_deref().filter(|why| !reasons().contains(why)) {
        return Err(refused(
            StatusCode::BAD_REQUEST,
            format!("{why:?} is no reason; {} are", reasons().join(", ")),
        ));
    }
    let filter = StrayFilter { phone, why: asked.why, before: asked.before.map(Position) };
    let strays = reached(service)
        .await?
        .strays(filter, asked.limit.min(MOST))
        .await
        .map_err(|error| failed(&error))?;
    let mut messages = Vec::with_capacity(strays.len());
    for stray in strays {
        let mut message = json!({
            "position": stray.position.0, "at": stray.at.to_string(),
            "number": access.number(&stray.phone), "supplier": stray.supplier.as_str(),
            "why": stray.why,
        });
        if asked.reveal {
            let records = service
                .store
                .read_all(Position(stray.position.0 - 1), 1)
                .await
                .map_err(|error| failed(&error))?;
            if let Some(said) = records.first().and_then(|record| said(&record.event)) {
                (message["sender"], message["text"], message["message_id"]) = said;
            }
        }
        messages.push(message);
    }
    Ok(Json(json!({ "messages": messages })))
}

/// One message, with the order that its number was on then. A reveal shows its sender and text.
#[utoipa::path(
    get, path = "/numbers/messages/{position}", operation_id = "showMessage", tag = "messages",
    params(("position" = u64, Path, description = "Its place in the log")),
    responses((status = 200, description = "The message", body = Value))
)]
pub async fn show(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Path(position): Path<u64>,
) -> Result<Json<Value>, Refusal> {
    message(&api, &access, position).await.map(Json)
}

/// One message, with the order that its number was on then; its number, sender and text only for
/// whoever may see them.
pub async fn message(api: &AdminApi, access: &Access, position: u64) -> Result<Value, Refusal> {
    let service = &api.service;
    let missing = || refused(StatusCode::NOT_FOUND, "there is no such message".to_owned());
    let before = Some(Position(position.saturating_add(1)));
    let views = reached(service).await?;
    let strays = views
        .strays(StrayFilter { before, ..StrayFilter::default() }, 1)
        .await
        .map_err(|error| failed(&error))?;
    let stray = strays
        .into_iter()
        .next()
        .filter(|stray| stray.position.0 == position)
        .ok_or_else(missing)?;
    let filter = AnyOrderFilter { phone: Some(stray.phone.clone()), ..AnyOrderFilter::default() };
    let orders =
        views.all_orders(filter, ORDERS_OF_A_NUMBER).await.map_err(|error| failed(&error))?;
    let then = orders
        .iter()
        .filter(|order| order.assigned_at.is_some_and(|at| at <= stray.at))
        .max_by_key(|order| order.assigned_at);
    let mut answer = json!({
        "position": position, "at": stray.at.to_string(), "number": access.number(&stray.phone),
        "supplier": stray.supplier.as_str(), "why": stray.why,
        "order_then": then.map(
            |order| json!({
                "order_id": order.order.to_string(), "account_id": order.account.to_string(),
                "status": order.status.name(),
                "assigned_at": order.assigned_at.map(|at| at.to_string()),
                "ended_at": order.ended_at.map(|at| at.to_string()),
            })
        ),
    });
    if access.reveals {
        let records = service
            .store
            .read_all(Position(position - 1), 1)
            .await
            .map_err(|error| failed(&error))?;
        if let Some(said) = records.first().and_then(|record| said(&record.event)) {
            (answer["sender"], answer["text"], answer["message_id"]) = said;
        }
    }
    Ok(answer)
}

/// Why a message gives no order its code.
fn reasons() -> [&'static str; 9] {
    let [unsure, nothing, other] =
        [Verdict::Unsure, Verdict::Nothing, Verdict::OtherBrand(String::new())]
            .map(|verdict| verdict.name());
    let [unknown, free, ended, many] = [
        Unclaimed::UnknownNumber,
        Unclaimed::NotAssigned,
        Unclaimed::OrderEnded,
        Unclaimed::TooManyMessages,
    ]
    .map(Unclaimed::name);
    [unknown, free, ended, many, unsure, nothing, other, REPEATED, HELD]
}

/// Sender, text and id of a recorded message.
fn said(event: &Event) -> Option<(Value, Value, Value)> {
    match event {
        Event::Number(number::Event::SmsKept(sms)) => {
            Some((json!(sms.sender), json!(sms.text), json!(sms.message_id)))
        }
        Event::Account(account::Event::Order(_, order::Event::SmsReceived(sms))) => {
            Some((json!(sms.sender), json!(sms.text), json!(sms.message_id)))
        }
        // The text is that of the message it repeats, or kept nowhere.
        Event::Account(account::Event::Order(
            _,
            order::Event::SmsRepeated { message_id, .. } | order::Event::SmsHeld { message_id, .. },
        )) => Some((Value::Null, Value::Null, json!(message_id))),
        _ => None,
    }
}
