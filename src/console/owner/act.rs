//! What owners do: each form is a call of the public API, as the account.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::Method;
use axum::response::Response;
use events::id::to_base62;
use maud::html;
use serde_json::{Value, json};

use super::{Asked, Console, Context, ROOT, apology, forbidden, missing};
use crate::console::call::{Call, Refused};
use crate::console::form::Form;
use crate::console::guard::is_of_our_page;
use crate::console::page::{Page, redirect, render};
use crate::console::show;
use crate::description::hex;

/// A form.
pub async fn handle(
    State(console): State<Arc<Console>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let asked = Asked::of(&console, &request);
    let Some(context) = console.context(&asked).await else {
        return forbidden("You are not logged in: nothing was done.");
    };
    if !is_of_our_page(request.headers()) {
        return forbidden("This form was not sent by a page of this service: nothing was done.");
    }
    if let Err(refused) = context.count() {
        return apology(&context, &refused);
    }
    let Ok(form) = Form::read(request.into_body()).await else {
        return forbidden("The form is too large.");
    };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let done = match parts.as_slice() {
        ["keys"] => {
            let body = json!({ "name": form.get("name") });
            return shown_once(&context, "keys", "A fresh key", "api_key", body).await;
        }
        ["webhook", "rotate-secret"] => {
            let (path, title) = ("webhook/rotate-secret", "A fresh secret");
            return shown_once(&context, path, title, "webhook_secret", json!({})).await;
        }
        parts => perform(&context, parts, &form).await,
    };
    match done {
        Ok(next) => redirect(&next),
        Err(refused) => apology(&context, &refused),
    }
}

/// Does what a form asks for; answers the page that is shown next.
async fn perform(context: &Context, parts: &[&str], form: &Form) -> Result<String, Refused> {
    match parts {
        ["orders"] => ordered(context, form).await,
        ["orders", id, action @ ("cancel" | "finish")] => {
            command(context, &format!("order/{id}/{action}"), json!({}), &format!("/orders/{id}"))
                .await
        }
        ["orders", id, "report"] => {
            command(
                context,
                &format!("order/{id}/report"),
                json!({ "reason": form.get("reason") }),
                &format!("/orders/{id}"),
            )
            .await
        }
        ["deposits"] => claimed(context, form.get("tx_hash")).await,
        ["deposits", "simulate"] => claimed(context, &random_hash(context)).await,
        ["keys", id, "remove"] => removed(context, id).await,
        ["webhook"] => set_webhook(context, form).await,
        ["webhook", "remove"] => without_body(context, Method::DELETE, "webhook", "/webhook").await,
        ["webhook", "test"] => command(context, "webhook/test", json!({}), "/webhook").await,
        ["webhook", sequence, "redeliver"] => {
            command(
                context,
                &format!("webhook/deliveries/{sequence}/redeliver"),
                json!({}),
                &format!("/webhook/{sequence}"),
            )
            .await
        }
        _ => Err(missing()),
    }
}

async fn command(
    context: &Context,
    path: &str,
    body: Value,
    next: &str,
) -> Result<String, Refused> {
    context.call(Call::post(&format!("/api/v1/{path}"), body)).await?;
    Ok(format!("{ROOT}{next}"))
}

async fn without_body(
    context: &Context,
    method: Method,
    path: &str,
    next: &str,
) -> Result<String, Refused> {
    context.call(Call { method, path: &format!("/api/v1/{path}"), body: None }).await?;
    Ok(format!("{ROOT}{next}"))
}

/// The same form sent twice orders once.
async fn ordered(context: &Context, form: &Form) -> Result<String, Refused> {
    let mut body = json!({ "platform": form.get("platform"), "country": form.get("country") });
    if let Some(key) = form.given("key") {
        body["idempotency_key"] = json!(format!("console-{key}"));
    }
    let order = context.call(Call::post("/api/v1/order", body)).await?;
    Ok(format!("{ROOT}/orders/{}", show::text(&order, "order_id")))
}

async fn claimed(context: &Context, tx_hash: &str) -> Result<String, Refused> {
    let told =
        context.call(Call::post("/api/v1/deposit/verify", json!({ "tx_hash": tx_hash }))).await?;
    let said: String =
        url::form_urlencoded::byte_serialize(show::text(&told, "message").as_bytes()).collect();
    Ok(format!("{ROOT}/deposits?said={said}"))
}

/// What a simulated chain takes for a transaction.
fn random_hash(context: &Context) -> String {
    hex(&context.console.app.service.entropy.bytes::<32>())
}

async fn removed(context: &Context, id: &str) -> Result<String, Refused> {
    without_body(context, Method::DELETE, &format!("keys/{id}"), "/keys").await
}

async fn set_webhook(context: &Context, form: &Form) -> Result<String, Refused> {
    let mut body = json!({ "url": form.get("url") });
    if let Some(threshold) = form.given("threshold") {
        body["balance_low_threshold"] = threshold
            .parse::<serde_json::Number>()
            .map_or_else(|_| json!(threshold), Value::Number);
    }
    context.call(Call { method: Method::PUT, path: "/api/v1/webhook", body: Some(body) }).await?;
    Ok(format!("{ROOT}/webhook"))
}

/// Something that is in this answer and nowhere else.
async fn shown_once(
    context: &Context,
    path: &str,
    title: &str,
    member: &str,
    body: Value,
) -> Response {
    match context.call(Call::post(&format!("/api/v1/{path}"), body)).await {
        Err(refused) => apology(context, &refused),
        Ok(fresh) => {
            let body = html! {
                (show::notice("warning", "It is shown this once."))
                div.card {
                    pre id="fresh" { (show::text(&fresh, member)) }
                    p { button.quiet type="button" data-copy="fresh" { "Copy" } }
                }
                p { a href={ (ROOT) "/" (path.split('/').next().unwrap_or_default()) } { "Back" } }
            };
            render(&context.frame(), &Page::new(title, "", body))
        }
    }
}

/// A key of a form, so that it counts once however often it is sent.
pub fn form_key(context: &Context) -> String {
    to_base62(u128::from_be_bytes(context.console.app.service.entropy.bytes()))
}
