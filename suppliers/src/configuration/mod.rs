//! The `[suppliers]` table of the configuration: what all suppliers share, and each one's own part.

mod pool;
mod secret;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

pub use pool::{Buying, ConfiguredTelecom, ListedNumber, PoolConfiguration, account, check_secret};
pub use secret::Secret;
pub use values::{Dollars, Named, decimal};

use crate::{android, http, own, simulator, smpp, telnyx, twilio, vonage};

/// A message that is under way for longer than a week reaches nobody any more.
const LONGEST_REST_SECONDS: u32 = 7 * 24 * 3_600;
/// How long numbers rest after each order at suppliers that do not say when they received a
/// message.
const USUAL_REST_SECONDS: u32 = 60;

/// Where numbers come from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Suppliers {
    /// Suppliers an order may ask.
    pub max_attempts: u8,
    /// How long a number rests before it serves the same platform again.
    pub cooldown_days: u32,
    /// Made-up numbers.
    pub simulator: simulator::Configuration,
    /// The operator's own gateway.
    pub own: own::Configuration,
    /// A telecom.
    pub twilio: twilio::Configuration,
    /// A telecom.
    pub telnyx: telnyx::Configuration,
    /// A telecom.
    pub vonage: vonage::Configuration,
    /// Phones.
    pub android: android::Configuration,
    /// SMSCs.
    pub smpp: smpp::Configuration,
    /// Suppliers that are asked for each number over HTTP.
    pub http: Vec<http::Configuration>,
    /// How much each supplier is wanted beside the others; 100 is usual, 0 is last.
    pub weights: BTreeMap<String, u32>,
    /// What a code counts as costing at a supplier, in dollars, where it does not say so itself.
    pub costs: BTreeMap<String, Dollars>,
    /// How many seconds a number of a supplier rests after each order, where not as long as is
    /// usual there.
    pub rest_seconds: BTreeMap<String, u32>,
    /// The part of each country's numbers in a pool that accounts hold at most which have had
    /// numbers, and no code of any.
    pub unproven_share_percent: u32,
    /// How long the rest of a message in parts is waited for.
    pub parts_wait_seconds: u32,
    /// What follows where nobody has stated where a supplier's numbers come from.
    pub provenance: ProvenanceRule,
}

/// What follows where a real supplier's provenance is not stated, or its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProvenanceRule {
    /// No order has a number of it.
    Require,
    /// Orders have its numbers, and the operator is told.
    #[default]
    Warn,
}

impl Suppliers {
    /// The suppliers whose numbers are listed, in the order they are asked in.
    fn listed(&self) -> [&dyn PoolConfiguration; 6] {
        [&self.own, &self.smpp, &self.twilio, &self.telnyx, &self.vonage, &self.android]
    }

    /// Those of them that are switched on.
    pub fn pools(&self) -> impl Iterator<Item = &dyn PoolConfiguration> {
        self.listed().into_iter().filter(|pool| pool.is_on())
    }

