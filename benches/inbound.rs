//! How many messages a second does each inbound webhook take until they are on disk, beside a bare
//! handler; and how long does a code take from there to an open stream at 1 000 orders a second?
//!
//! `cargo bench --bench inbound`; `-- --seconds 10` for longer phases. The last line is one JSON
//! object.

#![expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

#[path = "order_flow/client.rs"]
#[expect(dead_code, reason = "the client can do more than this benchmark asks")]
mod client;
#[path = "order_flow/server.rs"]
#[expect(dead_code, reason = "the server can be asked more than this benchmark does")]
mod server;

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::{Connection, Load, drive, member};
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use server::{Bare, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: usize = 64;
const SECRET: &[u8] = b"whsec_0123456789abcdef";
/// Of the latency phase.
const ORDERS_PER_SECOND: usize = 1_000;
const WORKERS: usize = 250;

/// A request to an inbound webhook: path, further headers, body.
type Request = (&'static str, String, String);
/// Makes the request of a message by its number.
type Format = fn(usize) -> Request;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--bare-server") {
        return server::run_bare();
    }
    let seconds = arguments
        .iter()
        .position(|argument| argument == "--seconds")
        .and_then(|place| arguments.get(place + 1)?.parse().ok())
        .unwrap_or(4);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(Duration::from_secs(seconds)));
}

async fn run(phase: Duration) {
    let bare = Bare::start();
    let bare_per_second = drive(bare.address, CONNECTIONS, phase, Load::Bare).await.per_second();
    drop(bare);
    println!("bare axum handler: {bare_per_second:.0}/s");
    let mut members = format!("\"bare_per_second\":{bare_per_second:.0}");
    let formats: [(&str, Format); 5] = [
        ("own", own),
        ("twilio", twilio),
        ("telnyx", telnyx),
        ("vonage", vonage),
        ("android", android),
    ];
    for (name, request) in formats {
        let server = Server::start(&config(0, 0), 1);
        let per_second = push(server.address, phase, request).await;
        println!(
            "{name}: {per_second:.0} messages/s until durable ({:.3} of the bare handler)",
            per_second / bare_per_second
        );
        let _ = write!(members, ",\"{name}_per_second\":{per_second:.0}");
    }
    let per_second = smpp(phase).await;
    println!(
        "smpp: {per_second:.0} messages/s until durable, over one session ({:.3} of the bare \
         handler)",
        per_second / bare_per_second
    );
    let _ = write!(members, ",\"smpp_per_second\":{per_second:.0}");
    let (mut latencies, achieved) = latency(phase).await;
    latencies.sort_unstable();
    let percentile = |percent: usize| {
        latencies[(latencies.len() * percent / 100).min(latencies.len() - 1)].as_secs_f64() * 1e3
    };
    let (median, tail) = (percentile(50), percentile(99));
    println!(
        "from the inbound webhook to an open stream at {achieved:.0} orders/s: p50 {median:.2} ms, p99 \
         {tail:.2} ms ({} codes)",
        latencies.len()
    );
    let _ = write!(
        members,
        ",\"orders_per_second\":{achieved:.0},\"sms_to_sse_p50_ms\":{median:.2},\"sms_to_sse_p99_ms\":{tail:.2}"
    );
    println!("{{{members}}}");
}

/// Every inbound webhook, with so many numbers of our own, and a bind at this port if it is one.
fn config(numbers: usize, smsc: u16) -> String {
    let mut config = format!(
        "enabled = false\n[deposits]\nsimulated = false\n[http]\npublic_url = \"https://a.b\"\n[suppliers]\ncooldown_days = 0\n[suppliers.own]\nsends_times = true\ninbound_secret = \"{}\"\n\
         [suppliers.twilio]\nauth_token = \"0123456789abcdef\"\n[suppliers.telnyx]\npublic_key = \"{}\"\n[suppliers.vonage]\nsignature_secret = \"0123456789abcdef\"\n\
         [suppliers.android]\nsigning_key = \"0123456789abcdef\"\n",
        String::from_utf8_lossy(SECRET),
        STANDARD.encode(telnyx_key().public_key())
    );
    for number in 0..numbers {
        let _ = write!(
            config,
            "[[suppliers.own.numbers]]\nnumber = \"{}\"\ncountry = \"US\"\n",
            phone(number)
        );
    }
    if smsc > 0 {
        let _ = write!(
            config,
            "[[suppliers.smpp.binds]]\naddress = \"127.0.0.1:{smsc}\"\nsystem_id = \"a\"\npassword = \"b\"\n"
        );
    }
    config
}

