//! Every mistake of a configuration at once: after each, what is wrong is left out, and the rest is
//! looked at again.

use std::path::Path;

use figment::error::Kind;
use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::{Config, ConfigError, NOT_CONFIGURATION, explain};

/// More would be a file of another program.
const MOST: usize = 100;

/// What the environment says of the configuration.
fn environment() -> Env {
    Env::prefixed("TELENUMERUS_")
        .filter(|key| {
            !NOT_CONFIGURATION.iter().any(|other| key.as_str().eq_ignore_ascii_case(other))
        })
        .split("__")
}

/// A provider without what stands at these paths.
struct Without<'a, P> {
    inner: P,
    paths: &'a [Vec<String>],
}

impl<P: Provider> Provider for Without<'_, P> {
    fn metadata(&self) -> Metadata {
        self.inner.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = self.inner.data()?;
        for dict in data.values_mut() {
            for path in self.paths {
                remove(dict, path);
            }
        }
        Ok(data)
    }
}

/// Takes out what stands at the path; whether anything did.
fn remove(dict: &mut Dict, path: &[String]) -> bool {
    match path {
        [] => false,
        [name] => dict.remove(name).is_some(),
        [name, rest @ ..] => match dict.get_mut(name) {
            Some(Value::Dict(_, inner)) => remove(inner, rest),
            Some(Value::Array(_, elements)) => remove_in(elements, rest),
            _ => false,
        },
    }
}

fn remove_in(elements: &mut Vec<Value>, path: &[String]) -> bool {
    let Some((index, rest)) =
        path.split_first().and_then(|(index, rest)| Some((index.parse::<usize>().ok()?, rest)))
    else {
        return false;
    };
    match elements.get_mut(index) {
        Some(Value::Dict(_, inner)) if !rest.is_empty() => remove(inner, rest),
        Some(_) if rest.is_empty() => {
            elements.remove(index);
            true
        }
        _ => false,
    }
}

/// All that is wrong with the file and the environment over it, each with its place.
pub fn all(file: Option<&Path>) -> Vec<String> {
    let (mut found, mut paths): (Vec<String>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
    while found.len() < MOST {
        let figment = match written(file, &paths) {
            Ok(figment) => figment,
            Err(error) => return vec![error.to_string()],
        };
        let error = match figment.extract::<Config>() {
            Ok(config) => {
                found.extend(contradictions(&config, file, &paths));
                return found;
            }
            Err(error) => error,
        };
        let path = path_of(&error);
        let told = explain::explain(error);
        found.extend(told.lines().map(ToOwned::to_owned));
        // What cannot be taken out would be found again for ever.
        if path.is_empty() || paths.contains(&path) {
            return found;
        }
        paths.push(path);
    }
    found
}

/// What is written in the file and in the environment over it, without what stands at these paths.
pub fn written(file: Option<&Path>, paths: &[Vec<String>]) -> Result<Figment, ConfigError> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        if !file.is_file() {
            return Err(ConfigError::NoFile(file.to_owned()));
        }
        figment = figment.merge(Without { inner: Toml::file_exact(file), paths });
    }
    Ok(figment.merge(Without { inner: environment(), paths }))
}

/// What does not fit together. What speaks of a value that was taken out speaks of the default in
/// its place, and is no mistake of anybody's.
fn contradictions(config: &Config, file: Option<&Path>, taken: &[Vec<String>]) -> Vec<String> {
    let is_of_taken = |text: &String| {
        keys(text).any(|key| taken.iter().any(|taken| speaks_of(text, &key, taken)))
    };
    let found: Vec<String> =
        config.contradictions().into_iter().filter(|text| !is_of_taken(text)).collect();
    explain::placed(&found, file)
}

/// Whether a text that begins with a key speaks of what was taken out: of it, of something in it,
/// or of a table that lacks it.
fn speaks_of(text: &str, key: &[String], taken: &[String]) -> bool {
    key.starts_with(taken)
        || taken.strip_prefix(key).and_then(<[String]>::first).is_some_and(|lacking| {
            text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|word| word == lacking)
        })
}

/// Where the mistake stands: the value itself, or the table that lacks something.
fn path_of(error: &Error) -> Vec<String> {
    let mut path = error.path.clone();
    if let Kind::UnknownField(name, _) = &error.kind
        && path.last() != Some(name)
    {
        path.push(name.clone());
    }
    path
}

/// The keys that a contradiction speaks of.
fn keys(text: &str) -> impl Iterator<Item = Vec<String>> {
    let is_key = |word: &&str| {
        word.contains('.')
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_' | b'0'..=b'9'))
    };
    text.split([' ', ';', ':', ',']).filter(is_key).map(|word| {
        word.split('.').map(ToOwned::to_owned).filter(|part| !part.is_empty()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[http]\nlisten = \"nowhere\"\nmax_body_bytes = \"many\"\n[orders]\nlifetime_second = 5\nfree_cancels_per_hour = 900\n[webhooks]\nallowed_ports = []\n";
        std::fs::write(file.path(), text).unwrap();
        let found = all(Some(file.path()));
        for (line, key) in [
            (2, "http.listen"),
            (3, "http.max_body_bytes"),
            (5, "orders.lifetime_second"),
            (6, "free_cancels"),
            (8, "allowed_ports"),
        ] {
            assert!(
                found.iter().any(|told| told.contains(&format!(":{line}")) && told.contains(key)),
                "{line} {key}: {found:#?}"
            );
        }
        assert_eq!(found.len(), 5, "{found:#?}");
        std::fs::write(file.path(), "[orders]\nlifetime_seconds = 60\n").unwrap();
        assert!(all(Some(file.path())).is_empty());
    }

    #[test]
    fn what_does_not_fit_together_is_told_at_once_and_what_follows_from_a_mistake_is_not_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[deposits.btc]\nxpub = 5\npoll_seconds = 0\nrate_max_spread_percent = 101\n[deposits.ltc]\nrate = 80\nsettle_confirmations = 0\n[suppliers.smpp]\n[[suppliers.smpp.binds]]\naddress = \"smsc\"\nsystem_id = \"a name of more than fifteen letters\"\npassword = \"x\"\nenquire_link_seconds = 0\n[suppliers.weights]\nnobody = 1\nnowhere = 1\n[prices]\ngoogle = 0\nnothing = 1\n";
        std::fs::write(file.path(), text).unwrap();
        let found = all(Some(file.path()));
        let wanted = [
            ":2, deposits.btc.xpub",
            "deposits.btc.poll_seconds: is from 1",
            "deposits.btc.rate_max_spread_percent: is from 0",
            "deposits.btc: needs an endpoint",
            "deposits.btc: needs a rate",
            "deposits.ltc: needs an xpub",
            "deposits.ltc: needs an endpoint",
            "deposits.ltc.settle_confirmations: is from 1",
            "suppliers.smpp.binds: address",
            "suppliers.smpp.binds: system_id",
            "suppliers.smpp.binds: enquire_link_seconds",
            "suppliers.weights.nobody",
            "suppliers.weights.nowhere",
            "prices.\"google\"",
            "prices.\"nothing\"",
        ];
        for words in wanted {
            assert!(found.iter().any(|told| told.contains(words)), "{words}: {found:#?}");
        }
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
    }
}
