//! The log that the views are folded from.

use events::account::{Command, FirstAnswer, PlaceOrder, State, TestKey};
use events::chain::Block;
use events::country::Country;
use events::decider::Decider;
use events::deposit::Sight;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::{AccountId, ApiKeyId, DepositId, EventId, OrderId};
use events::lease::{self, LeaseId, Outcome, Request};
use events::money::Money;
use events::number::{self, Alphabet, KeptSms, Listing, Part, SetId, Unclaimed};
use events::order::{self, AttemptFailure, IncomingSms, Scenario};
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use events::{Event, deposit};
use telenumerus_projections::Views;

pub struct Log {
    pub records: Vec<Recorded<Event>>,
    pub accounts: Vec<State>,
    revisions: Vec<u64>,
}

pub fn at(second: usize) -> Timestamp {
    Timestamp::from_millis(1_795_500_000_000 + i64::try_from(second).unwrap() * 1_000)
}

impl Log {
    /// Of so many accounts, registered.
    pub fn of_accounts(count: usize) -> Self {
        let (accounts, revisions) = (vec![State::default(); count], vec![0; count]);
        let mut log = Self { records: Vec::new(), accounts, revisions };
        for account in 0..count {
            log.command(
                account,
                &Command::Register {
                    id: AccountId(account as u128 + 1),
                    key_hash: [0; 32],
                    webhook_secret: String::new(),
                    at: at(0),
                },
            );
        }
        log
    }

    fn record(&mut self, stream: StreamId, revision: u64, event: Event) {
        let position = self.records.len() as u64 + 1;
        let (at, correlation) = (event.at(), event.order());
        self.records.push(Recorded {
            id: EventId(position.into()),
            stream,
            revision: Revision(revision),
            position: Position(position),
            at,
            correlation,
            event,
        });
    }

    fn command(&mut self, account: usize, command: &Command) {
        for event in self.accounts[account].decide(command).unwrap() {
            self.accounts[account] = self.accounts[account].clone().evolve(&event);
            let revision = self.revisions[account];
            self.revisions[account] += 1;
            self.record(StreamId::account(AccountId(account as u128 + 1)), revision, event.into());
        }
    }

    /// An account for tests beside account 1, with an order that has credited made-up money.
    pub fn with_tests(mut self) -> Self {
        let account = self.accounts.len();
        self.accounts.push(State::default());
        self.revisions.push(0);
        let key = TestKey {
            account: AccountId(account as u128 + 1),
            live: AccountId(1),
            id: ApiKeyId(900),
            name: "ci".to_owned(),
            hash: [9; 32],
            webhook_secret: String::new(),
            at: at(9_500),
        };
        self.command(account, &Command::AddTestKey(key));
        let scenario = Some(Scenario::DepositReorg);
        let order = PlaceOrder { scenario, first_answer: None, ..wanted(900, at(9_501)) };
        self.command(account, &Command::PlaceOrder(order));
        self
    }
}

/// An order as its caller wants it.
fn wanted(number: usize, at: Timestamp) -> PlaceOrder {
    PlaceOrder {
        order: OrderId(number as u128 + 1),
        platform: Platform::ALL[number % 5],
        country: Country::ALL[number % 3],
        list_price: Money::from_cents(50),
        max_price: None,
        lifetime_seconds: 30,
        seek_seconds: 30,
        max_attempts: 3,
        listen_seconds: 300,
        max_concurrent: 5,
        cancels: events::account::CancelRules::default(),
        judge: events::policy::Judge::default(),
        scenario: None,
        first_answer: None,
        at,
    }
}

/// Four accounts and eighty orders that end in every way; two stay open.
pub fn log() -> Log {
    let mut log = Log::of_accounts(4);
    for account in 0..4 {
        log.command(
            account,
            &Command::Credit {
                amount: Money::from_cents(100_000),
                reason: String::new(),
                at: at(1),
            },
        );
    }
    for number in 0..80 {
        order_of(number, &mut log);
    }
    let hash: deposit::TxHash = "ab".repeat(32).parse().unwrap();
    let claimed = deposit::Event::Claimed {
        account: AccountId(1),
        chain: "simulated".to_owned(),
        tx_hash: hash,
        output: 0,
        at: at(9_000),
    };
    log.record(StreamId::deposit(DepositId(5)), 0, claimed.into());
    watched_deposits(&mut log);
    parts(&mut log);
    sources(&mut log);
    log
}

