//! What the configuration says of the simulator.

use std::collections::{BTreeMap, HashSet};

use events::phone::Phone;
use events::platform::Platform;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Settings;
use crate::configuration::Named;

/// The built-in source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Simulator")]
pub struct Configuration {
    /// Unset: only where no number and no money is real.
    pub enabled: Option<bool>,
    /// Shortest and longest time to the message.
    pub delivery_seconds: (f64, f64),
    /// Orders whose SMS never comes.
    pub failure_rate: f64,
    /// Requests that find no number.
    pub no_stock_rate: f64,
    /// Numbers reported dead while the code is awaited.
    pub dead_number_rate: f64,
    /// Message texts by platform, with `{code}` in them.
    pub templates: BTreeMap<Named<Platform>, String>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            enabled: None,
            delivery_seconds: (2.0, 8.0),
            failure_rate: 0.0,
            no_stock_rate: 0.0,
            dead_number_rate: 0.0,
            templates: BTreeMap::new(),
        }
    }
}

impl Configuration {
    /// What no type can say.
    pub fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let Self {
            delivery_seconds: (shortest, longest),
            failure_rate,
            no_stock_rate,
            dead_number_rate,
            ..
        } = self;
        for (name, rate) in [
            ("failure_rate", failure_rate),
            ("no_stock_rate", no_stock_rate),
            ("dead_number_rate", dead_number_rate),
        ] {
            if !(0.0..=1.0).contains(rate) {
                found.push(format!("suppliers.simulator.{name} is a part of one, from 0.0 to 1.0"));
            }
        }
        if !(0.0..=3_600.0).contains(shortest) || !(*shortest..=3_600.0).contains(longest) {
            found.push(
                "suppliers.simulator.delivery_seconds is [shortest, longest], at most an hour"
                    .to_owned(),
            );
        }
        found.extend(self.templates.iter().filter(|(_, text)| !text.contains("{code}")).map(
            |(platform, _)| {
                format!(
                    "suppliers.simulator.templates.{} needs {{code}} where the code goes",
                    platform.0
                )
            },
        ));
        found
    }

    /// How the simulator behaves; it makes up none of `others`, which other suppliers have.
    pub fn settings(&self, others: HashSet<Phone>) -> Settings {
        Settings {
            delivery_seconds: self.delivery_seconds,
            failure_rate: self.failure_rate,
            no_stock_rate: self.no_stock_rate,
            dead_number_rate: self.dead_number_rate,
            templates: self
                .templates
                .iter()
                .map(|(platform, text)| (platform.0, text.clone()))
                .collect(),
            others,
        }
    }
}
