//! How long does the console take over 100 000 orders and 10 000 numbers? The first page of each list, and one in the middle of the orders.
//!
//! `cargo bench --bench console`

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a stopwatch of real time is what a benchmark is")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::store::sqlite::SqliteStore;
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::account::{Command, FirstAnswer, PlaceOrder, State};
use events::country::Country;
use events::decider::Decider;
use events::envelope::{Actor, Metadata, Revision, StreamId};
use events::id::{AccountId, CommandId, OrderId};
use events::money::Money;
use events::number::{self, Listing};
use events::order::{self, IncomingSms};
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;

const ACCOUNTS: u128 = 500;
const ORDERS_PER_ACCOUNT: u128 = 200;
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
        "[limits]\nper_ip_per_minute = 0\n[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"\n[[suppliers.own.numbers]]\nnumber = \"+12035550100\"\n\
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
    let said = BufReader::new(service.stdout.take().unwrap()).lines().map_while(Result::ok).any(|line| line.starts_with("listening on "));
    assert!(said, "the service starts");
    measure(directory.path());
    service.kill().unwrap();
    service.wait().unwrap();
}

fn measure(directory: &Path) {
    let base = format!("http://{}", std::fs::read_to_string(directory.join("admin.addr")).unwrap());
    let client = reqwest::blocking::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let entered = client
        .post(format!("{base}/console/login"))
        .header("origin", &base)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={TOKEN}&name=bench"))
        .send()
        .unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let middle = OrderId(((ACCOUNTS / 2) << 64) + 100);
    let pages = [
        ("orders", "/console/orders".to_owned()),
        ("orders_middle", format!("/console/orders?before={middle}")),
        ("orders_platform", "/console/orders?platform=telegram".to_owned()),
        ("orders_failed", "/console/orders?status=failed".to_owned()),
        ("accounts", "/console/accounts".to_owned()),
        ("numbers", "/console/numbers".to_owned()),
        ("overview", "/console".to_owned()),
        ("usage", "/console/usage".to_owned()),
    ];
    for (name, path) in pages {
        let mut took: Vec<Duration> = Vec::new();
        for _ in 0..ASKED {
            let start = Instant::now();
            let page = client.get(format!("{base}{path}")).header("cookie", &cookie).send().unwrap();
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
    let store = Arc::new(SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap());
    let accounts = (1..=ACCOUNTS).map(|account| tokio::spawn(write_account(Arc::clone(&store), account)));
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
        let listing = Listing { supplier: "own".parse().unwrap(), country: Country::Us, platforms: None };
        let metadata = Metadata { causation: CommandId((1 << 120) | (number << 8)), correlation: None, actor: Actor::Service, at };
        let events = vec![NewEvent::new(0, &number::Event::Listed { listing, at }.into(), &metadata)];
        store.append(Append { stream: StreamId::number(&phone(number)), expected: Expected::NoStream, events }).await.unwrap();
    }
}

/// One account with two hundred completed orders.
async fn write_account(store: Arc<SqliteStore>, account: u128) {
    let at = Timestamp::from_millis(1_795_500_000_000);
    let (mut state, mut expected, mut number) = (State::default(), Expected::NoStream, 0u128);
    let mut commands = vec![
        Command::Register { id: AccountId(account), key_hash: [0; 32], webhook_secret: "whsec_".to_owned(), at },
        Command::Credit { amount: Money::from_cents(100_000), reason: "benchmark".to_owned(), at },
    ];
    for order in 0..ORDERS_PER_ACCOUNT {
        let id = OrderId((account << 64) | order);
        let (supplier, phone): (events::supplier::SupplierName, Phone) = ("own".parse().unwrap(), phone(account * ORDERS_PER_ACCOUNT + order));
        commands.push(Command::PlaceOrder(PlaceOrder {
            scenario: None,
            order: id,
            platform: Platform::Google,
            country: Country::Us,
            list_price: Money::from_cents(50),
            max_price: None,
            lifetime_seconds: 300,
            seek_seconds: 60,
            max_attempts: 3,
            listen_seconds: 0,
            max_concurrent: 1,
            cancels: events::account::CancelRules::default(),
            first_answer: Some(FirstAnswer { supplier: supplier.clone(), answer: Ok(phone.clone()) }),
            at,
        }));
        let sms = IncomingSms {
            message_id: "m1".to_owned(),
            supplier,
            to: phone,
            sender: "Google".to_owned(),
            text: "G-482913 is your Google verification code.".to_owned(),
            receipt: events::order::Receipt::At(at),
            freed_at: None,
            at,
        };
        commands.push(Command::Order(id, order::Command::ReceiveSms(sms)));
    }
    for command in commands {
        let decided = state.decide(&command).unwrap();
        number += 1;
        let metadata = Metadata { causation: CommandId((account << 80) | (number << 8)), correlation: None, actor: Actor::Service, at };
        let events = decided.iter().enumerate().map(|(index, event)| NewEvent::new(index, &event.clone().into(), &metadata)).collect();
        let appended = store.append(Append { stream: StreamId::account(AccountId(account)), expected, events }).await.unwrap();
        expected = Expected::Exact(Revision(appended.revision.0));
        for event in &decided {
            state = state.evolve(event);
        }
    }
}
