//! The accept loop: timeouts, a bound on connections, and an orderly end. `axum::serve` sets no timers, so this is ours.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::config::Http;

/// After an accept that failed (no file descriptors, say): long enough not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `stopping` turns true, then finishes what is open.
pub async fn serve(listener: TcpListener, router: Router, settings: &Http, mut stopping: watch::Receiver<bool>) {
    let connections = Arc::new(Semaphore::new(settings.max_connections));
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    // Also bounds the wait for the next request on an open connection: idle ones are closed.
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(settings.header_timeout_seconds)).max_headers(64);
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&connections).acquire_owned() => permit.expect("the semaphore is never closed"),
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        prepare(&stream);
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request)
        });
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A connection that breaks is its caller's affair.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let drain = Duration::from_secs(settings.drain_seconds);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = settings.drain_seconds, "some connections did not end in time and are cut");
    }
}

fn prepare(stream: &TcpStream) {
    // Answers are written in one piece; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
}