fn phone(number: usize) -> String {
    format!("+1202{:07}", 2_000_000 + number)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn hmac_hex(key: &[u8], text: &str) -> String {
    hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref())
}

fn own(number: usize) -> Request {
    let body = format!(
        r#"{{"id":"m{number}","to":"{}","from":"Google","text":"G-482913 is your Google verification code."}}"#,
        phone(number)
    );
    ("/inbound/v1/own", format!("x-webhook-signature: {}\r\n", hmac_hex(SECRET, &body)), body)
}

fn twilio(number: usize) -> Request {
    let to = phone(number);
    let signed = format!(
        "https://a.b/inbound/v1/twilioBodyG-482913 is your \
         codeFromGoogleMessageSidSM{number:032x}To{to}"
    );
    let signature = STANDARD.encode(
        hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"0123456789abcdef"),
            signed.as_bytes(),
        )
        .as_ref(),
    );
    let body = format!(
        "Body=G-482913+is+your+code&From=Google&MessageSid=SM{number:032x}&To=%2B{}",
        &to[1..]
    );
    ("/inbound/v1/twilio", format!("x-twilio-signature: {signature}\r\n"), body)
}

fn telnyx_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key")
}

fn telnyx(number: usize) -> Request {
    let payload = format!(
        r#"{{"id":"m{number}","from":{{"phone_number":"Google"}},"to":[{{"phone_number":"{}"}}],"text":"G-482913 is your code"}}"#,
        phone(number)
    );
    let body = format!(r#"{{"data":{{"event_type":"message.received","payload":{payload}}}}}"#);
    let at = now();
    let signature = STANDARD.encode(telnyx_key().sign(format!("{at}|{body}").as_bytes()));
    (
        "/inbound/v1/telnyx",
        format!("telnyx-signature-ed25519: {signature}\r\ntelnyx-timestamp: {at}\r\n"),
        body,
    )
}

fn vonage(number: usize) -> Request {
    let (at, to) = (now(), &phone(number)[1..]);
    let signed = format!(
        "&messageId=v{number}&msisdn=Google&text=G-482913 is your code&timestamp={at}&to={to}"
    );
    let signature = hmac_hex(b"0123456789abcdef", &signed);
    let body = format!(
        r#"{{"messageId":"v{number}","msisdn":"Google","text":"G-482913 is your code","timestamp":"{at}","to":"{to}","sig":"{signature}"}}"#
    );
    ("/inbound/v1/vonage", String::new(), body)
}

fn android(number: usize) -> Request {
    let payload = format!(
        r#"{{"message":"G-482913 is your code","sender":"Google","recipient":"{}"}}"#,
        phone(number)
    );
    let body = format!(
        r#"{{"deviceId":"d","event":"sms:received","id":"a{number}","payload":{payload}}}"#
    );
    let at = now();
    let signature = hmac_hex(b"0123456789abcdef", &format!("{body}{at}"));
    ("/inbound/v1/android", format!("x-signature: {signature}\r\nx-timestamp: {at}\r\n"), body)
}

/// Messages a second through one inbound webhook, each to a number of its own.
async fn push(address: SocketAddr, phase: Duration, request: Format) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let next = Arc::clone(&next);
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await;
                let mut taken = 0usize;
                while begun.elapsed() < phase {
                    let (path, headers, body) = request(next.fetch_add(1, Ordering::Relaxed));
                    let (status, answer) =
                        connection.call_with("POST", path, &headers, &body).await;
                    assert_eq!(status, 200, "{answer}");
                    taken += 1;
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += task.await.expect("a connection's task");
    }
    taken as f64 / begun.elapsed().as_secs_f64()
}

