//! What the configuration says of Telnyx.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Api, Inbound, PublicKey};
use crate::configuration::{
    Buying, ConfiguredTelecom, ListedNumber, Named, PoolConfiguration, Secret, account,
};
use crate::inbound::InboundFormat;

/// Numbers rented at Telnyx.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Telnyx")]
pub struct Configuration {
    /// The account's public key: it proves `POST /inbound/v1/telnyx`.
    pub public_key: Option<Named<PublicKey>>,
    /// Its API, to list, buy and give back numbers.
    pub api: Option<ApiConfiguration>,
    /// Its numbers.
    pub numbers: Vec<ListedNumber>,
}

/// The API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TelnyxApi")]
pub struct ApiConfiguration {
    /// The account's key.
    pub key: Secret,
    /// Where messages to bought numbers are told.
    #[serde(default)]
    pub messaging_profile_id: Option<String>,
    /// Where the API is.
    #[serde(default = "url")]
    pub url: String,
    /// Whether numbers are bought.
    #[serde(default)]
    pub buying: Buying,
}

fn url() -> String {
    "https://api.telnyx.com".to_owned()
}

impl PoolConfiguration for Configuration {
    fn name(&self) -> &'static str {
        "telnyx"
    }

    fn proof(&self) -> &'static str {
        "public_key"
    }

    fn is_on(&self) -> bool {
        self.public_key.is_some()
    }

    fn numbers(&self) -> &[ListedNumber] {
        &self.numbers
    }

    fn says_when_received(&self) -> bool {
        true
    }

    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let Some(api) = &self.api else { return found };
        if self.public_key.is_none() {
            found.push(
                "suppliers.telnyx.api needs suppliers.telnyx.public_key, which proves the messages \
                 of its numbers"
                    .to_owned(),
            );
        }
        found.extend(api.buying.check("telnyx", [&api.url]).err());
        found
    }

    fn inbound(&self) -> Option<Arc<dyn InboundFormat>> {
        let key = self.public_key.as_ref()?.0.clone();
        Some(Arc::new(Inbound { key }))
    }

    fn telecom(&self, _inbound: Option<String>) -> Result<Option<ConfiguredTelecom>, String> {
        let Some(api) = &self.api else { return Ok(None) };
        let telecom = Arc::new(Api::new(
            account("telnyx", &api.url, "", api.key.expose())?,
            api.messaging_profile_id.clone(),
        ));
        Ok(Some(ConfiguredTelecom { telecom, monthly_limit: api.buying.limit() }))
    }
}
