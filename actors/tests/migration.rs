//! Logs of the first layout: opened, they are today's, record for record; whatever happens on the
//! way, nothing is lost.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use events::envelope::{Actor, Position, Revision};
use events::id::{CommandId, EventId, OrderId};
use events::time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rusqlite::{Connection, params};
use telenumerus_actors::store::chain::{self, Fields, Hash};
use telenumerus_actors::store::conformance::{credits, credits_at};
use telenumerus_actors::store::sqlite::{OpenError, SqliteStore, backup, verify_chain};
use telenumerus_actors::store::{Append, EventStore, Expected};

const FIRST_LAYOUT: &str = "CREATE TABLE events (
    position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, event_id BLOB \
    NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
    at INTEGER NOT NULL, causation BLOB NOT NULL, correlation BLOB NOT NULL, actor TEXT NOT NULL, \
    payload BLOB NOT NULL, checksum INTEGER NOT NULL,
    chain BLOB NOT NULL, UNIQUE (stream, revision)
) STRICT; PRAGMA application_id = 0x544e4556; PRAGMA user_version = 1;";

/// Writes the appends as the first version of the store did.
fn write_first_layout(directory: &Path, appends: &[Append]) {
    let connection = Connection::open(directory.join("events.db")).unwrap();
    connection.pragma_update(None, "page_size", 2_048).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(FIRST_LAYOUT).unwrap();
    let (mut position, mut last) = (0, chain::GENESIS);
    for append in appends {
        for (event, revision) in append.events.iter().zip(append.expected.next().0..) {
            position += 1;
            let actor = event.metadata.actor.to_string();
            let fields = Fields::of(&append.stream, Revision(revision), event, &actor);
            let digest = fields.digest();
            last = chain::link(&last, Position(position), &digest);
            let row = params![
                position.cast_signed(),
                fields.stream.as_str(),
                revision.cast_signed(),
                fields.id.0.to_be_bytes(),
                fields.name,
                fields.version,
                fields.at,
                fields.causation.to_be_bytes(),
                fields.correlation.to_be_bytes(),
                fields.actor,
                fields.payload,
                chain::checksum(&digest),
                last,
            ];
            connection
                .execute(
                    "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
                ?10, ?11, ?12, ?13)",
                    row,
                )
                .unwrap();
        }
    }
}

/// Appends of every sort: several events of a command, times that run backwards, ids that follow
/// from nothing, orders inside and outside the payload.
fn appends() -> Vec<Append> {
    let mut appends = vec![
        credits(1, Expected::NoStream, 1, 3),
        credits_at(500, 2, Expected::NoStream, 2, 1),
        credits_at(9_000, 1, Expected::Exact(Revision(2)), 3, 5),
        credits(3, Expected::NoStream, 4, 2),
    ];
    let mut odd = credits(3, Expected::Exact(Revision(1)), 5, 4);
    odd.events[0].id = EventId(u128::MAX);
    odd.events[1].metadata.causation = CommandId(77);
    odd.events[2].metadata.actor = Actor::Operator("anna".into());
    odd.events[3].metadata.correlation = Some(OrderId(1 << 90));
    appends.push(odd);
    appends.extend((10..400).map(|number| credits(number, Expected::NoStream, 1_000 + number, 3)));
    appends
}

fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}")))
}

/// Everything an audit reads, and the chain.
fn contents(directory: &Path) -> (Vec<String>, Vec<Hash>) {
    let mut records = Vec::new();
    assert_eq!(verify_chain(directory, |record| records.push(format!("{record:?}"))).unwrap(), []);
    let connection = Connection::open(directory.join("events.db")).unwrap();
    let mut all = connection.prepare("SELECT chain FROM events ORDER BY position").unwrap();
    (records, all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect())
}

#[tokio::test]
async fn a_migrated_log_has_the_same_records_and_the_same_chain_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    write_first_layout(directory.path(), &appends());
    let before = contents(directory.path());
    let store = open(directory.path()).unwrap();
    assert_eq!(contents(directory.path()), before);
    let head = before.0.len() as u64;
    assert_eq!(*store.head().borrow(), Position(head));
    let again = store.append(credits(1, Expected::NoStream, 1, 3)).await.unwrap();
    assert_eq!(
        (again.revision, again.position),
        (Revision(2), Position(3)),
        "an append of before is recognised"
    );
    let next = store.append(credits(2, Expected::Exact(Revision(0)), 6, 2)).await.unwrap();
    assert_eq!(next.position, Position(head + 2));
    store.close().await;
    drop(store);
    let store = open(directory.path()).unwrap();
    assert_eq!(store.read_all(Position(0), 10_000).await.unwrap().len() as u64, head + 2);
    assert_eq!(contents(directory.path()).0[..before.0.len()], before.0);
}

