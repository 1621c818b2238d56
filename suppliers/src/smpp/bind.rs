//! A bind as the operator has written it, and how it is just now.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::message::DefaultAlphabet;

/// How a session is bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Receives only.
    Receiver,
    /// Receives, and could send.
    #[default]
    Transceiver,
}

/// A bind as the operator has written it.
#[derive(Clone)]
pub struct Bind {
    /// Host and port.
    pub address: String,
    /// Whether to speak TLS.
    pub tls: bool,
    /// Further certificates that the SMSC may have (PEM).
    pub ca_file: Option<PathBuf>,
    /// Who we are.
    pub system_id: String,
    /// The password; at most eight characters, as SMPP 3.4 has it.
    pub password: String,
    /// The type of system, if the SMSC wants one.
    pub system_type: String,
    /// How to bind.
    pub mode: Mode,
    /// What `data_coding` 0 means there.
    pub default_alphabet: DefaultAlphabet,
    /// How often to ask whether the link is alive.
    pub enquire_link: Duration,
}

/// Without the password.
impl std::fmt::Debug for Bind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bind")
            .field("address", &self.address)
            .field("system_id", &self.system_id)
            .finish_non_exhaustive()
    }
}

/// How a bind is just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindStatus {
    /// Host and port.
    pub address: String,
    /// Whether it is bound.
    pub bound: bool,
    /// Why not, if it is known.
    pub error: Option<String>,
}
