//! Metrics as Prometheus reads them: under the service's prefix with help, and under the names of
//! the version before, for one version more.

use std::fmt::Write;

/// Of every name.
const PREFIX: &str = "telenumerus_";

/// What each metric says; a test finds those that are missing here.
const HELP: &[(&str, &str)] = &[
    ("store_disk_free_bytes", "Free space where the data directory is."),
    ("store_disk_reserve_bytes", "Free space below which new orders and accounts wait."),
    ("store_wal_bytes", "Length of the write-ahead log."),
    ("accounts_in_memory", "Accounts whose state is in memory."),
    ("admin_wrong_tokens_total", "Requests on the admin listener with a wrong token."),
    ("chain_failing", "1 while a chain's last question failed."),
    ("chain_head_height", "Height of a chain's last block."),
    ("chain_lag_blocks", "Blocks of a chain that were not looked through yet."),
    ("chain_scanned_height", "Height up to which a chain was looked through."),
    ("chain_silent_seconds", "Seconds since a chain has answered."),
    ("deposit_addresses_given", "Deposit addresses assigned, by currency."),
    ("deposit_steps_failing", "Deposits whose next step failed when it was last tried."),
    (
        "esdb_connections_refused_total",
        "Connections to the log's endpoint refused because there were too many.",
    ),
    ("esdb_events_sent_total", "Events told to readers of the log."),
    ("esdb_reads_open", "Reads and subscriptions of the log that are open."),
    (
        "esdb_slow_readers_total",
        "Readers of the log cut off because they took nothing for too long.",
    ),
    ("esdb_wrong_tokens_total", "Calls at the log's endpoint with a wrong token."),
    (
        "deposits_credited_microdollars_total",
        "What credited deposits were worth, in millionths of a dollar.",
    ),
    ("deposits_credited_total", "Deposits credited."),
    (
        "deposits_reversed_microdollars_total",
        "What reversed deposits were worth, in millionths of a dollar.",
    ),
    ("deposits_reversed_total", "Credited deposits that their chain has lost."),
    ("http_connections_evicted_total", "Idle connections closed to make room for others."),
    ("http_connections_refused_total", "Connections refused because there were too many."),
    ("http_panics_total", "Requests that ended in a bug and were answered 500."),
    ("http_refusals_total", "Requests that no route has seen: too slow, too large, or no HTTP."),
    ("http_request_seconds", "How long requests took, by route."),
    ("http_requests_total", "Requests by method, route and status."),
    ("inbound_messages_total", "Messages that suppliers brought, by supplier and outcome."),
    ("node_could_lead", "1 while a node of several leads, or could take over."),
    ("node_leader_silent_seconds", "Seconds for which a node that stands by heard no leader."),
    ("node_leads", "1 while a node of several leads."),
    ("node_sees_shared_log", "1 while a node of several sees the log that they share."),
    ("numbers_leased", "Numbers on orders."),
    ("numbers_listening", "Numbers on completed orders that still listen."),
    ("order_delivery_seconds", "How long codes took from the number to the code, by supplier."),
    ("order_reports_total", "Reports of callers on their orders, by reason."),
    ("orders_ended_total", "Orders that ended, by outcome, supplier and platform; tests left out."),
    ("orders_listening", "Completed orders that still listen."),
    ("orders_open", "Orders that have not ended."),
    ("process_cpu_seconds", "Seconds that the process has used of processors."),
    ("process_open_fds", "Files that the process has open."),
    ("process_resident_memory_bytes", "Memory of the process that is resident."),
    ("process_threads", "Threads of the process."),
    ("process_uptime_seconds", "Seconds since the process has started to serve."),
    ("process_virtual_memory_bytes", "Address space of the process."),
    ("projection_lag_events", "Events that the views have not taken in yet."),
    (
        "refunds_microdollars_total",
        "Captured money that was given back, in millionths of a dollar.",
    ),
    ("replayed_events_total", "Events replayed for answers about the past."),
    ("replays_refused_total", "Answers about the past that were refused because too many ran."),
    (
        "revenue_microdollars_total",
        "Money captured for codes, in millionths of a dollar; tests left out.",
    ),
    ("smpp_bound", "SMPP sessions that stand."),
    ("smpp_oddities_total", "What was odd in PDUs and passed over, by kind."),
    ("store_damaged_reads_total", "Records that were read and are not as they were written."),
    ("store_events_total", "Events appended since the start."),
    ("store_head_position", "Last durable position of the event log."),
    ("store_snapshots_ignored_total", "Snapshots that did not match the log and were not used."),
    ("store_syncs_total", "Syncs of the event log since the start."),
    ("clock_log_ahead_seconds", "How far the log's time is ahead of the machine's clock."),
    ("store_takes_appends", "1 while the event log can be appended to."),
    ("supplier_cut_off", "1 while a supplier that fails is left alone."),
    ("supplier_leases_open", "Numbers leased from suppliers that are asked for each."),
    ("supplier_numbers", "Numbers of a pool by state."),
    (
        "supplier_provenance_holds",
        "1 while it is stated where a supplier's real numbers come from.",
    ),
    ("supplier_success_ratio", "Share of a supplier's latest orders that got a code."),
    ("webhook_attempts", "Attempts of webhook deliveries under way and waiting, by pool."),
    ("webhook_backlog", "Webhook deliveries that have not ended."),
];