/// Makes of a log of today's layout what the second version of the store would have left: small
/// pages, and the index by stream in the same file.
fn into_second_layout(directory: &Path) {
    let connection = Connection::open(directory.join("events.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
    let smaller = "PRAGMA page_size = 2048; VACUUM; CREATE UNIQUE INDEX events_by_stream ON \
        events (stream, revision); PRAGMA user_version = 2;";
    connection.execute_batch(smaller).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(connection);
    std::fs::remove_file(directory.join("index.db")).unwrap();
}

#[tokio::test]
async fn a_log_of_the_second_layout_is_migrated_once_and_has_its_index_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    write_first_layout(directory.path(), &appends());
    let before = contents(directory.path());
    open(directory.path()).unwrap().close().await;
    into_second_layout(directory.path());
    assert_eq!(contents(directory.path()), before, "it can be audited before it is migrated");
    let store = open(directory.path()).unwrap();
    let head = before.0.len() as u64;
    let again = store.append(credits(1, Expected::NoStream, 1, 3)).await.unwrap();
    assert_eq!(
        (again.revision, again.position),
        (Revision(2), Position(3)),
        "an append of before is recognised"
    );
    let next = store.append(credits(2, Expected::Exact(Revision(0)), 6, 2)).await.unwrap();
    assert_eq!(next.position, Position(head + 2));
    store.close().await;
    drop(store);
    let connection = Connection::open(directory.path().join("events.db")).unwrap();
    let pragma =
        |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("user_version"), pragma("page_size")), (3, 4_096));
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE name = 'events_by_stream'";
    assert_eq!(connection.query_row(indexes, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(contents(directory.path()).0[..before.0.len()], before.0);
}

#[tokio::test]
async fn what_an_earlier_try_left_behind_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    write_first_layout(directory.path(), &appends());
    let before = contents(directory.path());
    for suffix in ["", "-journal", "-wal"] {
        std::fs::write(directory.path().join(format!("events.db.new{suffix}")), b"half of a copy")
            .unwrap();
    }
    drop(open(directory.path()).unwrap());
    assert_eq!(contents(directory.path()), before);
    assert!(!directory.path().join("events.db.new").exists());
}

#[tokio::test]
async fn a_log_that_somebody_else_has_open_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    write_first_layout(directory.path(), &appends());
    let before = contents(directory.path());
    let other = Connection::open(directory.path().join("events.db")).unwrap();
    let mut held = other.prepare("SELECT position FROM events").unwrap();
    let mut rows = held.query([]).unwrap();
    rows.next().unwrap();
    assert!(matches!(open(directory.path()), Err(OpenError::Migration { .. })));
    drop(rows);
    drop(held);
    assert_eq!(contents(directory.path()), before);
    drop(other);
    drop(open(directory.path()).unwrap());
    assert_eq!(contents(directory.path()), before);
}

#[tokio::test]
async fn damage_is_carried_over_and_still_named() {
    let directory = tempfile::tempdir().unwrap();
    write_first_layout(directory.path(), &appends());
    let connection = Connection::open(directory.path().join("events.db")).unwrap();
    connection.execute("UPDATE events SET payload = zeroblob(3) WHERE position = 5", []).unwrap();
    connection.execute("UPDATE events SET chain = zeroblob(32) WHERE position = 8", []).unwrap();
    drop(connection);
    let before = verify_chain(directory.path(), |_| {}).unwrap();
    assert_eq!(before.iter().map(|finding| finding.position).collect::<Vec<_>>(), [5, 5, 5, 8, 9]);
    drop(open(directory.path()).unwrap());
    assert_eq!(verify_chain(directory.path(), |_| {}).unwrap(), before);
}

/// An event's header, as chance has it: its command as it should be or any, its order from anywhere
/// in the payload or from nowhere.
#[derive(Debug, Clone)]
struct Header {
    stream: u128,
    id: Option<u128>,
    causation: Option<u128>,
    correlation: Option<Result<usize, u128>>,
    actor: u8,
    millis: i64,
}

fn headers() -> impl Strategy<Value = Vec<Vec<Header>>> {
    let correlation = prop_oneof![
        Just(None),
        (0usize..60).prop_map(|place| Some(Ok(place))),
        any::<u128>().prop_map(|order| Some(Err(order)))
    ];
    let header = (
        0u128..3,
        option::weighted(0.2, any::<u128>()),
        option::weighted(0.2, any::<u128>()),
        correlation,
        0u8..4,
        -5i64..2_000_000_000_000,
    );
    let header = header.prop_map(|(stream, id, causation, correlation, actor, millis)| Header {
        stream,
        id,
        causation,
        correlation,
        actor,
        millis,
    });
    vec(vec(header, 1..5), 1..12)
}

/// Appends with these headers; those of one append that say nothing of their own share what the
/// first one says.
fn appends_with(headers: &[Vec<Header>]) -> Vec<Append> {
    let mut ends = BTreeMap::new();
    let mut appends = Vec::new();
    for (command, headers) in (1u128..).zip(headers) {
        let stream = headers[0].stream;
        let end: &mut u64 = ends.entry(stream).or_default();
        let expected =
            end.checked_sub(1).map_or(Expected::NoStream, |last| Expected::Exact(Revision(last)));
        let mut append = credits(stream, expected, command, headers.len());
        *end += headers.len() as u64;
        for (event, header) in append.events.iter_mut().zip(headers) {
            event.id = header.id.map_or(event.id, EventId);
            event.metadata.causation = header.causation.map_or(event.metadata.causation, CommandId);
            event.metadata.correlation = header.correlation.map(|order| match order {
                Ok(place) => {
                    let place = place % (event.encoded.payload.len() - 15);
                    OrderId(u128::from_le_bytes(
                        event.encoded.payload[place..place + 16].try_into().unwrap(),
                    ))
                }
                Err(order) => OrderId(order),
            });
            if header.actor > 0 {
                event.metadata.actor = [Actor::Owner, Actor::Chain, Actor::Operator("anna".into())]
                    [usize::from(header.actor) - 1]
                    .clone();
                event.metadata.at = Timestamp::from_millis(header.millis);
            }
        }
        appends.push(append);
    }
    appends
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_log_is_the_same_after_its_migration_and_in_its_backup(headers in headers()) {
        let directory = tempfile::tempdir().unwrap();
        write_first_layout(directory.path(), &appends_with(&headers));
        let before = contents(directory.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { open(directory.path()).unwrap().close().await });
        prop_assert_eq!(&contents(directory.path()), &before);
        let copy = tempfile::tempdir().unwrap();
        backup(directory.path(), copy.path()).unwrap();
        prop_assert_eq!(&contents(copy.path()), &before);
    }
}
