//! Configuration: a file, the environment over it, flags over both. Unknown keys are errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use events::country::Country;
use events::money::Money;
use events::platform::Platform;
use events::price::Catalogue;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use bounds::is_token;
pub use deposits::Deposits;
pub use esdb::{Esdb, LogReader, Right};
pub use node::Node;
pub use operator::Operator;
pub use registration::{Registration, RegistrationMode};
pub use retention::Retention;
use suppliers::configuration::{Dollars, Suppliers};
pub use tables::{Admin, AdminRole, Http, Limits, Log, LogFormat, Mcp, Orders, Store, Webhooks};
use test_mode::TestMode;
pub use vault::VaultSettings;

mod bounds;
mod contradictions;
pub mod deposits;
mod esdb;
mod explain;
mod hosts;
pub mod mistakes;
mod node;
mod operator;
mod registration;
mod retention;
pub mod schema;
mod tables;
mod test_mode;
#[cfg(test)]
mod tests;
mod vault;

/// Variables of the prefix that are not configuration: other parts of the service read them.
const NOT_CONFIGURATION: &[&str] = &[
    "config",
    "data_dir",
    "listen",
    "api_key",
    "url",
    "bin",
    "admin_token",
    "supplier_token",
    "reader_token",
];

/// What is left of it after the largest discount is still a price.
const LEAST_PRICE: Money = Money::from_micros(1_000);

/// The configuration cannot be used; the text says what to change.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file, a variable or a value in them.
    #[error("configuration: {0}")]
    Invalid(String),
    /// The file named on the command line is not there.
    #[error("configuration: there is no file {0}")]
    NoFile(PathBuf),
    /// Values that do not fit together; one a line.
    #[error("configuration: {0}")]
    Contradiction(String),
}

/// All of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub operator: Operator,
    pub http: Http,
    pub registration: Registration,
    pub limits: Limits,
    pub orders: Orders,
    pub suppliers: Suppliers,
    pub webhooks: Webhooks,
    pub mcp: Mcp,
    pub test_mode: TestMode,
    pub deposits: Deposits,
    pub admin: Admin,
    pub esdb: Esdb,
    pub store: Store,
    pub vault: VaultSettings,
    pub node: Node,
    pub retention: Retention,
    pub log: Log,
    /// List prices in place of the built-in ones, in dollars: by platform, or by
    /// `platform.COUNTRY`.
    pub prices: BTreeMap<String, Dollars>,
}

impl Config {
    /// Reads the file, if one is named, and the environment over it.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let figment = mistakes::written(file, &[])?;
        let config: Self =
            figment.extract().map_err(|error| ConfigError::Invalid(explain::explain(error)))?;
        match explain::placed(&config.contradictions(), file) {
            wrong if wrong.is_empty() => Ok(config),
            wrong => Err(ConfigError::Contradiction(wrong.join("\n"))),
        }
    }

    /// List prices, with the operator's own.
    pub fn catalogue(&self) -> Result<Catalogue, ConfigError> {
        let mut catalogue = Catalogue::default();
        for (name, price) in &self.prices {
            let (platform, country, price) =
                priced(name, *price).map_err(ConfigError::Contradiction)?;
            catalogue.set(platform, country, price);
        }
        Ok(catalogue)
    }

    /// What nodes that share a log must agree on, as a digest: all that decides what becomes of an
    /// order. Secrets are not in it.
    pub fn fingerprint(&self) -> [u8; 32] {
        let Self { operator, registration, limits, orders, suppliers, webhooks, .. } = self;
        let Self { test_mode, deposits, prices, .. } = self;
        let rules = (operator, registration, limits, orders, suppliers, webhooks);
        Sha256::digest(format!("{rules:?}{:?}", (test_mode, deposits, prices))).into()
    }

    /// Whether the simulator is on, or why the service must not start.
    pub fn simulated_numbers(&self) -> Result<bool, ConfigError> {
        self.suppliers
            .is_simulated(self.deposits.coins().next().is_some())
            .map_err(ConfigError::Contradiction)
    }

    /// Whether the simulated chain is on, or why the service must not start.
    pub fn simulated_deposits(&self) -> Result<bool, ConfigError> {
        let listen = self.http.listen;
        self.deposits.is_simulated(listen.ip().is_loopback(), &listen.to_string(), &self.suppliers)
    }
}

/// What a price is for, by its name, or what is wrong with it.
fn priced(name: &str, price: Dollars) -> Result<(Platform, Option<Country>, Money), String> {
    let wrong = |what: &str| format!("prices.{name:?}: {what}; write \"google\" or \"google.US\"");
    let (platform, country) = match name.split_once('.') {
        Some((platform, country)) => {
            (platform, Some(country.parse().map_err(|_| wrong("not a supported country"))?))
        }
        None => (name, None),
    };
    let platform = platform.parse().map_err(|_| wrong("not a supported platform"))?;
    if price.0 < LEAST_PRICE {
        return Err(format!(
            "prices.{name:?} is at least {LEAST_PRICE} dollars: numbers are not given away"
        ));
    }
    Ok((platform, country, price.0))
}
