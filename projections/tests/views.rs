//! The views over a log: however it is cut into batches, stopped and repeated, the rows are the
//! same, and they are the ledger's.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use events::account::{Command, Event as AccountEvent, FirstAnswer, PlaceOrder, State};
use events::chain::Block;
use events::country::Country;
use events::decider::Decider;
use events::deposit::Sight;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::{AccountId, DepositId, EventId, OrderId};
use events::lease::{self, LeaseId, Outcome, Request};
use events::money::Money;
use events::number::{self, Alphabet, KeptSms, Listing, Part, SetId, Unclaimed};
use events::order::{self, AttemptFailure, IncomingSms};
use events::platform::Platform;
use events::time::Timestamp;
use events::{Event, deposit};
use telenumerus_projections::{
    AccountFilter, AccountView, AnyOrderFilter, Concern, DepositRow, StrayFilter, Views,
};

struct Log {
    records: Vec<Recorded<Event>>,
    accounts: Vec<State>,
    revisions: Vec<u64>,
}

fn at(second: usize) -> Timestamp {
    Timestamp::from_millis(1_795_500_000_000 + i64::try_from(second).unwrap() * 1_000)
}

impl Log {
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
}

/// Four accounts and eighty orders that end in every way; two stay open.
fn log() -> Log {
    let mut log =
        Log { records: Vec::new(), accounts: vec![State::default(); 4], revisions: vec![0; 4] };
    for account in 0..4 {
        log.command(
            account,
            &Command::Register {
                id: AccountId(account as u128 + 1),
                key_hash: [0; 32],
                webhook_secret: String::new(),
                at: at(0),
            },
        );
        log.command(
            account,
            &Command::Credit {
                amount: Money::from_cents(100_000),
                reason: String::new(),
                at: at(1),
            },
        );
    }
    (0..80).for_each(|number| order(&mut log, number));
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

/// The order of this number: placed, and ended in its own way.
fn order(log: &mut Log, number: usize) {
    let (account, id, now) = (number % 4, OrderId(number as u128 + 1), at(10 + number * 60));
    let supplier = "own".parse().unwrap();
    let phone: events::phone::Phone = format!("+1202555{:04}", number % 10).parse().unwrap();
    let platform = Platform::ALL[number % 5];
    let answer = if number % 7 == 6 { Err(AttemptFailure::NoNumber) } else { Ok(phone.clone()) };
    let wanted = PlaceOrder {
        order: id,
        platform,
        country: Country::ALL[number % 3],
        list_price: Money::from_cents(50),
        max_price: None,
        lifetime_seconds: 30,
        seek_seconds: 30,
        max_attempts: 3,
        listen_seconds: 300,
        max_concurrent: 5,
        cancels: events::account::CancelRules::default(),
        scenario: None,
        first_answer: Some(FirstAnswer { supplier, answer }),
        at: now,
    };
    log.command(account, &Command::PlaceOrder(wanted));
    if number < 78 {
        end_order(log, number, phone);
    }
}

/// A message, a cancellation or the deadline. Every other completed order listens for a while, is
/// reported, and is finished.
fn end_order(log: &mut Log, number: usize, phone: events::phone::Phone) {
    let (account, id) = (number % 4, OrderId(number as u128 + 1));
    let platform = Platform::ALL[number % 5];
    let listens = number.is_multiple_of(6) && number % 7 != 6;
    let later = at(10 + number * 60 + if listens { 5 } else { 31 });
    let end = match number % 3 {
        0 if number % 7 != 6 => order::Command::ReceiveSms(IncomingSms {
            message_id: "m".to_owned(),
            supplier: "own".parse().unwrap(),
            to: phone,
            sender: String::new(),
            text: if listens {
                "Your verification code is 482913".to_owned()
            } else {
                format!("Your {} verification code is 482913", platform.name())
            },
            receipt: events::order::Receipt::At(later),
            freed_at: None,
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
fn parts(log: &mut Log) {
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
    let credit = |deposit, cents, moment, log: &mut Log| {
        let amount = Money::from_cents(cents);
        log.command(1, &Command::CreditDeposit { deposit, amount, at: at(moment) });
    };
    facts(6, vec![seen(Some(2), 0, "a"), confirmed(1_000)], log);
    credit(DepositId(6), 1_000, 9_102, log);
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
    credit(DepositId(8), 40, 9_105, log);
    facts(9, vec![seen(Some(2), 3, "a"), confirmed(1_000)], log);
    credit(DepositId(9), 1_000, 9_106, log);
    facts(
        9,
        vec![deposit::Event::Credited { at: at(9_106) }, deposit::Event::Settled { at: at(9_107) }],
        log,
    );
    // The small one came in with it.
    facts(8, vec![deposit::Event::Credited { at: at(9_106) }], log);
    facts(10, vec![seen(Some(2), 4, "b"), confirmed(7)], log);
    credit(DepositId(10), 7, 9_108, log);
}

#[tokio::test]
async fn any_cut_into_batches_gives_the_same_rows() {
    let log = log().records;
    let whole = tempfile::tempdir().unwrap();
    let whole = {
        let views = Views::open(whole.path()).unwrap();
        views.apply(&log).unwrap();
        views.dump().unwrap()
    };
    for size in [1, 2, 3, 7, 50] {
        let directory = tempfile::tempdir().unwrap();
        for batch in log.chunks(size) {
            // A projector that dies after every batch: what is in memory is gone each time.
            Views::open(directory.path()).unwrap().apply(batch).unwrap();
        }
        assert_eq!(
            Views::open(directory.path()).unwrap().dump().unwrap(),
            whole,
            "batches of {size}"
        );
    }
}

#[tokio::test]
async fn records_told_twice_count_once() {
    let log = log().records;
    let (once, twice) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let once = Views::open(once.path()).unwrap();
    once.apply(&log).unwrap();
    let twice = Views::open(twice.path()).unwrap();
    for end in [10, 40, 40, 90, log.len(), log.len()] {
        twice.apply(&log[..end]).unwrap();
    }
    assert_eq!(twice.dump().unwrap(), once.dump().unwrap());
}

#[tokio::test]
async fn the_views_are_the_ledger() {
    let log = log();
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log.records).unwrap();
    for (index, state) in log.accounts.iter().enumerate() {
        let view = views.account(AccountId(index as u128 + 1)).await.unwrap();
        assert_eq!(
            (view.balance, view.held, view.completed, view.refunded),
            (state.balance, state.held, state.completed, state.refunded)
        );
        assert_eq!(view.orders, 20);
        let ended = view.completed + view.cancelled + view.expired + view.failed;
        assert_eq!(view.orders - ended, state.open.len() as u64);
        let usage = views.usage(AccountId(index as u128 + 1), 0, i64::MAX).await.unwrap();
        assert_eq!(usage.iter().map(|cell| cell.spent).sum::<Money>(), view.spent);
        assert_eq!(usage.iter().map(|cell| cell.orders).sum::<u64>(), view.orders);
    }
}

#[tokio::test]
async fn recovery_finds_what_is_open_and_where_ended_orders_stand() {
    let log = log();
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log.records).unwrap();
    let open: Vec<OrderId> =
        views.open_orders().await.unwrap().into_iter().map(|order| order.order).collect();
    assert_eq!(open, [31, 61, 79, 80].map(OrderId), "those that listen, too");
    assert_eq!(views.open_deposits("simulated".to_owned()).await.unwrap(), [DepositId(5)]);
    assert_eq!(views.open_deposits("btc".to_owned()).await.unwrap(), [6, 7, 8, 10].map(DepositId));
    let place = views.order(OrderId(1)).await.unwrap().unwrap();
    let facts: Vec<&order::Event> = log
        .records
        .iter()
        .filter(|record| {
            record.stream.account_id() == Some(place.account)
                && (place.first..=place.last).contains(&record.revision)
        })
        .filter_map(|record| {
            if let Event::Account(AccountEvent::Order(OrderId(1), fact)) = &record.event {
                Some(fact)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        order::State::from_history(OrderId(1), facts).unwrap().status,
        order::Status::Completed
    );
    let of_phone = views.orders_of_phone("+12025550000".parse().unwrap(), 3).await.unwrap();
    assert_eq!(of_phone.iter().map(|place| place.order.0).collect::<Vec<_>>(), [71, 61, 51]);
    let served = views.served("own".to_owned(), at(0)).await.unwrap();
    assert!(!served.is_empty() && served.iter().all(|(_, _, when)| *when > at(0)));
    let recent = views.numbers_on_orders(at(0)).await.unwrap();
    assert_eq!(
        (
            recent.len(),
            recent.iter().filter(|(_, ended_at)| ended_at.is_some_and(|when| when > at(0))).count()
        ),
        (10, 10)
    );
    let on_orders = views.numbers_on_orders(at(99_999)).await.unwrap();
    assert_eq!(
        on_orders,
        ["+12025550000", "+12025550008", "+12025550009"]
            .map(|phone| (phone.parse().unwrap(), None))
    );
    assert_eq!(views.order(OrderId(999)).await.unwrap(), None);
    assert_eq!(views.numbers_with_parts().await.unwrap(), ["+12025550000".parse().unwrap()]);
}

/// Numbers listed, listed anew and retired; leases at every place of their lives.
fn sources(log: &mut Log) {
    let phone =
        |number: u32| format!("+1202555{number:04}").parse::<events::phone::Phone>().unwrap();
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

#[tokio::test]
async fn pools_and_leases_are_as_their_facts_say() {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    let listed = views.listed("twilio".to_owned()).await.unwrap();
    let shown: Vec<_> =
        listed.iter().map(|(phone, listing)| (phone.as_str(), listing.platforms.clone())).collect();
    assert_eq!(
        shown,
        [("+12025550901", None), ("+12025550902", Some(vec![Platform::Google, Platform::Steam]))]
    );
    let retired = views.retired().await.unwrap();
    let retired: Vec<_> = retired
        .iter()
        .map(|number| (number.phone.as_str(), number.reason.as_str(), number.at))
        .collect();
    assert_eq!(retired, [("+12025550903", "sold", at(9_301))]);
    let strays = views
        .strays(StrayFilter { phone: "+12025550902".parse().ok(), ..StrayFilter::default() }, 10)
        .await
        .unwrap();
    assert_eq!(
        strays.iter().map(|stray| (stray.why.as_str(), stray.at)).collect::<Vec<_>>(),
        [("not_assigned", at(9_302))]
    );
    let open = views.open_leases("acme-2".to_owned()).await.unwrap();
    let open: Vec<_> = open
        .iter()
        .map(|(id, phone)| {
            (id.order.0, id.attempt, phone.as_ref().map(events::phone::Phone::as_str))
        })
        .collect();
    assert_eq!(open, [(1, 1, None), (2, 1, Some("+12025550910")), (3, 1, Some("+12025550910"))]);
    assert_eq!(views.sources_with_open_leases().await.unwrap(), ["acme-2".parse().unwrap()]);
    let outcomes = views.supplier_outcomes(at(0)).await.unwrap();
    assert!(
        outcomes.iter().any(|outcome| outcome.supplier.as_str() == "own"
            && outcome.completed > 0
            && outcome.ended > outcome.completed),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn deposits_are_listed_for_their_owners_and_for_operators() {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    let ids = |rows: Vec<DepositRow>| rows.into_iter().map(|row| row.deposit.0).collect::<Vec<_>>();
    let own = views.deposits(AccountId(2), None, 10).await.unwrap();
    assert_eq!(
        ids(views.deposits(AccountId(2), Some(own[1].position.0), 10).await.unwrap()),
        [8, 6]
    );
    let back = &own[3];
    let block = Block { height: 100, hash: "b".to_owned() };
    assert_eq!(
        (back.status.as_str(), back.block.clone(), back.amount, back.reversals, back.is_credited()),
        ("pending", Some(block), None, 1, false)
    );
    let settled = &own[1];
    assert_eq!(
        (settled.status.as_str(), settled.amount, settled.is_credited()),
        ("settled", Some(Money::from_cents(1_000)), true)
    );
    assert_eq!(ids(own), [10, 9, 8, 6]);
    assert_eq!(
        ids(views.deposits_of_transaction(AccountId(2), "cd".repeat(32)).await.unwrap()),
        [6, 8, 9, 10]
    );
    let concern = |concern| views.deposits_of_concern(concern, 10);
    assert_eq!(ids(concern(Concern::Unknown).await.unwrap()), [7]);
    assert_eq!(ids(concern(Concern::Dust).await.unwrap()), [10]);
    assert_eq!(ids(concern(Concern::Reversed).await.unwrap()), [6]);
    assert_eq!(ids(concern(Concern::Stuck(at(9_100))).await.unwrap()), [5]);
    assert_eq!(ids(concern(Concern::Stuck(at(9_200))).await.unwrap()), [5, 6]);
}

#[tokio::test]
async fn a_status_that_is_none_is_not_taken_for_another() {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    let file = rusqlite::Connection::open(directory.path().join("views.db")).unwrap();
    // Without the sum that is kept with each change: only the service's own connection can keep it.
    file.execute_batch("DROP TRIGGER orders_on").unwrap();
    file.execute("UPDATE orders SET status = 'lost' WHERE account_id = ?1", [1u128.to_be_bytes()])
        .unwrap();
    let error = views
        .orders(AccountId(1), telenumerus_projections::OrderFilter::default(), 10)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("lost is no status"), "{error}");
}

#[tokio::test]
async fn a_file_of_another_version_or_a_broken_one_starts_empty() {
    let directory = tempfile::tempdir().unwrap();
    Views::open(directory.path()).unwrap().apply(&log().records).unwrap();
    rusqlite::Connection::open(directory.path().join("views.db"))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let empty = Views::open(elsewhere.path()).unwrap().dump().unwrap();
    let views = Views::open(directory.path()).unwrap();
    assert_eq!((*views.checkpoint().borrow(), views.dump().unwrap()), (Position(0), empty.clone()));
    drop(views);
    std::fs::write(directory.path().join("views.db"), "no database").unwrap();
    assert_eq!(Views::open(directory.path()).unwrap().dump().unwrap(), empty);
}

/// The files of views over a log, and what they answer.
fn written(is_killed: bool) -> (std::collections::BTreeMap<String, Vec<u8>>, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut log =
        Log { records: Vec::new(), accounts: vec![State::default(); 4], revisions: vec![0; 4] };
    for account in 0..4 {
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
    parts(&mut log);
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log.records).unwrap();
    let dump = views.dump().unwrap();
    let read = || {
        let files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
        let named = files.map(|file| {
            (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())
        });
        named.filter(|(name, _)| !name.ends_with("-shm")).collect()
    };
    if is_killed {
        return (read(), dump);
    }
    drop(views);
    (read(), dump)
}

/// Changed bytes of each file in every run; with `TELENUMERUS_EVERY_BYTE` set, every one.
const CASES: usize = 60;

#[test]
fn a_changed_byte_of_the_views_is_never_served() {
    for is_killed in [false, true] {
        let (files, sound) = written(is_killed);
        let (mut anew, mut cases) = (0, 0);
        for (name, bytes) in &files {
            // Most of a page is empty: places where something stands, and a few of the others,
            // another bit each time.
            let places: Vec<usize> =
                (0..bytes.len()).filter(|place| bytes[*place] != 0 || place % 1_009 == 0).collect();
            let step = if std::env::var_os("TELENUMERUS_EVERY_BYTE").is_some() {
                1
            } else {
                (places.len() / CASES) | 1
            };
            for place in places.into_iter().step_by(step) {
                // Thousands of directories: in memory, where there is such a place.
                let memory = std::path::Path::new("/dev/shm");
                let directory = if memory.is_dir() {
                    tempfile::tempdir_in(memory)
                } else {
                    tempfile::tempdir()
                }
                .unwrap();
                for (file, bytes) in &files {
                    std::fs::write(directory.path().join(file), bytes).unwrap();
                }
                let mut changed = bytes.clone();
                changed[place] ^= 1 << (place % 8);
                std::fs::write(directory.path().join(name), changed).unwrap();
                let views = Views::open(directory.path()).unwrap();
                cases += 1;
                if views.checkpoint().borrow().0 == 0 {
                    anew += 1;
                } else {
                    assert_eq!(views.dump().unwrap(), sound, "{name}, byte {place}");
                }
            }
        }
        assert!(
            anew > 5 && anew < cases,
            "{anew} of {cases}: the changes did not strike, or any change starts them anew"
        );
    }
}

fn viewed() -> (tempfile::TempDir, Views) {
    let directory = tempfile::tempdir().unwrap();
    let views = Views::open(directory.path()).unwrap();
    views.apply(&log().records).unwrap();
    (directory, views)
}

#[tokio::test]
async fn what_all_accounts_have_together_is_the_sum_of_what_each_has() {
    let (_directory, views) = viewed();
    let accounts = views.all_accounts(AccountFilter::default(), 100).await.unwrap();
    assert_eq!(accounts.len(), 4);
    assert!(accounts.windows(2).all(|pair| pair[0].position > pair[1].position));
    let mut sum = AccountView::default();
    for account in &accounts {
        sum.balance = sum.balance + account.sums.balance;
        sum.held = sum.held + account.sums.held;
        sum.spent = sum.spent + account.sums.spent;
        sum.orders += account.sums.orders;
        sum.completed += account.sums.completed;
        sum.cancelled += account.sums.cancelled;
        sum.expired += account.sums.expired;
        sum.failed += account.sums.failed;
        sum.refunded += account.sums.refunded;
    }
    assert_eq!(views.totals().await.unwrap(), sum);
}

#[tokio::test]
async fn the_hours_of_the_service_are_those_of_all_accounts() {
    let (_directory, views) = viewed();
    let hours = views.hourly(0, i64::MAX).await.unwrap();
    let totals = views.totals().await.unwrap();
    let sum =
        |of: fn(&telenumerus_projections::HourlyCell) -> u64| hours.iter().map(of).sum::<u64>();
    assert_eq!(sum(|cell| cell.orders), totals.orders);
    assert_eq!(sum(|cell| cell.completed), totals.completed);
    assert_eq!(sum(|cell| cell.cancelled), totals.cancelled);
    assert_eq!(sum(|cell| cell.expired), totals.expired);
    assert_eq!(hours.iter().fold(Money::ZERO, |sum, cell| sum + cell.revenue), totals.spent);
    let codes: u64 =
        views.delivery_times(0, i64::MAX).await.unwrap().iter().map(|bucket| bucket.codes).sum();
    assert_eq!(codes, totals.completed);
    assert_eq!(views.codes_since(at(0)).await.unwrap(), totals.completed);
}

#[tokio::test]
async fn the_pages_of_all_orders_have_each_once_newest_first() {
    let (_directory, views) = viewed();
    let mut seen = Vec::new();
    let mut filter = AnyOrderFilter::default();
    loop {
        let page = views.all_orders(filter.clone(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.order);
        seen.extend(page.iter().map(|order| order.order.0));
    }
    let all: Vec<u128> = (1..=80).rev().collect();
    assert_eq!(seen, all);
    let mut filter = AnyOrderFilter {
        account: Some(AccountId(2)),
        platform: Some(Platform::ALL[1]),
        ..AnyOrderFilter::default()
    };
    let found = views.all_orders(filter.clone(), 100).await.unwrap();
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|order| order.account == AccountId(2) && order.platform == Platform::ALL[1])
    );
    filter.is_open = true;
    assert!(
        views
            .all_orders(filter, 100)
            .await
            .unwrap()
            .iter()
            .all(|order| !order.status.is_end() || order.listens)
    );
}