/// The text with each family twice: under its prefixed name, with help, and as it was.
pub fn with_prefix(rendered: &str) -> String {
    let mut text = String::with_capacity(rendered.len() * 2 + HELP.len() * 80);
    for family in families(rendered) {
        let name = family.split_whitespace().nth(2).unwrap_or_default();
        let help = HELP.iter().find(|(known, _)| *known == name);
        if let Some((_, help)) = help {
            let _ = writeln!(text, "# HELP {PREFIX}{name} {help}");
        }
        for line in family.lines().filter(|line| !line.is_empty()) {
            match line.strip_prefix("# TYPE ") {
                Some(kind) => _ = writeln!(text, "# TYPE {PREFIX}{kind}"),
                None => _ = writeln!(text, "{PREFIX}{line}"),
            }
        }
        if help.is_some() {
            let _ = writeln!(text, "# HELP {name} The old name of {PREFIX}{name}.");
        }
        text.push_str(family);
    }
    text
}

/// A family begins with the line that says its type.
fn families(rendered: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> = rendered
        .match_indices("# TYPE ")
        .map(|(index, _)| index)
        .filter(|index| *index == 0 || rendered.as_bytes()[index - 1] == b'\n')
        .collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([rendered.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &rendered[start..end])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_family_stands_there_under_both_names() {
        let rendered = "# TYPE http_requests_total counter\nhttp_requests_total{method=\"GET\"} 1\n\n# TYPE strange gauge\nstrange 2\n\n";
        let text = with_prefix(rendered);
        for line in [
            "# HELP telenumerus_http_requests_total Requests by method, route and status.",
            "# TYPE telenumerus_http_requests_total counter",
            "# HELP http_requests_total The old name of telenumerus_http_requests_total.",
            "telenumerus_http_requests_total{method=\"GET\"} 1",
            "http_requests_total{method=\"GET\"} 1",
            "telenumerus_strange 2",
            "strange 2",
        ] {
            assert_eq!(text.lines().filter(|other| *other == line).count(), 1, "{line}\n{text}");
        }
    }

    #[test]
    fn every_metric_has_help() {
        let mut missing = Vec::new();
        for folder in ["src", "actors/src", "projections/src"] {
            collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut missing);
        }
        assert!(missing.is_empty(), "without help: {missing:?}");
    }

    fn collect(folder: &Path, missing: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, missing);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for kind in ["counter!(", "gauge!(", "histogram!(", " gauge(", " bytes("] {
                for (index, _) in text.match_indices(kind) {
                    let rest =
                        text[index..].split_once('(').map_or("", |(_, rest)| rest.trim_start());
                    let name = rest
                        .strip_prefix('"')
                        .and_then(|rest| rest.split_once('"'))
                        .map(|(name, _)| name);
                    // Whatever else is written in quotation marks there, as in this test, names no
                    // metric.
                    let is_name = |name: &&str| {
                        !name.is_empty()
                            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                    };
                    missing.extend(
                        name.filter(is_name)
                            .filter(|name| !HELP.iter().any(|(known, _)| known == name))
                            .map(str::to_owned),
                    );
                }
            }
        }
    }
}
