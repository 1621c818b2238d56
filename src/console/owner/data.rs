//! What the owner's charts draw, codes for cameras, and files to take away.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::{Asked, Console, Context, apology, headers, missing, usage};
use crate::console::call::{self, Call, Refused};
use crate::console::charts::{Line, csv, over_time};
use crate::console::operator::file;
use crate::console::show::{list, text};

const USAGE: [&str; 8] = [
    "start",
    "orders",
    "completed",
    "cancelled",
    "expired",
    "failed",
    "spent",
    "avg_delivery_seconds",
];
const LEDGER: [&str; 8] =
    ["event", "at", "type", "order_id", "amount", "balance_before", "balance_after", "held_after"];
/// Pages of a ledger in one file.
const MOST_PAGES: usize = 500;

/// Data of a name.
pub async fn serve(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let Some(context) = console.context(&Asked::of(&console, &request)).await else {
        return (StatusCode::FORBIDDEN, headers()).into_response();
    };
    let told = match context.count() {
        Ok(()) => told(&context, &name).await,
        Err(refused) => Err(refused),
    };
    told.unwrap_or_else(|refused| apology(&context, &refused))
}

async fn told(context: &Context, name: &str) -> Result<Response, Refused> {
    if let Some(coin) = name.strip_prefix("qr/") {
        let path = format!("/api/v1/deposit/addresses/{coin}/qr");
        return call::raw(&context.console.routes, context.extensions(), Call::get(&path)).await;
    }
    if name == "ledger.csv" {
        return file("ledger.csv", csv(&whole_ledger(context).await?, &LEDGER));
    }
    let told = context.ask(&format!("usage?granularity={}", usage::width(context))).await?;
    let series = list(&told, "series");
    let starts = || series.iter().map(|entry| text(entry, "start").to_owned());
    let values =
        |column: &str| series.iter().map(|entry| entry[column].clone()).collect::<Vec<Value>>();
    let drawn = match name {
        "orders" => over_time(
            starts(),
            vec![Line::of("Orders", values("orders")), Line::of("Completed", values("completed"))],
        ),
        "spent" => over_time(starts(), vec![Line::of("Spent", values("spent")).prefixed("$")]),
        "usage.csv" => return file("usage.csv", csv(series, &USAGE)),
        _ => return Err(missing()),
    };
    let mut response = Json(drawn).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Every movement there is, newest first.
async fn whole_ledger(context: &Context) -> Result<Vec<Value>, Refused> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    for _ in 0..MOST_PAGES {
        let page = context.ask(&format!("account/ledger?limit=200{cursor}")).await?;
        rows.extend_from_slice(list(&page, "entries"));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(rows)
}
