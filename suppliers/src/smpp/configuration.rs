//! What the configuration says of numbers behind SMPP.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Bind, DefaultAlphabet, Mode};
use crate::configuration::{ListedNumber, PoolConfiguration, Secret};

/// Numbers behind SMPP.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Smpp")]
pub struct Configuration {
    /// Binds at SMSCs.
    pub binds: Vec<BindConfiguration>,
    /// The numbers behind them.
    pub numbers: Vec<ListedNumber>,
}

/// A bind at an SMSC.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SmppBind")]
pub struct BindConfiguration {
    /// Host and port.
    pub address: String,
    /// Whether to speak TLS.
    #[serde(default)]
    pub tls: bool,
    /// Further certificates that the SMSC may have (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Who we are.
    pub system_id: String,
    /// The password.
    pub password: Secret,
    /// The type of system, if the SMSC wants one.
    #[serde(default)]
    pub system_type: String,
    /// How to bind.
    #[serde(default)]
    pub mode: Mode,
    /// What `data_coding` 0 means there.
    #[serde(default)]
    pub default_alphabet: DefaultAlphabet,
    /// How often to ask whether the link is alive.
    #[serde(default = "enquire_link_seconds")]
    pub enquire_link_seconds: u32,
}

const fn enquire_link_seconds() -> u32 {
    30
}

impl PoolConfiguration for Configuration {
    fn name(&self) -> &'static str {
        "smpp"
    }

    fn proof(&self) -> &'static str {
        "binds"
    }

    fn is_on(&self) -> bool {
        !self.binds.is_empty()
    }

    fn numbers(&self) -> &[ListedNumber] {
        &self.numbers
    }

    fn says_when_received(&self) -> bool {
        false
    }

    fn contradictions(&self) -> Vec<String> {
        self.binds.iter().flat_map(BindConfiguration::contradictions).collect()
    }
}

impl BindConfiguration {
    /// SMPP's own bounds.
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let has_port = self
            .address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !has_port {
            found.push(format!(
                "suppliers.smpp.binds: address {:?} is not a host and a port, as in \
                 smsc.example.com:2775",
                self.address
            ));
        }
        let fits =
            |text: &str, most: usize| text.is_ascii() && !text.contains('\0') && text.len() <= most;
        if !fits(&self.system_id, 15)
            || !fits(self.password.expose(), 8)
            || !fits(&self.system_type, 12)
        {
            found.push(
                "suppliers.smpp.binds: system_id has at most 15 characters, password 8, \
                system_type 12, all ASCII"
                    .to_owned(),
            );
        }
        if !(1..=3_600).contains(&self.enquire_link_seconds) {
            found.push(format!(
                "suppliers.smpp.binds: enquire_link_seconds is from 1 to 3600, not {}",
                self.enquire_link_seconds
            ));
        }
        found
    }

    /// The bind that a session makes.
    pub fn bind(&self) -> Bind {
        Bind {
            address: self.address.clone(),
            tls: self.tls,
            ca_file: self.ca_file.clone(),
            system_id: self.system_id.clone(),
            password: self.password.expose().to_owned(),
            system_type: self.system_type.clone(),
            mode: self.mode,
            default_alphabet: self.default_alphabet,
            enquire_link: Duration::from_secs(self.enquire_link_seconds.into()),
        }
    }
}
