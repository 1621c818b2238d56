//! The pull protocol over HTTP, as `docs/suppliers.md` describes it.

use std::time::Duration;

use events::country::Country;
use events::lease::{Outcome, Theirs};
use events::money::Money;
use events::phone::Phone;
use events::platform::Platform;
use events::time::Timestamp;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use serde_json::value::RawValue;

use super::source::{Leased, Looked, PulledSms, Source, SourceError, StockLine};
use actors::kernel::foreign::{self, explanation};
use actors::kernel::outbound::{self, Answer, Unanswered};
use actors::store::BoxFuture;

/// How long a source may take for one answer, its last byte included.
const PATIENCE: Duration = Duration::from_secs(6);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Of an error's text, what is worth repeating.
const MAX_DETAIL: usize = 200;
/// Pages of leases read before a source counts as having no end.
const MAX_PAGES: usize = 1_000;

/// A source behind an address.
pub struct HttpSource {
    client: reqwest::Client,
    base: Url,
    token: String,
}

/// Without the token.
impl std::fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpSource({})", self.base.host_str().unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct LeaseShape {
    number: String,
    #[serde(default)]
    cost: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct LookShape {
    state: String,
    #[serde(default)]
    messages: Vec<MessageShape>,
}

#[derive(Deserialize)]
struct MessageShape {
    id: String,
    #[serde(default)]
    from: String,
    text: String,
    #[serde(default)]
    received_at: Option<String>,
}

#[derive(Deserialize)]
struct ReleaseShape {
    #[serde(default)]
    cost: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct StockShape {
    stock: Vec<StockLineShape>,
}

#[derive(Deserialize)]
struct StockLineShape {
    platform: String,
    country: String,
    count: u64,
    #[serde(default)]
    cost: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct LeasesShape {
    leases: Vec<ListedShape>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct ListedShape {
    reference: String,
    #[serde(default)]
    number: Option<String>,
    state: String,
    #[serde(default)]
    cost: Option<Box<RawValue>>,
}

/// What a source says beside an error's status.
#[derive(Default, Deserialize)]
struct ErrorShape {
    #[serde(default)]
    error: String,
}

impl HttpSource {
    /// The source at `url`, which takes `token`.
    pub fn new(url: &str, token: &str) -> Result<Self, String> {
        let base: Url = url.parse().map_err(|_| {
            format!("{url} is not an address such as https://numbers.example.com/v1")
        })?;
        if base.host_str().is_none() || !["http", "https"].contains(&base.scheme()) {
            return Err(format!("{url} is not an address such as https://numbers.example.com/v1"));
        }
        Ok(Self { client: outbound::client(PATIENCE)?, base, token: token.to_owned() })
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Answer, SourceError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| SourceError::Refused("its address has no path".to_owned()))?
            .pop_if_empty()
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        outbound::answer(request, MAX_ANSWER_BYTES).await.map_err(|why| match why {
            Unanswered::TimedOut => SourceError::TimedOut,
            Unanswered::Broken | Unanswered::TooLarge => SourceError::Failed(why.to_string()),
        })
    }
}

/// An answer, read as the protocol says.
trait Read {
    /// What it says, where its status says that it was done.
    fn read<T: DeserializeOwned>(&self) -> Result<T, SourceError>;
    /// Its status, and its error's words.
    fn why(&self, status: u16) -> String;
    /// Whether the source says that it has no such number.
    fn has_no_number(&self) -> bool;
}

impl Read for Answer {
    fn read<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        match self.status {
            200..=299 => {
                foreign::read(&self.body).map_err(|error| SourceError::Failed(error.to_string()))
            }
            404 | 410 => Err(SourceError::Unknown),
            status @ (400 | 401 | 403 | 405 | 413 | 415 | 422) => {
                Err(SourceError::Refused(self.why(status)))
            }
            status => Err(SourceError::Failed(self.why(status))),
        }
    }

    fn why(&self, status: u16) -> String {
        let said: ErrorShape = foreign::read(&self.body).unwrap_or_default();
        format!("HTTP {status} {}", explanation(&said.error, MAX_DETAIL)).trim_end().to_owned()
    }

