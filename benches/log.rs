//! What does a long log cost? A log of completed orders is made; then its bytes an event and an
//! order, and how long opening, auditing and backing up take.
//!
//! `cargo bench --bench log -- 1000000` (events; a million if absent). All four grow with the log:
//! ten millions take ten times as long. With `--keep DIRECTORY` the log is made there and stays,
//! for `telenumerus serve` and `telenumerus audit verify`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use actors::store::sqlite::{SqliteStore, backup, verify_chain};
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::account::{Command, FirstAnswer, PlaceOrder, State};
use events::audit::Auditor;
use events::country::Country;
use events::decider::Decider;
use events::envelope::{Actor, Metadata, Revision, StreamId};
use events::id::{AccountId, CommandId, OrderId, time_ordered};
use events::money::Money;
use events::order::{self, IncomingSms};
use events::platform::Platform;
use events::time::Timestamp;

/// An account registers, is credited, and has ten orders of six events.
const ORDERS_PER_ACCOUNT: u64 = 10;
const EVENTS_PER_ACCOUNT: u64 = 2 + 6 * ORDERS_PER_ACCOUNT;
/// Accounts at work at a time.
const WRITERS: usize = 256;
const START: u64 = 1_795_500_000_000;

fn main() {
    let wanted: u64 =
        std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let accounts = wanted.div_ceil(EVENTS_PER_ACCOUNT);
    let kept = std::env::args().skip_while(|argument| argument != "--keep").nth(1);
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let directory = kept.as_ref().map_or(scratch.path(), Path::new);
    std::fs::create_dir_all(directory).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let open = || {
        let _entered = runtime.enter();
        SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap()
    };
    let store = Arc::new(open());
    let writing = Instant::now();
    let largest_wal = runtime.block_on(write(&store, accounts));
    let written = writing.elapsed().as_secs_f64();
    runtime.block_on(store.close());
    drop(store);
    let size = |name: &str| std::fs::metadata(directory.join(name)).unwrap().len();
    let (bytes, index_bytes) = (size("events.db"), size("index.db"));
    let opening = Instant::now();
    let events = open().head().borrow().0;
    let opened = opening.elapsed().as_secs_f64();
    let verifying = Instant::now();
    let mut auditor = Auditor::default();
    let broken = verify_chain(directory, |record| auditor.observe(&record.recorded)).unwrap();
    assert!(broken.is_empty() && auditor.finish().is_empty());
    let verified = verifying.elapsed().as_secs_f64();
    let copying = Instant::now();
    backup(directory, &scratch.path().join("copy")).unwrap();
    let copied = copying.elapsed().as_secs_f64();
    println!(
        r#"{{"events":{events},"bytes_per_event":{:.1},"index_bytes_per_event":{:.1},"bytes_per_order":{:.0},"written_per_second":{:.0},"largest_wal_mb":{},"open_seconds":{opened:.3},"verify_seconds":{verified:.2},"backup_seconds":{copied:.2},"resident_mb":{}}}"#,
        bytes as f64 / events as f64,
        index_bytes as f64 / events as f64,
        bytes as f64 / (accounts * ORDERS_PER_ACCOUNT) as f64,
        events as f64 / written,
        largest_wal >> 20,
        resident_megabytes()
    );
}

async fn write(store: &Arc<SqliteStore>, accounts: u64) -> u64 {
    let writers: Vec<_> = (0..WRITERS as u64)
        .map(|writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut largest = 0;
                for account in (writer..accounts).step_by(WRITERS) {
                    write_account(&store, account).await;
                    largest = largest.max(store.wal_bytes());
                }
                largest
            })
        })
        .collect();
    let mut largest = 0;
    for writer in writers {
        largest = largest.max(writer.await.unwrap());
    }
    largest
}

/// One account, under ids like those of the service.
async fn write_account(store: &SqliteStore, number: u64) {
    let at = Timestamp::from_millis(i64::try_from(START + number).unwrap());
    // Scattered like chance, the same at every run.
    let random = |salt: u64| {
        u128::from((number * 1_000 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 16
            | u128::from(salt) << 8
    };
    let id = AccountId(time_ordered(START + number, random(0)));
    let (mut state, mut expected) = (State::default(), Expected::NoStream);
    let mut commands = vec![
        Command::Register {
            id,
            key_hash: [7; 32],
            webhook_secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr".to_owned(),
            at,
        },
        Command::Credit { amount: Money::from_cents(100_000), reason: "benchmark".to_owned(), at },
    ];
    for order in 1..=ORDERS_PER_ACCOUNT {
        commands.extend(order_commands(
            OrderId(time_ordered(START + number, random(order))),
            number * ORDERS_PER_ACCOUNT + order,
            at,
        ));
    }
    for (salt, command) in (100..).zip(commands) {
        let decided = state.decide(&command).unwrap();
        let metadata = Metadata {
            causation: CommandId(time_ordered(START + number, random(salt))),
            correlation: None,
            actor: Actor::Owner,
            at,
        };
        let events = decided
            .iter()
            .enumerate()
            .map(|(index, event)| NewEvent::new(index, event.clone().into(), &metadata))
            .collect();
        let appended =
            store.append(Append { stream: StreamId::account(id), expected, events }).await.unwrap();
        expected = Expected::Exact(Revision(appended.revision.0));
        for event in &decided {
            state = state.evolve(event);
        }
    }
}

/// An order and the message that completes it.
fn order_commands(id: OrderId, number: u64, at: Timestamp) -> [Command; 2] {
    let supplier: events::supplier::SupplierName = "own".parse().unwrap();
    let phone: events::phone::Phone = format!("+1202{:07}", number % 10_000_000).parse().unwrap();
    let text = "G-482913 is your Google verification code.".to_owned();
    let message = IncomingSms {
        message_id: format!("m{number}"),
        supplier: supplier.clone(),
        to: phone.clone(),
        sender: "Google".to_owned(),
        text,
        receipt: order::Receipt::At(at),
        freed_at: None,
        hold: Vec::new(),
        at,
    };
    let placed = PlaceOrder {
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
        judge: events::policy::Judge::default(),
        scenario: None,
        first_answer: Some(FirstAnswer { supplier, answer: Ok(phone) }),
        at,
    };
    [Command::PlaceOrder(placed), Command::Order(id, order::Command::ReceiveSms(message))]
}

fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    kilobytes.unwrap_or(0) >> 10
}
