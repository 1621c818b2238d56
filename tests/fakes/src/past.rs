//! A log as a busy service has it, lawful from the first record to the last: for whoever reads
//! logs, and not for whoever makes them.

use std::path::Path;
use std::sync::Arc;

use actors::kernel::clock::Stopwatch;
use actors::store::sqlite::SqliteStore;
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::account::{Command, FirstAnswer, PlaceOrder, State};
use events::country::Country;
use events::decider::Decider;
use events::envelope::{Actor, Metadata, Position, Revision, StreamId};
use events::id::{AccountId, CommandId, OrderId};
use events::money::Money;
use events::order::{self, IncomingSms};
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;

/// Read at a time.
const PAGE: usize = 2_048;
/// The completed orders of an account.
#[derive(Debug, Clone, Copy)]
pub struct Orders {
    /// How many.
    pub count: u128,
    /// How long each listens after its code.
    pub listen_seconds: u32,
    /// The number of an account's order.
    pub phone: fn(account: u128, order: u128) -> Phone,
}

/// Sixty orders of each account, each with a number of its own.
pub const SIXTY: Orders = Orders {
    count: 60,
    listen_seconds: 300,
    phone: |account, order| format!("+1202{account:03}{order:04}").parse().expect("lawful"),
};

/// Writes a log into `directory`: of so many accounts, some 360 events each. How many there are.
pub async fn write(directory: &Path, accounts: u128) -> u64 {
    let store = Arc::new(
        SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}")))
            .expect("the directory is there and empty"),
    );
    let tasks: Vec<_> = (1..=accounts)
        .map(|account| tokio::spawn(write_account(Arc::clone(&store), account, SIXTY)))
        .collect();
    for task in tasks {
        task.await.expect("what is written is lawful");
    }
    let events = store.head().borrow().0;
    store.close().await;
    events
}

/// Reads the log in `directory` from end to end, checked and decoded: how many events in a second.
pub async fn events_per_second(directory: &Path) -> f64 {
    let store = SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}")))
        .expect("there is a log in the directory");
    let start = Stopwatch::start();
    let (mut events, mut after) = (0u32, Position(0));
    loop {
        let page = store.read_all(after, PAGE).await.expect("it is as it was written");
        let Some(last) = page.last() else { break };
        after = last.position;
        events += u32::try_from(page.len()).expect("a page");
    }
    store.close().await;
    f64::from(events) / start.elapsed().as_secs_f64()
}

/// An order that has a number at once, and its message.
fn order(account: u128, order: u128, orders: &Orders, at: Timestamp) -> [Command; 2] {
    let id = OrderId((account << 64) | order);
    let (supplier, phone): (events::supplier::SupplierName, _) =
        ("own".parse().expect("lawful"), (orders.phone)(account, order));
    let place = Command::PlaceOrder(PlaceOrder {
        order: id,
        platform: Platform::Google,
        country: Country::Us,
        list_price: Money::from_cents(50),
        max_price: None,
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: orders.listen_seconds,
        max_concurrent: 1,
        cancels: events::account::CancelRules::default(),
        judge: events::policy::Judge::default(),
        scenario: None,
        first_answer: Some(FirstAnswer { supplier: supplier.clone(), answer: Ok(phone.clone()) }),
        at,
    });
    let text = "G-482913 is your Google verification code.".to_owned();
    let sms = IncomingSms {
        message_id: "m1".to_owned(),
        supplier,
        to: phone,
        sender: "Google".to_owned(),
        text,
        receipt: events::order::Receipt::At(at),
        freed_at: None,
        hold: Vec::new(),
        at,
    };
    [place, Command::Order(id, order::Command::ReceiveSms(sms))]
}

/// One account with its orders: six events each.
pub async fn write_account(store: Arc<SqliteStore>, account: u128, orders: Orders) {
    let at = Timestamp::from_millis(1_795_500_000_000);
    let (mut state, mut expected, mut number) = (State::default(), Expected::NoStream, 0u128);
    let mut commands = vec![
        Command::Register {
            id: AccountId(account),
            key_hash: [0; 32],
            webhook_secret: "whsec_".to_owned(),
            at,
        },
        Command::Credit { amount: Money::from_cents(100_000), reason: "benchmark".to_owned(), at },
    ];
    for number in 0..orders.count {
        commands.extend(order(account, number, &orders, at));
    }
    for command in commands {
        let decided = state.decide(&command).expect("lawful");
        number += 1;
        let metadata = Metadata {
            causation: CommandId((account << 80) | (number << 8)),
            correlation: None,
            actor: Actor::Service,
            at,
        };
        let events = decided
            .iter()
            .enumerate()
            .map(|(index, event)| NewEvent::new(index, event.clone().into(), &metadata))
            .collect();
        let appended = store
            .append(Append { stream: StreamId::account(AccountId(account)), expected, events })
            .await
            .expect("lawful");
        expected = Expected::Exact(Revision(appended.revision.0));
        for event in &decided {
            state = state.evolve(event);
        }
    }
}
