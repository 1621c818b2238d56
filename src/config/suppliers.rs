//! Where numbers come from: the simulator, and the sources whose numbers the operator lists and whose messages come in at a door.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use events::country::Country;
use events::phone::Phone;
use events::platform::Platform;
use serde::Deserialize;
use suppliers::telnyx::PublicKey;
use suppliers::vonage::SignatureMethod;

use super::asked::{Http, TelnyxApi, TwilioApi, VonageApi};
use super::{ConfigError, Dollars, Named};
use crate::secret::Secret;

/// A message that is under way for longer than a week reaches nobody any more.
const LONGEST_REST_SECONDS: u32 = 7 * 24 * 3_600;

/// Where numbers come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Suppliers {
    /// Sources an order may ask.
    pub max_attempts: u8,
    /// How long a number rests before it serves the same platform again.
    pub cooldown_days: u32,
    pub simulator: Simulator,
    pub own: Own,
    pub twilio: Twilio,
    pub telnyx: Telnyx,
    pub vonage: Vonage,
    pub android: Android,
    pub smpp: Smpp,
    /// Sources that are asked for each number over HTTP.
    pub http: Vec<Http>,
    /// How much each source is wanted beside the others; 100 is usual, 0 is last.
    pub weights: BTreeMap<String, u32>,
    /// What a code counts as costing at a source, in dollars, where it does not say so itself.
    pub costs: BTreeMap<String, Dollars>,
    /// How long a number of a source rests after each order, where other than [`Suppliers::rest`] says.
    pub rest_seconds: BTreeMap<String, u32>,
    /// The part of each country's numbers in a pool that accounts hold at most which have had numbers, and no code of any.
    pub unproven_share_percent: u32,
    /// How long the rest of a message in parts is waited for.
    pub parts_wait_seconds: u32,
}

/// The built-in source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulator {
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

/// Numbers behind a gateway of the operator's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Own {
    /// Signs `POST /inbound/v1/own`.
    pub inbound_secret: Option<Secret>,
    /// Whether the gateway says when it received each message (`received_at`): then no number needs to rest after an order.
    pub sends_times: bool,
    pub numbers: Vec<OwnNumber>,
}

/// Numbers rented at Twilio.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Twilio {
    /// The account's auth token: it signs `POST /inbound/v1/twilio`.
    pub auth_token: Option<Secret>,
    /// Its API, to list, buy and give back numbers.
    pub api: Option<TwilioApi>,
    pub numbers: Vec<OwnNumber>,
}

/// Numbers rented at Telnyx.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telnyx {
    /// The account's public key: it proves `POST /inbound/v1/telnyx`.
    pub public_key: Option<Named<PublicKey>>,
    /// Its API, to list, buy and give back numbers.
    pub api: Option<TelnyxApi>,
    pub numbers: Vec<OwnNumber>,
}

/// Numbers rented at Vonage.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vonage {
    /// The account's signature secret: it signs `POST /inbound/v1/vonage`.
    pub signature_secret: Option<Secret>,
    /// How, as the account's settings say.
    pub signature_method: SignatureMethod,
    /// Its API, to list, buy and give back numbers.
    pub api: Option<VonageApi>,
    pub numbers: Vec<OwnNumber>,
}

/// Numbers behind SMPP.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smpp {
    pub binds: Vec<SmppBind>,
    pub numbers: Vec<OwnNumber>,
}

/// A bind at an SMSC.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppBind {
    /// Host and port.
    pub address: String,
    #[serde(default)]
    pub tls: bool,
    /// Further certificates that the SMSC may have (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    pub system_id: String,
    pub password: Secret,
    #[serde(default)]
    pub system_type: String,
    #[serde(default)]
    pub mode: SmppMode,
    /// What `data_coding` 0 means there.
    #[serde(default)]
    pub default_alphabet: SmppAlphabet,
    /// How often to ask whether the link is alive.
    #[serde(default = "enquire_link_seconds")]
    pub enquire_link_seconds: u32,
}

/// How to bind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmppMode {
    Receiver,
    #[default]
    Transceiver,
}

/// An alphabet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmppAlphabet {
    #[default]
    Gsm,
    Latin1,
    Utf8,
    Ucs2,
}

const fn enquire_link_seconds() -> u32 {
    30
}

