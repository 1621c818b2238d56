//! The endpoint at which other programs read the log.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use suppliers::configuration::Secret;

use super::{ConfigError, is_token};

/// The endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Esdb {
    /// Unset: there is no endpoint.
    pub listen: Option<SocketAddr>,
    /// The certificate and those that it was made with (PEM); others than this machine are served
    /// over TLS alone.
    pub certificate_file: Option<PathBuf>,
    /// Its key (PEM).
    pub key_file: Option<PathBuf>,
    /// Whether a reader without a token is served, masked; unset: without TLS, which is on this
    /// machine alone.
    pub anonymous: Option<bool>,
    /// Connections at a time.
    pub max_connections: usize,
    /// Reads and subscriptions at a time.
    pub max_subscriptions: usize,
    /// How long a reader may take nothing of what waits for it.
    pub patience_seconds: u32,
    /// Who reads with a token.
    pub readers: Vec<LogReader>,
}

/// A program with a name and a token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogReader {
    pub name: String,
    pub token: Secret,
    #[serde(default)]
    pub rights: BTreeSet<Right>,
}

/// What a reader sees beyond masked events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Texts, senders, codes and full phone numbers.
    Reveal,
    /// The bytes of each event, which a copy is made of.
    Bytes,
}

impl Default for Esdb {
    fn default() -> Self {
        Self {
            listen: None,
            certificate_file: None,
            key_file: None,
            anonymous: None,
            max_connections: 64,
            max_subscriptions: 64,
            patience_seconds: 60,
            readers: Vec::new(),
        }
    }
}

impl Esdb {
    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.certificate_file.is_some()
    }

    /// Whether a reader without a token is served.
    pub fn serves_anonymous(&self) -> bool {
        self.anonymous.unwrap_or(!self.is_encrypted())
    }

    /// What no type can say.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (name, value, bounds) in [
            ("esdb.max_connections", self.max_connections, 4..=65_536),
            ("esdb.max_subscriptions", self.max_subscriptions, 1..=65_536),
            ("esdb.patience_seconds", self.patience_seconds as usize, 1..=3_600),
        ] {
            if !bounds.contains(&value) {
                return wrong(format!(
                    "{name} is from {} to {}, not {value}",
                    bounds.start(),
                    bounds.end()
                ));
            }
        }
        if self.certificate_file.is_some() != self.key_file.is_some() {
            return wrong("esdb.certificate_file and esdb.key_file go together".to_owned());
        }
        if let Some(listen) = self
            .listen
            .filter(|listen| !listen.ip().to_canonical().is_loopback() && !self.is_encrypted())
        {
            return wrong(format!(
                "esdb.listen: {listen} can be reached by others, who are served over TLS alone: \
                 set esdb.certificate_file and esdb.key_file, or listen on 127.0.0.1"
            ));
        }
        if self.listen.is_some() && self.readers.is_empty() && !self.serves_anonymous() {
            return wrong("esdb.readers: nobody could read; name a reader with a token".to_owned());
        }
        self.check_readers()
    }

    fn check_readers(&self) -> Result<(), ConfigError> {
        let mut names = BTreeSet::new();
        for reader in &self.readers {
            // Names stand before a colon in what clients send.
            if reader.name.is_empty()
                || reader.name.len() > 64
                || !reader.name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
            {
                return wrong(format!(
                    "esdb.readers: a name is 1 to 64 letters of ASCII without spaces and colons; \
                     {:?} is none",
                    reader.name
                ));
            }
            if !names.insert(reader.name.as_str()) {
                return wrong(format!("esdb.readers: there are two named {:?}", reader.name));
            }
            if !is_token(reader.token.expose()) {
                return wrong(format!(
                    "esdb.readers: the token of {:?} needs at least 24 characters, of ASCII, as a \
                     header can carry them",
                    reader.name
                ));
            }
        }
        let tokens: BTreeSet<_> = self.readers.iter().map(|reader| reader.token.expose()).collect();
        if tokens.len() < self.readers.len() {
            return wrong(
                "esdb.readers: two readers have the same token, and the token alone says who reads"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

fn wrong<T>(text: String) -> Result<T, ConfigError> {
    Err(ConfigError::Contradiction(text))
}
