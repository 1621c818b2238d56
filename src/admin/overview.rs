//! How the service is, for operators: what runs, how well codes come, the money, what somebody
//! should look at; the same by the hour.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actors::Deposits;
use actors::numbers::Numbers;
use actors::store::EventStore;
use axum::Json;
use axum::extract::{Query, State};
use events::money::Money;
use events::time::Timestamp;
use projections::{DeliveryBucket, HourlyCell, Totals, Views, percentile};
use serde::Deserialize;
use serde_json::{Value, json};
use suppliers::http::Pull;
use suppliers::smpp::Smpp;
use utoipa::IntoParams;

use super::{AdminApi, Refusal, failed, reached};
use crate::boot::Service;

const HOUR_MILLIS: i64 = 3_600_000;
const DAY_HOURS: i64 = 24;
/// Codes a minute are those of the last five.
const RATE_WINDOW: Duration = Duration::from_mins(5);
/// Of a series: ten weeks of hours.
const LONGEST_HOURS: u32 = 24 * 70;
/// Of the log that the views have not seen yet: beyond it, answers are old.
const LAG_WARNED: u64 = 10_000;
/// Blocks of a chain that were not looked through yet.
const BLOCKS_WARNED: u64 = 6;

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Hours before now, up to 1680; 24 if absent.
    hours: Option<u32>,
}

/// How the service is now, and how it was in the last hours.
#[utoipa::path(
    get, path = "/overview", operation_id = "overview", tag = "service", params(Asked),
    responses((
        status = 200, description = "What runs, success with its interval, money, lags, warnings",
        body = Value
    ))
)]
pub async fn overview(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let service = &api.service;
    let now = service.clock.now();
    let (head, reached_at) =
        (service.store.head().borrow().0, service.views.checkpoint().borrow().0);
    let views = reached(service).await?;
    let (from, to) = hours(now, asked.hours);
    let cells = views.hourly(from, to).await.map_err(|error| failed(&error))?;
    let times = views.delivery_times(from, to).await.map_err(|error| failed(&error))?;
    let open_tests = views.open_tests().await.map_err(|error| failed(&error))?;
    let codes = views.codes_since(now.minus(RATE_WINDOW)).await.map_err(|error| failed(&error))?;
    Ok(Json(json!({
        "at": now.to_string(),
        "hours": to - from,
        "orders": {
            "open": service.orders.running(), "listening": service.orders.listening(),
            "open_tests": open_tests,
        },
        "codes_per_minute": tenths(codes * 10 / 5),
        "success": success(&cells),
        "delivery": delivery(&times),
        "money": money(views, now).await?,
        "views": {
            "log": head, "views": reached_at, "lag": head.saturating_sub(reached_at),
            "stopped": *service.views_stopped.lock(),
        },
        "chains": chains(service),
        "warnings": warnings(service, head.saturating_sub(reached_at)),
    })))
}

/// The hours up to now.
fn hours(now: Timestamp, asked: Option<u32>) -> (i64, i64) {
    let to = now.millis().div_euclid(HOUR_MILLIS) + 1;
    (to - i64::from(asked.unwrap_or(24).clamp(1, LONGEST_HOURS)), to)
}

fn tenths(tenths: u64) -> f64 {
    u32::try_from(tenths).map_or(f64::MAX, f64::from) / 10.0
}

/// How many of `n` came true, and between what the rate lies with 95 % certainty (Wilson's
/// interval).
fn rate(completed: u64, n: u64) -> Value {
    let number = |number: u64| u32::try_from(number).map_or(f64::MAX, f64::from);
    if n == 0 {
        return json!({ "n": 0, "completed": 0, "rate": null, "low": null, "high": null });
    }
    let (z, n_all, part) = (1.96_f64, number(n), number(completed) / number(n));
    let middle = (part + z * z / (2.0 * n_all)) / (1.0 + z * z / n_all);
    let half = z / (1.0 + z * z / n_all)
        * (part * (1.0 - part) / n_all + z * z / (4.0 * n_all * n_all)).sqrt();
    let cut = |part: f64| (part.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
    json!({
        "n": n, "completed": completed, "rate": cut(part), "low": cut(middle - half),
        "high": cut(middle + half),
    })
}

/// Orders that ended other than by their callers' cancelling, by source and platform.
fn success(cells: &[HourlyCell]) -> Vec<Value> {
    let mut by: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| !cell.platform.is_empty()) {
        let ended = cell.completed + cell.expired + cell.failed;
        let (completed, n) = by.entry((&cell.supplier, &cell.platform)).or_default();
        *completed += cell.completed;
        *n += ended;
    }
    let row = |((supplier, platform), (completed, n)): ((&str, &str), (u64, u64))| {
        let mut row = rate(completed, n);
        row["supplier"] = if supplier.is_empty() { Value::Null } else { json!(supplier) };
        row["platform"] = json!(platform);
        row
    };
    by.into_iter().filter(|(_, (_, n))| *n > 0).map(row).collect()
}

