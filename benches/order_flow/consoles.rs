//! Operators that look on: pages of the console held open, each told anew as the service moves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// What is looked at, in turns.
const PAGES: [&str; 2] = ["/console/live", "/console/live/orders"];

/// Pages that are open; dropped, they are closed.
pub struct Consoles {
    readers: Vec<JoinHandle<()>>,
    /// Bytes they were told.
    told: Arc<AtomicU64>,
}

impl Consoles {
    /// Logs in once and opens so many pages.
    pub async fn open(admin: SocketAddr, token: &str, count: usize) -> Self {
        let told = Arc::new(AtomicU64::new(0));
        let mut readers = Vec::with_capacity(count);
        if count > 0 {
            let cookie = log_in(admin, token).await;
            for page in PAGES.into_iter().cycle().take(count) {
                let request =
                    format!("GET {page} HTTP/1.1\r\nhost: {admin}\r\ncookie: {cookie}\r\n\r\n");
                readers.push(tokio::spawn(read(admin, request, Arc::clone(&told))));
            }
        }
        Self { readers, told }
    }

    /// Kilobytes told to all of them so far.
    pub fn kilobytes(&self) -> u64 {
        self.told.load(Ordering::Relaxed) / 1_000
    }
}

impl Drop for Consoles {
    fn drop(&mut self) {
        self.readers.iter().for_each(JoinHandle::abort);
    }
}

async fn log_in(admin: SocketAddr, token: &str) -> String {
    let mut stream = TcpStream::connect(admin).await.expect("the admin listener");
    let body = format!("token={token}&name=bench");
    let request = format!(
        "POST /console/login HTTP/1.1\r\nhost: {admin}\r\norigin: http://{admin}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the server answers");
    let cookie = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next().unwrap_or(value))
    });
    cookie.expect("a session").to_owned()
}

async fn read(admin: SocketAddr, request: String, told: Arc<AtomicU64>) {
    let mut stream = TcpStream::connect(admin).await.expect("the admin listener");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut buffer = vec![0; 65_536];
    loop {
        let read = stream.read(&mut buffer).await.expect("the server answers");
        assert!(read > 0, "the server closed a page");
        told.fetch_add(read as u64, Ordering::Relaxed);
    }
}
