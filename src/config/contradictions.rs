//! What no type can say: values that are none, and values that do not fit together. Each text
//! begins with the key that is to be mended.

use std::collections::BTreeMap;

use events::country::Country;
use shared_log::Postgres;
use url::Url;

use super::tables::{Admin, Http, Orders, Store, Webhooks};
use super::{Config, bounds, hosts, is_token};

/// Bytes of an operator's name in the configuration.
const LONGEST_OPERATOR: usize = 60;

impl Config {
    /// All of them, in the order of the tables.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut found = bounds::exceeded(self);
        found.extend(self.operator.contradictions());
        found.extend(self.registration.contradictions());
        found.extend(self.http.contradictions());
        found.extend(self.orders.contradictions());
        found.extend(self.suppliers.contradictions(self.http.public_url.is_some()));
        found.extend(self.webhooks.contradictions());
        found.extend(hosts::contradictions(&self.admin.allowed_hosts, &self.mcp));
        found.extend(self.deposits.contradictions());
        found.extend(self.admin.contradictions());
        found.extend(self.esdb.contradictions());
        found.extend(self.vault.contradictions());
        found.extend(self.store.contradictions());
        found.extend(self.node.contradictions());
        if self.store.shared.is_some() && self.vault.is_on() {
            found.push(
                "[vault] and store.shared exclude each other: the keys of what is encrypted are in \
                 one node's data directory, and another that takes over could not read it"
                    .to_owned(),
            );
        }
        found.extend(level(&self.log.level));
        found.extend(self.mispriced());
        found
    }

    /// Prices of nothing that is sold, and those that stand twice under two spellings.
    fn mispriced(&self) -> Vec<String> {
        let mut priced: BTreeMap<_, &str> = BTreeMap::new();
        let mut found = Vec::new();
        for (name, price) in &self.prices {
            match super::priced(name, *price) {
                Err(wrong) => found.push(wrong),
                Ok((platform, country, _)) => {
                    let what = (platform.slug(), country.map(Country::code));
                    if let Some(other) = priced.insert(what, name) {
                        found.push(format!("prices.{name:?}: {other:?} is the same price"));
                    }
                }
            }
        }
        found
    }
}

impl Store {
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.data_dir.as_os_str().is_empty() {
            found.push("store.data_dir: names no directory".to_owned());
        }
        let shared = self.shared.as_ref().map(|shared| Postgres::new(shared.expose(), Vec::new()));
        if let Some(Err(wrong)) = shared {
            found.push(format!("store.shared: {wrong}"));
        }
        if self.shared.is_none() && self.shared_ca_file.is_some() {
            found.push("store.shared_ca_file is of no use without store.shared".to_owned());
        }
        found
    }
}

impl Http {
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.reserved_connections.is_some_and(|reserved| reserved >= self.max_connections) {
            found.push(
                "http.reserved_connections is less than http.max_connections: strangers need \
                 some, too"
                    .to_owned(),
            );
        }
        found.extend(self.trusted_proxies.iter().filter(|network| network.prefix_len() == 0).map(
            |everybody| {
                format!(
                    "http.trusted_proxies: {everybody} is everybody, and whoever is trusted there \
                     says whose address a call counts for"
                )
            },
        ));
        let is_address = |url: &String| {
            Url::parse(url).is_ok_and(|url| {
                ["http", "https"].contains(&url.scheme())
                    && url.query().is_none()
                    && url.fragment().is_none()
            })
        };
        if self.public_url.as_ref().is_some_and(|url| !is_address(url)) {
            found.push("http.public_url is an address such as https://sms.example.com".to_owned());
        }
        found
    }
}

impl Orders {
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.cancel_pause_seconds > self.cancel_pause_max_seconds {
            found.push(
                "orders.cancel_pause_seconds is at most orders.cancel_pause_max_seconds".to_owned(),
            );
        }
        if self.listen_seconds() > self.lifetime_seconds {
            found.push(
                "orders.listen_after_code_seconds is at most orders.lifetime_seconds: no order \
                 keeps its number beyond its expiry"
                    .to_owned(),
            );
        }
        found
    }
}

impl Webhooks {
    fn contradictions(&self) -> Option<String> {
        (self.allowed_ports.is_empty() || self.allowed_ports.contains(&0))
            .then(|| "webhooks.allowed_ports lists ports from 1 to 65535".to_owned())
    }
}

impl Admin {
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.token.as_ref().is_some_and(|token| !is_token(token.expose())) {
            found.push(format!(
                "admin.token has at least {} characters, of ASCII, as a header can carry them: it \
                 opens everything",
                bounds::LEAST_TOKEN
            ));
        }
        found.extend(self.wrong_tokens().map(|text| format!("admin.tokens: {text}")));
        found
    }

    /// A name, a token of their own each: who did something is known by the token.
    fn wrong_tokens(&self) -> impl Iterator<Item = String> {
        self.tokens.iter().enumerate().filter_map(|(index, token)| {
            let name = &token.name;
            if !bounds::is_line(name, LONGEST_OPERATOR) {
                return Some(format!(
                    "a name has 1 to {LONGEST_OPERATOR} bytes, and no spaces around it"
                ));
            }
            if !is_token(token.token.expose()) {
                return Some(format!(
                    "the token of {name} has at least {} characters, of ASCII",
                    bounds::LEAST_TOKEN
                ));
            }
            let shared = self.token.as_ref().is_some_and(|shared| *shared == token.token);
            let is_taken = self.tokens[..index]
                .iter()
                .any(|other| other.token == token.token || other.name == *name);
            (shared || is_taken).then(|| format!("{name} has another one's name or token"))
        })
    }
}

/// The first directive of a level that is none.
fn level(written: &str) -> Option<String> {
    let wrong =
        written.split(',').map(str::trim).position(|directive| !bounds::is_directive(directive))?;
    Some(format!(
        "log.level: part {} is none; write a level (error, warn, info, debug, trace, off) or \
         targets with theirs, as in \"info,actors=debug\"",
        wrong + 1
    ))
}
