//! What the configuration says of Vonage.

use std::sync::Arc;

use events::money::Money;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Api, Inbound, SignatureMethod};
use crate::configuration::{
    Buying, ConfiguredTelecom, Dollars, ListedNumber, PoolConfiguration, Secret, account,
    check_secret,
};
use crate::inbound::InboundFormat;

/// Numbers rented at Vonage.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Vonage")]
pub struct Configuration {
    /// The account's signature secret: it signs `POST /inbound/v1/vonage`.
    pub signature_secret: Option<Secret>,
    /// How, as the account's settings say.
    pub signature_method: SignatureMethod,
    /// Its API, to list, buy and give back numbers.
    pub api: Option<ApiConfiguration>,
    /// Its numbers.
    pub numbers: Vec<ListedNumber>,
}

/// The API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "VonageApi")]
pub struct ApiConfiguration {
    /// The account's key.
    pub key: String,
    /// Its secret.
    pub secret: Secret,
    /// What a euro, in which its prices are, counts as in dollars.
    #[serde(default = "dollars_per_euro")]
    pub dollars_per_euro: Dollars,
    /// Where the API is.
    #[serde(default = "url")]
    pub url: String,
    /// Whether numbers are bought.
    #[serde(default)]
    pub buying: Buying,
}

fn url() -> String {
    "https://rest.nexmo.com".to_owned()
}

/// Above what a euro has cost for years: the limit is to be kept, not met.
const fn dollars_per_euro() -> Dollars {
    Dollars(Money::from_cents(125))
}

impl PoolConfiguration for Configuration {
    fn name(&self) -> &'static str {
        "vonage"
    }

    fn proof(&self) -> &'static str {
        "signature_secret"
    }

    fn is_on(&self) -> bool {
        self.signature_secret.is_some()
    }

    fn numbers(&self) -> &[ListedNumber] {
        &self.numbers
    }

    fn says_when_received(&self) -> bool {
        false
    }

    fn contradictions(&self) -> Vec<String> {
        // Vonage accepts any secret of ten characters or more.
        let mut found = Vec::from_iter(
            check_secret("vonage.signature_secret", self.signature_secret.as_ref(), 10).err(),
        );
        let Some(api) = &self.api else { return found };
        if self.signature_secret.is_none() {
            found.push(
                "suppliers.vonage.api needs suppliers.vonage.signature_secret, which proves the \
                 messages of its numbers"
                    .to_owned(),
            );
        }
        found.extend(api.buying.check("vonage", [&api.url]).err());
        found
    }

    fn inbound(&self) -> Option<Arc<dyn InboundFormat>> {
        let signature_secret = self.signature_secret.as_ref()?.expose().to_owned();
        Some(Arc::new(Inbound { signature_secret, signature_method: self.signature_method }))
    }

    fn telecom(&self, _inbound: Option<String>) -> Result<Option<ConfiguredTelecom>, String> {
        let Some(api) = &self.api else { return Ok(None) };
        let telecom = Arc::new(Api::new(
            account("vonage", &api.url, &api.key, api.secret.expose())?,
            api.dollars_per_euro.0,
        ));
        Ok(Some(ConfiguredTelecom { telecom, monthly_limit: api.buying.limit() }))
    }
}
