//! Appends that fail: each store says what is known of them, and a caller that does not know
//! whether its facts are in the log reads it before it decides anything else.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use events::account::{Command, Event as AccountEvent, State};
use events::envelope::{Actor, Position, StreamId};
use events::id::AccountId;
use events::money::Money;
use events::time::Timestamp;
use proptest::prelude::*;
use rusqlite::Connection;
use telenumerus_actors::kernel::clock::Clock;
use telenumerus_actors::kernel::entity::{Entity, TransactError};
use telenumerus_actors::kernel::entropy::Entropy;
use telenumerus_actors::store::conformance::{self, credits};
use telenumerus_actors::store::failing::{Asked, FailingStore};
use telenumerus_actors::store::memory::{Failure, MemoryStore};
use telenumerus_actors::store::sqlite::SqliteStore;
use telenumerus_actors::store::{AppendError, EventStore, Expected};
use telenumerus_actors::{Fault, Journal};

const ALL: [Failure; 3] = [Failure::BeforeWriting, Failure::Lost, Failure::AfterWriting];

#[tokio::test]
async fn the_memory_store_says_what_is_known_of_a_failed_append() {
    for failure in ALL {
        let store = MemoryStore::default();
        store.fail_next([Some(failure)]);
        let append = credits(1, Expected::NoStream, 1, 3);
        let said = store.append(append.clone()).await;
        let is_unknown = matches!(said, Err(AppendError::Unknown(_)));
        assert_eq!(is_unknown, failure != Failure::BeforeWriting, "{said:?}");
        conformance::says_what_is_known(&store, &append, &said).await;
    }
}

/// Changes the file under the store's feet.
fn alter(directory: &Path, statements: &str) {
    let connection = Connection::open(directory.join("events.db")).unwrap();
    connection.execute_batch(statements).unwrap();
}

