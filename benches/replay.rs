//! How fast is a log read back, decoded and checked, and folded into the views? Beside SQLite's own walk over the same rows.
//!
//! `cargo bench --bench replay`

#![expect(clippy::unwrap_used, clippy::disallowed_methods, clippy::cast_precision_loss, reason = "a stopwatch of real time is what a benchmark is")]

use std::sync::Arc;
use std::time::Instant;

use actors::store::sqlite::SqliteStore;
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::account::{Command, FirstAnswer, PlaceOrder, State};
use events::country::Country;
use events::decider::Decider;
use events::envelope::{Actor, Metadata, Position, Revision, StreamId};
use events::id::{AccountId, CommandId, OrderId};
use events::money::Money;
use events::order::{self, IncomingSms};
use events::platform::Platform;
use events::time::Timestamp;
use projections::Views;

const ACCOUNTS: u128 = 500;
const ORDERS_PER_ACCOUNT: u128 = 60;
const PAGE: usize = 2_048;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = Arc::new(SqliteStore::open(directory.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap());
    let tasks: Vec<_> = (1..=ACCOUNTS).map(|account| tokio::spawn(write_account(Arc::clone(&store), account))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let events = store.head().borrow().0;

    let raw = Instant::now();
    let walked = tokio::task::spawn_blocking({
        let path = directory.path().join("events.db");
        move || {
            let connection = rusqlite::Connection::open(path).unwrap();
            let mut all =
                connection.prepare("SELECT position, stream, revision, event_id, name, payload, chain FROM events ORDER BY position").unwrap();
            let rows = all.query_map([], |row| Ok(row.get::<_, String>(1)?.len() + row.get::<_, Vec<u8>>(5)?.len())).unwrap();
            rows.map(Result::unwrap).sum::<usize>()
        }
    });
    assert!(walked.await.unwrap() > 0);
    let raw = events as f64 / raw.elapsed().as_secs_f64();

    let (mut read_seconds, mut view_seconds, mut after) = (0.0, 0.0, Position(0));
    let views = Views::open(directory.path()).unwrap();
    loop {
        let start = Instant::now();
        let page = store.read_all(after, PAGE).await.unwrap();
        read_seconds += start.elapsed().as_secs_f64();
        let Some(last) = page.last() else { break };
        after = last.position;
        let start = Instant::now();
        views.apply(&page).unwrap();
        view_seconds += start.elapsed().as_secs_f64();
    }
    let (read, folded) = (events as f64 / read_seconds, events as f64 / (read_seconds + view_seconds));
    println!(
        r#"{{"events":{events},"store_events_per_second":{read:.0},"views_events_per_second":{folded:.0},"raw_rows_per_second":{raw:.0},"store_ratio":{:.3},"views_ratio":{:.3}}}"#,
        read / raw,
        folded / raw
    );
}

/// One account with sixty completed orders: six events each.
async fn write_account(store: Arc<SqliteStore>, account: u128) {
    let at = Timestamp::from_millis(1_795_500_000_000);
    let (mut state, mut expected, mut number) = (State::default(), Expected::NoStream, 0u128);
    let mut commands = vec![
        Command::Register { id: AccountId(account), key_hash: [0; 32], webhook_secret: "whsec_".to_owned(), at },
        Command::Credit { amount: Money::from_cents(100_000), reason: "benchmark".to_owned(), at },
    ];
    for order in 0..ORDERS_PER_ACCOUNT {
        let id = OrderId((account << 64) | order);
        let (supplier, phone): (events::supplier::SupplierName, events::phone::Phone) =
            ("own".parse().unwrap(), format!("+1202{account:03}{order:04}").parse().unwrap());
        commands.push(Command::PlaceOrder(PlaceOrder {
            order: id,
            platform: Platform::Google,
            country: Country::Us,
            list_price: Money::from_cents(50),
            max_price: None,
            lifetime_seconds: 300,
            seek_seconds: 60,
            max_attempts: 3,
            listen_seconds: 300,
            max_concurrent: 1,
            cancels: events::account::CancelRules::default(),
            first_answer: Some(FirstAnswer { supplier: supplier.clone(), answer: Ok(phone.clone()) }),
            at,
        }));
        let text = "G-482913 is your Google verification code.".to_owned();
        let sms = IncomingSms {
            message_id: "m1".to_owned(),
            supplier,
            to: phone,
            sender: "Google".to_owned(),
            text,
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
