//! Where deposits are paid, what their chains are asked by, and what the coins are worth.

use events::address::{AccountKey, Address, Network, ParseKeyError};
use events::deposit::{Currency, Policy, Rate};
use events::money::Money;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use url::Url;

use suppliers::configuration::{Dollars, Secret, Suppliers, decimal};

use super::ConfigError;

/// Longest question for logs: an answer about more blocks than that is none that a node gives.
const MOST_BLOCKS_PER_QUESTION: u64 = 10_000;
/// Addresses of the key that a shared one must not be among: a wallet shows its first ones.
const OWN_ADDRESSES_CHECKED: u32 = 1_000;

/// Money in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deposits {
    /// The chain that gives money away. Unset: only where no chain is configured and nobody outside
    /// can reach it.
    pub simulated: Option<bool>,
    pub btc: Option<Coin>,
    pub ltc: Option<Coin>,
    pub usdt_erc20: Option<Coin>,
}

/// A coin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Coin {
    /// The wallet's public account key: each account gets an address of it.
    pub xpub: Option<Secret>,
    /// An address for those who ask without a key; what is paid there is the first claimer's.
    pub shared_address: Option<String>,
    pub network: NetworkName,
    /// Nodes and services that tell of the chain; where there are several, two must agree.
    pub endpoints: Vec<Endpoint>,
    /// How long one of them may take to answer.
    pub timeout_seconds: u64,
    /// How often to look for new blocks. Unset: 15 s for BTC, 10 s for LTC, 12 s for USDT.
    pub poll_seconds: Option<u64>,
    /// Confirmations that an amount needs, the smallest first; the last without `up_to`. Not for
    /// USDT, whose chain says what is final.
    pub confirmations: Vec<Confirmations>,
    /// Confirmations after which a credited deposit is not looked at any more.
    pub settle_confirmations: u32,
    /// The first block to look through, the first time. Unset: the next one.
    pub start_height: Option<u64>,
    /// Dollars for one coin, in place of sources. USDT: 1, unless something else is said.
    pub rate: Option<FixedRate>,
    /// Where to ask for it; their median counts, if they agree.
    pub rate_sources: Vec<RateSource>,
    /// How old a quote may be.
    pub rate_max_age_seconds: u64,
    /// How far from the median a quote may be.
    pub rate_max_spread_percent: u32,
    /// The first block's hash, for a chain of one's own (BTC and LTC).
    pub genesis: Option<String>,
    /// The token's contract (USDT).
    pub contract: Option<String>,
    /// What the contract calls itself (USDT).
    pub symbol: Option<String>,
    /// The chain's id (USDT).
    pub chain_id: Option<u64>,
    /// Blocks in one question for logs, at most (USDT).
    pub blocks_per_question: Option<u64>,
}

/// Who tells of a chain.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    #[serde(default)]
    pub kind: EndpointKind,
    pub url: Secret,
    pub user: Option<String>,
    pub password: Option<Secret>,
}

/// What it speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// The node's own JSON-RPC.
    #[default]
    Rpc,
    /// Esplora's REST (BTC and LTC).
    Esplora,
}

/// A row of the table of confirmations.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmations {
    pub up_to: Option<Dollars>,
    pub blocks: u32,
}

/// A source of rates.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateSource {
    pub url: Secret,
    /// Where in its JSON the rate stands, as in `/data/amount`.
    pub pointer: String,
    /// Where the time of the rate stands, if anywhere.
    pub time_pointer: Option<String>,
}

/// A coin's network, as it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkName {
    #[default]
    Mainnet,
    Testnet,
    Regtest,
}

