//! What a coin is worth just now: as the operator has written it, or as several sources agree.

use std::collections::BTreeMap;
use std::time::Duration;

use events::deposit::{Agreement, Disagreement, Quote, Rate, agreed_rate};
use events::time::Timestamp;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::http::Endpoint;
use actors::kernel::clock::Clock;
use actors::kernel::fault::Fault;
use actors::store::BoxFuture;

/// How long an agreement is used for further deposits, and how long nobody asks again after there
/// was none.
const KEPT: Duration = Duration::from_secs(30);
const UNASKED: Duration = Duration::from_secs(8);

/// Where one source has its rate.
#[derive(Debug)]
pub struct Source {
    /// Whom to ask: the whole address.
    pub endpoint: Endpoint,
    /// Where in its JSON the rate stands (RFC 6901).
    pub pointer: String,
    /// Where the time of the rate stands, in seconds or milliseconds since 1970, if anywhere.
    pub time_pointer: Option<String>,
}

/// Where the rate is from.
#[derive(Debug)]
pub enum Kind {
    /// The operator's configuration.
    Fixed(Rate),
    /// Sources that must agree.
    Sources {
        /// Which.
        sources: Vec<Source>,
        /// How old a quote may be.
        max_age: Duration,
        /// How far from the median one may be, in percent.
        max_spread_percent: u32,
    },
}

/// A coin's rate.
#[derive(Debug)]
pub struct Rates {
    kind: Kind,
    clock: Clock,
    asked: Mutex<Option<Asked>>,
}

/// What the sources came to when they were last asked.
#[derive(Debug)]
struct Asked {
    at: Timestamp,
    outcome: Result<Agreement, Disagreement>,
}

impl Rates {
    /// A rate of this kind, by this clock.
    pub fn new(kind: Kind, clock: Clock) -> Self {
        Self { kind, clock, asked: Mutex::new(None) }
    }

    async fn ask(&self) -> Result<Agreement, Fault> {
        let now = self.clock.now();
        let (sources, max_age, max_spread_percent) = match &self.kind {
            Kind::Fixed(rate) => {
                return Ok(Agreement { rate: *rate, source: "fixed".to_owned(), at: now });
            }
            Kind::Sources { sources, max_age, max_spread_percent } => {
                (sources, *max_age, *max_spread_percent)
            }
        };
        let mut asked = self.asked.lock().await;
        if let Some(last) = asked.as_ref()
            && now < last.at.plus(if last.outcome.is_ok() { KEPT } else { UNASKED })
        {
            return last.outcome.clone().map_err(fault);
        }
        let mut quotes = Vec::with_capacity(sources.len());
        for source in sources {
            match source.quote(now).await {
                Ok(quote) => quotes.push(quote),
                Err(detail) => tracing::warn!(
                    source = source.endpoint.name(),
                    detail,
                    "a rate source has no rate"
                ),
            }
        }
        let outcome =
            agreed_rate(&quotes, sources.len(), self.clock.now(), max_age, max_spread_percent);
        *asked = Some(Asked { at: self.clock.now(), outcome: outcome.clone() });
        outcome.map_err(fault)
    }
}

impl actors::deposit::chain::Rate for Rates {
    fn now(&self) -> BoxFuture<'_, Result<Agreement, Fault>> {
        Box::pin(self.ask())
    }

    fn known(&self) -> Option<Rate> {
        if let Kind::Fixed(rate) = &self.kind {
            return Some(*rate);
        }
        let asked = self.asked.try_lock().ok()?;
        asked.as_ref().and_then(|last| last.outcome.as_ref().ok()).map(|agreement| agreement.rate)
    }
}

fn fault(disagreement: Disagreement) -> Fault {
    Fault::Chain(disagreement.to_string().into())
}

impl Source {
    async fn quote(&self, now: Timestamp) -> Result<Quote, String> {
        let answer = self.endpoint.get("").await.map_err(|error| error.to_string())?;
        let text = String::from_utf8(answer.body).map_err(|_| "not text".to_owned())?;
        if answer.status != 200 {
            return Err(format!("HTTP {}", answer.status));
        }
        let rate =
            at(&text, &self.pointer).ok_or_else(|| format!("nothing at {}", self.pointer))?;
        let rate = rate.parse().map_err(|error| format!("at {}: {error}", self.pointer))?;
        let at = match &self.time_pointer {
            None => now,
            Some(pointer) => at(&text, pointer)
                .and_then(|text| moment(&text))
                .ok_or_else(|| format!("no time at {pointer}"))?,
        };
        Ok(Quote { source: self.endpoint.name().to_owned(), rate, at })
    }
}

/// What stands at a pointer, as it is written: a number never becomes a float on the way.
fn at(json: &str, pointer: &str) -> Option<String> {
    let mut here: &RawValue = serde_json::from_str(json).ok()?;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        here = if here.get().starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(here.get()).ok()?;
            items.get(step.parse::<usize>().ok()?).copied()?
        } else {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(here.get()).ok()?;
            members.get(&step).copied()?
        };
    }
    let text = here.get();
    if text.starts_with('"') { serde_json::from_str(text).ok() } else { Some(text.to_owned()) }
}

/// Seconds or milliseconds since 1970, or RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    /// As seconds these are thousands of years ahead.
    const MILLIS_FROM: i64 = 100_000_000_000;
    let Ok(number) = text.split('.').next()?.parse::<i64>() else { return text.parse().ok() };
    Some(Timestamp::from_millis(if number >= MILLIS_FROM {
        number
    } else {
        number.checked_mul(1_000)?
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_found_as_they_are_written() {
        let json = r#"{"result": {"XXBTZUSD": {"c": ["65000.123456789012345", "1"]}}, "a/b": 0.10000000000000001, "usd": 65000}"#;
        assert_eq!(at(json, "/result/XXBTZUSD/c/0").as_deref(), Some("65000.123456789012345"));
        assert_eq!(at(json, "/a~1b").as_deref(), Some("0.10000000000000001"));
        assert_eq!(at(json, "/usd").as_deref(), Some("65000"));
        for (json, pointer) in [
            (json, "/nothing"),
            (json, "/result/XXBTZUSD/c/2"),
            (json, "/usd/deeper"),
            ("", "/a"),
            ("[", "/0"),
            ("null", "/a"),
        ] {
            assert_eq!(at(json, pointer), None, "{pointer}");
        }
    }

    #[test]
    fn times_are_read_in_seconds_milliseconds_and_words() {
        let expected = Some(Timestamp::from_millis(1_795_512_345_000));
        for text in ["1795512345", "1795512345000", "1795512345.9"] {
            assert_eq!(moment(text), expected, "{text}");
        }
        assert!(moment("2026-11-24T12:00:00Z").is_some());
        assert_eq!((moment("soon"), moment("")), (None, None));
    }
}
