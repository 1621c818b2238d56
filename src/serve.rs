//! The accept loop of every listener: bounds on connections, on time and on what waits, and an
//! orderly end. `axum::serve` sets none.

use std::convert::Infallible;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

mod connections;
pub mod http2;
mod refused;
mod request;
mod socket;
#[cfg(test)]
mod tests;

pub use connections::{Connection, ConnectionLimits, network};
pub use refused::{Reason, Refusal, Refuse};

use connections::{Connections, Place};
use socket::Socket;

/// After an accept that failed (no file descriptors, say): long enough not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Headers of a request.
const MAX_HEADERS: usize = 64;
/// Of a connection's buffers: room for the longest target that HTTP libraries take, so that a
/// longer one is told from a large head.
const MAX_BUFFER: usize = 128 * 1024;

/// What requests are handed to: an axum router is one.
pub trait Service:
    tower::Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Unpin
    + 'static
{
}

impl<S> Service for S where
    S: tower::Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Unpin
        + 'static
{
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a request's head, and for the next request on an open connection.
    pub head: Duration,
    /// For a body, beyond what its size takes at a least rate.
    pub body: Duration,
    /// For the other end to read something.
    pub write: Duration,
    /// For open requests to finish when the service stops.
    pub drain: Duration,
}

/// A listener's bounds and words.
#[derive(Clone)]
pub struct Settings {
    /// How many connections.
    pub limits: ConnectionLimits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Proxies in front: many callers share their addresses.
    pub trusted: Vec<IpNet>,
    /// What is answered where the service does not.
    pub refuse: Refuse,
}

/// Whether `address` is one of `networks`.
pub fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    networks
        .iter()
        .any(|network| network.contains(&address.to_canonical()) || network.contains(&address))
}

/// Serves `service` on `listener` until `stopping` turns true, then finishes what is open.
///
/// Requests carry an `Arc<Connection>` among their extensions, which is to be told of valid keys,
/// and the other end's `SocketAddr`.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: S,
    settings: Settings,
    mut stopping: watch::Receiver<bool>,
) {
    let connections = Connections::new(settings.limits);
    let listener_settings = Arc::new(settings);
    // Each connection's task holds a receiver: all are gone when their sender says so.
    let (open, held) = watch::channel(());
    while let Some((stream, peer)) = accept(&listener, &connections, &mut stopping).await {
        match connections.admit(peer, is_in(&listener_settings.trusted, peer)) {
            Ok(place) => {
                let (service, settings, stopping, held) = (
                    service.clone(),
                    Arc::clone(&listener_settings),
                    stopping.clone(),
                    held.clone(),
                );
                tokio::spawn(async move {
                    drive(stream, place, service, &settings, stopping).await;
                    drop(held);
                });
            }
            Err(reason) => turn_away(stream, &(listener_settings.refuse)(reason, peer)),
        }
    }
    drop((listener, held));
    let drain = listener_settings.timeouts.drain;
    if tokio::time::timeout(drain, open.closed()).await.is_err() {
        tracing::warn!(
            seconds = drain.as_secs(),
            "some connections did not end in time and are cut"
        );
    }
}

/// The next connection and its other end; `None` once nothing is accepted any more.
async fn accept(
    listener: &TcpListener,
    connections: &Connections,
    stopping: &mut watch::Receiver<bool>,
) -> Option<(TcpStream, IpAddr)> {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        };
        match accepted {
            Ok((stream, peer)) => return Some((stream, peer.ip())),
            Err(error) => {
                tracing::warn!(
                    %error, "a connection could not be accepted; an idle one makes room"
                );
                connections.relieve();
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection to its end.
async fn drive<S: Service>(
    stream: TcpStream,
    place: Place,
    service: S,
    settings: &Settings,
    mut stopping: watch::Receiver<bool>,
) {
    let connection = Arc::clone(&place.0);
    let (refuse, timeouts) = (Arc::clone(&settings.refuse), settings.timeouts);
    let socket = Socket::new(stream, Arc::clone(&connection), Arc::clone(&refuse), timeouts.write);
    let asked = {
        let connection = Arc::clone(&connection);
        move |request: hyper::Request<Incoming>| {
            request::answer(
                service.clone(),
                request,
                Arc::clone(&connection),
                Arc::clone(&refuse),
                timeouts.body,
            )
        }
    };
    let mut builder = http1::Builder::new();
    // The time for a head also bounds the wait for the next request on an open connection: idle
    // ones are closed.
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER);
    // A client that has sent all it will send still wants its answer.
    builder.half_close(true);
    let mut serving = builder.serve_connection(socket, service_fn(asked));
    let mut is_ending = false;
    let outcome = loop {
        tokio::select! {
            outcome = &mut serving => break outcome,
            () = connection.evicted() => {
                // A request may have come at the same moment: it is answered.
                if !connection.is_answering() {
                    return;
                }
                std::pin::Pin::new(&mut serving).graceful_shutdown();
                is_ending = true;
            }
            _ = stopping.wait_for(|stopping| *stopping), if !is_ending => {
                std::pin::Pin::new(&mut serving).graceful_shutdown();
                is_ending = true;
            }
        }
    };
    let parts = serving.into_parts();
    let mut socket = parts.io;
    if let Err(error) = outcome
        && !socket.has_refused()
        && let Some(reason) = unsaid(&error, !parts.read_buf.is_empty())
    {
        socket.say(reason).await;
    }
    if (socket.has_refused() || connection.is_body_unread()) && !*stopping.borrow() {
        connection.has_answered();
        socket.end().await;
    }
    drop(place);
}

/// Why a connection ended in the middle of a head, where the library does not say so to the other
/// end.
fn unsaid(error: &hyper::Error, has_begun: bool) -> Option<Reason> {
    if error.is_timeout() {
        // Nothing has come: an idle connection has had its time.
        return has_begun.then_some(Reason::LateHead);
    }
    (error.is_parse() || (error.is_incomplete_message() && has_begun)).then_some(Reason::Malformed)
}

/// Says why there is no room, without waiting for anything.
fn turn_away(stream: TcpStream, refusal: &Refusal) {
    metrics::counter!("http_connections_refused_total").increment(1);
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(&refusal.to_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
}
