//! How long does the console take over 100 000 orders and 10 000 numbers? The first page of each
//! list, and one in the middle of the orders.
//!
//! `cargo bench --bench console`

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::store::sqlite::SqliteStore;
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::country::Country;
use events::envelope::{Actor, Metadata, StreamId};
use events::id::{CommandId, OrderId};
use events::number::{self, Listing};
use events::phone::Phone;
use events::time::Timestamp;
use fakes::past::{self, Orders};

const ACCOUNTS: u128 = 500;
/// Completed orders of each account.
const TWO_HUNDRED: Orders =
    Orders { count: 200, listen_seconds: 0, phone: |account, order| phone(account * 200 + order) };
const NUMBERS: u128 = 10_000;
const TOKEN: &str = "bench-token-0123456789abcdef";
const ASKED: usize = 20;
/// "First page under 300 ms."
const MOST: Duration = Duration::from_millis(300);

fn main() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(fill(directory.path()));
    let config = format!(
        "[limits]\nper_ip_per_minute = 0\n[deposits]\nsimulated = true\n[suppliers.simulator]\nenabled = false\n[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"\n[[suppliers.own.numbers]]\nnumber = \"+12035550100\"\n\
         country = \"US\"\n[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"{TOKEN}\"\n"
    );
    std::fs::write(directory.path().join("config.toml"), config).unwrap();
    let mut service = Process::new(env!("CARGO_BIN_EXE_telenumerus"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(directory.path().join("config.toml"))
        .arg("--data-dir")
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(service.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .any(|line| line.starts_with("listening on "));
    assert!(said, "the service starts");
    measure(directory.path());
    service.kill().unwrap();
    service.wait().unwrap();
}

fn measure(directory: &Path) {
    let base = format!("http://{}", std::fs::read_to_string(directory.join("admin.addr")).unwrap());
    // The client has no provider of its own, as the service's have none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let entered = client
        .post(format!("{base}/console/login"))
        .header("origin", &base)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={TOKEN}&name=bench"))
        .send()
        .unwrap();
    let cookie =
        entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let middle = OrderId(((ACCOUNTS / 2) << 64) + 100);
    let pages = [
        ("orders", "/console/orders".to_owned()),
        ("orders_middle", format!("/console/orders?before={middle}")),
        ("orders_platform", "/console/orders?platform=telegram".to_owned()),
        ("orders_failed", "/console/orders?status=failed".to_owned()),
        // None of them fits: the whole list is looked through.
        ("orders_none_fits", "/console/orders?supplier=acme".to_owned()),
        ("accounts", "/console/accounts".to_owned()),
        ("accounts_suspended", "/console/accounts?suspended=true".to_owned()),
        ("numbers", "/console/numbers".to_owned()),
        ("messages", "/console/messages".to_owned()),
        ("deposits", "/console/deposits".to_owned()),
        ("webhooks", "/console/webhooks".to_owned()),
        ("audit", "/console/audit".to_owned()),
        ("overview", "/console".to_owned()),
        ("usage", "/console/usage".to_owned()),
    ];
    for (name, path) in pages {
        let mut took: Vec<Duration> = Vec::new();
        for _ in 0..ASKED {
            let start = Instant::now();
            let page =
                client.get(format!("{base}{path}")).header("cookie", &cookie).send().unwrap();
            assert_eq!(page.status(), 200, "{path}");
            let _ = page.bytes().unwrap();
            took.push(start.elapsed());
        }
        let first = took[0];
        took.sort_unstable();
        let (median, slowest) = (took[ASKED / 2], took[ASKED - 1]);
        println!(
            r#"{{"page":"{name}","first_ms":{:.1},"median_ms":{:.1},"slowest_ms":{:.1},"within_300_ms":{}}}"#,
            first.as_secs_f64() * 1e3,
            median.as_secs_f64() * 1e3,
            slowest.as_secs_f64() * 1e3,
            slowest < MOST
        );
    }
}

async fn fill(directory: &Path) {
    let store = Arc::new(
        SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap(),
    );
    let accounts = (1..=ACCOUNTS)
        .map(|account| tokio::spawn(past::write_account(Arc::clone(&store), account, TWO_HUNDRED)));
    let numbers = (0..100).map(|share| tokio::spawn(write_numbers(Arc::clone(&store), share)));
    for task in accounts.chain(numbers).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    store.close().await;
}

fn phone(number: u128) -> Phone {
    format!("+1202555{:04}", number % NUMBERS).parse().unwrap()
}

async fn write_numbers(store: Arc<SqliteStore>, share: u128) {
    let at = Timestamp::from_millis(1_795_400_000_000);
    for number in (0..NUMBERS).filter(|number| number % 100 == share) {
        let listing =
            Listing { supplier: "own".parse().unwrap(), country: Country::Us, platforms: None };
        let metadata = Metadata {
            causation: CommandId((1 << 120) | (number << 8)),
            correlation: None,
            actor: Actor::Service,
            at,
        };
        let events =
            vec![NewEvent::new(0, number::Event::Listed { listing, at }.into(), &metadata)];
        store
            .append(Append {
                stream: StreamId::number(&phone(number)),
                expected: Expected::NoStream,
                events,
            })
            .await
            .unwrap();
    }
}