    fn has_no_number(&self) -> bool {
        self.status == 409
            && foreign::read::<ErrorShape>(&self.body).is_ok_and(|said| said.error == "no_number")
    }
}

/// Dollars, as a number or as text; nothing if it says nothing.
fn money(raw: Option<&RawValue>) -> Result<Money, SourceError> {
    let Some(raw) = raw else { return Ok(Money::ZERO) };
    let amount: Result<Money, _> = raw.get().trim_matches('"').parse();
    let amount = amount.map_err(|error| SourceError::Failed(format!("cost: {error}")))?;
    if amount.is_negative() {
        Err(SourceError::Failed("a cost below zero".to_owned()))
    } else {
        Ok(amount)
    }
}

fn phone(text: &str) -> Result<Phone, SourceError> {
    text.parse().map_err(|error| SourceError::Failed(format!("number: {error}")))
}

impl Source for HttpSource {
    fn lease(
        &self,
        reference: String,
        platform: Platform,
        country: Country,
    ) -> BoxFuture<'_, Result<Leased, SourceError>> {
        Box::pin(async move {
            let body = json!({
                "reference": reference, "platform": platform.slug(), "country": country.code(),
            })
            .to_string();
            let answer = self.ask(Method::POST, &["leases"], &[], Some(body)).await?;
            if answer.has_no_number() {
                return Err(SourceError::NoNumber);
            }
            let lease: LeaseShape = match answer.read() {
                // Nothing is at this address, or the reference was released before: nothing is
                // leased.
                Err(SourceError::Unknown) => {
                    return Err(SourceError::Refused(answer.why(answer.status)));
                }
                read => read?,
            };
            Ok(Leased { phone: phone(&lease.number)?, cost: money(lease.cost.as_deref())? })
        })
    }

    fn look(&self, reference: String) -> BoxFuture<'_, Result<Looked, SourceError>> {
        Box::pin(async move {
            let look: LookShape =
                self.ask(Method::GET, &["leases", &reference], &[], None).await?.read()?;
            let alive = match look.state.as_str() {
                "leased" => true,
                "dead" | "released" => false,
                _ => {
                    return Err(SourceError::Failed(
                        "state: none of leased, dead and released".to_owned(),
                    ));
                }
            };
            let message = |message: MessageShape| PulledSms {
                id: message.id,
                sender: message.from,
                text: message.text,
                // A time that is not understood is no reason to lose a code.
                received_at: message.received_at.and_then(|at| at.parse().ok()),
            };
            Ok(Looked { alive, messages: look.messages.into_iter().map(message).collect() })
        })
    }

    fn release(
        &self,
        reference: String,
        outcome: Outcome,
    ) -> BoxFuture<'_, Result<Money, SourceError>> {
        Box::pin(async move {
            let answer = self
                .ask(Method::DELETE, &["leases", &reference], &[("outcome", outcome.name())], None)
                .await?;
            let release: ReleaseShape = answer.read()?;
            money(release.cost.as_deref())
        })
    }

    fn stock(&self) -> BoxFuture<'_, Result<Vec<StockLine>, SourceError>> {
        Box::pin(async move {
            let StockShape { stock } =
                self.ask(Method::GET, &["stock"], &[], None).await?.read()?;
            let mut lines = Vec::with_capacity(stock.len());
            for line in stock {
                // A source may have platforms and countries that are not supported here.
                let (Ok(platform), Ok(country)) = (line.platform.parse(), line.country.parse())
                else {
                    continue;
                };
                lines.push(StockLine {
                    platform,
                    country,
                    count: line.count,
                    cost: money(line.cost.as_deref())?,
                });
            }
            Ok(lines)
        })
    }

    fn leases(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<Theirs>, SourceError>> {
        Box::pin(async move {
            let (since, mut cursor, mut leases) = (since.to_string(), None::<String>, Vec::new());
            for _ in 0..MAX_PAGES {
                let query: Vec<(&str, &str)> = [("since", since.as_str())]
                    .into_iter()
                    .chain(cursor.as_deref().map(|cursor| ("cursor", cursor)))
                    .collect();
                let page: LeasesShape =
                    self.ask(Method::GET, &["leases"], &query, None).await?.read()?;
                for lease in page.leases {
                    let number = lease.number.as_deref().map(phone).transpose()?;
                    let (cost, is_open) = (money(lease.cost.as_deref())?, lease.state == "leased");
                    leases.push(Theirs {
                        reference: lease.reference,
                        phone: number,
                        is_open,
                        cost,
                    });
                }
                match page.next {
                    None => return Ok(leases),
                    next => cursor = next,
                }
            }
            Err(SourceError::Failed(format!("its leases have more than {MAX_PAGES} pages")))
        })
    }
}

#[cfg(test)]
mod tests;
