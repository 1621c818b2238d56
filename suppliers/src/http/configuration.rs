//! What the configuration says of a supplier that is asked for each number.

use events::supplier::SupplierName;
use schemars::JsonSchema;
use serde::Deserialize;

use super::HttpSource;
use crate::configuration::{Named, Secret};

/// A supplier that is asked for each number over HTTP.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
pub struct Configuration {
    /// Its name in events, metrics and paths.
    pub name: Named<SupplierName>,
    /// Where it is; `/leases` and `/stock` come behind it.
    pub url: String,
    /// What it knows us by.
    pub token: Secret,
    /// How often a lease's messages are read.
    #[serde(default = "poll_seconds")]
    pub poll_seconds: u32,
    /// Signs `POST /inbound/v1/{name}`, for a supplier that does not wait to be asked.
    #[serde(default)]
    pub inbound_secret: Option<Secret>,
}

const fn poll_seconds() -> u32 {
    3
}

impl Configuration {
    /// An address that can be called, and secrets that are some.
    pub fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let Self { name: Named(name), url, token, poll_seconds, inbound_secret } = self;
        if let Err(what) = HttpSource::new(url, token.expose()) {
            found.push(format!("suppliers.http: {name}: {what}"));
        }
        if token.expose().is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic())
        {
            found.push(format!(
                "suppliers.http: {name}: token has visible ASCII characters only, and at least one"
            ));
        }
        if *poll_seconds == 0 {
            found.push(format!("suppliers.http: {name}: poll_seconds is at least 1"));
        }
        if inbound_secret.as_ref().is_some_and(|secret| secret.expose().len() < 16) {
            found.push(format!(
                "suppliers.http: {name}: inbound_secret is too short to be a secret; it has at \
                 least 16 characters"
            ));
        }
        found
    }
}
