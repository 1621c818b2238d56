//! Numbers of the configuration that are no mistake: what is outside would stop the service, or
//! switch a protection off unsaid.

use std::ops::RangeInclusive;
use std::time::Duration;

use suppliers::configuration::Suppliers;
use tracing_subscriber::filter::{Directive, LevelFilter};

use super::tables::{Http, Limits, Orders, Store};
use super::{Config, Esdb, Registration, Retention};
use crate::serve::{ConnectionLimits, Refuse, Settings, Timeouts};

/// What a guess of a token would have to be as long as.
pub(super) const LEAST_TOKEN: usize = 24;
/// An address gets this many connections even of a small number in all.
const LEAST_PER_ADDRESS: usize = 64;
/// Connections of one account that do not count for its address: its 64 streams and waiting calls,
/// and as many others.
const PER_ACCOUNT: usize = 128;
/// A stranger, an operator's probe, somebody with a key and one to spare: with less the first who
/// stays shuts everybody out.
const LEAST_CONNECTIONS: u64 = 4;
/// A week.
const LONGEST_ORDER_SECONDS: u64 = 7 * 24 * 3_600;
const HOUR: u64 = 3_600;
/// A hundred years.
const MOST_HOURS: u64 = 876_600;
const MEBIBYTE: u64 = 1024 * 1024;
/// More cancels than are remembered would never be counted.
const MOST_FREE_CANCELS: u64 = 200;
/// A terabyte: more is a slip of the pen, and the service would never take an order.
const MOST_RESERVE_MB: u64 = 1 << 20;
/// A clock further behind than a year is not one to go by at all.
const MOST_CLOCK_BEHIND_SECONDS: u64 = 366 * 24 * HOUR;

/// A number, and what it may be.
pub struct Bound {
    /// Its key; of a table of numbers, the table's.
    pub key: &'static str,
    /// The largest that is written; nothing where nothing is and there is no default.
    value: Option<u64>,
    /// What it may be.
    pub range: RangeInclusive<u64>,
}

/// Numbers outside of their bounds, each in a text.
pub(super) fn exceeded(config: &Config) -> Vec<String> {
    let outside = |Bound { key, value, range }: Bound| {
        let value = value.filter(|value| !range.contains(value))?;
        Some(format!("{key} is from {} to {}, not {value}", range.start(), range.end()))
    };
    of(config).into_iter().filter_map(outside).collect()
}

/// Every number that has bounds.
pub fn of(config: &Config) -> Vec<Bound> {
    let Config {
        registration, http, limits, orders, suppliers, esdb, store, node, retention, ..
    } = config;
    [
        of_http(http),
        of_limits(limits),
        of_registration(registration),
        of_orders(orders),
        of_suppliers(suppliers),
        of_esdb(esdb),
        of_store(store),
        vec![bound("node.patience_seconds", node.patience_seconds, 3..=HOUR)],
        of_retention(*retention),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn bound(key: &'static str, value: impl Into<Number>, range: RangeInclusive<u64>) -> Bound {
    Bound { key, value: value.into().0, range }
}

/// A number of any width, or none.
struct Number(Option<u64>);

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(Some(number))
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self(Some(number.into()))
    }
}

impl From<u8> for Number {
    fn from(number: u8) -> Self {
        Self(Some(number.into()))
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self(Some(u64::try_from(number).unwrap_or(u64::MAX)))
    }
}

impl<T: Into<Self>> From<Option<T>> for Number {
    fn from(number: Option<T>) -> Self {
        Self(number.and_then(|number| number.into().0))
    }
}

fn of_http(http: &Http) -> Vec<Bound> {
    vec![
        bound("http.max_connections", http.max_connections, LEAST_CONNECTIONS..=1_000_000),
        bound("http.max_connections_per_ip", http.max_connections_per_ip, 1..=1_000_000),
        bound("http.header_timeout_seconds", http.header_timeout_seconds, 1..=HOUR),
        bound("http.body_timeout_seconds", http.body_timeout_seconds, 1..=HOUR),
        bound("http.write_timeout_seconds", http.write_timeout_seconds, 1..=HOUR),
        bound("http.max_body_bytes", http.max_body_bytes, 256..=64 * MEBIBYTE),
        bound("http.max_batch_bytes", http.max_batch_bytes, 256..=64 * MEBIBYTE),
        bound("http.max_inbound_bytes", http.max_inbound_bytes, 1_024..=64 * MEBIBYTE),
        bound("http.drain_seconds", http.drain_seconds, 0..=HOUR),
    ]
}

fn of_limits(limits: &Limits) -> Vec<Bound> {
    let any = 0..=10_000_000;
    vec![
        bound("limits.per_ip_per_minute", limits.per_ip_per_minute, any.clone()),
        bound("limits.per_key_per_minute", limits.per_key_per_minute, any.clone()),
        bound("limits.accounts_per_ip_per_hour", limits.accounts_per_ip_per_hour, any),
        bound("limits.accounts_per_hour", limits.accounts_per_hour, 0..=MOST_ACCOUNTS),
    ]
}

/// A caller's machine takes minutes for the hardest; more would shut everybody out.
const HARDEST_PROOF_BITS: u64 = 28;
/// Each is remembered for an hour.
const MOST_ACCOUNTS: u64 = 1_000_000;

