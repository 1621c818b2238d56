//! The configuration's tables, with what each key is where nothing is written.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use events::account::CancelRules;
use events::code::Sensitive;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use suppliers::configuration::Secret;

/// The public listener.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    pub listen: SocketAddr,
    /// Addresses or networks of proxies in front; a forwarding header counts only from these.
    #[serde(deserialize_with = "networks")]
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpNet>,
    /// Connections at a time.
    pub max_connections: usize,
    /// Of those, for callers who have shown a valid key; unset: a quarter.
    pub reserved_connections: Option<usize>,
    /// For one address (IPv6: its /64), those of accounts with money apart; unset: a quarter, but
    /// 64 where there are as many.
    pub max_connections_per_ip: Option<usize>,
    /// For a request's head to arrive, and for the next request on an open connection.
    pub header_timeout_seconds: u64,
    /// For a request's body to arrive, beyond what its size takes at 8 KiB a second.
    pub body_timeout_seconds: u64,
    /// For the other end to read something of an answer.
    pub write_timeout_seconds: u64,
    /// Largest request body.
    pub max_body_bytes: usize,
    /// Largest body of a batch.
    pub max_batch_bytes: usize,
    /// Largest body of an inbound webhook.
    pub max_inbound_bytes: usize,
    /// For open requests to finish when the service stops.
    pub drain_seconds: u64,
    /// The service's address as the outside sees it, without a path of ours:
    /// `https://sms.example.com`.
    pub public_url: Option<String>,
}

/// Rate limits; 0 switches one off.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub per_ip_per_minute: u32,
    pub per_key_per_minute: u32,
    /// Accounts that one address may open in an hour; unset: as many as it may make calls in a
    /// minute.
    pub accounts_per_ip_per_hour: Option<u32>,
    /// Accounts that all addresses together may open in an hour.
    pub accounts_per_hour: u32,
}

/// How orders live.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Orders {
    /// From the first number to expiry.
    pub lifetime_seconds: u32,
    /// How long a first number may be sought.
    pub seek_seconds: u32,
    pub max_concurrent_per_account: u32,
    /// How long a completed order keeps its number, and takes what still comes; unset: to its
    /// expiry. 0: its number goes back with the code.
    pub listen_after_code_seconds: Option<u32>,
    /// Numbers an account may give back in an hour without a message on them, and nothing follows.
    pub free_cancels_per_hour: u32,
    /// After the first one more: how long until its next order; doubled with each after it. 0
    /// switches it off.
    pub cancel_pause_seconds: u32,
    /// The longest of these pauses.
    pub cancel_pause_max_seconds: u32,
    /// Messages that are held back: callers see that one came, and why, but never the text; one
    /// with the code ends its order, and the money comes back.
    pub hold: Vec<HeldKind>,
}

impl Orders {
    /// The limits on cancels, for the pure core.
    pub fn cancels(&self) -> CancelRules {
        CancelRules {
            free_per_hour: self.free_cancels_per_hour,
            pause_seconds: self.cancel_pause_seconds,
            max_pause_seconds: self.cancel_pause_max_seconds,
        }
    }

    /// Kinds of messages that are held back, for the pure core.
    pub fn held_kinds(&self) -> Vec<Sensitive> {
        self.hold.iter().map(|kind| kind.kind()).collect()
    }

    /// How long orders keep their numbers after the code.
    pub fn listen_seconds(&self) -> u32 {
        self.listen_after_code_seconds.unwrap_or(self.lifetime_seconds)
    }
}

/// A kind of message that may be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldKind {
    /// It speaks of a payment, a transfer or a card.
    BankTransaction,
    /// It lets somebody set a password anew, or recover an account.
    PasswordReset,
    /// It addresses or names a person.
    PersonName,
}

impl HeldKind {
    const fn kind(self) -> Sensitive {
        match self {
            Self::BankTransaction => Sensitive::BankTransaction,
            Self::PasswordReset => Sensitive::PasswordReset,
            Self::PersonName => Sensitive::PersonName,
        }
    }
}

