//! The pages of operators: who may see which, and how each is told.

mod accounts;
mod act;
mod audit;
mod data;
mod deposits;
mod entry;
mod erasures;
mod messages;
mod newcomers;
mod numbers;
mod orders;
mod overview;
mod policy;
mod usage;
mod webhooks;

pub use accounts::{LEDGER, movement};
pub use data::file;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::Value;

use super::call::{self, Call, Refused};
use super::form::Form;
use super::guard::Guard;
use super::live::{self, Shared};
use super::page::{self, Frame, Page, headers, missing, redirect, render};
use super::sessions::{Holder, Session, Sessions, hash_of};
use super::{assets, show};
use crate::admin::access::Access;
use crate::admin::{self, AdminApi};
use crate::config::AdminRole;

/// Where the pages are.
pub const ROOT: &str = "/console";
const COOKIE: &str = "telenumerus_console";
/// Between two tellings of a page: enough for people, and little for the service.
const PACE: Duration = Duration::from_secs(1);
/// A page is looked at again after so long, also where the log has not moved: clocks and sources
/// do.
const AT_LEAST: Duration = Duration::from_secs(5);
const LINKS: &[(&str, &str, &str)] = &[
    ("overview", "", "Overview"),
    ("orders", "/orders", "Orders"),
    ("accounts", "/accounts", "Accounts"),
    ("newcomers", "/newcomers", "Newcomers"),
    ("numbers", "/numbers", "Numbers"),
    ("messages", "/messages", "Messages"),
    ("deposits", "/deposits", "Deposits"),
    ("webhooks", "/webhooks", "Webhooks"),
    ("usage", "/usage", "Usage"),
    ("policy", "/policy", "Policy"),
    ("erasures", "/erasures", "Erasures"),
    ("audit", "/audit", "Audit"),
];

/// What the pages share.
pub struct Console {
    api: Arc<AdminApi>,
    /// The operator's API.
    routes: Router,
    guard: Guard,
    shared: Shared,
}

/// Somebody who is logged in, and what they ask.
#[derive(Clone)]
pub struct Context {
    console: Arc<Console>,
    session: Session,
    access: Access,
    /// The query of the address.
    query: Arc<Form>,
}

/// The pages' routes.
pub fn router(api: &Arc<AdminApi>) -> Router {
    let sessions = Sessions::open(api.data_dir.join("admin.sessions"));
    let guard = Guard::new(&api.service, sessions, ROOT, COOKIE);
    let console = Arc::new(Console {
        api: Arc::clone(api),
        routes: admin::inner(api),
        guard,
        shared: Shared::default(),
    });
    Router::new()
        .route("/", get(|| async { redirect(ROOT) }))
        .route("/favicon.ico", get(assets::icon))
        .route("/console", get(view_root))
        .route("/console/login", get(entry::page).post(entry::enter))
        .route("/console/logout", post(entry::leave))
        .route("/console/assets/{file}", get(assets::serve))
        .route("/console/live", get(live_root))
        .route("/console/live/{*path}", get(live_page))
        .route("/console/data/{*path}", get(data::serve))
        .route("/console/{*path}", get(view).post(act::handle))
        .with_state(console)
}

impl Console {
    /// Who has sent a request, with what they may.
    fn context(self: &Arc<Self>, request: &Request) -> Option<Context> {
        let session = self.guard.session(request.headers())?;
        let Holder::Operator { name, token } = &session.holder else { return None };
        let role = self.role_of(token)?;
        let access =
            Access { name: Some(name.as_str().into()), role, numbers: false, reveals: false };
        let query = Arc::new(Form::parse(request.uri().query().unwrap_or_default().as_bytes()));
        Some(Context { console: Arc::clone(self), session, access, query })
    }

    /// What the token of this fingerprint may, if there is still one.
    fn role_of(&self, fingerprint: &str) -> Option<AdminRole> {
        let tokens = &self.api.service.config.admin.tokens;
        let named = tokens
            .iter()
            .find(|held| hash_of(held.token.expose()) == fingerprint)
            .map(|held| held.role);
        named.or_else(|| self.api.keys.is_shared_token(fingerprint).then_some(AdminRole::Operator))
    }
}

impl Context {
    /// Whether more may be done than looking.
    pub fn is_operator(&self) -> bool {
        self.access.role == AdminRole::Operator
    }

    /// Whether this is revealed to the session.
    pub fn sees(&self, subject: &str) -> bool {
        self.console.guard.sessions.is_revealed(
            &self.session,
            subject,
            self.console.api.service.clock.now(),
        )
    }

    /// What a route of the operator's API answers, masked.
    pub async fn ask(&self, path: &str) -> Result<Value, Refused> {
        self.call(Call::get(&full(path)), &self.access).await
    }

    /// The same, unmasked if `subject` is revealed to the session.
    pub async fn ask_about(&self, subject: &str, path: &str) -> Result<Value, Refused> {
        let is_revealed = self.sees(subject);
        self.call(
            Call::get(&full(path)),
            &Access { numbers: is_revealed, reveals: is_revealed, ..self.access.clone() },
        )
        .await
    }

    /// What a command of the operator's API answers.
    pub async fn command(&self, path: &str, body: Value) -> Result<Value, Refused> {
        self.call(Call::post(&full(path), body), &Access { numbers: true, ..self.access.clone() })
            .await
    }

    async fn call(&self, call: Call<'_>, access: &Access) -> Result<Value, Refused> {
        call::json(&self.console.routes, extensions(access), call).await
    }