/// Numbers of SIM cards in Android phones that run the SMS Gateway app.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Android {
    /// The app's webhook signing key: it signs `POST /inbound/v1/android`.
    pub signing_key: Option<Secret>,
    pub numbers: Vec<OwnNumber>,
    /// For phones that do not know their SIM card's number: `device id/SIM number`, or the device id alone, to the number.
    pub sims: BTreeMap<String, Named<Phone>>,
    /// Takes the time that phones say at its word. It is the network's, and hours off on some; without it a message counts as received when it comes.
    pub trust_received_at: bool,
}

/// A number the operator has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnNumber {
    pub number: Named<Phone>,
    pub country: Named<Country>,
    /// What it may be used for; everything, if absent.
    #[serde(default)]
    pub platforms: Option<Vec<Named<Platform>>>,
}

/// The sources that have names of their own.
pub(super) const BUILT_IN: [&str; 7] = ["own", "smpp", "twilio", "telnyx", "vonage", "android", "simulator"];

/// A source whose numbers are listed.
struct Listed<'a> {
    name: &'static str,
    /// The setting that proves its messages.
    proof: &'static str,
    is_on: bool,
    numbers: &'a [OwnNumber],
}

impl Suppliers {
    /// The sources whose numbers are listed and that are switched on, in the order they are asked in.
    pub fn pools(&self) -> impl Iterator<Item = (&'static str, &[OwnNumber])> {
        self.listed().into_iter().filter(|source| source.is_on).map(|source| (source.name, source.numbers))
    }

    /// The sources that are switched on, made-up ones aside.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pools().map(|(name, _)| name).chain(self.http.iter().map(|source| source.name.0.as_str()))
    }

    /// Whether the simulator is on, or why the service must not start: its codes are made up, and callers would pay for them.
    pub fn is_simulated(&self, has_chains: bool) -> Result<bool, ConfigError> {
        let refused = |why: String| {
            wrong(format!("{why}, and the simulator's codes are made up: write suppliers.simulator.enabled = false, or true if that is meant"))
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

    /// Rests of pools that there are.
    pub(super) fn check_rests(&self) -> Result<(), ConfigError> {
        let pools = self.listed().map(|pool| pool.name);
        if let Some((name, seconds)) = self.rest_seconds.iter().find(|(_, seconds)| **seconds > LONGEST_REST_SECONDS) {
            return wrong(format!("suppliers.rest_seconds.{name} is at most {LONGEST_REST_SECONDS} (a week), not {seconds}"));
        }
        match self.rest_seconds.keys().find(|name| !pools.contains(&name.as_str())) {
            Some(name) => wrong(format!("suppliers.rest_seconds.{name} is no pool of numbers; {} are", pools.join(", "))),
            None => Ok(()),
        }
    }

    /// How long a pool's numbers rest after each order: long enough for a message of those who do not say when they received it.
    pub fn rest(&self, pool: &str) -> Duration {
        let never_says = match pool {
            "own" => !self.own.sends_times,
            "android" => !self.android.trust_received_at,
            _ => ["smpp", "twilio", "vonage"].contains(&pool),
        };
        let usual = if never_says { 60 } else { 0 };
        Duration::from_secs(self.rest_seconds.get(pool).copied().unwrap_or(usual).into())
    }

    fn listed(&self) -> [Listed<'_>; 6] {
        let Self { own, smpp, twilio, telnyx, vonage, android, .. } = self;
        [
            Listed { name: "own", proof: "inbound_secret", is_on: own.inbound_secret.is_some(), numbers: &own.numbers },
            Listed { name: "smpp", proof: "binds", is_on: !smpp.binds.is_empty(), numbers: &smpp.numbers },
            Listed { name: "twilio", proof: "auth_token", is_on: twilio.auth_token.is_some(), numbers: &twilio.numbers },
            Listed { name: "telnyx", proof: "public_key", is_on: telnyx.public_key.is_some(), numbers: &telnyx.numbers },
            Listed { name: "vonage", proof: "signature_secret", is_on: vonage.signature_secret.is_some(), numbers: &vonage.numbers },
            Listed { name: "android", proof: "signing_key", is_on: android.signing_key.is_some(), numbers: &android.numbers },
        ]
    }

    /// What no type can say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.simulator.check()?;
        let mut seen = BTreeSet::new();
        for Listed { name, proof, is_on, numbers } in self.listed() {
            for number in numbers {
                let phone = number.number.0.as_str();
                if !seen.insert(phone) {
                    return wrong(format!("suppliers.{name}.numbers lists {phone}, which is listed already"));
                }
                if let Err(why) = number.number.0.fit() {
                    return wrong(format!("suppliers.{name}.numbers: {phone} cannot serve: {why}"));
                }
                if !number.country.0.has(&number.number.0) {
                    return wrong(format!("suppliers.{name}.numbers: {phone} is not a number of {}", number.country.0));
                }
            }
            if !numbers.is_empty() && !is_on {
                return wrong(format!("suppliers.{name}.numbers needs suppliers.{name}.{proof}, which proves their messages"));
            }
        }
        for (setting, secret) in [
            ("own.inbound_secret", &self.own.inbound_secret),
            ("twilio.auth_token", &self.twilio.auth_token),
            ("vonage.signature_secret", &self.vonage.signature_secret),
            ("android.signing_key", &self.android.signing_key),
        ] {
            // The app makes keys of eight characters, and Vonage takes any from ten on.
            let shortest = match setting {
                "android.signing_key" => 8,
                "vonage.signature_secret" => 10,
                _ => 16,
            };
            if secret.as_ref().is_some_and(|secret| secret.expose().len() < shortest) {
                return wrong(format!("suppliers.{setting} is too short to be a secret; it has at least {shortest} characters"));
            }
        }
        self.smpp.binds.iter().try_for_each(SmppBind::check)?;
        self.check_http()?;
        self.check_apis()?;
        self.check_preferences()?;
        self.check_rests()?;
        let stranger = self.android.sims.iter().find(|(_, phone)| !self.android.numbers.iter().any(|number| number.number == **phone));
        if let Some((sim, phone)) = stranger {
            return wrong(format!("suppliers.android.sims: {sim:?} has {}, which suppliers.android.numbers does not list", phone.0.as_str()));
        }
        Ok(())
    }
}

