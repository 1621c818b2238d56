//! The pages of an account's owner, on the public listener: money, orders, codes as they arrive,
//! keys, pushes.

mod act;
mod connect;
mod data;
mod deposits;
mod entry;
mod home;
mod ledger;
mod orders;
mod settings;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use actors::account::AccessError;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use events::id::{AccountId, ApiKeyId};
use futures_util::future::BoxFuture;
use maud::html;
use serde_json::Value;

use super::call::{self, Call, Refused};
use super::form::Form;
use super::guard::{Client, Guard};
use super::page::{self, Frame, Page, headers, missing, redirect, render};
use super::sessions::{Holder, Sessions};
use super::{assets, live, show};
use crate::http::auth::Caller;
use crate::http::client_address::ClientAddress;
use crate::http::limit::Subject;
use crate::http::{self, Counted, Shared};

/// Where the pages are.
pub const ROOT: &str = "/account";
const COOKIE: &str = "telenumerus_account";
/// An account that has no news is looked at again after so long: what is awaited may be a clock.
const AT_LEAST: Duration = Duration::from_secs(5);
/// Between two tellings of a page.
const PACE: Duration = Duration::from_millis(100);
const LINKS: &[(&str, &str, &str)] = &[
    ("home", "", "Overview"),
    ("orders", "/orders", "Orders"),
    ("deposits", "/deposits", "Deposits"),
    ("ledger", "/ledger", "Ledger"),
    ("usage", "/usage", "Usage"),
    ("keys", "/keys", "Keys"),
    ("webhook", "/webhook", "Webhook"),
    ("connect", "/connect", "Connect"),
];

/// What the pages share.
pub struct Console {
    app: Shared,
    /// The public API.
    routes: Router,
    guard: Guard,
}

/// An owner who is logged in, and what they ask.
#[derive(Clone)]
pub struct Context {
    console: Arc<Console>,
    caller: Caller,
    client: Client,
    query: Arc<Form>,
    /// How the browser reaches the service.
    base: String,
}

/// The pages' routes.
pub fn router(app: &Shared, sessions: Arc<Sessions>) -> Router {
    let guard = Guard::new(&app.service, sessions, ROOT, COOKIE);
    let console = Arc::new(Console { app: Arc::clone(app), routes: http::inner(app), guard });
    Router::new()
        .route("/account", get(view_root))
        .route("/account/login", get(entry::page).post(entry::enter))
        .route("/account/register", post(entry::register))
        .route("/account/logout", post(entry::leave))
        .route("/account/assets/{file}", get(assets::serve))
        .route("/account/live", get(live_root))
        .route("/account/live/{*path}", get(live_page))
        .route("/account/data/{*path}", get(data::serve))
        .route("/account/{*path}", get(view).post(act::handle))
        .with_state(console)
}

impl Console {
    /// Who has sent a request; an account that was suspended may still look, and so may one whose
    /// key was taken away not.
    async fn context(self: &Arc<Self>, request: &Asked) -> Option<Context> {
        let session = self.guard.session(&request.headers)?;
        let Holder::Owner { account, key } = &session.holder else { return None };
        let (account, key): (AccountId, ApiKeyId) = (account.parse().ok()?, key.parse().ok()?);
        let caller = match Caller::of_session(&self.app.service.accounts, account, key).await {
            Ok(caller) => caller,
            Err(AccessError::NotFound | AccessError::Fault(_)) => return None,
        };
        let query = Arc::new(Form::parse(request.uri.query().unwrap_or_default().as_bytes()));
        Some(Context {
            console: Arc::clone(self),
            caller,
            client: request.client.clone(),
            query,
            base: request.base.clone(),
        })
    }
}

/// What is asked, without its body.
#[derive(Clone)]
pub struct Asked {
    headers: HeaderMap,
    uri: Uri,
    client: Client,
    base: String,
}

impl Asked {
    fn of(console: &Console, request: &Request) -> Self {
        let client = console.guard.client(request);
        let host = request
            .headers()
            .get("host")
            .and_then(|host| host.to_str().ok())
            .unwrap_or("localhost");
        let base = format!("{}://{host}", if client.is_tls { "https" } else { "http" });
        Self { headers: request.headers().clone(), uri: request.uri().clone(), client, base }
    }
}

impl Context {
    /// What a route of the public API answers the owner.
    pub async fn ask(&self, path: &str) -> Result<Value, Refused> {
        self.call(Call::get(&format!("/api/v1/{path}"))).await
    }

    /// The answer of a route that takes a body.
    pub async fn call(&self, call: Call<'_>) -> Result<Value, Refused> {
        call::json(&self.console.routes, self.extensions(), call).await
    }

    fn extensions(&self) -> Extensions {
        let mut extensions = anonymous(&self.client);
        extensions.insert(self.caller.clone());
        extensions
    }