#[tokio::test]
async fn an_insert_that_fails_is_not_written_and_the_store_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        SqliteStore::open(directory.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
    store.append(credits(2, Expected::NoStream, 1, 2)).await.unwrap();
    // The second record of three: the first one is written, and taken back.
    let failing = "CREATE TRIGGER failing BEFORE INSERT ON events WHEN new.revision = 1 BEGIN \
        SELECT RAISE(ABORT, 'ordered to fail'); END;";
    alter(directory.path(), failing);
    let append = credits(1, Expected::NoStream, 2, 3);
    let said = store.append(append.clone()).await;
    assert!(matches!(said, Err(AppendError::NotWritten(_))), "{said:?}");
    assert!(!store.takes_appends());
    alter(directory.path(), "DROP TRIGGER failing");
    conformance::says_what_is_known(&store, &append, &said).await;
    assert!(store.takes_appends());
    assert_eq!(store.read_all(Position(0), 10).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_commit_that_fails_is_unknown_and_ends_the_writer() {
    let directory = tempfile::tempdir().unwrap();
    let deaths = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&deaths);
    let on_fatal = move |_: &str| {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let store = SqliteStore::open(directory.path(), Arc::new(on_fatal)).unwrap();
    store.append(credits(2, Expected::NoStream, 1, 2)).await.unwrap();
    // A reference that nothing stands behind is looked for at the commit, and not before.
    let failing = "CREATE TABLE named (id INTEGER PRIMARY KEY);
        CREATE TABLE named_by (id INTEGER REFERENCES named (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER failing AFTER INSERT ON events BEGIN INSERT INTO named_by VALUES (1); END;";
    alter(directory.path(), failing);
    let append = credits(1, Expected::NoStream, 2, 3);
    let said = store.append(append.clone()).await;
    assert!(matches!(said, Err(AppendError::Unknown(_))), "{said:?}");
    assert_eq!(deaths.load(Ordering::Relaxed), 1, "nothing more may be acknowledged");
    let next = store.append(credits(3, Expected::NoStream, 3, 1)).await;
    assert!(next.is_err() && !store.takes_appends(), "{next:?}");
    drop(store);
    alter(directory.path(), "DROP TRIGGER failing");
    let store =
        SqliteStore::open(directory.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
    conformance::says_what_is_known(&store, &append, &said).await;
}

const ACCOUNT: AccountId = AccountId(1);

fn stream() -> StreamId {
    StreamId::account(ACCOUNT)
}

fn credit(cents: i64) -> Command {
    Command::Credit {
        amount: Money::from_cents(cents),
        reason: "test".to_owned(),
        at: Timestamp::from_millis(1),
    }
}

/// Failures in front of a store, and an account behind them that has registered.
struct Bench {
    failing: Arc<FailingStore>,
    journal: Journal,
    account: Entity<State>,
}

impl Bench {
    async fn over(store: Arc<dyn EventStore>) -> Self {
        let failing = Arc::new(FailingStore::before(store));
        let journal = Journal::new(
            Arc::clone(&failing) as Arc<dyn EventStore>,
            Clock::System,
            Entropy::System,
        );
        let account = journal.load(stream()).await.unwrap();
        let mut bench = Self { failing, journal, account };
        let register = Command::Register {
            id: ACCOUNT,
            key_hash: [0; 32],
            webhook_secret: "whsec_".to_owned(),
            at: Timestamp::from_millis(1),
        };
        bench.transact(&register).await.unwrap();
        bench.failing.take_asked();
        bench
    }

    async fn transact(&mut self, command: &Command) -> Result<(), Fault> {
        let at = Timestamp::from_millis(1);
        match self.journal.transact(&mut self.account, command, Actor::Service, at).await {
            Ok(_) => Ok(()),
            Err(TransactError::Fault(fault)) => Err(fault),
            Err(TransactError::Refused(refusal)) => panic!("{refusal:?}"),
        }
    }

    /// The credits that the log has, in its order.
    async fn credited(&self) -> Vec<i64> {
        let all = self.failing.read_all(Position(0), 10_000).await.unwrap();
        all.iter()
            .filter_map(|record| match &record.event {
                events::Event::Account(AccountEvent::Credited { amount, .. }) => {
                    Some(amount.micros() / Money::from_cents(1).micros())
                }
                _ => None,
            })
            .collect()
    }
}

/// Each kind of store, empty.
fn stores() -> Vec<(Arc<dyn EventStore>, Option<tempfile::TempDir>)> {
    let directory = tempfile::tempdir().unwrap();
    let sqlite =
        SqliteStore::open(directory.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
    vec![(Arc::new(MemoryStore::default()), None), (Arc::new(sqlite), Some(directory))]
}

#[tokio::test]
async fn one_failure_of_any_kind_is_settled_without_the_caller() {
    for (store, _directory) in stores() {
        let mut bench = Bench::over(store).await;
        for (failure, asked) in [
            (Failure::BeforeWriting, &[Asked::Append, Asked::Append][..]),
            (Failure::Lost, &[Asked::Append, Asked::Read, Asked::Read, Asked::Append]),
            (Failure::AfterWriting, &[Asked::Append, Asked::Read]),
        ] {
            bench.failing.fail_appends([Some(failure)]);
            bench.transact(&credit(1)).await.unwrap();
            assert_eq!(bench.failing.take_asked(), asked, "{failure:?}");
        }
        assert_eq!(bench.credited().await, [1, 1, 1]);
    }
}

#[tokio::test]
async fn what_is_unknown_is_read_before_anything_is_decided() {
    for failure in [Failure::Lost, Failure::AfterWriting] {
        for (store, _directory) in stores() {
            let mut bench = Bench::over(store).await;
            bench.failing.fail_appends([Some(failure)]);
            bench.failing.fail_reads([true; 4]);
            let said = bench.transact(&credit(1)).await;
            assert!(matches!(said, Err(Fault::Unknown(_))), "{said:?}");
            bench.failing.take_asked();
            let said = bench.transact(&credit(2)).await;
            assert!(matches!(said, Err(Fault::Read(_))), "{said:?}");
            let asked = bench.failing.take_asked();
            assert!(!asked.contains(&Asked::Append), "decided on what nobody knew: {asked:?}");
            bench.failing.heal();
            bench.transact(&credit(3)).await.unwrap();
            assert_eq!(bench.failing.take_asked(), [Asked::Read, Asked::Append]);
            let written: &[i64] = if failure == Failure::Lost { &[3] } else { &[1, 3] };
            assert_eq!(bench.credited().await, written);
        }
    }
}

fn failures() -> impl Strategy<Value = Vec<(Option<Failure>, bool)>> {
    let append = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Failure::BeforeWriting)),
        1 => Just(Some(Failure::Lost)),
        1 => Just(Some(Failure::AfterWriting)),
    ];
    proptest::collection::vec((append, any::<bool>()), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn however_a_store_fails_its_callers_are_told_the_truth(failures in failures()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for (store, _directory) in stores() {
                let mut bench = Bench::over(store).await;
                bench.failing.fail_appends(failures.iter().map(|(append, _)| *append));
                bench.failing.fail_reads(failures.iter().map(|(_, read)| *read));
                let mut said = Vec::new();
                for cents in 1..=12 {
                    said.push((cents, bench.transact(&credit(cents)).await));
                }
                bench.failing.heal();
                bench.transact(&credit(99)).await.unwrap();
                let credited = bench.credited().await;
                assert!(credited.is_sorted_by(|before, after| before < after),
                    "each once, in order: {credited:?}");
                for (cents, said) in said {
                    let is_there = credited.contains(&cents);
                    match said {
                        Ok(()) => assert!(is_there, "{cents} was acknowledged: {credited:?}"),
                        Err(Fault::Unknown(_)) => {}
                        Err(fault) => assert!(!is_there, "{cents} was not to be there ({fault}): {credited:?}"),
                    }
                }
            }
        });
    }
}