/// An SMSC that sends as fast as it is answered, a hundred messages ahead.
async fn smpp(phase: Duration) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let _server = Server::start(&config(0, listener.local_addr().expect("an address").port()), 1);
    let (mut stream, _) = listener.accept().await.expect("the service binds");
    stream.set_nodelay(true).expect("a TCP socket");
    let pdu = |command: u32, sequence: u32, body: &[u8]| {
        let length = u32::try_from(16 + body.len()).expect("a short PDU");
        [&length.to_be_bytes()[..], &command.to_be_bytes(), &[0; 4], &sequence.to_be_bytes(), body]
            .concat()
    };
    let bind = read_pdu(&mut stream).await;
    assert_eq!(bind.0, 9);
    stream.write_all(&pdu(0x8000_0009, bind.1, b"a\0")).await.expect("the service reads");
    let deliver = |number: u32| {
        let to = &phone(number as usize)[1..];
        let text = b"G-482913 is your Google verification code.";
        let body = [
            b"\0\x05\0Google\0\x01\x01",
            to.as_bytes(),
            b"\0\0\0\0\0\0\0\0\x03\0",
            &[42],
            &text[..],
        ]
        .concat();
        pdu(5, number, &body)
    };
    let begun = Instant::now();
    let (mut sent, mut answered) = (0u32, 0u32);
    while begun.elapsed() < phase {
        let mut ahead = Vec::new();
        while sent - answered < 100 {
            sent += 1;
            ahead.extend_from_slice(&deliver(sent));
        }
        stream.write_all(&ahead).await.expect("the service reads");
        let (command, _) = read_pdu(&mut stream).await;
        answered += u32::from(command == 0x8000_0005);
    }
    f64::from(answered) / begun.elapsed().as_secs_f64()
}

/// A PDU's command and sequence; its status must be good.
async fn read_pdu(stream: &mut TcpStream) -> (u32, u32) {
    let mut head = [0; 16];
    stream.read_exact(&mut head).await.expect("the service answers");
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    assert_eq!(word(8), 0, "a status of {:#x}", word(8));
    let mut body = vec![0; word(0) as usize - 16];
    stream.read_exact(&mut body).await.expect("the rest of it");
    (word(4), word(12))
}

/// How long each code took from the door to its open stream, and the orders a second that there
/// were.
async fn latency(phase: Duration) -> (Vec<Duration>, f64) {
    let server = Server::start(&config(WORKERS * 4, 0), 1_000_000);
    let keys = server.accounts(WORKERS).await;
    let pause = Duration::from_secs_f64(WORKERS as f64 / ORDERS_PER_SECOND as f64);
    let (begun, address) = (Instant::now(), server.address);
    let tasks: Vec<_> = keys
        .iter()
        .cloned()
        .enumerate()
        .map(|(worker, key)| {
            tokio::spawn(async move {
                let mut caller = Connection::open(address).await;
                let mut supplier = Connection::open(address).await;
                let mut latencies = Vec::new();
                // The workers start one after the other, so that orders come evenly.
                let first = pause.mul_f64(worker as f64 / WORKERS as f64);
                let mut turn = tokio::time::interval_at(tokio::time::Instant::now() + first, pause);
                while begun.elapsed() < phase {
                    turn.tick().await;
                    let wanted = r#"{"platform":"google"}"#;
                    let (status, order) = caller.call("POST", "/api/v1/order", &key, wanted).await;
                    assert_eq!(status, 200, "{order}");
                    let id = member(&order, "order_id").expect("an id");
                    let phone = member(&order, "phone").expect("a number");
                    let mut stream = Connection::open(address).await;
                    stream.open_stream(&format!("/api/v1/order/{id}/stream"), &key).await;
                    let text = "G-482913 is your Google verification code.";
                    let body = format!(
                        r#"{{"id":"{id}","to":"{phone}","from":"Google","text":"{text}"}}"#
                    );
                    let headers = format!("x-webhook-signature: {}\r\n", hmac_hex(SECRET, &body));
                    let sent = Instant::now();
                    let (answered, streamed) = tokio::join!(
                        supplier.call_with("POST", "/inbound/v1/own", &headers, &body),
                        stream.read_until("\"code\":\"482913\"")
                    );
                    assert_eq!(answered.0, 200, "{}", answered.1);
                    latencies.push(streamed - sent);
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a worker"));
    }
    let achieved = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    (latencies, achieved)
}
