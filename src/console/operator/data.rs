//! What charts of operators draw, and the files they take away.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Body};
use serde_json::Value;

use super::{Console, Context, apology, extensions, full, headers, missing};
use crate::console::call::{self, Call, Refused};
use crate::console::charts::{Line, csv, number, over_names, over_time};
use crate::console::show::{list, span, text, whole};

const COLUMNS: [&str; 9] = [
    "start",
    "orders",
    "completed",
    "cancelled",
    "expired",
    "failed",
    "revenue",
    "cost",
    "delivery_millis",
];

/// Data of a name.
pub async fn serve(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let Some(context) = console.context(&request) else {
        return (StatusCode::FORBIDDEN, headers()).into_response();
    };
    match told(&context, &name).await {
        Ok(response) => response,
        Err(refused) => apology(&context, &refused),
    }
}

async fn told(context: &Context, name: &str) -> Result<Response, Refused> {
    if name == "events.ndjson" {
        let path =
            full(&format!("events/export?{}", context.query.query(&["stream", "order", "event"])));
        return call::raw(&context.console.routes, extensions(&context.access), Call::get(&path))
            .await;
    }
    let usage = context.ask(&format!("usage?{}", context.query.query(&["hours"]))).await?;
    let series = list(&usage, "series");
    let starts = || series.iter().map(|hour| text(hour, "start").to_owned());
    let values =
        |column: &str| series.iter().map(|hour| number(&hour[column])).collect::<Vec<Value>>();
    let seconds = || {
        series
            .iter()
            .map(|hour| {
                hour["delivery_millis"]
                    .as_f64()
                    .map_or(Value::Null, |millis| (millis / 1_000.0).into())
            })
            .collect()
    };
    let drawn = match name {
        "orders" => over_time(
            starts(),
            vec![
                Line::of("Orders", values("orders")),
                Line::of("Completed", values("completed")),
                Line::of("Expired", values("expired")),
                Line::of("Failed", values("failed")),
            ],
        ),
        "success" => over_time(
            starts(),
            vec![Line::of("Codes of orders that ended", rates(series)).suffixed(" %")],
        ),
        "money" => over_time(
            starts(),
            vec![
                Line::of("Revenue", values("revenue")).prefixed("$"),
                Line::of("Cost", values("cost")).prefixed("$"),
            ],
        ),
        "delivery" => over_time(starts(), vec![Line::of("Average", seconds()).suffixed(" s")]),
        "histogram" => {
            let buckets = list(&usage["delivery"], "histogram");
            let names: Vec<String> = buckets
                .iter()
                .map(|bucket| format!("≤ {}", span(bucket["up_to_millis"].as_u64().unwrap_or(0))))
                .collect();
            over_names(
                "Within",
                &names,
                vec![Line::of(
                    "Codes",
                    buckets.iter().map(|bucket| bucket["codes"].clone()).collect(),
                )],
            )
        }
        "usage.csv" => return file("usage.csv", csv(series, &COLUMNS)),
        _ => return Err(missing()),
    };
    let mut response = Json(drawn).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// How many of each hour's orders got their code, in percent; cancelled ones do not count.
fn rates(series: &[Value]) -> Vec<Value> {
    let rate = |hour: &Value| {
        let ended = whole(hour, "completed") + whole(hour, "expired") + whole(hour, "failed");
        (whole(hour, "completed") * 1_000).checked_div(ended).map_or(Value::Null, |tenths| {
            u32::try_from(tenths).map_or(Value::Null, |tenths| (f64::from(tenths) / 10.0).into())
        })
    };
    series.iter().map(rate).collect()
}

/// A file to be kept.
pub fn file(name: &str, written: Result<Vec<u8>, ::csv::Error>) -> Result<Response, Refused> {
    let failed = |error: ::csv::Error| Refused {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        text: error.to_string(),
    };
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let mut response = Body::from(written.map_err(failed)?).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
