//! How fast is a log read back, decoded and checked, and folded into the views? Beside SQLite's own
//! walk over the same rows.
//!
//! `cargo bench --bench replay`

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::sync::Arc;
use std::time::Instant;

use actors::store::EventStore;
use actors::store::sqlite::SqliteStore;
use events::envelope::Position;
use fakes::past;
use projections::Views;

const ACCOUNTS: u128 = 500;
const PAGE: usize = 2_048;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = Arc::new(
        SqliteStore::open(directory.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap(),
    );
    let tasks: Vec<_> = (1..=ACCOUNTS)
        .map(|account| tokio::spawn(past::write_account(Arc::clone(&store), account, past::SIXTY)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let events = store.head().borrow().0;

    let raw = Instant::now();
    let walked = tokio::task::spawn_blocking({
        let path = directory.path().join("events.db");
        move || {
            let connection = rusqlite::Connection::open(path).unwrap();
            let mut all = connection
                .prepare(
                    "SELECT position, stream, revision, kind, step, \
                payload, chain FROM events ORDER BY position",
                )
                .unwrap();
            let rows = all
                .query_map([], |row| {
                    Ok(row.get::<_, Vec<u8>>(6)?.len() + row.get::<_, Vec<u8>>(5)?.len())
                })
                .unwrap();
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
    let (read, folded) =
        (events as f64 / read_seconds, events as f64 / (read_seconds + view_seconds));
    println!(
        r#"{{"events":{events},"store_events_per_second":{read:.0},"views_events_per_second":{folded:.0},"raw_rows_per_second":{raw:.0},"store_ratio":{:.3},"views_ratio":{:.3}}}"#,
        read / raw,
        folded / raw
    );
}