/// A rate, as a number or a text.
#[derive(Debug, Clone, Copy, JsonSchema)]
pub struct FixedRate(#[schemars(with = "Dollars")] pub Rate);

impl<'de> Deserialize<'de> for FixedRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decimal(deserializer)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl From<NetworkName> for Network {
    fn from(name: NetworkName) -> Self {
        match name {
            NetworkName::Mainnet => Self::Mainnet,
            NetworkName::Testnet => Self::Testnet,
            NetworkName::Regtest => Self::Regtest,
        }
    }
}

impl Default for Coin {
    fn default() -> Self {
        Self {
            xpub: None,
            shared_address: None,
            network: NetworkName::Mainnet,
            endpoints: Vec::new(),
            timeout_seconds: 20,
            poll_seconds: None,
            confirmations: Vec::new(),
            settle_confirmations: 100,
            start_height: None,
            rate: None,
            rate_sources: Vec::new(),
            rate_max_age_seconds: 300,
            rate_max_spread_percent: 2,
            genesis: None,
            contract: None,
            symbol: None,
            chain_id: None,
            blocks_per_question: None,
        }
    }
}

impl Deposits {
    /// The coins that are configured.
    pub fn coins(&self) -> impl Iterator<Item = (Currency, &Coin)> {
        let of = |currency| match currency {
            Currency::Btc => self.btc.as_ref(),
            Currency::Ltc => self.ltc.as_ref(),
            Currency::UsdtErc20 => self.usdt_erc20.as_ref(),
        };
        Currency::ALL
            .into_iter()
            .filter_map(move |currency| of(currency).map(|coin| (currency, coin)))
    }

    /// Whether the simulated chain is on, or why the service must not start.
    pub fn is_simulated(
        &self,
        is_loopback: bool,
        listen: &str,
        suppliers: &Suppliers,
    ) -> Result<bool, ConfigError> {
        let refused = |why: String| {
            let text = format!(
                "{why}, and the simulated chain gives money away: write deposits.simulated = \
                 false, or true if that is meant"
            );
            Err(ConfigError::Contradiction(text))
        };
        let has_chains = self.coins().next().is_some();
        match self.simulated {
            Some(true) if has_chains => {
                let text = "deposits.simulated = true takes any hash for a payment; it cannot \
                    stand beside a real chain";
                Err(ConfigError::Contradiction(text.to_owned()))
            }
            Some(written) => Ok(written),
            None if has_chains => Ok(false),
            None if !is_loopback => {
                refused(format!("the service listens on {listen}, where others can reach it"))
            }
            // Also one without a number yet: they can be imported.
            None => match suppliers.names().find(|name| *name != "own") {
                Some(name) => refused(format!("{name} brings real numbers")),
                None => Ok(true),
            },
        }
    }

    pub(super) fn contradictions(&self) -> Vec<String> {
        let of = |(currency, coin): (Currency, &Coin)| {
            coin.contradictions(currency)
                .into_iter()
                .map(move |why| format!("deposits.{currency}{why}"))
        };
        self.coins().flat_map(of).collect()
    }
}

impl Coin {
    /// The operator's key. The error never repeats it: it may be a secret that does not belong
    /// there.
    pub fn key(&self, currency: Currency) -> Result<Option<AccountKey>, ParseKeyError> {
        self.xpub
            .as_ref()
            .map(|xpub| AccountKey::parse(currency, self.network.into(), xpub.expose()))
            .transpose()
    }

    /// The shared address.
    pub fn shared(
        &self,
        currency: Currency,
    ) -> Result<Option<Address>, events::address::ParseAddressError> {
        self.shared_address
            .as_ref()
            .map(|text| Address::parse(currency, self.network.into(), text))
            .transpose()
    }

    /// How many confirmations an amount needs.
    pub fn policy(&self, currency: Currency) -> Policy {
        if self.confirmations.is_empty() {
            return Policy::usual(currency);
        }
        let row = |row: &Confirmations| row.up_to.map(|Dollars(up_to)| (up_to, row.blocks));
        let up_to: Vec<(Money, u32)> = self.confirmations.iter().filter_map(row).collect();
        let above =
            self.confirmations.iter().find(|row| row.up_to.is_none()).map_or(0, |row| row.blocks);
        Policy::ByAmount { up_to, above }
    }

    /// What is wrong with it, behind the coin's name.
    fn contradictions(&self, currency: Currency) -> Vec<String> {
        let mut found: Vec<String> = [
            self.check_addresses(currency),
            self.check_endpoints(),
            self.check_rate(currency),
            self.check_for(currency),
            self.check_confirmations(currency),
        ]
        .into_iter()
        .filter_map(Result::err)
        .collect();
        // An answer that is waited for for an hour, or a quote of a month ago, is a slip of the
        // hand.
        for (name, value, least, most) in [
            ("timeout_seconds", self.timeout_seconds, 1, 3_600),
            ("poll_seconds", self.poll_seconds.unwrap_or(1), 1, 24 * 3_600),
            ("settle_confirmations", self.settle_confirmations.into(), 1, 1_000_000),
            ("rate_max_age_seconds", self.rate_max_age_seconds, 1, 7 * 24 * 3_600),
            ("rate_max_spread_percent", self.rate_max_spread_percent.into(), 0, 100),
        ] {
            if !(least..=most).contains(&value) {
                found.push(format!(".{name} is from {least} to {most}, not {value}"));
            }
        }
        found
    }

    fn check_addresses(&self, currency: Currency) -> Result<(), String> {
        let key = self.key(currency).map_err(|error| format!(".xpub is {error}"))?;
        let shared =
            self.shared(currency).map_err(|error| format!(".shared_address is {error}"))?;
        if key.is_none() && shared.is_none() {
            return Err(
                " needs an xpub, so that accounts have addresses of their own, or a shared_address"
                    .to_owned(),
            );
        }
        if let (Some(key), Some(shared)) = (&key, &shared)
            && (0..OWN_ADDRESSES_CHECKED).any(|index| {
                key.address(index).is_some_and(|own| own.destination == shared.destination)
            })
        {
            return Err(
                ".shared_address is one of the xpub's own addresses: an account will have \
                it for itself. Take one of another wallet account"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn check_endpoints(&self) -> Result<(), String> {
        if self.endpoints.is_empty() {
            return Err(" needs an endpoint: [[deposits.….endpoints]] with its url".to_owned());
        }
        if self.endpoints.iter().any(|endpoint| !is_url(&endpoint.url)) {
            return Err(".endpoints.url is an address such as http://127.0.0.1:8332".to_owned());
        }
        Ok(())
    }

    fn check_confirmations(&self, currency: Currency) -> Result<(), String> {
        let by_chain = currency == Currency::UsdtErc20;
        let without_limit = self.confirmations.iter().filter(|row| row.up_to.is_none()).count();
        let is_table = self.confirmations.is_empty() || (!by_chain && without_limit == 1);
        if self.policy(currency).is_sound() && is_table {
            return Ok(());
        }
        let what = ".confirmations is a rising table such as [{ up_to = 50, blocks = 1 }, { \
            blocks = 6 }], for btc and ltc only";
        Err(what.to_owned())
    }

    fn check_rate(&self, currency: Currency) -> Result<(), String> {
        if self.rate.is_some() && !self.rate_sources.is_empty() {
            return Err(" has a fixed rate and rate_sources: which of them?".to_owned());
        }
        if self.rate.is_none() && self.rate_sources.is_empty() && currency != Currency::UsdtErc20 {
            return Err(" needs a rate, or rate_sources to ask".to_owned());
        }
        match self
            .rate_sources
            .iter()
            .find(|source| !is_url(&source.url) || !source.pointer.starts_with('/'))
        {
            Some(_) => {
                Err(".rate_sources: url is an address, pointer is a place in its JSON such \
                as /data/amount"
                    .to_owned())
            }
            None => Ok(()),
        }
    }

    /// What only some coins have.
    fn check_for(&self, currency: Currency) -> Result<(), String> {
        if currency == Currency::UsdtErc20 {
            if self.genesis.is_some()
                || self.network != NetworkName::Mainnet
                || self.endpoints.iter().any(|endpoint| endpoint.kind != EndpointKind::Rpc)
            {
                return Err(" has a chain_id in place of network and genesis, and endpoints of \
                    kind rpc only"
                    .to_owned());
            }
            if self
                .blocks_per_question
                .is_some_and(|blocks| !(1..=MOST_BLOCKS_PER_QUESTION).contains(&blocks))
            {
                return Err(format!(".blocks_per_question is 1 to {MOST_BLOCKS_PER_QUESTION}"));
            }
            if self.symbol.as_ref().is_some_and(|symbol| symbol.is_empty() || symbol.len() > 32) {
                return Err(".symbol is what the contract calls itself, such as USDT".to_owned());
            }
            let contract = self
                .contract
                .as_ref()
                .map(|text| Address::parse(currency, Network::Mainnet, text))
                .transpose();
            return contract.map(drop).map_err(|error| format!(".contract is {error}"));
        }
        if self.contract.is_some()
            || self.symbol.is_some()
            || self.chain_id.is_some()
            || self.blocks_per_question.is_some()
        {
            return Err(" has no contract, symbol, chain_id and blocks_per_question".to_owned());
        }
        let is_hash =
            |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.genesis.as_ref().is_some_and(|genesis| !is_hash(genesis)) {
            return Err(".genesis is the first block's hash, 64 hex digits".to_owned());
        }
        Ok(())
    }
}

fn is_url(url: &Secret) -> bool {
    Url::parse(url.expose())
        .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
}
