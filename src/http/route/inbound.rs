//! `POST /inbound/v1/{supplier}`: where suppliers bring messages, each in its format. 2xx means
//! durable, and never before.

pub mod own;

use actors::inbox::{InboundPart, InboundSms};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use events::number::Alphabet;
use events::supplier::SupplierName;
use serde_json::json;
use suppliers::inbound::{InboundMessage, InboundRequest, PartOf, Rejected, read};

use crate::http::Shared;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::json::read_body;
use crate::http::middleware::Proven;

pub async fn handle(
    State(app): State<Shared>,
    Path(supplier): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let called = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let headers = request.headers().clone();
    let body = read_body(request, &app).await?;
    let known = supplier
        .parse::<SupplierName>()
        .ok()
        .and_then(|name| Some((app.service.inbound_formats.get(&name)?, name)));
    let Some((format, name)) = known else {
        return Err(
            ApiError::invalid("There is no such supplier.").with_status(StatusCode::NOT_FOUND)
        );
    };
    let public = app.service.config.http.public_url.as_deref().unwrap_or_default();
    let address = format!("{}{called}", public.trim_end_matches('/'));
    let request = InboundRequest {
        address: &address,
        headers: &headers,
        body: &body,
        now: app.service.clock.wall(),
    };
    let messages = match read(format.as_ref(), &request) {
        Ok(messages) => messages,
        Err(Rejected::SignedFor(address)) => {
            tracing::warn!(
                supplier,
                address,
                http.public_url = public,
                "a message was refused: it is signed for another address than http.public_url"
            );
            let text = format!(
                "The message is signed for {address}, and this service's http.public_url is \
                 {public}: they must begin alike."
            );
            return Err(ApiError::new(ErrorCode::InvalidApiKey, text));
        }
        Err(Rejected::NotSigned) => {
            return Err(ApiError::new(ErrorCode::InvalidApiKey, format.not_signed()));
        }
        Err(Rejected::NotUnderstood(what)) => {
            tracing::warn!(
                supplier,
                what,
                "a message was refused; it is lost if the supplier does not send it again"
            );
            let mut refused = ApiError::invalid(format!("The message is not understood: {what}."))
                .into_response();
            refused.extensions_mut().insert(Proven);
            return Ok(refused);
        }
    };
    let mut last = "ignored";
    for mut message in messages {
        message.received_at = message.received_at.map(|at| app.service.clock.of_other(at));
        last = match message.part {
            None => app.service.inbox.deliver(inbound(&name, message)).await?.name(),
            Some(part) => {
                app.service.parts.deliver(inbound_part(&name, message, part)).await?.name()
            }
        };
        metrics::counter!(
            "inbound_messages_total", "supplier" => supplier.clone(), "outcome" => last
        )
        .increment(1);
    }
    Ok(match format.answer() {
        Some((kind, text)) => ([(CONTENT_TYPE, kind)], text).into_response(),
        None => Json(json!({ "status": "ok", "outcome": last })).into_response(),
    })
}

fn inbound(supplier: &SupplierName, message: InboundMessage) -> InboundSms {
    InboundSms {
        supplier: supplier.clone(),
        message_id: message.id,
        to: message.to,
        sender: message.from,
        text: message.text,
        received_at: message.received_at,
    }
}

fn inbound_part(supplier: &SupplierName, message: InboundMessage, part: PartOf) -> InboundPart {
    InboundPart {
        supplier: supplier.clone(),
        to: message.to,
        sender: message.from,
        reference: part.reference,
        number: part.number,
        total: part.total,
        alphabet: Alphabet::Utf8,
        bytes: message.text.into_bytes(),
        received_at: message.received_at,
    }
}
