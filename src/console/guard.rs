//! Who comes in: the cookie of a session, the origin of every form, and how often somebody may try.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::sessions::{Holder, Session, Sessions};
use crate::boot::Service;
use crate::http::client_address::client_address;
use crate::http::limit::{Limiter, Subject};
use crate::serve::is_in;

/// Attempts to log in, of an address, in a minute.
const TRIES: u32 = 5;

/// Who may see one kind of pages.
pub struct Guard {
    pub service: Arc<Service>,
    pub sessions: Arc<Sessions>,
    /// Where the pages are: the cookie is sent nowhere else.
    pub root: &'static str,
    /// The cookie's name.
    cookie: &'static str,
    tries: Limiter,
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Client {
    /// Whose attempts count.
    pub address: IpAddr,
    /// Whether the browser speaks TLS, to us or to the proxy in front.
    pub is_tls: bool,
}

impl Guard {
    /// One whose sessions are in `sessions`.
    pub fn new(
        service: &Arc<Service>,
        sessions: Arc<Sessions>,
        root: &'static str,
        cookie: &'static str,
    ) -> Self {
        let tries = Limiter::new(TRIES, Duration::from_mins(1));
        Self { service: Arc::clone(service), sessions, root, cookie, tries }
    }

    /// Where a request comes from.
    pub fn client(&self, request: &Request) -> Client {
        let trusted = &self.service.config.http.trusted_proxies;
        let peer = request
            .extensions()
            .get::<SocketAddr>()
            .map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
        let said = request
            .headers()
            .get("x-forwarded-proto")
            .is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(b"https"));
        Client {
            address: client_address(peer, request.headers(), trusted),
            is_tls: said && is_in(trusted, peer),
        }
    }

    /// The session that a request shows.
    pub fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let pairs = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let cookie = pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie)?
            .1;
        self.sessions.find(cookie, self.service.clock.now())
    }

    /// Whether an attempt may be made; the error is in how many seconds.
    pub fn attempt(&self, client: &Client) -> Result<(), u64> {
        let counted =
            self.tries.take(Subject::address(client.address), self.service.started.elapsed());
        counted
            .filter(|counted| !counted.allowed)
            .map_or(Ok(()), |counted| Err(counted.reset_seconds))
    }

    /// Lets somebody in: the answer carries the cookie.
    pub fn let_in(
        &self,
        holder: Holder,
        client: &Client,
        mut response: Response,
    ) -> std::io::Result<Response> {
        let cookie =
            self.sessions.start(holder, &self.service.entropy, self.service.clock.now())?;
        put(
            &mut response,
            &format!(
                "{}={cookie}; Path={}; HttpOnly; SameSite=Strict; Max-Age=43200{}",
                self.cookie,
                self.root,
                secure(client)
            ),
        );
        Ok(response)
    }

    /// Lets somebody out.
    pub fn let_out(&self, session: &Session, client: &Client, mut response: Response) -> Response {
        self.sessions.end(session);
        put(
            &mut response,
            &format!(
                "{}=; Path={}; HttpOnly; SameSite=Strict; Max-Age=0{}",
                self.cookie,
                self.root,
                secure(client)
            ),
        );
        response
    }
}

fn put(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

const fn secure(client: &Client) -> &'static str {
    if client.is_tls { "; Secure" } else { "" }
}

/// Whether a form was sent by a page of ours: its origin is the host that it was sent to. Browsers
/// say it with every POST.
pub fn is_of_our_page(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else {
        return false;
    };
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        && headers.get_all(ORIGIN).iter().count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes(origin: Option<&str>, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        is_of_our_page(&headers)
    }

    #[test]
    fn only_forms_of_our_own_pages_are_taken() {
        assert!(
            comes(Some("http://127.0.0.1:8081"), "127.0.0.1:8081")
                && comes(Some("https://Console.example"), "console.example")
        );
        for origin in [
            "null",
            "http://127.0.0.1:8080",
            "https://evil.example",
            "127.0.0.1:8081",
            "http://127.0.0.1:8081.evil.example",
            "",
        ] {
            assert!(!comes(Some(origin), "127.0.0.1:8081"), "{origin}");
        }
        assert!(!comes(None, "127.0.0.1:8081"));
    }
}
