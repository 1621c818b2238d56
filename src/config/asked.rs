//! Sources that are asked over HTTP: for each number, or for numbers to own; and how much every source is wanted.

use std::collections::BTreeSet;

use events::money::Money;
use events::supplier::SupplierName;
use serde::Deserialize;
use suppliers::http::HttpSource;
use suppliers::purchasing::Account;

use super::suppliers::{BUILT_IN, Suppliers, wrong};
use super::{ConfigError, Dollars, Named};
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

/// Whether numbers are bought, and for how much.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Buying {
    /// Numbers may be bought.
    pub allowed: bool,
    /// The most that the bought ones may cost in a month, in dollars.
    pub monthly_limit: Dollars,
}

/// Twilio's API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioApi {
    /// The account; `suppliers.twilio.auth_token` is its secret.
    pub account_sid: String,
    #[serde(default = "twilio_url")]
    pub url: String,
    #[serde(default = "twilio_pricing_url")]
    pub pricing_url: String,
    #[serde(default)]
    pub buying: Buying,
}

/// Telnyx's API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelnyxApi {
    pub key: Secret,
    /// Where messages to bought numbers are told.
    #[serde(default)]
    pub messaging_profile_id: Option<String>,
    #[serde(default = "telnyx_url")]
    pub url: String,
    #[serde(default)]
    pub buying: Buying,
}

/// Vonage's API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonageApi {
    pub key: String,
    pub secret: Secret,
    /// What a euro, in which its prices are, counts as in dollars.
    #[serde(default = "dollars_per_euro")]
    pub dollars_per_euro: Dollars,
    #[serde(default = "vonage_url")]
    pub url: String,
    #[serde(default)]
    pub buying: Buying,
}

fn twilio_url() -> String {
    "https://api.twilio.com".to_owned()
}

fn twilio_pricing_url() -> String {
    "https://pricing.twilio.com".to_owned()
}

fn telnyx_url() -> String {
    "https://api.telnyx.com".to_owned()
}

fn vonage_url() -> String {
    "https://rest.nexmo.com".to_owned()
}

/// Above what a euro has cost for years: the limit is to be kept, not met.
const fn dollars_per_euro() -> Dollars {
    Dollars(Money::from_cents(125))
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

    /// APIs whose addresses can be called, with what they know us by.
    pub(super) fn check_apis(&self) -> Result<(), ConfigError> {
        let Self { twilio, telnyx, vonage, .. } = self;
        if twilio.api.is_some() && twilio.auth_token.is_none() {
            return wrong("suppliers.twilio.api needs suppliers.twilio.auth_token, which is its secret".to_owned());
        }
        if telnyx.api.is_some() && telnyx.public_key.is_none() {
            return wrong("suppliers.telnyx.api needs suppliers.telnyx.public_key, which proves the messages of its numbers".to_owned());
        }
        if vonage.api.is_some() && vonage.signature_secret.is_none() {
            return wrong("suppliers.vonage.api needs suppliers.vonage.signature_secret, which proves the messages of its numbers".to_owned());
        }
        let twilio = twilio.api.iter().flat_map(|api| [("twilio", &api.url, &api.buying), ("twilio", &api.pricing_url, &api.buying)]);
        let telnyx = telnyx.api.iter().map(|api| ("telnyx", &api.url, &api.buying));
        let vonage = vonage.api.iter().map(|api| ("vonage", &api.url, &api.buying));
        for (name, url, buying) in twilio.chain(telnyx).chain(vonage) {
            if let Err(what) = Account::new(url, name, "") {
                return wrong(format!("suppliers.{name}.api: {what}"));
            }
            if buying.allowed != buying.monthly_limit.0.is_positive() {
                return wrong(format!("suppliers.{name}.api.buying needs both: allowed = true, and a monthly_limit above zero"));
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
