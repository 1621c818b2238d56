//! The log, for operators: searched, exported, and audited while the service runs. What callers
//! keep to themselves is masked.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actors::store::EventStore;
use actors::store::sqlite::{AuditRecord, records_between, verify_chain_while};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use events::envelope::Position;
use events::id::OrderId;
use events::time::Timestamp;
use futures_util::stream;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::access::Access;
use super::{AdminApi, Refusal, page_limit, refused};
use crate::audit::{Report, examine};
use crate::description;
use crate::export::LogPlace;

/// Records read at a time in a search.
const WINDOW: u64 = 2_048;
/// Records that one answer looks through: a search for what is rare goes on from `next_before`.
const LOOKED_THROUGH: u64 = 65_536;
/// Lines of an export that wait for their reader.
const WAITING: usize = 256;

/// Which records.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Only of this stream, such as `account-…` or `number-…`.
    stream: Option<String>,
    /// Only what belongs to this order.
    order: Option<String>,
    /// Only events of this name, such as `OrderPlaced`.
    event: Option<String>,
    /// Only those before this place in the log.
    before: Option<u64>,
    /// How many at most, up to 500.
    limit: Option<u32>,
}

/// The conditions of a search.
struct Wanted {
    stream: Option<String>,
    order: Option<OrderId>,
    event: Option<String>,
}

impl Wanted {
    fn of(asked: &Asked) -> Result<Self, Refusal> {
        let given = |text: &Option<String>| {
            text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let order = given(&asked.order).map(|text| {
            text.parse()
                .map_err(|_| refused(StatusCode::BAD_REQUEST, format!("{text:?} is no order's id")))
        });
        Ok(Self {
            stream: given(&asked.stream),
            order: order.transpose()?,
            event: given(&asked.event),
        })
    }

    fn fits(&self, record: &AuditRecord) -> bool {
        self.stream.as_deref().is_none_or(|stream| stream == record.recorded.stream.as_str())
            && self.order.is_none_or(|order| record.recorded.correlation == Some(order))
            && self.event.as_deref().is_none_or(|event| event == &*record.name)
    }
}

/// Records of the log, the latest first.
#[utoipa::path(
    get, path = "/events", operation_id = "listEvents", tag = "audit", params(Asked),
    responses((
        status = 200, description = "A page of records; next_before is null where the log begins",
        body = Value
    ))
)]
pub async fn events(
    State(api): State<Arc<AdminApi>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let (wanted, limit) =
        (Wanted::of(&asked)?, usize::try_from(page_limit(asked.limit)).unwrap_or(50));
    let head = api.service.store.head().borrow().0;
    let before = asked.before.unwrap_or(u64::MAX).min(head.saturating_add(1));
    let place =
        LogPlace { data_dir: api.data_dir.clone(), vault: api.service.store.vault().cloned() };
    let search = tokio::task::spawn_blocking(move || search(&place, &wanted, before, limit)).await;
    let (records, next_before) = search
        .map_err(|error| unreadable(&error.to_string()))?
        .map_err(|error| unreadable(&error))?;
    let records: Vec<Value> =
        records.iter().map(|record| description::record(record, false)).collect();
    Ok(Json(json!({ "events": records, "next_before": next_before, "head": head })))
}

fn search(
    place: &LogPlace,
    wanted: &Wanted,
    before: u64,
    limit: usize,
) -> Result<(Vec<AuditRecord>, Option<u64>), String> {
    let (mut found, mut end, mut looked) = (Vec::new(), before, 0);
    while end > 1 && looked < LOOKED_THROUGH {
        let start = end.saturating_sub(WINDOW + 1).min(end - 1);
        let window = records_between(
            &place.data_dir,
            Position(start),
            usize::try_from(end - 1 - start).unwrap_or(0),
            place.vault.as_deref(),
        )
        .map_err(|error| error.to_string())?;
        for record in window
            .into_iter()
            .rev()
            .filter(|record| record.recorded.position.0 < end && wanted.fits(record))
        {
            if found.len() == limit {
                let last = found.last().map(|record: &AuditRecord| record.recorded.position.0);
                return Ok((found, last));
            }
            found.push(record);
        }
        looked += end - start;
        end = start + 1;
    }
    Ok((found, (end > 1).then_some(end)))
}

