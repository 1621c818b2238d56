//! The endpoint at which other programs read the log.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use suppliers::configuration::Secret;

use super::{ConfigError, is_token};

/// The endpoint.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogReader {
    pub name: String,
    pub token: Secret,
    #[serde(default)]
    pub rights: BTreeSet<Right>,
}

/// What a reader sees beyond masked events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
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

    /// What no type can say, of the endpoint alone.
    pub fn check(&self) -> Result<(), ConfigError> {
        match self.contradictions() {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(ConfigError::Contradiction(wrong.join("\n"))),
        }
    }

    /// The same, each in a text.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.certificate_file.is_some() != self.key_file.is_some() {
            found.push("esdb.certificate_file and esdb.key_file go together".to_owned());
        }
        if let Some(listen) = self
            .listen
            .filter(|listen| !listen.ip().to_canonical().is_loopback() && !self.is_encrypted())
        {
            found.push(format!(
                "esdb.listen: {listen} can be reached by others, who are served over TLS alone: \
                 set esdb.certificate_file and esdb.key_file, or listen on 127.0.0.1"
            ));
        }
        if self.listen.is_some() && self.readers.is_empty() && !self.serves_anonymous() {
            found.push("esdb.readers: nobody could read; name a reader with a token".to_owned());
        }
        found.extend(self.wrong_readers().map(|text| format!("esdb.readers: {text}")));
        found
    }

    fn wrong_readers(&self) -> impl Iterator<Item = String> {
        self.readers.iter().enumerate().filter_map(|(index, reader)| {
            let (name, before) = (&reader.name, &self.readers[..index]);
            // Names stand before a colon in what clients send.
            if name.is_empty()
                || name.len() > 64
                || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
            {
                return Some(format!(
                    "a name is 1 to 64 letters of ASCII without spaces and colons; {name:?} is \
                     none"
                ));
            }
            if before.iter().any(|other| other.name == *name) {
                return Some(format!("there are two named {name:?}"));
            }
            if !is_token(reader.token.expose()) {
                return Some(format!(
                    "the token of {name:?} needs at least 24 characters, of ASCII, as a header can \
                     carry them"
                ));
            }
            before.iter().any(|other| other.token == reader.token).then(|| {
                "two readers have the same token, and the token alone says who reads".to_owned()
            })
        })
    }
}
