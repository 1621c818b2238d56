//! What operators do: each form is a call of the operator's API, in the name of who is logged in.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use maud::html;
use serde_json::json;

use super::{
    Console, Context, ROOT, apology, erasures, forbidden, missing, newcomers, numbers, policy,
};
use crate::console::call::Refused;
use crate::console::form::Form;
use crate::console::guard::is_of_our_page;
use crate::console::page::{Page, redirect, render};
use crate::console::show;

/// A form.
pub async fn handle(
    State(console): State<Arc<Console>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let Some(context) = console.context(&request) else {
        return forbidden("You are not logged in: nothing was done.");
    };
    if !is_of_our_page(request.headers()) {
        return forbidden("This form was not sent by a page of this console: nothing was done.");
    }
    if !context.is_operator() {
        return forbidden("A viewer changes and reveals nothing.");
    }
    let form = match Form::read(request.into_body()).await {
        Ok(form) => form,
        Err(status) => {
            return apology(
                &context,
                &Refused { status, text: "The form is too large.".to_owned() },
            );
        }
    };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let done = match parts.as_slice() {
        ["accounts", id, "rotate-key"] => return rotated(&context, id, &form).await,
        ["numbers", "import"] => return imported(&context, &form).await,
        ["newcomers"] => return newcomers::make(&context, &form).await,
        ["policy"] => return judged(&context, &form).await,
        ["accounts", id, "class"] => classified(&context, id, &form).await,
        ["accounts", id, action @ ("approve" | "decline")] => {
            account(&context, id, action, &form).await.map(|_| format!("{ROOT}/newcomers"))
        }
        ["newcomers", id, "revoke"] => newcomers::revoke(&context, id, &form).await,
        ["accounts", id, action @ ("credit" | "debit" | "suspend" | "reinstate")] => {
            account(&context, id, action, &form).await
        }
        ["numbers", action @ ("retire" | "buy" | "release" | "sync")] => {
            numbers::act(&context, action, &form).await
        }
        ["erasures", action @ ("erase" | "hold" | "release")] => {
            erasures::act(&context, action, &form).await
        }
        ["webhooks", account, sequence, "redeliver"] => {
            redelivered(&context, account, sequence, &form).await
        }
        ["audit"] => context.command("audit", json!({})).await.map(|_| format!("{ROOT}/audit")),
        ["reveal"] => revealed(&context, &form).await,
        _ => Err(missing()),
    };
    match done {
        Ok(next) => redirect(&next),
        Err(refused) => apology(&context, &refused),
    }
}

async fn account(
    context: &Context,
    id: &str,
    action: &str,
    form: &Form,
) -> Result<String, Refused> {
    let mut order = json!({ "reason": form.get("reason"), "operator": context.name() });
    if let Some(amount) = form.given("amount") {
        order["amount"] = json!(amount.trim_start_matches('$'));
        order["idempotency_key"] = json!(form.given("key"));
    }
    if form.given("may_overdraw").is_some() {
        order["may_overdraw"] = json!(true);
    }
    context.command(&format!("accounts/{id}/{action}"), order).await?;
    Ok(format!("{ROOT}/accounts/{id}"))
}

/// A policy is tried or applied.
async fn judged(context: &Context, form: &Form) -> Response {
    match policy::act(context, form).await {
        Ok(Some(page)) => render(&context.frame(), &page),
        Ok(None) => redirect(&format!("{ROOT}/policy")),
        Err(refused) => apology(context, &refused),
    }
}

async fn classified(context: &Context, id: &str, form: &Form) -> Result<String, Refused> {
    let wanted = json!({ "class": form.get("class"), "reason": form.get("reason"),
        "operator": context.name() });
    context.command(&format!("accounts/{id}/class"), wanted).await?;
    Ok(format!("{ROOT}/policy"))
}

async fn rotated(context: &Context, id: &str, form: &Form) -> Response {
    let order = json!({ "reason": form.get("reason"), "operator": context.name() });
    match context.command(&format!("accounts/{id}/rotate-key"), order).await {
        Err(refused) => apology(context, &refused),
        Ok(fresh) => {
            let body = html! {
                (show::notice("warning", "This key is shown this once. All earlier keys of the \
                    account open nothing any more."))
                div.card {
                    pre id="fresh" { (show::text(&fresh, "api_key")) }
                    p { button.quiet type="button" data-copy="fresh" { "Copy" } }
                }
                p { a href={ (ROOT) "/accounts/" (id) } { "Back to the account" } }
            };
            render(&context.frame(), &Page::new("A fresh key", "accounts", body))
        }
    }
}

async fn imported(context: &Context, form: &Form) -> Response {
    let rows = match numbers::rows(form.get("file")) {
        Ok(rows) => rows,
        Err(text) => {
            return apology(
                context,
                &Refused { status: axum::http::StatusCode::BAD_REQUEST, text },
            );
        }
    };
    match context
        .command("numbers/import", json!({ "operator": context.name(), "rows": rows }))
        .await
    {
        Err(refused) => apology(context, &refused),
        Ok(report) => {
            render(&context.frame(), &Page::new("Import", "numbers", numbers::report(&report)))
        }
    }
}

async fn redelivered(
    context: &Context,
    account: &str,
    sequence: &str,
    form: &Form,
) -> Result<String, Refused> {
    let order = json!({ "reason": form.get("reason"), "operator": context.name() });
    context.command(&format!("deliveries/{account}/{sequence}/redeliver"), order).await?;
    Ok(format!("{ROOT}/webhooks/{account}/{sequence}"))
}

/// The reveal stands in the log first; then the session sees its subject for a while.
async fn revealed(context: &Context, form: &Form) -> Result<String, Refused> {
    let subject = form.get("subject");
    context
        .command(
            "reveal",
            json!({ "subject": subject, "reason": form.get("reason"), "operator": context.name() }),
        )
        .await?;
    let console = &context.console;
    console.guard.sessions.reveal(&context.session, subject, console.api.service.clock.now());
    let next = form.get("next");
    Ok(if next.starts_with(ROOT) { next.to_owned() } else { ROOT.to_owned() })
}
