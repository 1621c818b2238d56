//! What strangers who hold what they get do to an honest caller, and to memory: before, meanwhile
//! and afterwards.
//!
//! `cargo bench --bench hostile`, or `-- NAME…` for some of the attacks. Loopback only, and
//! bounded. The last line is one JSON object.

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

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::{Load, Sample, drive};
use server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Few enough to leave the processors some room: a machine that is full slows everybody.
const HONEST: usize = 4;
const PHASE: Duration = Duration::from_secs(4);
/// Between the last connection of an attack and what is measured "after".
const PAUSE: Duration = Duration::from_secs(2);
const CONFIG: &str = "delivery_seconds = [600.0, 600.0]\n[http]\nheader_timeout_seconds = 30";
/// A key as it must be, of an account that no service has.
const UNKNOWN_KEYS: usize = 256;

/// One attack.
#[derive(Clone, Copy)]
struct Attack {
    name: &'static str,
    /// What each connection sends, if anything.
    sends: &'static str,
    /// Connections at a time; one that is closed is opened again.
    connections: usize,
    /// Loopback addresses they come from.
    addresses: u8,
    does: Doing,
}

#[derive(Clone, Copy, PartialEq)]
enum Doing {
    /// Nothing more.
    Nothing,
    /// A byte a second.
    Trickle,
    /// The same again as soon as it is answered.
    Again,
}

const ATTACKS: [Attack; 7] = [
    Attack { name: "idle", sends: "", connections: 4_300, addresses: 1, does: Doing::Nothing },
    Attack {
        name: "idle_from_many",
        sends: "",
        connections: 4_300,
        addresses: 40,
        does: Doing::Nothing,
    },
    Attack {
        name: "slow_heads",
        sends: "GET /api/v1/services HTTP/1.1\r\nhost: a\r\nx: ",
        connections: 4_100,
        addresses: 8,
        does: Doing::Trickle,
    },
    Attack {
        name: "no_bodies",
        sends: "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n",
        connections: 4_100,
        addresses: 1,
        does: Doing::Nothing,
    },
    Attack {
        name: "no_reading",
        sends: "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: a\r\n\r\nGET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n",
        connections: 1_000,
        addresses: 1,
        does: Doing::Nothing,
    },
    Attack {
        name: "nonsense",
        sends: "\x01\x02\x03\r\n\r\n",
        connections: 64,
        addresses: 4,
        does: Doing::Again,
    },
    Attack {
        name: "wrong_keys",
        sends: "GET /api/v1/account HTTP/1.1\r\nhost: a\r\nauthorization: Bearer KEY\r\n\r\n",
        connections: 64,
        addresses: 4,
        does: Doing::Again,
    },
];

/// What an honest caller sees in one phase.
struct Seen {
    /// `POST /order` on connections that stay.
    orders: Sample,
    /// A new connection, one call with a key, the end.
    newcomers: Sample,
    peak_bytes: f64,
}

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut reports = Vec::new();
        for attack in ATTACKS
            .iter()
            .filter(|attack| wanted.is_empty() || wanted.iter().any(|name| name == attack.name))
        {
            reports.push(run(*attack).await);
        }
        println!("{{{}}}", reports.join(","));
    });
}

