//! Sources that are asked for each number, and how much every source is wanted.

use std::collections::BTreeSet;

use actors::supplier::pull::HttpSource;
use events::supplier::SupplierName;
use serde::Deserialize;

use super::suppliers::{BUILT_IN, Suppliers, wrong};
use super::{ConfigError, Named};
use crate::secret::Secret;

/// A source that is asked for each number over HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Its name in events, metrics and paths.
    pub name: Named<SupplierName>,
    /// Where it is; `/leases` and `/stock` come behind it.
    pub url: String,
    /// What it knows us by.
    pub token: Secret,
    /// How often a lease's messages are read.
    #[serde(default = "poll_seconds")]
    pub poll_seconds: u32,
    /// Signs `POST /inbound/v1/{name}`, for a source that does not wait to be asked.
    #[serde(default)]
    pub inbound_secret: Option<Secret>,
}

const fn poll_seconds() -> u32 {
    3
}

impl Suppliers {
    /// Sources that are asked: names of their own, addresses that can be called.
    pub(super) fn check_http(&self) -> Result<(), ConfigError> {
        let mut seen = BTreeSet::new();
        for Http { name, url, token, poll_seconds, inbound_secret } in &self.http {
            let name = name.0.as_str();
            if BUILT_IN.contains(&name) || !seen.insert(name) {
                return wrong(format!("suppliers.http: the name {name} is another source's"));
            }
            if let Err(what) = HttpSource::new(url, token.expose()) {
                return wrong(format!("suppliers.http: {name}: {what}"));
            }
            if token.expose().is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                return wrong(format!("suppliers.http: {name}: token has visible ASCII characters only, and at least one"));
            }
            if *poll_seconds == 0 {
                return wrong(format!("suppliers.http: {name}: poll_seconds is at least 1"));
            }
            if inbound_secret.as_ref().is_some_and(|secret| secret.expose().len() < 16) {
                return wrong(format!("suppliers.http: {name}: inbound_secret is too short to be a secret; it has at least 16 characters"));
            }
        }
        Ok(())
    }

    /// Weights and costs of sources that there are.
    pub(super) fn check_preferences(&self) -> Result<(), ConfigError> {
        let known = |name: &str| BUILT_IN.contains(&name) || self.http.iter().any(|source| source.name.0.as_str() == name);
        let named = self.weights.keys().map(|name| ("weights", name)).chain(self.costs.keys().map(|name| ("costs", name)));
        for (table, name) in named {
            if !known(name) {
                return wrong(format!("suppliers.{table}.{name} is no source; {} and those of suppliers.http are", BUILT_IN.join(", ")));
            }
        }
        match self.costs.iter().find(|(_, cost)| cost.0.is_negative()) {
            Some((name, _)) => wrong(format!("suppliers.costs.{name} is below zero")),
            None => Ok(()),
        }
    }
}
