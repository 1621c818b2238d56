//! The accept loop of a gRPC listener: HTTP/2, perhaps over TLS, within bounds on connections and
//! on what they may leave open.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::accept;
use super::connections::{Connection, ConnectionLimits, Connections, Place};

/// For a handshake, and for the first call behind it.
const FIRST_CALL: Duration = Duration::from_secs(10);
/// Between two pings, and for the answer to one: clients that are gone without a word are found
/// out.
const PING_EVERY: Duration = Duration::from_secs(20);
/// For open calls to end when the service stops.
const DRAIN: Duration = Duration::from_secs(5);
/// Calls at a time on one connection.
const MAX_CALLS: u32 = 64;
/// Of a connection's answers, beyond what the other end has asked for.
const MAX_SEND_BUFFER: usize = 128 * 1024;
/// Of a call's head.
const MAX_HEAD: u32 = 16 * 1024;

/// A call: who makes it, and how the connection is cut.
pub struct Call {
    /// The request.
    pub request: http::Request<Incoming>,
    /// Its connection, which is to be told of valid tokens.
    pub connection: Arc<Connection>,
    /// Has the connection cut.
    pub hangup: esdb::Hangup,
}

/// What calls are handed to.
pub trait Answers<B>: Clone + Send + Sync + 'static {
    /// The answer.
    fn answer(&self, call: Call) -> impl Future<Output = http::Response<B>> + Send;
}

/// Serves calls on `listener` until `stopping` turns true, then ends what is open.
pub async fn serve<B, A>(
    listener: TcpListener,
    answers: A,
    tls: Option<TlsAcceptor>,
    limits: ConnectionLimits,
    mut stopping: watch::Receiver<bool>,
) where
    B: Body<Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
    B::Data: Send,
    A: Answers<B>,
{
    let connections = Connections::new(limits);
    let (open, held) = watch::channel(());
    while let Some((stream, peer)) = accept(&listener, &connections, &mut stopping).await {
        // A client that finds its connection closed tries again.
        let Ok(place) = connections.admit(peer, false) else {
            metrics::counter!("esdb_connections_refused_total").increment(1);
            continue;
        };
        let (answers, tls, stopping, held) =
            (answers.clone(), tls.clone(), stopping.clone(), held.clone());
        tokio::spawn(async move {
            greet(stream, peer, place, tls, answers, stopping).await;
            drop(held);
        });
    }
    drop((listener, held));
    let _ = tokio::time::timeout(DRAIN, open.closed()).await;
}

/// Shakes hands where the listener is encrypted, then serves the connection to its end.
async fn greet<B, A>(
    stream: TcpStream,
    peer: IpAddr,
    place: Place,
    tls: Option<TlsAcceptor>,
    answers: A,
    stopping: watch::Receiver<bool>,
) where
    B: Body<Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
    B::Data: Send,
    A: Answers<B>,
{
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return drive(stream, place, answers, stopping).await };
    let connection = Arc::clone(&place.0);
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(FIRST_CALL, tls.accept(stream)) => shaken,
        () = connection.evicted() => return,
    };
    match shaken {
        Ok(Ok(stream)) => drive(stream, place, answers, stopping).await,
        Ok(Err(error)) => {
            tracing::info!(%peer, %error, "a connection to the log's endpoint did not become TLS");
        }
        Err(_) => {
            tracing::info!(%peer, "a connection to the log's endpoint did not become TLS in time");
        }
    }
}

/// Serves one connection to its end.
async fn drive<B, A>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    place: Place,
    answers: A,
    mut stopping: watch::Receiver<bool>,
) where
    B: Body<Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
    B::Data: Send,
    A: Answers<B>,
{
    let connection = Arc::clone(&place.0);
    let (hangup, calls) = (esdb::Hangup::default(), Arc::new(Calls::default()));
    let answered = {
        let (connection, hangup, calls) =
            (Arc::clone(&connection), hangup.clone(), Arc::clone(&calls));
        move |request: http::Request<Incoming>| {
            let open = OpenCall::new(&connection, &calls);
            let call =
                Call { request, connection: Arc::clone(&connection), hangup: hangup.clone() };
            let answers = answers.clone();
            async move {
                let response = answers.answer(call).await;
                Ok::<_, std::convert::Infallible>(
                    response.map(|body| Counted { body, _open: open }),
                )
            }
        }
    };
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(PING_EVERY).keep_alive_timeout(PING_EVERY);
    builder
        .max_concurrent_streams(MAX_CALLS)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .max_header_list_size(MAX_HEAD);
    let mut serving =
        std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service_fn(answered)));
    let silence = async {
        tokio::time::sleep(FIRST_CALL).await;
        if calls.has_come() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = &mut serving => return,
        () = silence => return,
        () = hangup.is_cut() => return,
        () = connection.evicted() => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(DRAIN, serving).await;
    drop(place);
}

/// The calls of a connection.
#[derive(Debug, Default)]
struct Calls {
    come: AtomicUsize,
    open: AtomicUsize,
}

impl Calls {
    fn has_come(&self) -> bool {
        self.come.load(Ordering::Relaxed) > 0
    }
}

/// A call that is not answered whole: its connection is not taken for another one.
struct OpenCall {
    connection: Arc<Connection>,
    calls: Arc<Calls>,
}

impl OpenCall {
    fn new(connection: &Arc<Connection>, calls: &Arc<Calls>) -> Self {
        calls.come.fetch_add(1, Ordering::Relaxed);
        if calls.open.fetch_add(1, Ordering::Relaxed) == 0 {
            connection.is_asked();
        }
        Self { connection: Arc::clone(connection), calls: Arc::clone(calls) }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.calls.open.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.connection.has_answered();
        }
    }
}

/// A body that holds its call open.
struct Counted<B> {
    body: B,
    _open: OpenCall,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