/// The order of a number, from its place to its end.
fn order_of(number: usize, log: &mut Log) {
    let (account, id, now) = (number % 4, OrderId(number as u128 + 1), at(10 + number * 60));
    let supplier = "own".parse().unwrap();
    let phone: Phone = format!("+1202555{:04}", number % 10).parse().unwrap();
    let has_number = number % 7 != 6;
    let answer = if has_number { Ok(phone.clone()) } else { Err(AttemptFailure::NoNumber) };
    let first_answer = Some(FirstAnswer { supplier, answer });
    let order = PlaceOrder { first_answer, ..wanted(number, now) };
    let platform = order.platform;
    log.command(account, &Command::PlaceOrder(order));
    if number >= 78 {
        return;
    }
    // Every other completed order listens for a while, is reported, and is finished.
    let listens = number.is_multiple_of(6) && has_number;
    let later = at(10 + number * 60 + if listens { 5 } else { 31 });
    let end = match number % 3 {
        0 if has_number => order::Command::ReceiveSms(IncomingSms {
            message_id: "m".to_owned(),
            supplier: "own".parse().unwrap(),
            to: phone,
            sender: String::new(),
            text: if listens {
                "Your verification code is 482913".to_owned()
            } else {
                format!("Your {} verification code is 482913", platform.name())
            },
            receipt: order::Receipt::At(later),
            freed_at: None,
            hold: Vec::new(),
            at: later,
        }),
        1 => order::Command::Cancel { at: later },
        _ => order::Command::Expire { at: later },
    };
    log.command(account, &Command::Order(id, end));
    if listens {
        let complaint = if number.is_multiple_of(4) {
            order::Complaint::WrongCode
        } else {
            order::Complaint::NumberUsed
        };
        let then = at(10 + number * 60 + 20);
        log.command(account, &Command::Order(id, order::Command::Report { complaint, at: then }));
        // Of some, the number stays on it to the end of this log.
        if !number.is_multiple_of(5) {
            log.command(account, &Command::Order(id, order::Command::Finish { at: then }));
        }
    }
}

/// A message that is whole, and one that waits for its second part.
pub fn parts(log: &mut Log) {
    let phone = "+12025550000".parse().unwrap();
    let part = |reference, number| {
        let (supplier, sender) = ("smpp".parse().unwrap(), "Google".to_owned());
        let (alphabet, bytes, moment) = (Alphabet::Utf8, vec![b'a', number], at(9_200));
        number::Event::PartKept {
            part: Part {
                supplier,
                sender,
                reference,
                number,
                total: 2,
                alphabet,
                bytes,
                received_at: moment,
                at: moment,
            },
            opened_at: moment,
        }
    };
    let set = SetId {
        opened_at: at(9_200),
        supplier: "smpp".parse().unwrap(),
        sender: "Google".to_owned(),
        reference: 1,
        total: 2,
    };
    let joined = number::Event::PartsJoined { set, is_whole: true, at: at(9_201) };
    for (event, revision) in [part(1, 2), part(2, 1), part(1, 1), joined].into_iter().zip(0..) {
        log.record(StreamId::number(&phone), revision, event.into());
    }
    let other = "+12025550009".parse().unwrap();
    let set = SetId {
        opened_at: at(9_200),
        supplier: "smpp".parse().unwrap(),
        sender: "Google".to_owned(),
        reference: 1,
        total: 2,
    };
    for (event, revision) in
        [part(1, 2), number::Event::PartsJoined { set, is_whole: false, at: at(9_202) }]
            .into_iter()
            .zip(0..)
    {
        log.record(StreamId::number(&other), revision, event.into());
    }
}