impl SmppBind {
    /// SMPP's own bounds.
    fn check(&self) -> Result<(), ConfigError> {
        let has_port = self.address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        if !has_port {
            return wrong(format!("suppliers.smpp.binds: address {:?} is not a host and a port, as in smsc.example.com:2775", self.address));
        }
        let fits = |text: &str, most: usize| text.is_ascii() && !text.contains('\0') && text.len() <= most;
        if !fits(&self.system_id, 15) || !fits(self.password.expose(), 8) || !fits(&self.system_type, 12) {
            return wrong("suppliers.smpp.binds: system_id has at most 15 characters, password 8, system_type 12, all ASCII".to_owned());
        }
        if !(1..=3_600).contains(&self.enquire_link_seconds) {
            return wrong(format!("suppliers.smpp.binds: enquire_link_seconds is from 1 to 3600, not {}", self.enquire_link_seconds));
        }
        Ok(())
    }
}

impl Simulator {
    fn check(&self) -> Result<(), ConfigError> {
        let Self { delivery_seconds: (shortest, longest), failure_rate, no_stock_rate, dead_number_rate, .. } = self;
        for (name, rate) in [("failure_rate", failure_rate), ("no_stock_rate", no_stock_rate), ("dead_number_rate", dead_number_rate)] {
            if !(0.0..=1.0).contains(rate) {
                return wrong(format!("suppliers.simulator.{name} is a part of one, from 0.0 to 1.0"));
            }
        }
        if !(0.0..=3_600.0).contains(shortest) || !(*shortest..=3_600.0).contains(longest) {
            return wrong("suppliers.simulator.delivery_seconds is [shortest, longest], at most an hour".to_owned());
        }
        match self.templates.iter().find(|(_, text)| !text.contains("{code}")) {
            Some((platform, _)) => wrong(format!("suppliers.simulator.templates.{} needs {{code}} where the code goes", platform.0)),
            None => Ok(()),
        }
    }
}

pub(super) fn wrong<T>(text: String) -> Result<T, ConfigError> {
    Err(ConfigError::Contradiction(text))
}

impl Default for Suppliers {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            cooldown_days: 90,
            simulator: Simulator::default(),
            own: Own::default(),
            twilio: Twilio::default(),
            telnyx: Telnyx::default(),
            vonage: Vonage::default(),
            android: Android::default(),
            smpp: Smpp::default(),
            http: Vec::new(),
            weights: BTreeMap::new(),
            costs: BTreeMap::new(),
            rest_seconds: BTreeMap::new(),
            unproven_share_percent: 50,
            parts_wait_seconds: 120,
        }
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self { enabled: None, delivery_seconds: (2.0, 8.0), failure_rate: 0.0, no_stock_rate: 0.0, dead_number_rate: 0.0, templates: BTreeMap::new() }
    }
}
