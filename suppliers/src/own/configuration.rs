//! What the configuration says of the operator's own gateway.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::configuration::{ListedNumber, PoolConfiguration, Secret, check_secret};

/// Numbers behind a gateway of the operator's own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Own")]
pub struct Configuration {
    /// Signs `POST /inbound/v1/own`.
    pub inbound_secret: Option<Secret>,
    /// Whether the gateway says when it received each message (`received_at`): then no number needs
    /// to rest after an order.
    pub sends_times: bool,
    /// Its numbers.
    pub numbers: Vec<ListedNumber>,
}

impl PoolConfiguration for Configuration {
    fn name(&self) -> &'static str {
        "own"
    }

    fn proof(&self) -> &'static str {
        "inbound_secret"
    }

    fn is_on(&self) -> bool {
        self.inbound_secret.is_some()
    }

    fn numbers(&self) -> &[ListedNumber] {
        &self.numbers
    }

    fn says_when_received(&self) -> bool {
        self.sends_times
    }

    fn contradictions(&self) -> Vec<String> {
        check_secret("own.inbound_secret", self.inbound_secret.as_ref(), 16)
            .err()
            .into_iter()
            .collect()
    }
}