/// One credited, gone and back in another block; one to a shared address; one too small.
fn watched_deposits(log: &mut Log) {
    let seen = |account: Option<u128>, output, branch: &str| {
        let (chain, tx_hash) = ("btc".to_owned(), "cd".repeat(32).parse().unwrap());
        let block = Block { height: 100, hash: branch.to_owned() };
        let sight = Sight {
            account: account.map(AccountId),
            chain,
            tx_hash,
            output,
            paid: "0.001".to_owned(),
            block,
        };
        deposit::Event::Seen { sight, at: at(9_100) }
    };
    let confirmed = |cents| {
        let (paid, rate, rate_source) =
            ("0.001".to_owned(), "10000".to_owned(), "fixed".to_owned());
        deposit::Event::Confirmed {
            amount: Money::from_cents(cents),
            paid,
            rate,
            rate_source,
            rate_at: at(9_101),
            at: at(9_101),
        }
    };
    let facts = |deposit, facts: Vec<deposit::Event>, log: &mut Log| {
        let first = log
            .records
            .iter()
            .filter(|record| record.stream.deposit_id() == Some(DepositId(deposit)))
            .count() as u64;
        facts.into_iter().zip(first..).for_each(|(fact, revision)| {
            log.record(StreamId::deposit(DepositId(deposit)), revision, fact.into());
        });
    };
    facts(6, vec![seen(Some(2), 0, "a"), confirmed(1_000)], log);
    credit(log, 6, 1_000, 9_102);
    facts(
        6,
        vec![
            deposit::Event::Credited { at: at(9_102) },
            deposit::Event::Orphaned { at: at(9_103) },
        ],
        log,
    );
    log.command(1, &Command::ReverseDeposit { deposit: DepositId(6), at: at(9_104) });
    facts(6, vec![deposit::Event::Reversed { at: at(9_104) }, seen(Some(2), 0, "b")], log);
    facts(7, vec![seen(None, 1, "b")], log);
    facts(8, vec![seen(Some(2), 2, "b"), confirmed(40)], log);
    credit(log, 8, 40, 9_105);
    facts(9, vec![seen(Some(2), 3, "a"), confirmed(1_000)], log);
    credit(log, 9, 1_000, 9_106);
    facts(
        9,
        vec![deposit::Event::Credited { at: at(9_106) }, deposit::Event::Settled { at: at(9_107) }],
        log,
    );
    // The small one came in with it.
    facts(8, vec![deposit::Event::Credited { at: at(9_106) }], log);
    facts(10, vec![seen(Some(2), 4, "b"), confirmed(7)], log);
    credit(log, 10, 7, 9_108);
}

fn credit(log: &mut Log, deposit: u128, cents: i64, second: usize) {
    let (deposit, amount) = (DepositId(deposit), Money::from_cents(cents));
    log.command(1, &Command::CreditDeposit { deposit, amount, at: at(second) });
}

pub fn viewed() -> (tempfile::TempDir, Views) {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    (directory, views)
}

/// Numbers listed, listed anew and retired; leases at every place of their lives.
fn sources(log: &mut Log) {
    let phone = |number: u32| format!("+1202555{number:04}").parse::<Phone>().unwrap();
    let listing = |platforms| Listing {
        supplier: "twilio".parse().unwrap(),
        country: Country::Us,
        platforms,
    };
    let listed = |platforms| number::Event::Listed { listing: listing(platforms), at: at(9_300) };
    let kept = number::Event::SmsKept(KeptSms {
        message_id: "m1".to_owned(),
        supplier: "twilio".parse().unwrap(),
        sender: "Google".to_owned(),
        text: "G-482913".to_owned(),
        received_at: at(9_302),
        why: Unclaimed::NotAssigned,
        at: at(9_302),
    });
    for (number, events) in [
        (901, vec![listed(None)]),
        (902, vec![listed(None), listed(Some(vec![Platform::Google, Platform::Steam])), kept]),
        (
            903,
            vec![listed(None), number::Event::Retired { reason: "sold".to_owned(), at: at(9_301) }],
        ),
    ] {
        for (event, revision) in events.into_iter().zip(0..) {
            log.record(StreamId::number(&phone(number)), revision, event.into());
        }
    }
    let obtained =
        lease::Event::Obtained { phone: phone(910), cost: Money::from_cents(12), at: at(9_401) };
    let release_sought = lease::Event::ReleaseSought { outcome: Outcome::Served, at: at(9_402) };
    let released = lease::Event::Released { charged: Money::from_cents(11), at: at(9_403) };
    for (order, facts) in [
        (1u128, vec![]),
        (2, vec![obtained.clone()]),
        (3, vec![obtained.clone(), release_sought.clone()]),
        (4, vec![obtained, release_sought, released]),
        (5, vec![lease::Event::Declined { at: at(9_401) }]),
    ] {
        let id = LeaseId { supplier: "acme-2".parse().unwrap(), order: OrderId(order), attempt: 1 };
        let request = Request {
            id: id.clone(),
            account: AccountId(1),
            platform: Platform::Google,
            country: Country::Us,
        };
        let sought = lease::Event::Sought { request, at: at(9_400) };
        for (event, revision) in std::iter::once(sought).chain(facts).zip(0..) {
            log.record(StreamId::lease(&id), revision, event.into());
        }
    }
}
