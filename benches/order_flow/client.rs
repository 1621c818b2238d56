//! The load: keep-alive connections that each do one thing after another, with as little of their
//! own as possible.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What each connection does.
#[derive(Clone)]
pub enum Load {
    /// The bare handler.
    Bare,
    /// `POST /order`, over and over.
    Place(Arc<Vec<String>>),
    /// `POST /order` once with each key.
    PlaceOnce(Arc<Vec<String>>),
    /// `POST /order`, then wait for its code.
    Life(Arc<Vec<String>>),
}

/// What was seen.
pub struct Sample {
    pub latencies: Vec<Duration>,
    pub failures: usize,
    elapsed: Duration,
}

impl Sample {
    /// Of latencies in rising order.
    pub fn new(latencies: Vec<Duration>, failures: usize, elapsed: Duration) -> Self {
        Self { latencies, failures, elapsed }
    }

    pub fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let place =
            (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    }
}

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    host: String,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, buffer: Vec::with_capacity(8_192), host: address.to_string() }
    }

    /// Sends a request and returns the status and the body.
    pub async fn call(&mut self, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
        let authorization =
            if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") };
        self.call_with(method, path, &authorization, body).await
    }

    /// The same, with these header lines.
    pub async fn call_with(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String) {
        let host = &self.host;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.expect("the server reads");
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("the server answers");
            assert!(read > 0, "the server closed the connection");
            let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).expect("an ASCII head");
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .and_then(|length| length.parse().ok())
                .unwrap_or(0usize);
            if self.buffer.len() >= head + 4 + length {
                let status = text[9..12].parse().expect("a status");
                return (
                    status,
                    String::from_utf8_lossy(&self.buffer[head + 4..head + 4 + length]).into_owned(),
                );
            }
        }
    }
}

impl Connection {
    /// Opens a stream of events and reads its beginning.
    pub async fn open_stream(&mut self, path: &str, key: &str) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\r\n",
            self.host
        );
        self.stream.write_all(request.as_bytes()).await.expect("the server reads");
        self.buffer.clear();
        self.read_until("data:").await;
    }

    /// Reads until `text` has come: the moment when it had.
    pub async fn read_until(&mut self, text: &str) -> Instant {
        while !self.buffer.windows(text.len()).any(|window| window == text.as_bytes()) {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("the server answers");
            assert!(
                read > 0,
                "the stream ended before {text}: {}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
        Instant::now()
    }
}

/// The text of a JSON member that holds a plain string.
pub fn member(body: &str, name: &str) -> Option<String> {
    let start = body.find(&format!("\"{name}\":\""))? + name.len() + 4;
    let end = start + body[start..].find('"')?;
    Some(body[start..end].to_owned())
}

/// Runs `load` over `connections` connections for `phase` (or until each key was used once).
pub async fn drive(address: SocketAddr, connections: usize, phase: Duration, load: Load) -> Sample {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(work(address, start, phase, load.clone(), Arc::clone(&next))))
        .collect();
    let mut sample = Sample::new(Vec::new(), 0, Duration::ZERO);
    for task in tasks {
        let (latencies, failures) = task.await.expect("a connection's task");
        sample.latencies.extend(latencies);
        sample.failures += failures;
    }
    sample.elapsed = start.elapsed();
    sample.latencies.sort_unstable();
    sample
}

async fn work(
    address: SocketAddr,
    start: Instant,
    phase: Duration,
    load: Load,
    next: Arc<AtomicUsize>,
) -> (Vec<Duration>, usize) {
    const ORDER: &str = r#"{"platform":"google","country":"US"}"#;
    let mut connection = Connection::open(address).await;
    let (mut latencies, mut failures) = (Vec::new(), 0);
    while start.elapsed() < phase {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        let done = match &load {
            Load::Bare => connection.call("POST", "/order", "none", ORDER).await.0 == 200,
            Load::Place(keys) => {
                connection.call("POST", "/api/v1/order", &keys[turn % keys.len()], ORDER).await.0
                    == 200
            }
            Load::PlaceOnce(keys) => match keys.get(turn) {
                Some(key) => connection.call("POST", "/api/v1/order", key, ORDER).await.0 == 200,
                None => break,
            },
            Load::Life(keys) => {
                let key = &keys[turn % keys.len()];
                let (status, body) = connection.call("POST", "/api/v1/order", key, ORDER).await;
                match member(&body, "order_id").filter(|_| status == 200) {
                    Some(order) => {
                        let (_, body) = connection
                            .call("GET", &format!("/api/v1/order/{order}?wait=30"), key, "")
                            .await;
                        member(&body, "code").is_some()
                    }
                    None => false,
                }
            }
        };
        if done {
            latencies.push(began.elapsed());
        } else {
            failures += 1;
        }
    }
    (latencies, failures)
}
