//! Numbers of the configuration that are no mistake: what is outside would stop the service, or
//! switch a protection off unsaid.

use std::ops::RangeInclusive;
use std::time::Duration;

use tracing_subscriber::filter::{Directive, LevelFilter};

use super::{Config, ConfigError};
use crate::serve::{ConnectionLimits, Refuse, Settings, Timeouts};

/// What a guess of a token would have to be as long as.
const LEAST_TOKEN: usize = 24;
/// Bytes of an operator's name in the configuration.
const LONGEST_OPERATOR: usize = 60;
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
const MEBIBYTE: u64 = 1024 * 1024;

impl Config {
    /// Numbers that make no sense.
    pub(super) fn check_bounds(&self) -> Result<(), ConfigError> {
        let (http, limits, orders, suppliers) =
            (&self.http, &self.limits, &self.orders, &self.suppliers);
        let size = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        let bounds: [(&str, u64, RangeInclusive<u64>); 20] = [
            ("http.max_connections", size(http.max_connections), LEAST_CONNECTIONS..=1_000_000),
            (
                "http.max_connections_per_ip",
                size(http.max_connections_per_ip.unwrap_or(1)),
                1..=1_000_000,
            ),
            ("http.header_timeout_seconds", http.header_timeout_seconds, 1..=HOUR),
            ("http.body_timeout_seconds", http.body_timeout_seconds, 1..=HOUR),
            ("http.write_timeout_seconds", http.write_timeout_seconds, 1..=HOUR),
            ("http.max_body_bytes", size(http.max_body_bytes), 256..=64 * MEBIBYTE),
            ("http.max_batch_bytes", size(http.max_batch_bytes), 256..=64 * MEBIBYTE),
            ("http.max_inbound_bytes", size(http.max_inbound_bytes), 1_024..=64 * MEBIBYTE),
            ("http.drain_seconds", http.drain_seconds, 0..=HOUR),
            ("limits.per_ip_per_minute", limits.per_ip_per_minute.into(), 0..=10_000_000),
            ("limits.per_key_per_minute", limits.per_key_per_minute.into(), 0..=10_000_000),
            (
                "limits.accounts_per_ip_per_hour",
                limits.accounts_per_ip_per_hour.unwrap_or(0).into(),
                0..=10_000_000,
            ),
            ("orders.lifetime_seconds", orders.lifetime_seconds.into(), 1..=LONGEST_ORDER_SECONDS),
            ("orders.seek_seconds", orders.seek_seconds.into(), 1..=LONGEST_ORDER_SECONDS),
            (
                "orders.max_concurrent_per_account",
                orders.max_concurrent_per_account.into(),
                1..=1_000_000,
            ),
            ("suppliers.max_attempts", suppliers.max_attempts.into(), 1..=20),
            ("suppliers.cooldown_days", suppliers.cooldown_days.into(), 0..=36_500),
            ("suppliers.parts_wait_seconds", suppliers.parts_wait_seconds.into(), 1..=HOUR),
            ("suppliers.unproven_share_percent", suppliers.unproven_share_percent.into(), 1..=100),
            (
                "suppliers.weights",
                suppliers.weights.values().max().copied().unwrap_or(0).into(),
                0..=1_000_000,
            ),
        ];
        for (name, value, bounds) in bounds {
            if !bounds.contains(&value) {
                return Err(ConfigError::Contradiction(format!(
                    "{name} is from {} to {}, not {value}",
                    bounds.start(),
                    bounds.end()
                )));
            }
        }
        if http.reserved_connections.is_some_and(|reserved| reserved >= http.max_connections) {
            return Err(ConfigError::Contradiction(
                "http.reserved_connections is less than http.max_connections: strangers need \
                 some, too"
                    .to_owned(),
            ));
        }
        if let Some(everybody) =
            http.trusted_proxies.iter().find(|network| network.prefix_len() == 0)
        {
            let text = format!(
                "http.trusted_proxies: {everybody} is everybody, and whoever is trusted there \
                 says whose address a call counts for"
            );
            return Err(ConfigError::Contradiction(text));
        }
        if self.admin.token.as_ref().is_some_and(|token| !is_token(token.expose())) {
            let text = format!(
                "admin.token has at least {LEAST_TOKEN} characters, of ASCII, as a header can \
                 carry them: it opens everything"
            );
            return Err(ConfigError::Contradiction(text));
        }
        self.check_admin_tokens()
    }

    /// A name, a token of their own each: who did something is known by the token.
    fn check_admin_tokens(&self) -> Result<(), ConfigError> {
        let wrong = |text: String| Err(ConfigError::Contradiction(format!("admin.tokens: {text}")));
        let tokens = &self.admin.tokens;
        for (index, token) in tokens.iter().enumerate() {
            let name = &token.name;
            if name.is_empty()
                || name.len() > LONGEST_OPERATOR
                || name.trim() != name
                || name.chars().any(char::is_control)
            {
                return wrong(format!(
                    "a name has 1 to {LONGEST_OPERATOR} bytes, and no spaces around it"
                ));
            }
            if !is_token(token.token.expose()) {
                return wrong(format!(
                    "the token of {name} has at least {LEAST_TOKEN} characters, of ASCII"
                ));
            }
            let shared = self.admin.token.as_ref().is_some_and(|shared| *shared == token.token);
            if shared
                || tokens[..index]
                    .iter()
                    .any(|other| other.token == token.token || other.name == *name)
            {
                return wrong(format!("{name} has another one's name or token"));
            }
        }
        Ok(())
    }
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
    pub fn accounts_per_hour(&self) -> u32 {
        self.accounts_per_ip_per_hour.unwrap_or(self.per_ip_per_minute)
    }
}