    /// The suppliers that are switched on, made-up ones aside.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pools()
            .map(|pool| -> &str { pool.name() })
            .chain(self.http.iter().map(|source| source.name.0.as_str()))
    }

    /// The names that no supplier under `suppliers.http` can have.
    fn built_in(&self) -> Vec<&'static str> {
        self.listed().map(PoolConfiguration::name).into_iter().chain(["simulator"]).collect()
    }

    /// Whether the simulator is on, or why the service must not start: its codes are made up, and
    /// callers would pay for them.
    pub fn is_simulated(&self, has_chains: bool) -> Result<bool, String> {
        let refused = |why: String| {
            Err(format!(
                "{why}, and the simulator's codes are made up: write suppliers.simulator.enabled \
                 = false, or true if that is meant"
            ))
        };
        match self.simulator.enabled {
            Some(written) => Ok(written),
            None if has_chains => refused("deposits are real".to_owned()),
            None => match self.names().next() {
                Some(name) => refused(format!("{name} brings real numbers")),
                None => Ok(true),
            },
        }
    }

    /// How long a pool's numbers rest after each order: long enough for a message of those who do
    /// not say when they received it.
    pub fn rest(&self, pool: &dyn PoolConfiguration) -> Duration {
        let usual = if pool.says_when_received() { 0 } else { USUAL_REST_SECONDS };
        Duration::from_secs(self.rest_seconds.get(pool.name()).copied().unwrap_or(usual).into())
    }

    /// What no type can say; each text names the setting.
    pub fn contradictions(&self, has_public_url: bool) -> Vec<String> {
        let mut found = self.simulator.contradictions();
        let mut seen = BTreeSet::new();
        for pool in self.listed() {
            found.extend(wrong_numbers(pool, &mut seen));
            found.extend(pool.contradictions());
            if let Some(why) = pool.needs_public_url().filter(|_| !has_public_url) {
                found.push(format!("suppliers.{} needs http.public_url: {why}", pool.name()));
            }
        }
        found.extend(self.wrong_sources());
        found.extend(self.wrong_preferences());
        found.extend(self.wrong_rests());
        found
    }

    fn wrong_sources(&self) -> Vec<String> {
        let built_in = self.built_in();
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for source in &self.http {
            let name = source.name.0.as_str();
            if built_in.contains(&name) || !seen.insert(name) {
                found.push(format!("suppliers.http: the name {name} is another source's"));
            }
            found.extend(source.contradictions());
        }
        found
    }

    /// Weights and costs of no supplier, and costs that are none.
    fn wrong_preferences(&self) -> Vec<String> {
        let built_in = self.built_in();
        let is_known = |name: &str| {
            built_in.contains(&name)
                || self.http.iter().any(|source| source.name.0.as_str() == name)
        };
        let weights = self.weights.keys().map(|name| ("weights", name));
        let unknown = weights
            .chain(self.costs.keys().map(|name| ("costs", name)))
            .filter(|(_, name)| !is_known(name))
            .map(|(table, name)| {
                format!(
                    "suppliers.{table}.{name} is no source; {} and those of suppliers.http are",
                    built_in.join(", ")
                )
            });
        let negative = self.costs.iter().filter(|(_, cost)| cost.0.is_negative());
        unknown
            .chain(negative.map(|(name, _)| format!("suppliers.costs.{name} is below zero")))
            .collect()
    }

    /// Rests that are too long, and of no pool.
    fn wrong_rests(&self) -> Vec<String> {
        let pools = self.listed().map(PoolConfiguration::name);
        let long = self.rest_seconds.iter().filter(|(_, seconds)| **seconds > LONGEST_REST_SECONDS);
        let long = long.map(|(name, seconds)| {
            format!(
                "suppliers.rest_seconds.{name} is at most {LONGEST_REST_SECONDS} (a week), not \
                 {seconds}"
            )
        });
        let unknown = self.rest_seconds.keys().filter(|name| !pools.contains(&name.as_str()));
        let unknown = unknown.map(|name| {
            format!("suppliers.rest_seconds.{name} is no pool of numbers; {} are", pools.join(", "))
        });
        long.chain(unknown).collect()
    }
}

/// Numbers that cannot serve, that are listed twice, and those whose messages nothing proves.
fn wrong_numbers<'a>(pool: &'a dyn PoolConfiguration, seen: &mut BTreeSet<&'a str>) -> Vec<String> {
    let (name, mut found) = (pool.name(), Vec::new());
    for number in pool.numbers() {
        let phone = number.number.0.as_str();
        if !seen.insert(phone) {
            found.push(format!("suppliers.{name}.numbers lists {phone}, which is listed already"));
        }
        if let Err(why) = number.number.0.fit() {
            found.push(format!("suppliers.{name}.numbers: {phone} cannot serve: {why}"));
        } else if !number.country.0.has(&number.number.0) {
            found.push(format!(
                "suppliers.{name}.numbers: {phone} is not a number of {}",
                number.country.0
            ));
        }
    }
    if !pool.numbers().is_empty() && !pool.is_on() {
        found.push(format!(
            "suppliers.{name}.numbers needs suppliers.{name}.{}, which proves their messages",
            pool.proof()
        ));
    }
    found
}

impl Default for Suppliers {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            cooldown_days: 90,
            simulator: simulator::Configuration::default(),
            own: own::Configuration::default(),
            twilio: twilio::Configuration::default(),
            telnyx: telnyx::Configuration::default(),
            vonage: vonage::Configuration::default(),
            android: android::Configuration::default(),
            smpp: smpp::Configuration::default(),
            http: Vec::new(),
            weights: BTreeMap::new(),
            costs: BTreeMap::new(),
            rest_seconds: BTreeMap::new(),
            unproven_share_percent: 50,
            parts_wait_seconds: 120,
            provenance: ProvenanceRule::default(),
        }
    }
}
