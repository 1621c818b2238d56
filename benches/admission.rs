//! Does a flood on one account slow the others? Their `POST /order` alone, then beside a flood that
//! nothing limits.
//!
//! `cargo bench --bench admission`. The last line is one JSON object.

#![expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

#[path = "order_flow/client.rs"]
#[expect(dead_code, reason = "the client can do more than this benchmark asks")]
mod client;
#[path = "order_flow/server.rs"]
#[expect(dead_code, reason = "the server can be asked more than this benchmark does")]
mod server;

use std::sync::Arc;
use std::time::Duration;

use client::{Load, Sample, drive};
use server::Server;

/// Few enough to leave the processors some room: a machine that is full slows everybody.
const OTHERS: usize = 8;
const FLOOD: usize = 64;
const PHASE: Duration = Duration::from_secs(5);

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let alone = run(0).await.0;
        let (beside, flood) = run(FLOOD).await;
        report("others alone", &alone);
        report("others beside the flood", &beside);
        let flood = flood.expect("there was one");
        report("the flood", &flood);
        println!(
            r#"{{"alone_p50_ms":{:.2},"alone_p99_ms":{:.2},"beside_p50_ms":{:.2},"beside_p99_ms":{:.2},"flood_p99_ms":{:.2},"flood_per_second":{:.0}}}"#,
            alone.percentile_ms(50),
            alone.percentile_ms(99),
            beside.percentile_ms(50),
            beside.percentile_ms(99),
            flood.percentile_ms(99),
            flood.per_second(),
        );
    });
}

/// The others' sample, and the flood's if there is one.
async fn run(flood: usize) -> (Sample, Option<Sample>) {
    let server = Server::start("delivery_seconds = [600.0, 600.0]", 1_000_000);
    let others = server.accounts(256).await;
    let one = server.accounts(1).await;
    let flooding = (flood > 0)
        .then(|| tokio::spawn(drive(server.address, flood, PHASE, Load::Place(Arc::clone(&one)))));
    let sample = drive(server.address, OTHERS, PHASE, Load::Place(others)).await;
    let flood = match flooding {
        Some(flooding) => Some(flooding.await.expect("the flood's task")),
        None => None,
    };
    (sample, flood)
}

fn report(what: &str, sample: &Sample) {
    let (p50, p99) = (sample.percentile_ms(50), sample.percentile_ms(99));
    println!(
        "{what}: {:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms ({} done, {} refused)",
        sample.per_second(),
        sample.latencies.len(),
        sample.failures
    );
}
