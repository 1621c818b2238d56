//! The views over a log: however it is cut into batches, stopped and repeated, the rows are the same, and they are the ledger's.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use events::account::{Command, Event as AccountEvent, FirstAnswer, PlaceOrder, State};
use events::country::Country;
use events::decider::Decider;
use events::envelope::{Position, Recorded, Revision, StreamId};
use events::id::{AccountId, DepositId, EventId, OrderId};
use events::money::Money;
use events::order::{self, AttemptFailure, IncomingSms};
use events::platform::Platform;
use events::time::Timestamp;
use events::{Event, deposit};
use projections::Views;

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
    let mut log = Log { records: Vec::new(), accounts: vec![State::default(); 4], revisions: vec![0; 4] };
    for account in 0..4 {
        log.command(account, &Command::Register { id: AccountId(account as u128 + 1), key_hash: [0; 32], webhook_secret: String::new(), at: at(0) });
        log.command(account, &Command::Credit { amount: Money::from_cents(100_000), reason: String::new(), at: at(1) });
    }
    for number in 0..80usize {
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
            max_concurrent: 5,
            first_answer: Some(FirstAnswer { supplier, answer }),
            at: now,
        };
        log.command(account, &Command::PlaceOrder(wanted));
        if number >= 78 {
            continue;
        }
        let later = at(10 + number * 60 + 31);
        let end = match number % 3 {
            0 if number % 7 != 6 => order::Command::ReceiveSms(IncomingSms {
                message_id: "m".to_owned(),
                supplier: "own".parse().unwrap(),
                to: phone,
                sender: String::new(),
                text: format!("Your {} verification code is 482913", platform.name()),
                received_at: later,
                at: later,
            }),
            1 => order::Command::Cancel { at: later },
            _ => order::Command::Expire { at: later },
        };
        log.command(account, &Command::Order(id, end));
    }
    let hash: deposit::TxHash = "ab".repeat(32).parse().unwrap();
    let claimed = deposit::Event::Claimed { account: AccountId(1), chain: "simulated".to_owned(), tx_hash: hash, output: 0, at: at(9_000) };
    log.record(StreamId::deposit(DepositId(5)), 0, claimed.into());
    log
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
        assert_eq!(Views::open(directory.path()).unwrap().dump().unwrap(), whole, "batches of {size}");
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
        assert_eq!((view.balance, view.held, view.completed), (state.balance, state.held, state.completed));
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
    let open: Vec<OrderId> = views.open_orders().await.unwrap().into_iter().map(|order| order.order).collect();
    assert_eq!(open, [OrderId(79), OrderId(80)]);
    assert_eq!(views.open_deposits().await.unwrap(), [DepositId(5)]);
    let place = views.order(OrderId(1)).await.unwrap().unwrap();
    let facts: Vec<&order::Event> = log
        .records
        .iter()
        .filter(|record| record.stream.account_id() == Some(place.account) && (place.first..=place.last).contains(&record.revision))
        .filter_map(|record| if let Event::Account(AccountEvent::Order(OrderId(1), fact)) = &record.event { Some(fact) } else { None })
        .collect();
    assert_eq!(order::State::from_history(OrderId(1), facts).unwrap().status, order::Status::Completed);
    let of_phone = views.orders_of_phone("+12025550000".parse().unwrap(), 3).await.unwrap();
    assert_eq!(of_phone.iter().map(|place| place.order.0).collect::<Vec<_>>(), [71, 61, 51]);
    let served = views.served("own".to_owned(), at(0)).await.unwrap();
    assert!(!served.is_empty() && served.iter().all(|(_, _, when)| *when > at(0)));
    assert_eq!(views.order(OrderId(999)).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_of_another_version_or_a_broken_one_starts_empty() {
    let directory = tempfile::tempdir().unwrap();
    Views::open(directory.path()).unwrap().apply(&log().records).unwrap();
    rusqlite::Connection::open(directory.path().join("views.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let views = Views::open(directory.path()).unwrap();
    assert_eq!((*views.checkpoint().borrow(), views.dump().unwrap().as_str()), (Position(0), ""));
    drop(views);
    std::fs::write(directory.path().join("views.db"), "no database").unwrap();
    assert_eq!(Views::open(directory.path()).unwrap().dump().unwrap(), "");
}
