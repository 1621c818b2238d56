//! The process as the system sees it, under the names that Prometheus' own clients use.

use std::time::Duration;

/// Linux counts a process's time in hundredths of a second, on every machine there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures this process; what the system does not tell is left out.
pub fn measure(uptime: Duration) {
    metrics::gauge!("process_uptime_seconds").set(uptime.as_secs_f64());
    if let Some((virtual_bytes, resident_bytes)) = memory() {
        metrics::gauge!("process_virtual_memory_bytes").set(super::number(virtual_bytes));
        metrics::gauge!("process_resident_memory_bytes").set(super::number(resident_bytes));
    }
    if let Some((seconds, threads)) = times() {
        metrics::gauge!("process_cpu_seconds").set(seconds);
        metrics::gauge!("process_threads").set(super::number(threads));
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds")
            .set(super::number(u64::try_from(open.count()).unwrap_or(u64::MAX)));
    }
}

fn memory() -> Option<(u64, u64)> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split_whitespace().map_while(|field| field.parse::<u64>().ok());
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    Some((pages.next()? * page, pages.next()? * page))
}

/// Seconds on processors, and threads.
fn times() -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; what follows it are fields from the third on.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok());
    let ticks = number(11)? + number(12)?;
    Some((super::number(ticks) / TICKS_PER_SECOND, number(17)?))
}