/// Ten years: more is never.
const MOST_UNUSED_DAYS: u64 = 3_650;
/// A gibibyte.
const MOST_UNFUNDED_KB: u64 = 1 << 20;

fn of_registration(registration: &Registration) -> Vec<Bound> {
    let Registration { proof_of_work_bits, challenge_seconds, .. } = registration;
    let Registration { unused_days, unfunded_log_kb, .. } = registration;
    vec![
        bound("registration.proof_of_work_bits", *proof_of_work_bits, 0..=HARDEST_PROOF_BITS),
        bound("registration.challenge_seconds", *challenge_seconds, 10..=HOUR),
        bound("registration.unused_days", *unused_days, 0..=MOST_UNUSED_DAYS),
        bound("registration.unfunded_log_kb", *unfunded_log_kb, 0..=MOST_UNFUNDED_KB),
    ]
}

fn of_orders(orders: &Orders) -> Vec<Bound> {
    let lasting = 1..=LONGEST_ORDER_SECONDS;
    vec![
        bound("orders.lifetime_seconds", orders.lifetime_seconds, lasting.clone()),
        bound("orders.seek_seconds", orders.seek_seconds, lasting),
        bound(
            "orders.max_concurrent_per_account",
            orders.max_concurrent_per_account,
            1..=1_000_000,
        ),
        bound("orders.free_cancels_per_hour", orders.free_cancels_per_hour, 0..=MOST_FREE_CANCELS),
        bound("orders.cancel_pause_max_seconds", orders.cancel_pause_max_seconds, 0..=HOUR),
    ]
}

fn of_suppliers(suppliers: &Suppliers) -> Vec<Bound> {
    let heaviest = suppliers.weights.values().max().copied();
    vec![
        bound("suppliers.max_attempts", suppliers.max_attempts, 1..=20),
        bound("suppliers.cooldown_days", suppliers.cooldown_days, 0..=36_500),
        bound("suppliers.parts_wait_seconds", suppliers.parts_wait_seconds, 1..=HOUR),
        bound("suppliers.unproven_share_percent", suppliers.unproven_share_percent, 1..=100),
        bound("suppliers.weights", heaviest, 0..=1_000_000),
    ]
}

fn of_esdb(esdb: &Esdb) -> Vec<Bound> {
    vec![
        bound("esdb.max_connections", esdb.max_connections, LEAST_CONNECTIONS..=65_536),
        bound("esdb.max_subscriptions", esdb.max_subscriptions, 1..=65_536),
        bound("esdb.patience_seconds", esdb.patience_seconds, 1..=HOUR),
    ]
}

fn of_retention(retention: Retention) -> Vec<Bound> {
    vec![
        bound("retention.messages_hours", retention.messages_hours, 0..=MOST_HOURS),
        bound("retention.numbers_days", retention.numbers_days, 0..=36_500),
    ]
}

fn of_store(store: &Store) -> Vec<Bound> {
    vec![
        bound("store.reserve_mb", store.reserve_mb, 0..=MOST_RESERVE_MB),
        bound(
            "store.max_clock_behind_seconds",
            store.max_clock_behind_seconds,
            0..=MOST_CLOCK_BEHIND_SECONDS,
        ),
    ]
}

/// Whether a text is one line of at most `longest` bytes that says something, and no more.
pub(super) fn is_line(text: &str, longest: usize) -> bool {
    let is_within = (1..=longest).contains(&text.len());
    is_within && text.trim() == text && !text.chars().any(char::is_control)
}

/// Whether a header can carry it as it is written, and nobody guesses it by its length.
pub fn is_token(text: &str) -> bool {
    text.len() >= LEAST_TOKEN
        && text.trim() == text
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A level, or a target with one. A word alone would be taken for a target of that name, and a
/// misspelt level for everything it has to say.
pub(super) fn is_directive(text: &str) -> bool {
    let level = text.rsplit_once('=').map_or(text, |(_, level)| level);
    let target_reads = text.parse::<Directive>().is_ok();
    target_reads && !level.is_empty() && level.parse::<LevelFilter>().is_ok()
}

impl super::Http {
    /// A listener within these bounds, in these words.
    pub fn listener(&self, refuse: Refuse) -> Settings {
        let seconds = Duration::from_secs;
        let timeouts = Timeouts {
            head: seconds(self.header_timeout_seconds),
            body: seconds(self.body_timeout_seconds),
            write: seconds(self.write_timeout_seconds),
            drain: seconds(self.drain_seconds),
        };
        Settings {
            limits: self.connection_limits(),
            timeouts,
            trusted: self.trusted_proxies.clone(),
            refuse,
        }
    }

    /// How many connections, with what is not configured made of what is.
    fn connection_limits(&self) -> ConnectionLimits {
        let quarter = self.max_connections / 4;
        ConnectionLimits {
            in_all: self.max_connections,
            reserved: self.reserved_connections.unwrap_or(quarter),
            per_address: self
                .max_connections_per_ip
                .unwrap_or(quarter.max(LEAST_PER_ADDRESS))
                .min(self.max_connections),
            per_account: PER_ACCOUNT,
        }
    }
}

impl super::Limits {
    /// Accounts that one address may open in an hour; 0 for any number.
    pub fn accounts_per_address(&self) -> u32 {
        self.accounts_per_ip_per_hour.unwrap_or(self.per_ip_per_minute)
    }
}
