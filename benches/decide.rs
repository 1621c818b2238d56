//! What do the rules themselves cost? Whole order lives decided and evolved in memory, and messages
//! read for their code, beside a SHA-256 of 256 bytes.
//!
//! `cargo bench --bench decide`

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use events::account::{Command, FirstAnswer, PlaceOrder, State};
use events::code::{Message, extract};
use events::country::Country;
use events::decider::{Decider, fold};
use events::id::{AccountId, OrderId};
use events::money::Money;
use events::order::{self, IncomingSms};
use events::platform::Platform;
use events::time::Timestamp;
use sha2::{Digest, Sha256};

const PHASE: Duration = Duration::from_secs(2);
const MESSAGE: Message = Message::new("G-482913 is your Google verification code. Never share it.");
const AT: Timestamp = Timestamp::from_millis(1_795_500_000_000);

fn main() {
    let hash = per_second(|| {
        black_box(Sha256::digest([7u8; 256]));
    });
    let extraction =
        per_second(|| drop(black_box(extract(&MESSAGE, Some(Platform::Google.service())))));
    let mut state = account();
    let mut number = 0;
    let life = per_second(|| {
        number += 1;
        state = life(std::mem::take(&mut state), number);
    });
    println!(
        r#"{{"lives_per_second":{life:.0},"extractions_per_second":{extraction:.0},"hashes_per_second":{hash:.0},"life_ratio":{:.4},"extraction_ratio":{:.4}}}"#,
        life / hash,
        extraction / hash
    );
}

fn per_second(mut work: impl FnMut()) -> f64 {
    let (start, mut times) = (Instant::now(), 0u64);
    while start.elapsed() < PHASE {
        for _ in 0..64 {
            work();
        }
        times += 64;
    }
    times as f64 / start.elapsed().as_secs_f64()
}

fn account() -> State {
    let register = Command::Register {
        id: AccountId(1),
        key_hash: [0; 32],
        webhook_secret: String::new(),
        at: AT,
    };
    let credit = Command::Credit {
        amount: Money::from_cents(100_000_000_000),
        reason: String::new(),
        at: AT,
    };
    [register, credit].iter().fold(State::default(), step)
}

fn step(state: State, command: &Command) -> State {
    let events = state.decide(command).unwrap();
    fold(state, &events)
}

/// Placed with its number, then completed by its message.
fn life(state: State, number: u128) -> State {
    let (supplier, phone): (events::supplier::SupplierName, events::phone::Phone) =
        ("own".parse().unwrap(), "+12025550123".parse().unwrap());
    let place = Command::PlaceOrder(PlaceOrder {
        order: OrderId(number),
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
        judge: events::policy::Judge::default(),
        scenario: None,
        first_answer: Some(FirstAnswer { supplier: supplier.clone(), answer: Ok(phone.clone()) }),
        at: AT,
    });
    let text = "G-482913 is your Google verification code.".to_owned();
    let sms = IncomingSms {
        message_id: "m1".to_owned(),
        supplier,
        to: phone,
        sender: "Google".to_owned(),
        text,
        receipt: events::order::Receipt::At(AT),
        freed_at: None,
        hold: Vec::new(),
        at: AT,
    };
    [place, Command::Order(OrderId(number), order::Command::ReceiveSms(sms))]
        .iter()
        .fold(state, step)
}