/// How long codes took: of all, and the histogram.
fn delivery(times: &[DeliveryBucket]) -> Value {
    let mut buckets: BTreeMap<i64, u64> = BTreeMap::new();
    for bucket in times {
        *buckets.entry(bucket.bound_millis).or_default() += bucket.codes;
    }
    let histogram: Vec<Value> = buckets
        .iter()
        .map(|(bound, codes)| json!({ "up_to_millis": bound, "codes": codes }))
        .collect();
    let codes: u64 = buckets.values().sum();
    json!({
        "codes": codes, "p50_millis": percentile(&buckets, 50),
        "p95_millis": percentile(&buckets, 95), "histogram": histogram,
    })
}

async fn money(views: &Views, now: Timestamp) -> Result<Value, Refusal> {
    let totals = views.totals().await.map_err(|error| failed(&error))?;
    let hour = now.millis().div_euclid(HOUR_MILLIS);
    let midnight = hour.div_euclid(DAY_HOURS) * DAY_HOURS;
    let today =
        views.hourly(midnight, midnight + DAY_HOURS).await.map_err(|error| failed(&error))?;
    let sum = |of: fn(&HourlyCell) -> Money| today.iter().map(of).sum::<Money>().to_string();
    let Totals { live, test } = totals;
    Ok(json!({
        "balance": live.balance.to_string(), "held": live.held.to_string(),
        "captured": live.spent.to_string(),
        "captured_today": sum(|cell| cell.revenue), "charged_today": sum(|cell| cell.cost),
        "orders": live.orders, "completed": live.completed,
        "test": {
            "balance": test.balance.to_string(), "held": test.held.to_string(),
            "orders": test.orders, "completed": test.completed,
        },
    }))
}

fn chains(service: &Service) -> Vec<Value> {
    let coins = service.deposits.iter().flat_map(Deposits::coins);
    let shown = coins.map(|coin| {
        let status = coin.status();
        json!({
            "chain": coin.currency().name(), "lag_blocks": status.lag(),
            "height": status.tip.as_ref().map(|tip| tip.block.height), "error": status.error,
        })
    });
    shown.collect()
}

/// What somebody should look at: `danger` costs money or tells callers wrong things, `warning` is
/// to be known.
fn warnings(service: &Service, lag: u64) -> Vec<Value> {
    let mut warnings = Vec::new();
    let mut warn =
        |level: &str, text: String| warnings.push(json!({ "level": level, "text": text }));
    let is_simulated_money = service.deposits.as_ref().is_some_and(Deposits::is_simulated);
    let has_simulated_numbers = service.router.suppliers().any(|supplier| supplier.is_simulated());
    let is_real_money = service.deposits.as_ref().is_some_and(|deposits| !deposits.is_simulated());
    if has_simulated_numbers && is_real_money {
        warn(
            "danger",
            "Money is real and numbers are made up: callers may pay for made-up codes. Set \
             suppliers.simulator.enabled = false."
                .to_owned(),
        );
    } else if has_simulated_numbers && service.router.suppliers().len() > 1 {
        warn(
            "danger",
            "The simulator stands behind real sources: orders they cannot serve get made-up codes."
                .to_owned(),
        );
    }
    if is_simulated_money {
        warn("warning", "Deposits are simulated: any transaction hash is credited $10.".to_owned());
    } else if service.deposits.is_none() {
        warn(
            "warning",
            "No chain is configured: balances grow by an operator's credit only.".to_owned(),
        );
    }
    if let Some(why) = service.views_stopped.lock().as_ref() {
        warn("danger", format!("The views have stopped, and every list here is old: {why}"));
    } else if lag > LAG_WARNED {
        warn("warning", format!("The views are {lag} events behind the log."));
    }
    if !service.takes_appends() {
        warn(
            "danger",
            "The log takes nothing: look at the disk, and at the database of a shared one."
                .to_owned(),
        );
    }
    of_others(service, &mut warn);
    warnings
}

/// What sources and chains are not well.
fn of_others(service: &Service, warn: &mut impl FnMut(&str, String)) {
    for supplier in
        service.router.suppliers().filter(|supplier| service.router.is_cut_off(supplier.name()))
    {
        warn(
            "danger",
            format!("{} fails, and no order is sent to it for a while.", supplier.name()),
        );
    }
    for bind in
        service.smpp.get().map(Smpp::statuses).unwrap_or_default().iter().filter(|bind| !bind.bound)
    {
        warn(
            "danger",
            format!(
                "SMPP {} is not bound: {}",
                bind.address,
                bind.error.as_deref().unwrap_or("no reason known")
            ),
        );
    }
    for coin in service.deposits.iter().flat_map(Deposits::coins) {
        let status = coin.status();
        if let Some(error) = &status.error {
            warn("danger", format!("{} cannot be asked: {error}", coin.currency().name()));
        } else if status.lag() > BLOCKS_WARNED {
            warn(
                "warning",
                format!("{} is {} blocks behind.", coin.currency().name(), status.lag()),
            );
        }
    }
}

