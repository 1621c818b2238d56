//! A webhook receiver: takes what is posted to it, and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver as Arrivals, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A delivery that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

impl Arrived {
    pub fn header(&self, name: &str) -> String {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
}

pub struct Receiver {
    pub address: SocketAddr,
    arrivals: Arrivals<Arrived>,
}

impl Receiver {
    /// A receiver that answers so first, and 200 from then on. An empty answer closes the
    /// connection without one.
    pub fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (arrive, arrivals) = channel();
        let answers = Arc::new(Mutex::new(answers.to_vec()));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (arrive, answers) = (arrive.clone(), Arc::clone(&answers));
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut headers = Vec::new();
                    let mut line = String::new();
                    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                        if let Some((name, value)) = line.split_once(':') {
                            headers
                                .push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                        }
                        line.clear();
                    }
                    let length = headers
                        .iter()
                        .find(|(name, _)| name == "content-length")
                        .and_then(|(_, value)| value.parse().ok())
                        .unwrap_or(0);
                    let mut bytes = vec![0; length];
                    if reader.read_exact(&mut bytes).is_err() {
                        return;
                    }
                    let answer = {
                        let mut answers = answers.lock().unwrap();
                        if answers.is_empty() {
                            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
                        } else {
                            answers.remove(0)
                        }
                    };
                    let _ = (&stream).write_all(answer.as_bytes());
                    let _ = arrive.send(Arrived { headers, bytes });
                });
            }
        });
        Self { address, arrivals }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The next delivery, waiting for it.
    pub fn next(&self) -> Arrived {
        self.arrivals.recv_timeout(Duration::from_mins(1)).expect("a delivery arrives")
    }

    /// Whether nothing more arrives for a moment: for what must not be.
    pub fn is_quiet(&self) -> bool {
        self.arrivals.recv_timeout(Duration::from_millis(300)).is_err()
    }
}
