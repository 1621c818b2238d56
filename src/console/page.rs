//! The frame of every page, and the headers it is sent with.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::call::Refused;
use super::show;

/// Nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src \
    'self'; img-src 'self' data:; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
/// htmx keeps to what the policy allows, and a stream that broke off is taken up again soon.
const HTMX: &str = r#"{"includeIndicatorCSS":false,"history":false,"sse":{"reconnectDelay":300,"reconnectMaxDelay":1500}}"#;

/// A page without its frame.
pub struct Page {
    /// Its name: the heading, and the browser's title.
    pub title: String,
    /// Which link of the navigation it is under.
    pub section: &'static str,
    /// What stands beside its name.
    pub actions: Markup,
    /// What stands above it and stays: filters, forms.
    pub top: Markup,
    /// What it shows.
    pub body: Markup,
    /// Where it is told anew as soon as something changes; `None` for one that stays as it is.
    pub live: Option<String>,
    /// Whether it has charts.
    pub has_charts: bool,
}

impl Page {
    /// A page that stays as it is.
    pub fn new(title: impl Into<String>, section: &'static str, body: Markup) -> Self {
        Self {
            title: title.into(),
            section,
            actions: html! {},
            top: html! {},
            body,
            live: None,
            has_charts: false,
        }
    }

    /// With links or buttons beside its name.
    pub fn actions(self, actions: Markup) -> Self {
        Self { actions, ..self }
    }

    /// With something above that stays.
    pub fn top(self, top: Markup) -> Self {
        Self { top, ..self }
    }

    /// Told anew from `path`.
    pub fn live(self, path: impl Into<String>) -> Self {
        Self { live: Some(path.into()), ..self }
    }

    /// Whether something in it is fetched without leaving it.
    fn has_htmx(&self) -> bool {
        self.live.is_some() || self.top.0.contains("hx-")
    }

    /// With charts.
    pub fn charts(self) -> Self {
        Self { has_charts: true, ..self }
    }
}

/// What stands around pages of one kind.
pub struct Frame<'a> {
    /// Where the pages are: `/console` or `/account`.
    pub root: &'static str,
    /// Beside the service's name.
    pub kind: &'static str,
    /// Links of the navigation: section, path, name.
    pub links: &'a [(&'static str, &'static str, &'static str)],
    /// Who looks, if somebody is logged in.
    pub who: Option<Markup>,
}

/// The page in its frame.
pub fn render(frame: &Frame<'_>, page: &Page) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (page.title) " · Telenumerus" }
                link rel="icon" href={ (frame.root) "/assets/icon.svg" } type="image/svg+xml";
                link rel="stylesheet" href={ (frame.root) "/assets/console.css" };
                @if page.has_charts {
                    link rel="stylesheet" href={ (frame.root) "/assets/uplot.min.css" };
                    script defer src={ (frame.root) "/assets/uplot.min.js" } {}
                }
                @if page.has_htmx() {
                    script defer src={ (frame.root) "/assets/htmx.min.js" } {}
                }
                script defer src={ (frame.root) "/assets/console.js" } {}
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.bar {
                    div {
                        a.brand href=(frame.root) {
                            img src={ (frame.root) "/assets/icon.svg" } alt="";
                            "Telenumerus"
                            small { (frame.kind) }
                        }
                        @if let Some(who) = &frame.who {
                            div.who {
                                (who)
                                form method="post" action={ (frame.root) "/logout" } {
                                    button.quiet.small { "Log out" }
                                }
                            }
                        }
                    }
                    @if frame.who.is_some() {
                        nav.main aria-label="Pages" {
                            @for (section, path, name) in frame.links {
                                a href={ (frame.root) (path) }
                                    aria-current=[(*section == page.section).then_some("page")] {
                                    (name)
                                }
                            }
                        }
                    }
                }
                main id="content" {
                    div.head { h1 { (page.title) } div.actions { (page.actions) } }
                    (page.top)
                    @if let Some(live) = &page.live {
                        div id="live" hx-sse:connect=(live) hx-swap="innerMorph" { (page.body) }
                    } @else {
                        div id="live" { (page.body) }
                    }
                }
                div id="connection" role="status" hidden {
                    "The service cannot be reached; this page goes on by itself."
                }
            }
        }
    };
    (headers(), markup.into_string()).into_response()
}

/// There is no such page.
pub fn missing() -> Refused {
    Refused { status: StatusCode::NOT_FOUND, text: "There is nothing at this address.".to_owned() }
}

/// Why there is no page, on one.
pub fn apology(frame: &Frame<'_>, refused: &Refused) -> Response {
    let title =
        if refused.status == StatusCode::NOT_FOUND { "Not found" } else { "That did not work" };
    let body = html! {
        (show::notice("danger", &refused.text))
        p { a href=(frame.root) { "Overview" } }
    };
    let mut response = render(frame, &Page::new(title, "", body));
    *response.status_mut() = refused.status;
    response
}

/// Without a session, or from a page that is not ours: nothing happens.
pub fn forbidden(frame: &Frame<'_>, text: &str) -> Response {
    let body = html! {
        (show::notice("danger", text))
        p { a href={ (frame.root) "/login" } { "Log in" } }
    };
    let mut response = render(frame, &Page::new("Not allowed", "", body));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// The headers of every page.
pub fn headers() -> HeaderMap {
    let pairs = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Forms of these pages still say where they come from, and nobody else is told.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    pairs.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// Off to another page.
pub fn redirect(to: &str) -> Response {
    let mut response = (StatusCode::SEE_OTHER, headers()).into_response();
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}
