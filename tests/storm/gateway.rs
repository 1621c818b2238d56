//! The operators' gateways and the telecoms: bring messages to the numbers of the pools, each
//! in its format, and what else comes in by inbound webhooks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use async_trait::async_trait;
use fakes::formats::{self, Letter, Message};
use parking_lot::Mutex;
use serde_json::Value;
use smpp34::server::ESME;
use smpp34::{
    SmppConnectionInformation, SmppServer, SmppServerListener, bind_transceiver,
    bind_transceiver_resp,
};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

/// The sources whose numbers are listed, in the order of their numbers.
pub const POOLS: [&str; 6] = ["own", "smpp", "twilio", "telnyx", "vonage", "android"];

/// The sources that are asked for each number, and how their numbers begin. Several: one that fails
/// five times in a row is left alone for long.
pub const PULLS: [(&str, &str); 4] =
    [("acme", "20"), ("borea", "30"), ("corvo", "40"), ("zenith", "50")];

/// A number of a pool.
pub fn phone(place: usize, number: u32) -> String {
    // The first digit after the area is from 2 on.
    format!("+1202{}{number:06}", place + 2)
}

/// The pool that has a number, if one has.
pub fn pool_of(number: &str) -> Option<usize> {
    let place = number
        .strip_prefix("+1202")
        .filter(|rest| rest.len() == 7 && rest[1..].starts_with("000"))?;
    place[..1].parse::<usize>().ok()?.checked_sub(2)
}

/// Whether a pool's source has no word for when it received a message, so that its numbers rest
/// between two orders.
pub fn rests(place: usize) -> bool {
    ["smpp", "twilio", "vonage", "android"].contains(&POOLS[place])
}

/// The source that was asked for a number, if one was.
pub fn pulled_from(number: &str) -> Option<&'static str> {
    let area = number.strip_prefix("+1").filter(|rest| rest.len() == 9)?;
    PULLS.iter().find(|(_, begins)| area.starts_with(begins)).map(|(name, _)| *name)
}

struct Handler(mpsc::UnboundedSender<Box<ESME>>);

#[async_trait]
impl SmppServerListener for Handler {
    async fn on_bind_transceiver(
        &self,
        request: bind_transceiver,
        _: &SmppConnectionInformation,
        _: &String,
    ) -> bind_transceiver_resp {
        request.accept("storm".to_owned(), Some(0x34))
    }

    async fn on_esme_bound(&self, esme: ESME, _: &String) {
        let _ = self.0.send(Box::new(esme));
    }
}

/// An SMSC that runs as long as the runtime: its port, and who binds.
pub async fn smsc() -> (u16, mpsc::UnboundedReceiver<Box<ESME>>) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (seen, bound) = mpsc::unbounded_channel();
    let mut smsc = SmppServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port, Arc::new(Handler(seen)));
    smsc.start().await;
    // For the rest of the test.
    std::mem::forget(smsc);
    (port, bound)
}

/// Everybody who brings messages.
pub struct Gateway {
    http: reqwest::Client,
    base: String,
    esme: Box<ESME>,
    ids: AtomicU64,
    seen: Mutex<BTreeMap<String, usize>>,
}

impl Gateway {
    pub async fn new(
        http: reqwest::Client,
        base: String,
        mut bound: mpsc::UnboundedReceiver<Box<ESME>>,
    ) -> Self {
        let esme = bound.recv().await.expect("the service binds");
        Self { http, base, esme, ids: AtomicU64::new(0), seen: Mutex::default() }
    }

    /// What the inbound webhooks have answered, by what it was, and how often.
    pub fn seen(&self) -> BTreeMap<String, usize> {
        self.seen.lock().clone()
    }

