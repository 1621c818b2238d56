//! What the configuration says of phones that run the SMS Gateway app.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::phone::Phone;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Inbound;
use crate::configuration::{ListedNumber, Named, PoolConfiguration, Secret, check_secret};
use crate::inbound::InboundFormat;

/// Numbers of SIM cards in Android phones that run the SMS Gateway app.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Android")]
pub struct Configuration {
    /// The app's webhook signing key: it signs `POST /inbound/v1/android`.
    pub signing_key: Option<Secret>,
    /// Its numbers.
    pub numbers: Vec<ListedNumber>,
    /// For phones that do not know their SIM card's number: `device id/SIM number`, or the device
    /// id alone, to the number.
    pub sims: BTreeMap<String, Named<Phone>>,
    /// Takes the time that phones say at its word. It is the network's, and hours off on some;
    /// without it a message counts as received when it comes.
    pub trust_received_at: bool,
}

impl PoolConfiguration for Configuration {
    fn name(&self) -> &'static str {
        "android"
    }

    fn proof(&self) -> &'static str {
        "signing_key"
    }

    fn is_on(&self) -> bool {
        self.signing_key.is_some()
    }

    fn numbers(&self) -> &[ListedNumber] {
        &self.numbers
    }

    fn says_when_received(&self) -> bool {
        self.trust_received_at
    }

    fn contradictions(&self) -> Vec<String> {
        // The app makes keys of eight characters.
        let secret = check_secret("android.signing_key", self.signing_key.as_ref(), 8).err();
        let is_listed =
            |phone: &Named<Phone>| self.numbers.iter().any(|number| number.number == *phone);
        let strange =
            self.sims.iter().filter(|(_, phone)| !is_listed(phone)).map(|(sim, phone)| {
                format!(
                    "suppliers.android.sims: {sim:?} has {}, which suppliers.android.numbers does \
                 not list",
                    phone.0.as_str()
                )
            });
        secret.into_iter().chain(strange).collect()
    }

    fn inbound(&self) -> Option<Arc<dyn InboundFormat>> {
        let signing_key = self.signing_key.as_ref()?.expose().to_owned();
        let sims = self.sims.iter().map(|(sim, phone)| (sim.clone(), phone.0.clone())).collect();
        Some(Arc::new(Inbound { signing_key, sims, trust_received_at: self.trust_received_at }))
    }
}
