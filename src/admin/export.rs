//! Exports, for operators: signed lines of an account, a number or a period; who made one and why
//! is in the log before anything is given out.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::mpsc;

use super::access::{self, Access};
use super::{AdminApi, Refusal, failed, refused};
use crate::export::{Asked, Export, ExportError, LogPlace};

/// Lines that wait for their reader.
const WAITING: usize = 256;

/// Signed lines of what the log has of an account, a number or a period, once that they are made
/// stands in the log. One at a time.
#[utoipa::path(
    post, path = "/export", operation_id = "makeExport", tag = "audit", request_body = Asked,
    responses((
        status = 200, description = "A JSON object a line: a header, the events, and the signature",
        body = String, content_type = "application/x-ndjson"
    ))
)]
pub async fn make(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(asked): Json<Asked>,
) -> Result<Response, Refusal> {
    let scope = asked.scope().map_err(|text| refused(StatusCode::BAD_REQUEST, text))?;
    let who = access.operator(&asked.operator)?;
    access::reason(&asked.reason)?;
    // Each walks the whole log three times: one is enough.
    let busy = || refused(StatusCode::CONFLICT, "another export is under way".to_owned());
    let alone = Arc::clone(&api.exporting).try_lock_owned().map_err(|_| busy())?;
    // Not ended with its caller: the next one must not walk the log beside this one.
    let making = tokio::spawn(async move {
        let operator = api.service.config.operator.name.as_deref();
        let journal = api.service.accounts.journal();
        let wanted = (scope, asked.reason, who);
        let place =
            LogPlace { data_dir: api.data_dir.clone(), vault: api.service.store.vault().cloned() };
        Export::make(journal, place, operator, wanted).await.map(|export| (export, alone))
    });
    let made = making.await.map_err(|error| failed(&error))?;
    let (export, alone) = made.map_err(|error| undone(&error))?;
    let (send, receive) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::task::spawn_blocking(move || {
        let _alone = alone;
        let given = export.give(|line| {
            if !send.is_closed() {
                let _ = send.blocking_send(Ok(line.to_owned().into()));
            }
        });
        if let Err(error) = given {
            tracing::warn!(%error, "an export ended early");
            // The answer is cut off: what has no last line is no export.
            let _ = send.blocking_send(Err(io::Error::other(error)));
        }
    });
    let lines = stream::unfold(receive, |mut receive| async move {
        receive.recv().await.map(|line| (line, receive))
    });
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"export.jsonl\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn undone(error: &ExportError) -> Refusal {
    match error {
        ExportError::Refused(refusal) => refused(StatusCode::BAD_REQUEST, refusal.to_string()),
        ExportError::Fault(_)
        | ExportError::Unreadable(_)
        | ExportError::Broken(_)
        | ExportError::Changed
        | ExportError::Key(_) => failed(error),
    }
}