/// Orders, success, delivery, revenue and cost of the service by the hour.
#[utoipa::path(
    get, path = "/usage", operation_id = "hourly", tag = "service", params(Asked),
    responses((
        status = 200,
        description = "An entry an hour, without holes; totals by source and platform",
        body = Value
    ))
)]
pub async fn usage(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let (from, to) = hours(api.service.clock.now(), asked.hours);
    let views = reached(&api.service).await?;
    let cells = views.hourly(from, to).await.map_err(|error| failed(&error))?;
    let times = views.delivery_times(from, to).await.map_err(|error| failed(&error))?;
    let mut by_hour: BTreeMap<i64, Vec<&HourlyCell>> =
        (from..to).map(|hour| (hour, Vec::new())).collect();
    for cell in &cells {
        by_hour.entry(cell.hour).or_default().push(cell);
    }
    let series: Vec<Value> = by_hour
        .iter()
        .map(|(hour, cells)| {
            let mut entry = sums(cells);
            entry["start"] = json!(Timestamp::from_millis(hour * HOUR_MILLIS).to_string());
            entry
        })
        .collect();
    let mut by_supplier: BTreeMap<&str, Vec<&HourlyCell>> = BTreeMap::new();
    let mut by_platform: BTreeMap<&str, Vec<&HourlyCell>> = BTreeMap::new();
    for cell in &cells {
        by_supplier.entry(&cell.supplier).or_default().push(cell);
        by_platform.entry(&cell.platform).or_default().push(cell);
    }
    let named = |name: &str, of: BTreeMap<&str, Vec<&HourlyCell>>| -> Vec<Value> {
        let known = of.into_iter().filter(|(of, _)| !of.is_empty());
        known
            .map(|(of, cells)| {
                let mut entry = sums(&cells);
                entry[name] = json!(of);
                entry
            })
            .collect()
    };
    Ok(Json(json!({
        "from": Timestamp::from_millis(from * HOUR_MILLIS).to_string(),
        "to": Timestamp::from_millis(to * HOUR_MILLIS).to_string(),
        "totals": sums(&cells.iter().collect::<Vec<_>>()), "series": series,
        "suppliers": named("supplier", by_supplier),
        "platforms": named("platform", by_platform), "delivery": delivery(&times),
    })))
}

fn sums(cells: &[&HourlyCell]) -> Value {
    let count = |of: fn(&HourlyCell) -> u64| cells.iter().map(|cell| of(cell)).sum::<u64>();
    let completed = count(|cell| cell.completed);
    let average = count(|cell| cell.delivery_millis).checked_div(completed);
    let revenue: Money = cells.iter().map(|cell| cell.revenue).sum();
    let cost: Money = cells.iter().map(|cell| cell.cost).sum();
    json!({
        "orders": count(|cell| cell.orders), "completed": completed,
        "cancelled": count(|cell| cell.cancelled), "expired": count(|cell| cell.expired),
        "failed": count(|cell| cell.failed), "revenue": revenue.to_string(),
        "cost": cost.to_string(), "delivery_millis": average,
    })
}

/// The sources: their numbers, how they fare, their sessions.
#[utoipa::path(get, path = "/suppliers", operation_id = "listSuppliers", tag = "numbers",
    responses((status = 200, description = "Sources, and the SMPP sessions", body = Value)))]
pub async fn suppliers(State(api): State<Arc<AdminApi>>) -> Json<Value> {
    let service = &api.service;
    let now = service.clock.now();
    let rows: Vec<Value> = service
        .router
        .suppliers()
        .map(|supplier| {
            let name = supplier.name();
            let numbers = supplier.numbers(now).map(|numbers| {
                let Numbers { known, leased, listening, resting } = numbers;
                json!({
                    "known": known, "leased": leased, "listening": listening, "resting": resting,
                    "free": known - leased - listening - resting,
                })
            });
            let open = service.pulls.iter().find(|pull| pull.name() == name).map(Pull::kept);
            json!({
                "supplier": name.as_str(), "simulated": supplier.is_simulated(),
                "cut_off": service.router.is_cut_off(name),
                "score": service.router.success_rate(name, now), "numbers": numbers,
                "open_leases": open,
            })
        })
        .collect();
    let binds = service.smpp.get().map(Smpp::statuses).unwrap_or_default();
    let binds: Vec<Value> = binds
        .iter()
        .map(|bind| json!({ "address": bind.address, "bound": bind.bound, "error": bind.error }))
        .collect();
    Json(json!({ "suppliers": rows, "smpp": binds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_rate_and_narrows_with_n() {
        let (few, many) = (rate(8, 10), rate(800, 1_000));
        for row in [&few, &many] {
            let (low, part, high) = (
                row["low"].as_f64().unwrap(),
                row["rate"].as_f64().unwrap(),
                row["high"].as_f64().unwrap(),
            );
            assert!(low < part && part < high);
        }
        // Wilson's interval of 8 in 10, as textbooks have it.
        assert_eq!((few["low"].as_f64(), few["high"].as_f64()), (Some(0.4902), Some(0.9433)));
        assert!(many["high"].as_f64().unwrap() - many["low"].as_f64().unwrap() < 0.06);
        assert!(rate(0, 0)["rate"].is_null());
    }
}