/// Webhooks to callers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Lifts the guard on targets, for development.
    pub allow_private_targets: bool,
    /// Ports that targets may have.
    pub allowed_ports: Vec<u16>,
    /// Name servers to ask for targets, in place of the system's.
    pub dns_servers: Vec<SocketAddr>,
    /// Further certificates that targets may have (PEM).
    pub extra_ca_file: Option<PathBuf>,
}

/// The tools for agents over HTTP.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mcp {
    /// Names under which `/mcp` may be reached; unset: loopback's, or any where others can reach
    /// the service.
    pub allowed_hosts: Vec<String>,
    /// Web origins whose pages may call it, besides this machine's own where only it can reach the
    /// service.
    pub allowed_origins: Vec<String>,
}

/// The operator's listener.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Unset: 127.0.0.1:8081, or any free port if that is taken.
    pub listen: Option<SocketAddr>,
    /// Unset: generated into the data directory. Whoever has it is an operator, by the name they
    /// give.
    pub token: Option<Secret>,
    /// Further tokens, each with its holder's name and what they may.
    pub tokens: Vec<AdminToken>,
    /// Names under which it may be reached, besides addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
}

/// Somebody's own token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdminToken {
    /// Whose; it stands in the log.
    pub name: String,
    pub token: Secret,
    pub role: AdminRole,
}

/// What the holder of a token may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdminRole {
    /// Look, at what is masked; nothing else.
    Viewer,
    /// Everything.
    Operator,
}

/// Where the data is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    pub data_dir: PathBuf,
    /// Megabytes of the disk kept for what is under way: below that, nothing new is taken.
    pub reserve_mb: u32,
    /// How far the clock may be behind the log's last record when the service starts.
    pub max_clock_behind_seconds: u32,
    /// The log that several nodes share, in a database (`postgres://...`); unset: this node's own
    /// is the log.
    pub shared: Option<Secret>,
    /// Who vouches for the database's certificate (PEM), beside the public authorities.
    pub shared_ca_file: Option<PathBuf>,
}

/// What is logged.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// As in `info` or `info,telenumerus=debug`.
    pub level: String,
    pub format: LogFormat,
    /// One line a request.
    pub access: bool,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            trusted_proxies: Vec::new(),
            max_connections: 4_096,
            reserved_connections: None,
            max_connections_per_ip: None,
            header_timeout_seconds: 30,
            body_timeout_seconds: 10,
            write_timeout_seconds: 20,
            max_body_bytes: 16 * 1024,
            max_batch_bytes: 64 * 1024,
            // The longest message there is, 255 parts of 67 letters, in UTF-8.
            max_inbound_bytes: 64 * 1024,
            drain_seconds: 10,
            public_url: None,
        }
    }
}

impl Default for Limits {
    // The guide: 30 requests a minute per address, 120 per key.
    fn default() -> Self {
        Self {
            per_ip_per_minute: 30,
            per_key_per_minute: 120,
            accounts_per_ip_per_hour: None,
            accounts_per_hour: 0,
        }
    }
}

impl Default for Orders {
    // The guide: "Orders expire in 300 seconds", "1 concurrent order per account".
    fn default() -> Self {
        let CancelRules { free_per_hour, pause_seconds, max_pause_seconds } =
            CancelRules::default();
        Self {
            lifetime_seconds: 300,
            seek_seconds: 60,
            max_concurrent_per_account: 1,
            listen_after_code_seconds: None,
            free_cancels_per_hour: free_per_hour,
            cancel_pause_seconds: pause_seconds,
            cancel_pause_max_seconds: max_pause_seconds,
            hold: Vec::new(),
        }
    }
}

impl Default for Webhooks {
    // Any other port of somebody else's machine is not a webhook's, and asking it is a scan.
    fn default() -> Self {
        Self {
            allow_private_targets: false,
            allowed_ports: vec![443],
            dns_servers: Vec::new(),
            extra_ca_file: None,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            reserve_mb: 256,
            max_clock_behind_seconds: 60,
            shared: None,
            shared_ca_file: None,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info,ractor=warn,rmcp=error".to_owned(),
            format: LogFormat::Text,
            access: true,
        }
    }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let network = |(entry, text): (usize, &String)| {
        let parsed =
            text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        parsed.ok_or_else(|| {
            serde::de::Error::custom(format!("entry {entry} is not an address or a network"))
        })
    };
    (1..).zip(&texts).map(network).collect()
}