    /// A message with a code that was received at `received_at`, where the source says so, or none,
    /// and whatever else comes before and after it.
    pub async fn bring(
        &self,
        place: usize,
        number: &str,
        platform: &str,
        code: &str,
        received_at: Option<&str>,
        dice: &Entropy,
    ) {
        tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
        if dice.chance(0.1) {
            return self.note("silent");
        }
        if dice.chance(0.1) {
            self.deliver(place, number, "Your parcel 991823 arrives today.", received_at, 1).await;
        }
        if dice.chance(0.05) {
            let status =
                self.post(formats::own_body("{\"id\": \"x\", \"to\": \"+1".to_owned())).await.0;
            self.note(if status == 400 { "malformed" } else { "malformed and taken" });
        }
        if dice.chance(0.01) {
            let (status, _) = self
                .post(Letter {
                    path: "/inbound/v1/own",
                    headers: vec![],
                    body: "x".repeat(10 * 1024 * 1024),
                })
                .await;
            self.note(if [0, 413].contains(&status) { "too_large" } else { "too large and taken" });
        }
        if dice.chance(0.03) {
            self.break_off().await;
        }
        let text = format!("Your {} verification code is {code}", named(platform));
        if dice.chance(0.05) {
            // Through the door of another source, with a code that nobody must get.
            let other = if place == 3 { 0 } else { 3 };
            self.deliver(other, number, &text.replace(code, "666666"), received_at, 1).await;
        }
        let times = if dice.chance(0.2) { 2 } else { 1 };
        self.deliver(place, number, &text, received_at, times).await;
    }

    /// A code that comes after the order's end, and was received before it where the source says
    /// when.
    pub async fn bring_late(
        &self,
        number: &str,
        platform: &str,
        received_at: Option<&str>,
        dice: &Entropy,
    ) -> Option<String> {
        let place = pool_of(number)?;
        let code = (100_000 + dice.below(900_000)).to_string();
        self.deliver(
            place,
            number,
            &format!("Your {} verification code is {code}", named(platform)),
            received_at,
            1,
        )
        .await;
        Some(code)
    }

    /// Until it is taken, as suppliers do; `times` in all.
    async fn deliver(
        &self,
        place: usize,
        number: &str,
        text: &str,
        received_at: Option<&str>,
        times: usize,
    ) {
        let id = format!("m{}", self.ids.fetch_add(1, Ordering::Relaxed));
        for _ in 0..times {
            let outcome = loop {
                match self
                    .send(
                        place,
                        &Message {
                            id: &id,
                            to: number,
                            text,
                            now: Clock::System.now().millis(),
                            received_at,
                        },
                    )
                    .await
                {
                    Some(outcome) => break outcome,
                    None => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            };
            self.note(&outcome);
        }
    }

    async fn send(&self, place: usize, message: &Message<'_>) -> Option<String> {
        let letter = match POOLS[place] {
            "smpp" => {
                let text = message.text.as_bytes().to_vec();
                let sent = self
                    .esme
                    .deliver_sm()
                    .source_addr("Verify")
                    .destination_addr(&message.to[1..])
                    .short_message(text)
                    .send()
                    .await;
                return sent.is_ok_and(|answer| answer.is_success()).then(|| "smpp".to_owned());
            }
            "own" => formats::own(message),
            "twilio" => formats::twilio(message),
            "telnyx" => formats::telnyx(message),
            "vonage" => formats::vonage(message),
            _ => {
                let number: u32 = message.to[6..].parse().unwrap();
                formats::android(message, &format!("phone-{number}"), 1)
            }
        };
        let (status, body) = self.post(letter).await;
        match status {
            200 => {
                let answer: Value = serde_json::from_str(&body).unwrap_or_default();
                Some(answer["outcome"].as_str().unwrap_or("twilio").to_owned())
            }
            400..500 => panic!("{status}: {body}"),
            _ => None,
        }
    }

    async fn post(&self, letter: Letter) -> (u16, String) {
        let post = self.http.post(format!("{}{}", self.base, letter.path));
        let post =
            letter.headers.into_iter().fold(post, |post, (name, value)| post.header(name, value));
        // A service that does not want to read all of it may hang up before all is sent.
        let Ok(answer) = post.body(letter.body).send().await else { return (0, String::new()) };
        (answer.status().as_u16(), answer.text().await.unwrap_or_default())
    }

    /// A request whose body drips and never ends.
    async fn break_off(&self) {
        let mut stream =
            tokio::net::TcpStream::connect(self.base.trim_start_matches("http://")).await.unwrap();
        let _ = stream
            .write_all(
                b"POST /inbound/v1/own HTTP/1.1\r\nhost: x\r\ncontent-length: 300\r\n\r\n{\"id\"",
            )
            .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let _ = stream.write_all(b":").await;
        self.note("broken off");
    }

    fn note(&self, what: &str) {
        *self.seen.lock().entry(what.to_owned()).or_default() += 1;
    }
}

fn named(platform: &str) -> String {
    let (first, rest) = platform.split_at(1);
    first.to_uppercase() + rest
}
