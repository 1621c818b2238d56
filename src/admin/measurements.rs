//! What `/metrics` shows beside what is counted as it happens: measured when it is asked for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actors::numbers::Numbers;
use actors::store::EventStore;
use axum::extract::State;
use suppliers::smpp::Smpp;

use super::{AdminApi, deposits};
use crate::boot::Service;
use crate::telemetry;

/// The metrics as Prometheus reads them.
pub(super) async fn render(State(api): State<Arc<AdminApi>>) -> String {
    let service = &api.service;
    measure_store(service);
    measure_orders(service);
    measure_suppliers(service);
    measure_webhooks(service).await;
    if let Some(leading) = service.leading() {
        measure_node(true, leading.is_reached(), true, Duration::ZERO);
    }
    metrics::gauge!("clock_log_ahead_seconds").set(service.clock.ahead().as_secs_f64());
    let past = service.history.statistics();
    metrics::counter!("replayed_events_total").absolute(past.events.load(Ordering::Relaxed));
    metrics::counter!("replays_refused_total").absolute(past.refused.load(Ordering::Relaxed));
    deposits::measure(service);
    telemetry::process::measure(service.started.elapsed());
    telemetry::with_prefix(&api.metrics.render())
}

/// A node of several: whether it leads, whether it sees the shared log, whether it leads or could,
/// and for how long it has heard nothing of the leader.
pub(super) fn measure_node(leads: bool, sees: bool, is_fit: bool, silent: Duration) {
    for (name, holds) in
        [("node_leads", leads), ("node_sees_shared_log", sees), ("node_could_lead", is_fit)]
    {
        metrics::gauge!(name).set(f64::from(u8::from(holds)));
    }
    metrics::gauge!("node_leader_silent_seconds").set(silent.as_secs_f64());
}

fn gauge(name: &'static str, value: u64) {
    metrics::gauge!(name).set(telemetry::number(value));
}

fn measure_store(service: &Service) {
    let (events, syncs) = service.store.events_and_syncs();
    metrics::counter!("store_events_total").absolute(events);
    metrics::counter!("store_syncs_total").absolute(syncs);
    metrics::counter!("store_snapshots_ignored_total").absolute(service.store.snapshots_ignored());
    metrics::counter!("store_damaged_reads_total").absolute(service.store.damaged_reads());
    metrics::gauge!("store_takes_appends").set(f64::from(u8::from(service.takes_appends())));
    let room = service.store.room();
    gauge("store_wal_bytes", service.store.wal_bytes());
    gauge("store_disk_reserve_bytes", room.reserve);
    room.free.into_iter().for_each(|free| gauge("store_disk_free_bytes", free));
    let head = service.store.head().borrow().0;
    let reached = service.views.checkpoint().borrow().0;
    gauge("store_head_position", head);
    gauge("projection_lag_events", head.saturating_sub(reached));
}

fn measure_orders(service: &Service) {
    gauge("accounts_in_memory", service.accounts.in_memory() as u64);
    gauge("orders_open", service.orders.running() as u64);
    gauge("orders_listening", service.orders.listening() as u64);
    gauge("numbers_leased", service.router.leased() as u64);
    gauge("numbers_listening", service.router.listening() as u64);
}

fn measure_suppliers(service: &Service) {
    let now = service.clock.now();
    for supplier in service.router.suppliers() {
        let name = supplier.name();
        metrics::gauge!("supplier_cut_off", "supplier" => name.to_string())
            .set(f64::from(u8::from(service.router.is_cut_off(name))));
        if !supplier.is_simulated() {
            let holds = service.provenances.holds(name, now);
            metrics::gauge!("supplier_provenance_holds", "supplier" => name.to_string())
                .set(f64::from(u8::from(holds)));
        }
        if let Some(rate) = service.router.success_rate(name, now) {
            metrics::gauge!("supplier_success_ratio", "supplier" => name.to_string()).set(rate);
        }
        let Some(Numbers { known, leased, listening, resting }) = supplier.numbers(now) else {
            continue;
        };
        for (state, numbers) in [
            ("leased", leased),
            ("listening", listening),
            ("resting", resting),
            ("free", known - leased - listening - resting),
        ] {
            metrics::gauge!("supplier_numbers", "supplier" => name.to_string(), "state" => state)
                .set(telemetry::number(numbers as u64));
        }
    }
    for pull in &service.pulls {
        metrics::gauge!("supplier_leases_open", "supplier" => pull.name().to_string())
            .set(telemetry::number(pull.kept() as u64));
    }
    for bind in service.smpp.get().map(Smpp::statuses).unwrap_or_default() {
        metrics::gauge!("smpp_bound", "smsc" => bind.address).set(f64::from(u8::from(bind.bound)));
    }
}

async fn measure_webhooks(service: &Service) {
    for load in service.webhooks.loads() {
        for (state, attempts) in [("under_way", load.under_way), ("waiting", load.waiting)] {
            metrics::gauge!("webhook_attempts", "receivers" => load.lane, "state" => state)
                .set(telemetry::number(attempts as u64));
        }
    }
    if let Ok(backlog) = service.views.deliveries_open().await {
        gauge("webhook_backlog", backlog);
    }
}
