//! In and out: a token is posted once, and a session's cookie stands for it from then on.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use maud::html;

use super::{Console, LINKS, ROOT, forbidden};
use crate::admin::access::{Access, operator};
use crate::console::form::Form;
use crate::console::guard::is_of_our_page;
use crate::console::page::{Frame, Page, redirect, render};
use crate::console::sessions::{Holder, hash_of};
use crate::console::show;

/// The form.
pub async fn page(request: Request) -> Response {
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    form(query.get("next"), "")
}

fn form(next: &str, wrong: &str) -> Response {
    let body = html! {
        div.card.narrow {
            @if !wrong.is_empty() { (show::notice("danger", wrong)) }
            form.stack method="post" action={ (ROOT) "/login" } {
                input type="hidden" name="next" value=(next);
                label {
                    "Admin token"
                    input type="password" name="token" required autofocus
                        autocomplete="current-password";
                }
                label { "Your name" input name="name" maxlength="60" autocomplete="username"; }
                p.note { "Your name stands in the log beside what you do. With a token of your \
                    own (admin.tokens) the name is the token's." }
                button { "Log in" }
            }
        }
        p.note.narrow { "The shared token is in admin.token in the data directory, unless the \
            configuration sets it." }
    };
    let frame = Frame { root: ROOT, kind: "Console", links: LINKS, who: None };
    render(&frame, &Page::new("Log in", "", body))
}

/// Lets in who has a token.
pub async fn enter(State(console): State<Arc<Console>>, request: Request) -> Response {
    if !is_of_our_page(request.headers()) {
        return forbidden("This form was not sent by a page of this console.");
    }
    let client = console.guard.client(&request);
    if let Err(seconds) = console.guard.attempt(&client) {
        let mut response = form("", &format!("Too many attempts: try again in {seconds} seconds."));
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
        return response;
    }
    let Ok(fields) = Form::read(request.into_body()).await else {
        return forbidden("The form is too large.");
    };
    let refused = |text: &str| {
        let mut response = form(fields.get("next"), text);
        *response.status_mut() = StatusCode::FORBIDDEN;
        response
    };
    let Some(access) = Access::of_token(&console.api.keys, fields.get("token")) else {
        metrics::counter!("admin_wrong_tokens_total").increment(1);
        tracing::warn!(
            client = %client.address,
            "somebody tried to log in to the console with a wrong token"
        );
        return refused("That is not a token of this service.");
    };
    let name = match (&access.name, fields.given("name")) {
        (Some(name), _) => name.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => {
            return refused("Say your name as well: it stands in the log beside what you do.");
        }
    };
    if operator(&name).is_err() {
        return refused("The name is one line of at most 100 characters.");
    }
    // Only to pages of ours, whatever a link says.
    let next = Some(fields.get("next"))
        .filter(|next| next.starts_with(ROOT) && !next.contains(['\\', '\r', '\n']))
        .unwrap_or(ROOT);
    let holder = Holder::Operator { name, token: hash_of(fields.get("token")) };
    match console.guard.let_in(holder, &client, redirect(next)) {
        Ok(response) => response,
        Err(error) => refused(&format!("The session cannot be kept: {error}")),
    }
}

/// Lets out who is in.
pub async fn leave(State(console): State<Arc<Console>>, request: Request) -> Response {
    if !is_of_our_page(request.headers()) {
        return forbidden("This form was not sent by a page of this console.");
    }
    let Some(session) = console.guard.session(request.headers()) else {
        return forbidden("There is no session.");
    };
    let client = console.guard.client(&request);
    console.guard.let_out(&session, &client, redirect(&format!("{ROOT}/login")))
}
