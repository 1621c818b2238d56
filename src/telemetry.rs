//! Logs and metrics: what operators see. No key, secret, code, message text or full phone number
//! ever goes in.

pub mod access;
mod exposition;
mod orders;
pub mod process;

use std::io::BufWriter;

use events::order::Complaint;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Log, LogFormat};
pub use exposition::with_prefix;
pub use orders::OrderMetrics;

/// What is waiting is written when it is dropped: the lines of requests first, for they go the way
/// of the others.
pub struct Logs {
    _access: Option<access::Flushed>,
    _others: WorkerGuard,
}

/// Starts logging to standard error; standard output is for what programs read. What is waiting is
/// written when what is given back is dropped.
pub fn start_logs(settings: &Log) -> Logs {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    // On a thread of its own and in batches: a write a request would cost more than the request's
    // own work.
    let (writer, guard) =
        NonBlockingBuilder::default().lossy(false).finish(BufWriter::new(std::io::stderr()));
    let has_colors = has_colors();
    // A terminal's reader gets colors, and does not ask for thousands of lines a second.
    let is_by_hand = settings.access && (settings.format == LogFormat::Json || !has_colors);
    let access = is_by_hand
        .then(|| access::AccessLog::start(settings.format, writer.clone()).ok())
        .flatten();
    let builder = fmt().with_env_filter(filter).with_writer(writer).with_target(true);
    match settings.format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Text => builder.with_ansi(has_colors).init(),
    }
    Logs { _access: access, _others: guard }
}

/// Whether standard error is a terminal that shows colors to somebody who wants them.
fn has_colors() -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !is_refused && !is_dumb && std::io::IsTerminal::is_terminal(&std::io::stderr())
}

/// Starts collecting metrics; the handle renders them for `/metrics`.
pub fn start_metrics() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    const SECONDS: &[f64] = &[
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
    ];
    // A code takes seconds or minutes, never milliseconds.
    const DELIVERY: &[f64] =
        &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0];
    let delivery = Matcher::Full("order_delivery_seconds".to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets(SECONDS)?
        .set_buckets_for_metric(delivery, DELIVERY)?
        .build_recorder();
    let handle = recorder.handle();
    // A second recorder in one process happens only in tests; the first one counts.
    let _ = metrics::set_global_recorder(recorder);
    // From nothing to one is an increase only for whoever has seen the nothing.
    for name in [
        "admin_wrong_tokens_total",
        "esdb_connections_refused_total",
        "esdb_events_sent_total",
        "esdb_slow_readers_total",
        "esdb_wrong_tokens_total",
        "http_connections_evicted_total",
        "http_connections_refused_total",
        "http_panics_total",
    ] {
        metrics::counter!(name).increment(0);
    }
    for (complaint, refunded) in
        Complaint::ALL.into_iter().flat_map(|complaint| [(complaint, "yes"), (complaint, "no")])
    {
        metrics::counter!(
            "order_reports_total", "reason" => complaint.name(), "refunded" => refunded
        )
        .increment(0);
    }
    Ok(handle)
}

/// A count as metrics take it, in its two halves: each of them is a whole float.
pub fn number(value: u64) -> f64 {
    let [high, low] = [value >> 32, value & u64::from(u32::MAX)]
        .map(|half| u32::try_from(half).unwrap_or(u32::MAX));
    f64::from(high) * (f64::from(u32::MAX) + 1.0) + f64::from(low)
}
