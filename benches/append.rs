//! How many events a second reach the disk? 64 writers append to streams of their own, beside the
//! same over the store in memory.
//!
//! `cargo bench --bench append`

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::store::conformance::credits;
use actors::store::memory::MemoryStore;
use actors::store::sqlite::SqliteStore;
use actors::store::{EventStore, Expected};
use events::envelope::Revision;

const WRITERS: u128 = 64;
const EVENTS_PER_APPEND: usize = 3;
const PHASE: Duration = Duration::from_secs(4);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let memory = runtime.block_on(appends_per_second(Arc::new(MemoryStore::default())));
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = Arc::new(runtime.block_on(async {
        SqliteStore::open(directory.path(), Arc::new(|reason: &str| panic!("{reason}"))).unwrap()
    }));
    let sqlite = runtime.block_on(appends_per_second(Arc::clone(&store) as Arc<dyn EventStore>));
    let (events, syncs) = store.events_and_syncs();
    println!(
        r#"{{"sqlite_events_per_second":{:.0},"memory_events_per_second":{:.0},"ratio":{:.4},"events_per_sync":{:.1}}}"#,
        sqlite * EVENTS_PER_APPEND as f64,
        memory * EVENTS_PER_APPEND as f64,
        sqlite / memory,
        events as f64 / syncs as f64
    );
}

async fn appends_per_second(store: Arc<dyn EventStore>) -> f64 {
    let start = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (mut expected, mut appends) = (Expected::NoStream, 0u64);
                while start.elapsed() < PHASE {
                    let append = credits(
                        writer,
                        expected,
                        (writer << 40) | u128::from(appends),
                        EVENTS_PER_APPEND,
                    );
                    expected =
                        Expected::Exact(Revision(store.append(append).await.unwrap().revision.0));
                    appends += 1;
                }
                appends
            })
        })
        .collect();
    let mut appends = 0;
    for writer in writers {
        appends += writer.await.unwrap();
    }
    appends as f64 / start.elapsed().as_secs_f64()
}
