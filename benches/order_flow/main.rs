//! How many orders a second, beside a bare handler? Starts the real server, drives it over HTTP,
//! and a bare axum handler in the same run.
//!
//! `cargo bench --bench order_flow`; `-- --seconds 10` for longer phases. The last line is one JSON
//! object. `-- --consoles 20` has instead full lives with and without so many pages of the console
//! open, in turns: a line of JSON a pair.

#![expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

#[expect(dead_code, reason = "other benchmarks ask more of the client")]
mod client;
mod consoles;
mod server;

use std::time::Duration;

use client::{Load, Sample, drive};
use consoles::Consoles;
use server::{ADMIN_TOKEN, Bare, Server};

/// The design's figure: 64 connections.
const CONNECTIONS: usize = 64;
/// Many accounts: none has more than a handful of open orders.
const ACCOUNTS: usize = 4_096;
/// Pairs of runs with and without consoles.
const PAIRS: usize = 3;
/// Orders held open at once to see what one takes.
const OPEN_ORDERS: usize = 20_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--bare-server") {
        return server::run_bare();
    }
    let number = |name: &str| -> Option<u64> {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse().ok()
    };
    let phase = Duration::from_secs(number("--seconds").unwrap_or(6));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match number("--consoles").and_then(|count| usize::try_from(count).ok()) {
        Some(count) => runtime.block_on(beside_consoles(phase, count)),
        None => runtime.block_on(run(phase)),
    }
}

/// Full lives with and without open consoles, in turns: which is first changes with each pair.
async fn beside_consoles(phase: Duration, count: usize) {
    for pair in 0..PAIRS {
        let (mut without, mut with) = (None, None);
        let turns = if pair % 2 == 0 { [0, count] } else { [count, 0] };
        for consoles in turns {
            let measured = life_beside(phase, consoles).await;
            *(if consoles == 0 { &mut without } else { &mut with }) = Some(measured);
        }
        let (Some((alone, alone_cpu, _)), Some((beside, beside_cpu, kilobytes))) = (without, with)
        else {
            continue;
        };
        println!(
            r#"{{"pair":{pair},"consoles":{count},"life_per_second":{:.0},"life_per_second_beside":{:.0},"life_p99_ms":{:.2},"life_p99_ms_beside":{:.2},"cpu_us":{:.0},"cpu_us_beside":{:.0},"kilobytes_told":{kilobytes}}}"#,
            alone.per_second(),
            beside.per_second(),
            alone.percentile_ms(99),
            beside.percentile_ms(99),
            alone_cpu,
            beside_cpu,
        );
    }
}

/// A phase of full lives on a fresh server beside so many consoles: what was seen, the server's CPU
/// an order in microseconds, and what the consoles were told.
async fn life_beside(phase: Duration, consoles: usize) -> (Sample, f64, u64) {
    let server = Server::start("delivery_seconds = [0.0, 0.0]", 1_000_000);
    let keys = server.accounts(ACCOUNTS).await;
    let open = Consoles::open(server.admin, ADMIN_TOKEN, consoles).await;
    let before = server.cpu_seconds();
    let sample = drive(server.address, CONNECTIONS, phase, Load::Life(keys)).await;
    let cpu = (server.cpu_seconds() - before) * 1e6 / sample.latencies.len().max(1) as f64;
    (sample, cpu, open.kilobytes())
}

async fn run(phase: Duration) {
    let bare = Bare::start();
    let bare_sample = drive(bare.address, CONNECTIONS, phase, Load::Bare).await;
    drop(bare);
    report("bare axum handler", &bare_sample);

    let (place, place_cpu, events_per_sync, events_per_second) = {
        let server = Server::start("delivery_seconds = [600.0, 600.0]", 1_000_000);
        let keys = server.accounts(ACCOUNTS).await;
        let (cpu_before, metrics_before) = (server.cpu_seconds(), server.events_and_syncs().await);
        let sample = drive(server.address, CONNECTIONS, phase, Load::Place(keys)).await;
        let (cpu, after) = (server.cpu_seconds() - cpu_before, server.events_and_syncs().await);
        let (events, syncs) = (after.0 - metrics_before.0, after.1 - metrics_before.1);
        (sample, cpu, events / syncs.max(1.0), events / phase.as_secs_f64())
    };
    report("POST /order", &place);

    let (life, life_cpu) = {
        let server = Server::start("delivery_seconds = [0.0, 0.0]", 1_000_000);
        let keys = server.accounts(ACCOUNTS).await;
        let before = server.cpu_seconds();
        let sample = drive(server.address, CONNECTIONS, phase, Load::Life(keys)).await;
        (sample, server.cpu_seconds() - before)
    };
    report("full life (order, SMS in, code out)", &life);

    let open_order_bytes = {
        let server = Server::start("failure_rate = 1.0", 1);
        let before = server.resident_bytes();
        let keys = server.accounts(OPEN_ORDERS).await;
        let placed =
            drive(server.address, CONNECTIONS, Duration::from_mins(1), Load::PlaceOnce(keys)).await;
        (server.resident_bytes() - before) / placed.latencies.len() as f64
    };

    let cpu_per_order =
        |cpu: f64, sample: &Sample| cpu * 1e6 / sample.latencies.len().max(1) as f64;
    println!(
        "CPU per placed order {:.0} us, per full life {:.0} us (the server's, all threads)",
        cpu_per_order(place_cpu, &place),
        cpu_per_order(life_cpu, &life)
    );
    println!(
        "{events_per_second:.0} events/s, {events_per_sync:.1} events per sync, \
         {open_order_bytes:.0} bytes per open order with its account"
    );
    println!(
        r#"{{"bare_per_second":{:.0},"place_per_second":{:.0},"life_per_second":{:.0},"place_ratio":{:.4},"life_ratio":{:.4},"place_p50_ms":{:.2},"place_p99_ms":{:.2},"life_p99_ms":{:.2},"place_cpu_us":{:.0},"life_cpu_us":{:.0},"events_per_second":{:.0},"events_per_sync":{:.1},"open_order_bytes":{:.0}}}"#,
        bare_sample.per_second(),
        place.per_second(),
        life.per_second(),
        place.per_second() / bare_sample.per_second(),
        life.per_second() / bare_sample.per_second(),
        place.percentile_ms(50),
        place.percentile_ms(99),
        life.percentile_ms(99),
        cpu_per_order(place_cpu, &place),
        cpu_per_order(life_cpu, &life),
        events_per_second,
        events_per_sync,
        open_order_bytes,
    );
}

fn report(what: &str, sample: &Sample) {
    println!(
        "{what}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms ({} done, {} refused)",
        sample.per_second(),
        sample.percentile_ms(50),
        sample.percentile_ms(99),
        sample.latencies.len(),
        sample.failures
    );
}
