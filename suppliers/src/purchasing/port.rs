//! What a telecom's API can do with numbers, and what its clients share.

use std::time::Duration;

use events::country::Country;
use events::money::Money;
use events::phone::Phone;
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use actors::kernel::foreign::{self, explanation};
use actors::kernel::outbound;
use actors::store::BoxFuture;

/// How long a telecom may take for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Pages of numbers read before a list counts as having no end.
pub const MAX_PAGES: usize = 1_000;

/// A number for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The number.
    pub phone: Phone,
    /// Where it is from.
    pub country: Country,
    /// What it costs a month.
    pub monthly: Money,
}

/// The telecom did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TelecomError {
    /// It says no; nothing was done.
    #[error("it refuses: {0}")]
    Refused(String),
    /// It does not say whether it was done.
    #[error("it does not say whether it is done: {0}")]
    Unclear(String),
}

/// A telecom's API.
pub trait Telecom: Send + Sync + std::fmt::Debug + 'static {
    /// The numbers that are ours there and receive messages.
    fn owned(&self) -> BoxFuture<'_, Result<Vec<Phone>, TelecomError>>;

    /// Numbers for sale that receive messages, at most `limit`.
    fn search(
        &self,
        country: Country,
        limit: u8,
    ) -> BoxFuture<'_, Result<Vec<Offer>, TelecomError>>;

    /// One number, if it is for sale.
    fn offer(
        &self,
        phone: Phone,
        country: Country,
    ) -> BoxFuture<'_, Result<Option<Offer>, TelecomError>>;

    /// Buys a number.
    fn buy(&self, phone: Phone, country: Country) -> BoxFuture<'_, Result<(), TelecomError>>;

    /// Gives a number back; one that is not ours is given back.
    fn give_back(&self, phone: Phone, country: Country) -> BoxFuture<'_, Result<(), TelecomError>>;
}

/// Where an API is, and what it knows us by.
#[derive(Clone)]
pub struct Account {
    client: Client,
    base: Url,
    user: String,
    secret: String,
}

/// Without the secret.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({}, {})", self.base.host_str().unwrap_or_default(), self.user)
    }
}

impl Account {
    /// The account of `user` at `base`; an empty user means that `secret` is a bearer's.
    pub fn new(base: &str, user: &str, secret: &str) -> Result<Self, String> {
        let parsed: Url = base.parse().map_err(|_| format!("{base} is not an address"))?;
        if parsed.host_str().is_none() || !["http", "https"].contains(&parsed.scheme()) {
            return Err(format!("{base} is not an address"));
        }
        Ok(Self {
            client: outbound::client(PATIENCE)?,
            base: parsed,
            user: user.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// Its user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// A request to a path below the base; each segment is one of its own.
    pub fn request(
        &self,
        method: reqwest::Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("an address with a host has a path")
            .pop_if_empty()
            .extend(path);
        self.to(method, url, query)
    }

    /// A request to what the API itself has named, on its own host.
    pub fn to(
        &self,
        method: reqwest::Method,
        mut url: Url,
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(method, url);
        if self.user.is_empty() {
            request.bearer_auth(&self.secret)
        } else {
            request.basic_auth(&self.user, Some(&self.secret))
        }
    }

    /// The address of a path that the API itself has named.
    pub fn named(&self, path: &str) -> Result<Url, TelecomError> {
        self.base.join(path).map_err(|_| TelecomError::Unclear("it names no address".to_owned()))
    }
}

/// Longest explanation that is shown.
pub const MAX_WORDS: usize = 200;

/// An error as any of them words it.
#[derive(Default, Deserialize)]
struct ErrorShape {
    /// One text.
    #[serde(default)]
    message: Option<String>,
    /// A list.
    #[serde(default)]
    errors: Vec<ErrorLine>,
    /// A text beside a code.
    #[serde(default, rename = "error-code-label")]
    label: Option<String>,
}

#[derive(Deserialize)]
struct ErrorLine {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

/// The body of an answer that says it was done; an empty one where nothing is said.
pub async fn done(request: RequestBuilder) -> Result<Vec<u8>, TelecomError> {
    let answer = outbound::answer(request, MAX_ANSWER_BYTES)
        .await
        .map_err(|why| TelecomError::Unclear(why.to_string()))?;
    match answer.status {
        200..=299 => Ok(answer.body),
        status => {
            let said: ErrorShape = foreign::read(&answer.body).unwrap_or_default();
            let line = said.errors.first().map(|line| format!("{} {}", line.title, line.detail));
            let words =
                explanation(&said.message.or(line).or(said.label).unwrap_or_default(), MAX_WORDS);
            let text = format!("HTTP {status} {words}").trim_end().to_owned();
            // Too much at once, and what fails over there, says nothing of what was asked.
            let is_certain = (400..500).contains(&status) && status != 408 && status != 429;
            Err(if is_certain { TelecomError::Refused(text) } else { TelecomError::Unclear(text) })
        }
    }
}

/// What an answer says.
pub async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, TelecomError> {
    foreign::read(&done(request).await?).map_err(|error| TelecomError::Unclear(error.to_string()))
}

/// A price in dollars, as text.
pub fn dollars(text: &str) -> Result<Money, TelecomError> {
    let price: Money =
        text.parse().map_err(|error| TelecomError::Unclear(format!("a price is {error}")))?;
    if price.is_negative() {
        Err(TelecomError::Unclear("a price below zero".to_owned()))
    } else {
        Ok(price)
    }
}

/// A number with or without its plus sign.
pub fn phone(text: &str) -> Result<Phone, TelecomError> {
    let digits = text.trim_start_matches('+');
    format!("+{digits}")
        .parse()
        .map_err(|error| TelecomError::Unclear(format!("a number is {error}")))
}