    /// The operator's name.
    pub fn name(&self) -> &str {
        self.access.name.as_deref().unwrap_or_default()
    }

    fn frame(&self) -> Frame<'static> {
        let role = if self.is_operator() { "operator" } else { "viewer" };
        let who = html! { span.name { (self.name()) } (show::badge(role)) };
        Frame { root: ROOT, kind: "Console", links: LINKS, who: Some(who) }
    }
}

fn full(path: &str) -> String {
    format!("{}/{path}", admin::PREFIX)
}

fn extensions(access: &Access) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(access.clone());
    extensions
}

async fn view_root(State(console): State<Arc<Console>>, request: Request) -> Response {
    let asked = (console.context(&request), request.uri().clone());
    viewed("", asked).await
}

async fn view(
    State(console): State<Arc<Console>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let asked = (console.context(&request), request.uri().clone());
    viewed(&path, asked).await
}

async fn viewed(path: &str, (context, uri): (Option<Context>, Uri)) -> Response {
    let Some(context) = context else {
        let next = uri.path_and_query().map_or(ROOT, |next| next.as_str());
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        return redirect(&format!("{ROOT}/login?next={next}"));
    };
    match told(path, &context).await {
        Ok(page) => render(&context.frame(), &page),
        Err(refused) => apology(&context, &refused),
    }
}

/// The page at a path.
async fn told(path: &str, context: &Context) -> Result<Page, Refused> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => overview::page(context).await,
        ["orders"] => orders::all(context).await,
        ["orders", id] => orders::one(context, id).await,
        ["accounts"] => accounts::all(context).await,
        ["accounts", id] => accounts::one(context, id).await,
        ["newcomers"] => newcomers::page(context).await,
        ["numbers"] => numbers::page(context).await,
        ["messages"] => messages::all(context).await,
        ["messages", position] => messages::one(context, position).await,
        ["deposits"] => deposits::page(context).await,
        ["webhooks"] => webhooks::all(context).await,
        ["webhooks", account, sequence] => webhooks::one(context, account, sequence).await,
        ["usage"] => usage::page(context).await,
        ["policy"] => policy::page(context).await,
        ["erasures"] => erasures::page(context).await,
        ["audit"] => audit::page(context).await,
        _ => Err(missing()),
    }
}

/// Why there is no page, on one.
fn apology(context: &Context, refused: &Refused) -> Response {
    page::apology(&context.frame(), refused)
}

/// Without a session, or from a page that is not ours: nothing happens.
fn forbidden(text: &str) -> Response {
    page::forbidden(&Frame { root: ROOT, kind: "Console", links: LINKS, who: None }, text)
}

async fn live_root(State(console): State<Arc<Console>>, request: Request) -> Response {
    lively(&console, "", &request)
}

async fn live_page(
    State(console): State<Arc<Console>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    lively(&console, &path, &request)
}

fn lively(console: &Arc<Console>, path: &str, request: &Request) -> Response {
    if console.context(request).is_none() {
        return (StatusCode::FORBIDDEN, headers()).into_response();
    }
    let (parts, path) =
        (Arc::new((request.headers().clone(), request.uri().clone())), path.to_owned());
    let shown = {
        let console = Arc::clone(console);
        move || {
            let (console, parts, path) = (Arc::clone(&console), Arc::clone(&parts), path.clone());
            let told: futures_util::future::BoxFuture<'static, _> =
                Box::pin(async move { body_of(&console, &path, &parts).await });
            told
        }
    };
    let (api, mut checkpoint) = (Arc::clone(&console.api), console.api.service.views.checkpoint());
    let changed = move || {
        let (mut moved, mut stopping) = (checkpoint.clone(), api.stopping.clone());
        checkpoint.borrow_and_update();
        let waited: futures_util::future::BoxFuture<'static, bool> = Box::pin(async move {
            tokio::select! {
                () = async {
                    tokio::time::sleep(PACE).await;
                    let _ =
                        tokio::time::timeout(AT_LEAST.saturating_sub(PACE), moved.changed()).await;
                } => true,
                _ = stopping.wait_for(|stopping| *stopping) => false,
            }
        });
        waited
    };
    live::stream(Box::new(shown), Box::new(changed))
}

/// What stands in a page now, for the session that the request shows; `None` once that has ended.
async fn body_of(
    console: &Arc<Console>,
    path: &str,
    (headers, uri): &(axum::http::HeaderMap, Uri),
) -> Option<Arc<str>> {
    let mut request = Request::new(axum::body::Body::empty());
    *request.headers_mut() = headers.clone();
    *request.uri_mut() = uri.clone();
    let context = console.context(&request)?;
    let service = &console.api.service;
    // What is revealed is one session's; everything else is the same for all of a role.
    let own = if console.guard.sessions.has_reveals(&context.session, service.clock.now()) {
        context.session.hash.as_str()
    } else {
        ""
    };
    let key = format!("{} {own} {path}?{}", context.is_operator(), uri.query().unwrap_or_default());
    if let Some(page) = console.shared.get(&key, PACE / 2, &service.started) {
        return Some(page);
    }
    let body: Markup = match told(path, &context).await {
        Ok(page) => page.body,
        Err(refused) => show::notice("danger", &refused.text),
    };
    let page: Arc<str> = body.into_string().into();
    console.shared.put(key, &page, &service.started);
    Some(page)
}