async fn run(attack: Attack) -> String {
    let server = Server::start(CONFIG, 1_000_000);
    let keys = server.accounts(64).await;
    let unknown = Server::start(CONFIG, 1).accounts(UNKNOWN_KEYS).await;
    // Warm: the first calls of a process are slower than all later ones.
    honest(&server, &keys).await;
    let before = server.resident_bytes();
    let alone = honest(&server, &keys).await;

    let over = Arc::new(AtomicBool::new(false));
    let attackers: Vec<_> = (0..attack.connections)
        .map(|number| {
            tokio::spawn(hold(
                server.address,
                attack,
                number,
                Arc::clone(&unknown),
                Arc::clone(&over),
            ))
        })
        .collect();
    tokio::time::sleep(PAUSE).await;
    let attacked = honest(&server, &keys).await;
    over.store(true, Ordering::Relaxed);
    for attacker in attackers {
        attacker.abort();
        let _ = attacker.await;
    }
    tokio::time::sleep(PAUSE).await;
    let after = honest(&server, &keys).await;
    let left = server.resident_bytes();

    let megabytes = |bytes: f64| bytes / 1_048_576.0;
    println!(
        "{}: {} connections from {} addresses",
        attack.name, attack.connections, attack.addresses
    );
    for (phase, seen) in [("alone", &alone), ("attacked", &attacked), ("after", &after)] {
        let figures =
            |sample: &Sample| (sample.percentile_ms(50), sample.percentile_ms(99), sample.failures);
        let ((p50, p99, failed), (new50, new99, new_failed)) =
            (figures(&seen.orders), figures(&seen.newcomers));
        println!(
            "  {phase:>8}: orders p50 {p50:.1} ms, p99 {p99:.1} ms, {failed} failed; newcomers \
             p50 {new50:.1} ms, p99 {new99:.1} ms, {new_failed} failed"
        );
    }
    println!(
        "  memory: {:.0} MB before, {:.0} MB at most, {:.0} MB after",
        megabytes(before),
        megabytes(attacked.peak_bytes),
        megabytes(left)
    );
    format!(
        r#""{}":{{"alone_p99_ms":{:.2},"attacked_p99_ms":{:.2},"after_p99_ms":{:.2},"newcomer_alone_p99_ms":{:.2},"newcomer_attacked_p99_ms":{:.2},"failed":{},"memory_before_mb":{:.1},"memory_peak_mb":{:.1},"memory_after_mb":{:.1}}}"#,
        attack.name,
        alone.orders.percentile_ms(99),
        attacked.orders.percentile_ms(99),
        after.orders.percentile_ms(99),
        alone.newcomers.percentile_ms(99),
        attacked.newcomers.percentile_ms(99),
        attacked.orders.failures + attacked.newcomers.failures,
        megabytes(before),
        megabytes(attacked.peak_bytes),
        megabytes(left),
    )
}

/// Honest callers for a phase, and the most memory that the service had meanwhile.
async fn honest(server: &Server, keys: &Arc<Vec<String>>) -> Seen {
    let orders = tokio::spawn(drive(server.address, HONEST, PHASE, Load::Place(Arc::clone(keys))));
    let newcomers = tokio::spawn(newcomers(server.address, Arc::clone(keys)));
    let mut peak_bytes = 0.0f64;
    while !orders.is_finished() || !newcomers.is_finished() {
        peak_bytes = peak_bytes.max(server.resident_bytes());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Seen {
        orders: orders.await.expect("the orders"),
        newcomers: newcomers.await.expect("the newcomers"),
        peak_bytes,
    }
}

/// One after the other, with a pause: they measure, they do not load.
async fn newcomers(address: SocketAddr, keys: Arc<Vec<String>>) -> Sample {
    let start = Instant::now();
    let (mut latencies, mut failures) = (Vec::new(), 0);
    while start.elapsed() < PHASE {
        let began = Instant::now();
        let call = async {
            let mut stream = TcpStream::connect(address).await?;
            let request = format!(
                "GET /api/v1/account HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
                keys[0]
            );
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer.starts_with("HTTP/1.1 200 "))
        };
        match call.await {
            Ok(true) => latencies.push(began.elapsed()),
            Ok(false) | Err(_) => failures += 1,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    latencies.sort_unstable();
    Sample::new(latencies, failures, start.elapsed())
}

/// Holds one connection, and opens it again when it is closed, until the attack is over.
async fn hold(
    address: SocketAddr,
    attack: Attack,
    number: usize,
    keys: Arc<Vec<String>>,
    over: Arc<AtomicBool>,
) {
    let sends = attack.sends.replace("KEY", &keys[number % keys.len()]);
    let host = u8::try_from(number % usize::from(attack.addresses)).expect("few addresses");
    while !over.load(Ordering::Relaxed) {
        // Also bounds how often it is tried.
        let Ok(mut stream) = connect(address, host).await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let mut buffer = [0; 4_096];
        if stream.write_all(sends.as_bytes()).await.is_err() {
            continue;
        }
        match attack.does {
            // Not even a look at what is answered: the end is seen when the process has lost the
            // connection.
            Doing::Nothing if !sends.is_empty() && attack.name == "no_reading" => {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            Doing::Nothing => while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {},
            Doing::Trickle => {
                while stream.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Doing::Again => {
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    if stream.write_all(sends.as_bytes()).await.is_err() {
                        break;
                    }
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(address: SocketAddr, host: u8) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 1, host + 1], 0)))?;
    socket.connect(address).await
}
