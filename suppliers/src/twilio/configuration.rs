//! What the configuration says of Twilio.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Api, Inbound};
use crate::configuration::{
    Buying, ConfiguredTelecom, ListedNumber, PoolConfiguration, Secret, account, check_secret,
};
use crate::inbound::InboundFormat;

/// Numbers rented at Twilio.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Twilio")]
pub struct Configuration {
    /// The account's auth token: it signs `POST /inbound/v1/twilio`.
    pub auth_token: Option<Secret>,
    /// Its API, to list, buy and give back numbers.
    pub api: Option<ApiConfiguration>,
    /// Its numbers.
    pub numbers: Vec<ListedNumber>,
}

/// The API.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TwilioApi")]
pub struct ApiConfiguration {
    /// The account; `suppliers.twilio.auth_token` is its secret.
    pub account_sid: String,
    /// Where the API is.
    #[serde(default = "url")]
    pub url: String,
    /// Where its prices are.
    #[serde(default = "pricing_url")]
    pub pricing_url: String,
    /// Whether numbers are bought.
    #[serde(default)]
    pub buying: Buying,
}

fn url() -> String {
    "https://api.twilio.com".to_owned()
}

fn pricing_url() -> String {
    "https://pricing.twilio.com".to_owned()
}

impl PoolConfiguration for Configuration {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn proof(&self) -> &'static str {
        "auth_token"
    }

    fn is_on(&self) -> bool {
        self.auth_token.is_some()
    }

    fn numbers(&self) -> &[ListedNumber] {
        &self.numbers
    }

    fn says_when_received(&self) -> bool {
        false
    }

    fn contradictions(&self) -> Vec<String> {
        let mut found =
            Vec::from_iter(check_secret("twilio.auth_token", self.auth_token.as_ref(), 16).err());
        let Some(api) = &self.api else { return found };
        if self.auth_token.is_none() {
            found.push(
                "suppliers.twilio.api needs suppliers.twilio.auth_token, which is its secret"
                    .to_owned(),
            );
        }
        found.extend(api.buying.check("twilio", [&api.url, &api.pricing_url]).err());
        found
    }

    fn needs_public_url(&self) -> Option<&'static str> {
        self.is_on().then_some("Twilio signs the address that it calls")
    }

    fn inbound(&self) -> Option<Arc<dyn InboundFormat>> {
        let auth_token = self.auth_token.as_ref()?.expose().to_owned();
        Some(Arc::new(Inbound { auth_token }))
    }

    fn telecom(&self, inbound: Option<String>) -> Result<Option<ConfiguredTelecom>, String> {
        let (Some(api), Some(token)) = (&self.api, &self.auth_token) else { return Ok(None) };
        let of = |url: &str| account("twilio", url, &api.account_sid, token.expose());
        let telecom = Arc::new(Api::new(of(&api.url)?, of(&api.pricing_url)?, inbound));
        Ok(Some(ConfiguredTelecom { telecom, monthly_limit: api.buying.limit() }))
    }
}
