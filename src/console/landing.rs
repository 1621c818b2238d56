//! The landing page of the public listener, the icon, and what browsers see where there is nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::page::{Frame, Page, render};
use super::{assets, owner, show};
use crate::config::Operator;
use crate::http::Shared;

/// Its routes.
pub fn router(app: &Shared) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/favicon.ico", get(assets::icon))
        .with_state(Arc::clone(app))
}

fn frame() -> Frame<'static> {
    Frame { root: owner::ROOT, kind: "", links: &[], who: None }
}

async fn page(State(app): State<Shared>) -> Response {
    let service = &app.service;
    let simulated_numbers = service.router.suppliers().all(|supplier| supplier.is_simulated());
    let simulated_money = service.deposits.as_ref().is_some_and(actors::Deposits::is_simulated);
    let runs = match (simulated_numbers, simulated_money) {
        (true, true) => {
            "Numbers, messages and money are made up here: try everything, nothing is real."
        }
        (true, false) => "Numbers and messages are made up here.",
        (false, true) => "Numbers are real, deposits are simulated.",
        (false, false) => "Numbers and money are real here.",
    };
    let body = html! {
        div.hero {
            p { "SMS verification for programs and agents: register without a human, fund a \
                prepaid balance, order a number for one of 33 platforms in 24 countries, and get \
                the code out of the SMS it receives." }
            (show::notice(
                if simulated_numbers && simulated_money { "warning" } else { "good" }, runs,
            ))
            div.actions {
                @if service.config.registration.is_plain() {
                    form method="post" action={ (owner::ROOT) "/register" } {
                        button { "Create an account" }
                    }
                } @else {
                    a.button href={ (owner::ROOT) "/login" } { "Create an account" }
                }
                a.button.quiet href={ (owner::ROOT) "/login" } { "Log in with an API key" }
            }
        }
        div.grid.thirds {
            (card(
                "For programs",
                &[
                    ("/docs/", "API reference"), ("/openapi.json", "OpenAPI document"),
                    ("/llms-full.txt", "Guide"), ("/api/v1/services", "Platforms and prices"),
                ],
            ))
            (card(
                "For agents",
                &[("/llms.txt", "llms.txt"), ("/account/connect", "MCP snippet, filled in")],
            ))
            (card(
                "How it is",
                &[
                    ("/api/v1/health", "Health"),
                    ("/api/v1/availability", "Success of the last 24 hours"),
                ],
            ))
        }
        (who(&service.config.operator))
        footer {
            "Telenumerus "
            (env!("CARGO_PKG_VERSION"))
            " · Operators: the console is on the admin listener, at /console."
        }
    };
    render(&frame(), &Page::new("Phone verification for programs", "", body))
}

/// Who runs the service, and where abuse is reported.
fn who(operator: &Operator) -> Markup {
    html! {
        @if let Some(name) = &operator.name { p.note { "Run by " bdi { (name) } "." } }
        @if let Some(contact) = operator.abuse() {
            p.note {
                "To report abuse: "
                a href=(contact) { (contact.strip_prefix("mailto:").unwrap_or(&contact)) }
            }
        }
    }
}

fn card(title: &str, links: &[(&str, &str)]) -> Markup {
    html! {
        section.card {
            h2 { (title) }
            @for (path, name) in links { p { a href=(path) { (name) } } }
        }
    }
}

/// For browsers, a page in the place of the error object where there is nothing.
pub async fn html_not_found(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_api = ["/api/", "/inbound/", "/mcp"].iter().any(|api| path.starts_with(api));
    let wants_html = [Method::GET, Method::HEAD].contains(request.method())
        && request
            .headers()
            .get(ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    let response = next.run(request).await;
    if is_api || !wants_html || response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    let body = html! {
        p { "There is nothing at this address." }
        p {
            a href="/" { "Start page" }
            " · "
            a href={ (owner::ROOT) } { "Account" }
            " · "
            a href="/docs/" { "API reference" }
        }
    };
    let mut page = render(&frame(), &Page::new("Not found", "", body));
    *page.status_mut() = StatusCode::NOT_FOUND;
    page
}
