//! In and out: an API key is posted once, or made by registering; a session's cookie stands for it
//! from then on.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::json;

use super::{Asked, Console, LINKS, ROOT, anonymous, forbidden};
use crate::config::{Registration, RegistrationMode};
use crate::console::call::{self, Call};
use crate::console::form::Form;
use crate::console::guard::{Client, is_of_our_page};
use crate::console::page::{Frame, Page, redirect, render};
use crate::console::sessions::Holder;
use crate::console::show;
use crate::http::ApiKey;
use crate::http::auth;
use crate::http::limit::Subject;

const FOREIGN: &str = "This form was not sent by a page of this service.";

/// The form.
pub async fn page(State(console): State<Arc<Console>>) -> Response {
    form(&console.app.service.config.registration, "")
}

fn form(registration: &Registration, wrong: &str) -> Response {
    let body = html! {
        div.card.narrow {
            @if !wrong.is_empty() { (show::notice("danger", wrong)) }
            form.stack method="post" action={ (ROOT) "/login" } {
                label {
                    "API key"
                    input type="password" name="key" required autofocus
                        autocomplete="current-password" placeholder="tn_…";
                }
                button { "Log in" }
            }
            h3 { "No account yet?" }
            (newcomer(registration))
            p.note {
                "An account is its API key: no mail address, no password. The key is shown once."
            }
        }
    };
    let frame = Frame { root: ROOT, kind: "Account", links: LINKS, who: None };
    render(&frame, &Page::new("Log in", "", body))
}

/// What opens an account: a button, and what the operator wants beside it.
fn newcomer(registration: &Registration) -> Markup {
    if registration.mode == RegistrationMode::Closed {
        return html! { p.note { "This service opens no accounts." } };
    }
    if registration.proof_of_work_bits > 0 {
        return html! {
            p.note { "An account is opened by a program here, for it takes a proof of work: "
                code { "GET /api/v1/register/challenge" } "." }
        };
    }
    html! {
        form.stack method="post" action={ (ROOT) "/register" } {
            @if registration.mode == RegistrationMode::Invite {
                label { "Invite" input name="invite" required autocomplete="off"; }
            }
            @if let Some(version) = &registration.terms_version {
                label {
                    input type="checkbox" name="accept_terms" value=(version) required;
                    " I accept the terms of the operator, version " (version) " "
                    @if let Some(url) = &registration.terms_url { a href=(url) { "(read them)" } }
                }
            }
            button.quiet { "Create an account" }
        }
        @if registration.mode == RegistrationMode::Approval {
            p.note { "The operator looks at an account before it can order." }
        }
    }
}

fn refused(console: &Console, status: StatusCode, text: &str) -> Response {
    let mut response = form(&console.app.service.config.registration, text);
    *response.status_mut() = status;
    response
}

/// Why no further attempt may be made from there, if none may.
fn attempt(console: &Console, client: &Client) -> Option<Response> {
    console.guard.attempt(client).err().map(|seconds| {
        let mut response = refused(
            console,
            StatusCode::TOO_MANY_REQUESTS,
            &format!("Too many attempts: try again in {seconds} seconds."),
        );
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
        response
    })
}

/// Lets in who has a key.
pub async fn enter(State(console): State<Arc<Console>>, request: Request) -> Response {
    if !is_of_our_page(request.headers()) {
        return forbidden(FOREIGN);
    }
    let client = console.guard.client(&request);
    if let Some(response) = attempt(&console, &client) {
        return response;
    }
    let Ok(fields) = Form::read(request.into_body()).await else {
        return forbidden("The form is too large.");
    };
    let wrong = || refused(&console, StatusCode::FORBIDDEN, "That is not a key of this service.");
    let Some(key) = ApiKey::parse(fields.get("key")) else { return wrong() };
    let app = &console.app;
    let _turn = app.look_ups.acquire().await;
    let Ok(caller) = auth::verify(&app.service.accounts, &key).await else {
        // A wrong key counts for its address here as at the API.
        let _ = app.per_ip.take(Subject::address(client.address), app.now());
        return wrong();
    };
    app.key_uses.note(caller.account, caller.key, app.service.clock.now());
    let holder = Holder::Owner { account: caller.account.to_string(), key: caller.key.to_string() };
    match console.guard.let_in(holder, &client, redirect(ROOT)) {
        Ok(response) => response,
        Err(error) => refused(
            &console,
            StatusCode::SERVICE_UNAVAILABLE,
            &format!("The session cannot be kept: {error}"),
        ),
    }
}

/// Opens an account, shows its key once, and lets its owner in.
pub async fn register(State(console): State<Arc<Console>>, request: Request) -> Response {
    if !is_of_our_page(request.headers()) {
        return forbidden(FOREIGN);
    }
    let asked = Asked::of(&console, &request);
    let Ok(fields) = Form::read(request.into_body()).await else {
        return forbidden("The form is too large.");
    };
    let mut wanted = json!({});
    for name in ["invite", "accept_terms"] {
        if !fields.get(name).is_empty() {
            wanted[name] = json!(fields.get(name));
        }
    }
    let fresh = match call::json(
        &console.routes,
        anonymous(&asked.client),
        Call::post("/api/v1/register", wanted),
    )
    .await
    {
        Ok(fresh) => fresh,
        Err(error) => return refused(&console, error.status, &error.text),
    };
    let verified = match ApiKey::parse(show::text(&fresh, "api_key")) {
        Some(key) => auth::verify(&console.app.service.accounts, &key).await.ok(),
        None => None,
    };
    let Some(caller) = verified else {
        return refused(
            &console,
            StatusCode::INTERNAL_SERVER_ERROR,
            "The account was opened, and its key cannot be read.",
        );
    };
    let body = html! {
        (show::notice("warning", "The key and the webhook secret are shown this once. Keep them \
            now: the key is the account."))
        div.card {
            h2 { "API key" }
            pre id="key" { (show::text(&fresh, "api_key")) }
            p { button.quiet type="button" data-copy="key" { "Copy the key" } }
            h2 { "Webhook secret" }
            pre id="secret" { (show::text(&fresh, "webhook_secret")) }
            p { button.quiet type="button" data-copy="secret" { "Copy the secret" } }
        }
        p { a.button href=(ROOT) { "Continue to the account" } }
    };
    let frame = Frame { root: ROOT, kind: "Account", links: LINKS, who: None };
    let response = render(&frame, &Page::new("Your account is open", "", body));
    let holder = Holder::Owner { account: caller.account.to_string(), key: caller.key.to_string() };
    match console.guard.let_in(holder, &asked.client, response) {
        Ok(response) => response,
        Err(error) => refused(
            &console,
            StatusCode::SERVICE_UNAVAILABLE,
            &format!("The account is open, and the session cannot be kept: {error}"),
        ),
    }
}

/// Lets out who is in.
pub async fn leave(State(console): State<Arc<Console>>, request: Request) -> Response {
    if !is_of_our_page(request.headers()) {
        return forbidden(FOREIGN);
    }
    let Some(session) = console.guard.session(request.headers()) else {
        return forbidden("There is no session.");
    };
    let client = console.guard.client(&request);
    console.guard.let_out(&session, &client, redirect("/"))
}
