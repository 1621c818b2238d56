//! The accept loop over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::*;

const LIMITS: ConnectionLimits =
    ConnectionLimits { in_all: 64, reserved: 16, per_address: 32, per_account: 8 };
const SOON: Duration = Duration::from_millis(300);

fn settings() -> Settings {
    let timeouts = Timeouts { head: SOON, body: SOON, write: SOON, drain: Duration::from_secs(5) };
    let refuse: Refuse = Arc::new(|reason, _| Refusal {
        status: reason.status(),
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/plain"))],
        body: format!("refused: {}", reason.name()),
    });
    Settings { limits: LIMITS, timeouts, trusted: Vec::new(), refuse }
}

/// Tells when it is dropped.
struct Guard(mpsc::UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A body without an end, which lets go of its guard when nobody reads it any more.
fn endless(guard: Guard) -> Body {
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    Body::from_stream(futures_util::stream::unfold((guard, chunk), |(guard, chunk)| async move {
        Some((Ok::<_, Infallible>(chunk.clone()), (guard, chunk)))
    }))
}

fn routes(ended: mpsc::UnboundedSender<()>) -> Router {
    let late = || async {
        tokio::time::sleep(SOON).await;
        "late"
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/body", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/unread", post(|| async { (StatusCode::UNAUTHORIZED, "no") }))
        .route("/late", get(late))
        .route("/endless", get(move || std::future::ready(endless(Guard(ended.clone())))))
        .route("/panic", get(|| async { if true { panic!("a bug") } else { "" } }))
}

async fn start(settings: Settings) -> (SocketAddr, watch::Sender<bool>) {
    let (ended, _) = mpsc::unbounded_channel();
    start_with(settings, routes(ended)).await
}

async fn start_with(settings: Settings, routes: Router) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(serve(listener, routes, settings, stopping));
    (address, stop)
}

async fn said(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(request).await;
    said(&mut stream).await
}

#[tokio::test]
async fn what_the_library_refuses_is_said_in_the_listeners_words() {
    let (address, _stop) = start(settings()).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000));
    let longer = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(300_000));
    let large = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(300_000));
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(100));
    for (request, status, name) in [
        (&b"\x00\x01\r\n\r\n"[..], "400", "malformed"),
        (b"GET / HTTP/9.9\r\nhost: a\r\n\r\n", "400", "malformed"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400", "malformed"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", "malformed"),
        (
            b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "400",
            "malformed",
        ),
        (b"GET / HTTP/1.1\r\n\r\n", "400", "host"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400", "host"),
        (b"GET / HT", "408", "late_head"),
        (b"GET / HTTP/1.1\r\nhost:", "408", "late_head"),
        (b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n", "408", "late_body"),
        (long.as_bytes(), "414", "long_target"),
        (longer.as_bytes(), "414", "long_target"),
        (large.as_bytes(), "431", "large_head"),
        (many.as_bytes(), "431", "large_head"),
        (b"GET /panic HTTP/1.1\r\nhost: a\r\n\r\n", "500", "panicked"),
    ] {
        let answer = ask(address, request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} "))
                && answer.ends_with(&format!("refused: {name}")),
            "{shown:?}: {answer}"
        );
    }
    let answer = ask(address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / nonsense\r\n\r\n").await;
    assert!(answer.contains("hello") && answer.ends_with("refused: malformed"), "{answer}");
    assert!(ask(address, b"").await.is_empty(), "an idle connection is closed without a word");
    let quiet = ask(address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(quiet.ends_with("hello"), "{quiet}");
}

#[tokio::test]
async fn a_client_that_has_closed_its_half_gets_its_answer() {
    let (address, _stop) = start(settings()).await;
    for (request, answer) in [
        (&b"GET /late HTTP/1.1\r\nhost: a\r\n\r\n"[..], "late"),
        (b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", "3"),
        (b"GET / HTTP/1.1\r\nhost", "refused: malformed"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream.shutdown().await.unwrap();
        let got = said(&mut stream).await;
        assert!(got.ends_with(answer), "{got}");
    }
}

#[tokio::test]
async fn a_body_may_take_its_time_as_long_as_it_keeps_coming() {
    let (address, _stop) = start(settings()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let size = 64 * 1024;
    let head = "POST /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ";
    stream.write_all(format!("{head}{size}\r\n\r\n").as_bytes()).await.unwrap();
    // 64 KiB at the least rate are eight seconds: this takes four times the time for a body that
    // brings nothing.
    for _ in 0..8 {
        tokio::time::sleep(SOON / 2).await;
        stream.write_all(&vec![b'x'; size / 8]).await.unwrap();
    }
    let answer = said(&mut stream).await;
    assert!(answer.ends_with(&size.to_string()), "{answer}");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 65536\r\n\r\n")
        .await
        .unwrap();
    let trickle = async {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SOON / 20).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), trickle)
        .await
        .expect("a byte at a time is cut off");
}

#[tokio::test]
async fn an_answer_reaches_a_client_whose_body_was_not_read() {
    let (address, _stop) = start(settings()).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let size = 512 * 1024;
        stream
            .write_all(
                format!("POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n")
                    .as_bytes(),
            )
            .await
            .unwrap();
        let _ = stream.write_all(&vec![b'x'; size]).await;
        let answer = said(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && answer.ends_with("no"), "{answer:?}");
    }
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_who_reads_slowly_is_not() {
    let request = b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n";
    let (ended, mut has_ended) = mpsc::unbounded_channel();
    let (address, _stop) = start_with(settings(), routes(ended)).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(request).await.unwrap();
    let mut buffer = vec![0; 256 * 1024];
    for _ in 0..60 {
        // Six times the time in which something has to be read.
        tokio::time::sleep(SOON / 10).await;
        slow.read_exact(&mut buffer).await.expect("it reads, if slowly");
    }
    drop(slow);
    has_ended.recv().await.unwrap();
    let mut deaf = TcpStream::connect(address).await.unwrap();
    deaf.write_all(request).await.unwrap();
    tokio::time::timeout(Duration::from_mins(1), has_ended.recv())
        .await
        .expect("nobody reads: it is cut off")
        .unwrap();
    drop(deaf);
}

#[tokio::test]
async fn idle_connections_make_room_for_new_ones() {
    let mut settings = settings();
    settings.timeouts.head = Duration::from_mins(10);
    let (address, _stop) = start(settings).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let answer = ask(address, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("hello"), "{answer}");
    let mut closed = 0;
    for stream in &mut idle[..200 - LIMITS.per_address] {
        closed += usize::from(stream.read(&mut [0]).await.is_ok_and(|read| read == 0));
    }
    assert_eq!(closed, 200 - LIMITS.per_address);
}

#[tokio::test]
async fn requests_under_way_are_finished_when_the_service_stops() {
    let mut settings = settings();
    settings.timeouts.head = Duration::from_mins(10);
    let (address, stop) = start(settings).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(b"GET /late HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(SOON / 3).await;
    stop.send_replace(true);
    assert!(said(&mut busy).await.ends_with("late"));
    assert!(said(&mut idle).await.is_empty());
}