fn unreadable(what: &str) -> Refusal {
    refused(StatusCode::INTERNAL_SERVER_ERROR, format!("the log cannot be read: {what}"))
}

/// The records that fit, from the first on, a JSON object a line. Where the log cannot be read to
/// its end, or records of it are not as they were written, the answer breaks off.
#[utoipa::path(
    get, path = "/events/export", operation_id = "exportEvents", tag = "audit", params(Asked),
    responses((
        status = 200, description = "A JSON object a line", body = String,
        content_type = "application/x-ndjson"
    ))
)]
pub async fn export(
    State(api): State<Arc<AdminApi>>,
    _access: Access,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let (wanted, directory) = (Wanted::of(&asked)?, api.data_dir.clone());
    let vault = api.service.store.vault().cloned();
    let (send, receive) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::task::spawn_blocking(move || {
        let told = verify_chain_while(&directory, vault.as_deref(), |record| {
            let gone = if wanted.fits(record) {
                let line = format!("{}\n", description::record(record, false));
                send.blocking_send(Ok(line.into())).is_err()
            } else {
                send.is_closed()
            };
            if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let broken = match told {
            Ok(findings) if findings.is_empty() => return,
            Ok(findings) => format!("{} records are not as they were written", findings.len()),
            Err(error) => error.to_string(),
        };
        tracing::warn!(error = broken, "an export of the log is not whole, and is broken off");
        let _ = send.blocking_send(Err(io::Error::other(broken)));
    });
    let lines = stream::unfold(receive, |mut receive| async move {
        receive.recv().await.map(|line| (line, receive))
    });
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"events.ndjson\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The audit that runs, or the last one.
#[derive(Default)]
pub struct Verification(Arc<Mutex<Audit>>);

#[derive(Default)]
enum Audit {
    /// None since the service started.
    #[default]
    None,
    Running {
        since: Timestamp,
        head: u64,
        position: Arc<AtomicU64>,
    },
    Ended {
        since: Timestamp,
        at: Timestamp,
        report: Result<Report, String>,
    },
}

/// How far the audit is, or what the last one has found.
#[utoipa::path(get, path = "/audit", operation_id = "verification", tag = "audit",
    responses((status = 200, description = "`state` is none, running or ended", body = Value)))]
pub async fn verification(State(api): State<Arc<AdminApi>>) -> Json<Value> {
    Json(shown(&api.verification.0.lock()))
}

/// Has the chain and the invariants of the whole log audited, unless that is under way.
#[utoipa::path(post, path = "/audit", operation_id = "verify", tag = "audit",
    responses((status = 200, description = "It runs", body = Value)))]
pub async fn verify(State(api): State<Arc<AdminApi>>, _access: Access) -> Json<Value> {
    let clock = api.service.clock;
    let mut audit = api.verification.0.lock();
    if !matches!(*audit, Audit::Running { .. }) {
        let (since, position, head) =
            (clock.now(), Arc::new(AtomicU64::new(0)), api.service.store.head().borrow().0);
        *audit = Audit::Running { since, head, position: Arc::clone(&position) };
        let (slot, directory) = (Arc::clone(&api.verification.0), api.data_dir.clone());
        tokio::task::spawn_blocking(move || {
            let report = examine(&directory, |reached| position.store(reached, Ordering::Relaxed));
            *slot.lock() = Audit::Ended { since, at: clock.now(), report };
        });
    }
    Json(shown(&audit))
}

fn shown(audit: &Audit) -> Value {
    match audit {
        Audit::None => json!({ "state": "none" }),
        Audit::Running { since, head, position } => {
            json!({
                "state": "running", "since": since.to_string(),
                "position": position.load(Ordering::Relaxed), "head": head,
            })
        }
        Audit::Ended { since, at, report: Err(error) } => {
            json!({
                "state": "ended", "since": since.to_string(), "at": at.to_string(),
                "is_lawful": false, "findings": [error],
            })
        }
        Audit::Ended { since, at, report: Ok(report) } => json!({
            "state": "ended", "since": since.to_string(), "at": at.to_string(),
            "is_lawful": report.findings.is_empty(), "findings": report.findings,
            "note": report.note, "events": report.events, "accounts": report.accounts,
            "orders": report.orders, "open_orders": report.open,
            "balance": report.live.balance.to_string(), "held": report.live.held.to_string(),
            "test": report.test.said(),
            "views": report.views,
        }),
    }
}