    /// Pages count as calls of the account do.
    fn count(&self) -> Result<(), Refused> {
        let app = &self.console.app;
        let subject = if self.caller.was_ever_funded() {
            Subject::Account(self.caller.account.0)
        } else {
            Subject::unfunded(self.client.address)
        };
        let counted = app.per_key.take(subject, app.now()).filter(|counted| !counted.allowed);
        counted.map_or(Ok(()), |counted| {
            let text = format!("Too many requests. Wait {} seconds.", counted.reset_seconds);
            Err(Refused { status: StatusCode::TOO_MANY_REQUESTS, text })
        })
    }

    fn frame(&self) -> Frame<'static> {
        let account = self.caller.account.to_string();
        let who =
            html! { span.name.id title=(account) { (account.get(..12).unwrap_or_default()) "…" } };
        Frame { root: ROOT, kind: "Account", links: LINKS, who: Some(who) }
    }
}

fn anonymous(client: &Client) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(Counted);
    extensions.insert(ClientAddress(client.address));
    extensions
}

async fn view_root(State(console): State<Arc<Console>>, request: Request) -> Response {
    viewed(&console, "", Asked::of(&console, &request)).await
}

async fn view(
    State(console): State<Arc<Console>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    viewed(&console, &path, Asked::of(&console, &request)).await
}

async fn viewed(console: &Arc<Console>, path: &str, asked: Asked) -> Response {
    let Some(context) = console.context(&asked).await else {
        return redirect(&format!("{ROOT}/login"));
    };
    let told = match context.count() {
        Ok(()) => told(path, &context).await,
        Err(refused) => Err(refused),
    };
    match told {
        Ok(page) => render(&context.frame(), &page),
        Err(refused) => apology(&context, &refused),
    }
}

/// The page at a path.
async fn told(path: &str, context: &Context) -> Result<Page, Refused> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => home::page(context).await,
        ["orders"] => orders::all(context).await,
        ["orders", id] => orders::one(context, id).await,
        ["deposits"] => deposits::page(context).await,
        ["ledger"] => ledger::page(context).await,
        ["usage"] => usage::page(context).await,
        ["keys"] => settings::keys(context).await,
        ["webhook"] => settings::webhook(context).await,
        ["webhook", sequence] => settings::delivery(context, sequence).await,
        ["connect"] => Ok(connect::page(context)),
        _ => Err(missing()),
    }
}

/// Why there is no page, on one.
fn apology(context: &Context, refused: &Refused) -> Response {
    page::apology(&context.frame(), refused)
}

/// Without a session, or from a page that is not ours: nothing happens.
fn forbidden(text: &str) -> Response {
    page::forbidden(&Frame { root: ROOT, kind: "Account", links: LINKS, who: None }, text)
}

async fn live_root(State(console): State<Arc<Console>>, request: Request) -> Response {
    lively(&console, "", Asked::of(&console, &request)).await
}

async fn live_page(
    State(console): State<Arc<Console>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    lively(&console, &path, Asked::of(&console, &request)).await
}

async fn lively(console: &Arc<Console>, path: &str, asked: Asked) -> Response {
    let refused = |status: StatusCode| (status, headers()).into_response();
    let Some(context) = console.context(&asked).await else {
        return refused(StatusCode::FORBIDDEN);
    };
    let account = context.caller.account;
    let Ok(place) = console.app.waiting.enter(account) else {
        return refused(StatusCode::TOO_MANY_REQUESTS);
    };
    let Ok(watch) = console.app.service.accounts.watch(account).await else {
        return refused(StatusCode::FORBIDDEN);
    };
    let shown = {
        let (console, path, place) = (Arc::clone(console), path.to_owned(), Arc::new(place));
        move || {
            let (console, path, asked, place) =
                (Arc::clone(&console), path.clone(), asked.clone(), Arc::clone(&place));
            let told: BoxFuture<'static, Option<Arc<str>>> = Box::pin(async move {
                let _place = place;
                let context = console.context(&asked).await?;
                let body = match told(&path, &context).await {
                    Ok(page) => page.body,
                    Err(refused) => show::notice("danger", &refused.text),
                };
                Some(body.into_string().into())
            });
            told
        }
    };
    let (app, mut watch) = (Arc::clone(&console.app), watch);
    let changed = move || {
        let (app, mut watched) = (Arc::clone(&app), watch.clone());
        // What comes from here on is news to the next wait.
        watch.borrow_and_update();
        let waited: BoxFuture<'static, bool> = Box::pin(async move {
            let news = async {
                tokio::time::sleep(PACE).await;
                match tokio::time::timeout(AT_LEAST, watched.changed()).await {
                    Ok(Ok(())) | Err(_) => {}
                    // The account has left memory: its news are elsewhere, and the clock alone is
                    // looked at.
                    Ok(Err(_)) => tokio::time::sleep(PACE * 10).await,
                }
            };
            tokio::select! {
                () = news => true,
                () = app.stopped() => false,
            }
        });
        waited
    };
    live::stream(Box::new(shown), Box::new(changed))
}
