//! What the configuration says of a supplier whose numbers are listed; each supplier's folder has
//! its own.

use std::sync::Arc;

use events::country::Country;
use events::money::Money;
use events::phone::Phone;
use events::platform::Platform;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Dollars, Named, Secret};
use crate::inbound::InboundFormat;
use crate::purchasing::{Account, Telecom};

/// A number the operator has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListedNumber {
    /// The number.
    pub number: Named<Phone>,
    /// Where it is from.
    pub country: Named<Country>,
    /// What it may be used for; everything, if absent.
    #[serde(default)]
    pub platforms: Option<Vec<Named<Platform>>>,
}

/// Whether numbers are bought, and for how much.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Buying {
    /// Numbers may be bought.
    pub allowed: bool,
    /// The most that the bought ones may cost in a month, in dollars.
    pub monthly_limit: Dollars,
}

/// A telecom's API, as the configuration says.
pub struct ConfiguredTelecom {
    /// The API.
    pub telecom: Arc<dyn Telecom>,
    /// The most that numbers bought there may cost a month; `None` where none may be bought.
    pub monthly_limit: Option<Money>,
}

/// A supplier's part of the configuration.
pub trait PoolConfiguration: Send + Sync {
    /// The supplier's name in the configuration, in events, metrics and paths.
    fn name(&self) -> &'static str;

    /// The setting that proves its messages.
    fn proof(&self) -> &'static str;

    /// Whether that setting is there: without it the supplier is switched off.
    fn is_on(&self) -> bool;

    /// Its numbers.
    fn numbers(&self) -> &[ListedNumber];

    /// Whether its messages say when they were received. Numbers of those that do not rest after
    /// each order.
    fn says_when_received(&self) -> bool;

    /// What no type can say; each text names the setting.
    fn contradictions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Why the address under which the public reaches this service must be configured, if it must.
    fn needs_public_url(&self) -> Option<&'static str> {
        None
    }

    /// How its messages are read, if they are brought over HTTP in a format of its own.
    fn inbound(&self) -> Option<Arc<dyn InboundFormat>> {
        None
    }

    /// Its API for numbers, if it is configured; messages to numbers that are bought go to
    /// `inbound`.
    fn telecom(&self, _inbound: Option<String>) -> Result<Option<ConfiguredTelecom>, String> {
        Ok(None)
    }
}

impl Buying {
    /// The most that bought numbers may cost a month, where they may be bought.
    pub fn limit(self) -> Option<Money> {
        self.allowed.then_some(self.monthly_limit.0)
    }

    /// Both settings or neither, and addresses that can be called.
    pub fn check<'a>(
        self,
        supplier: &str,
        urls: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), String> {
        for url in urls {
            Account::new(url, supplier, "")
                .map_err(|what| format!("suppliers.{supplier}.api: {what}"))?;
        }
        if self.allowed == self.monthly_limit.0.is_positive() {
            Ok(())
        } else {
            Err(format!(
                "suppliers.{supplier}.api.buying needs both: allowed = true, and a monthly_limit \
                 above zero"
            ))
        }
    }
}

/// The account at a telecom's API.
pub fn account(supplier: &str, url: &str, user: &str, secret: &str) -> Result<Account, String> {
    Account::new(url, user, secret).map_err(|what| format!("suppliers.{supplier}.api: {what}"))
}

/// Refuses a secret that is shorter than any that is given out.
pub fn check_secret(setting: &str, secret: Option<&Secret>, shortest: usize) -> Result<(), String> {
    match secret.filter(|secret| secret.expose().len() < shortest) {
        Some(_) => Err(format!(
            "suppliers.{setting} is too short to be a secret; it has at least {shortest} characters"
        )),
        None => Ok(()),
    }
}
