//! Numbers at Api: `account/numbers`, `number/search`, `number/buy` and `number/cancel`. Its prices
//! are in euros.

use events::country::Country;
use events::money::Money;
use events::phone::Phone;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::purchasing::{
    Account, MAX_PAGES, MAX_WORDS, Offer, Telecom, TelecomError, dollars, phone, read,
};
use actors::kernel::foreign::explanation;
use actors::store::BoxFuture;

/// Numbers on a page: the most that it gives.
const PAGE: usize = 100;

/// The API.
#[derive(Debug)]
pub struct Api {
    account: Account,
    /// What a euro is in dollars.
    euro: Money,
}

#[derive(Deserialize)]
struct Numbers {
    #[serde(default)]
    count: usize,
    #[serde(default)]
    numbers: Vec<Number>,
}

#[derive(Deserialize)]
struct Number {
    msisdn: String,
    #[serde(default)]
    cost: Option<Box<RawValue>>,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Done {
    #[serde(rename = "error-code")]
    code: String,
    #[serde(default, rename = "error-code-label")]
    label: String,
}

impl Api {
    /// The API at `account`; a euro counts as so many dollars.
    pub fn new(account: Account, euro: Money) -> Self {
        Self { account, euro }
    }

    async fn offers(
        &self,
        country: Country,
        more: &[(&str, &str)],
    ) -> Result<Vec<Offer>, TelecomError> {
        let mut query = vec![("country", country.code()), ("features", "SMS")];
        query.extend(more);
        let found: Numbers =
            read(self.account.request(Method::GET, &["number", "search"], &query)).await?;
        let offer = |number: Number| {
            let cost = number
                .cost
                .ok_or_else(|| TelecomError::Unclear("a number without a price".to_owned()))?;
            Ok(Offer {
                phone: phone(&number.msisdn)?,
                country,
                monthly: self.in_dollars(dollars(cost.get().trim_matches('"'))?)?,
            })
        };
        found.numbers.into_iter().map(offer).collect()
    }

    /// Rounded up: the limit is not to be passed by a fraction of a cent.
    fn in_dollars(&self, euros: Money) -> Result<Money, TelecomError> {
        let micros = (i128::from(euros.micros()) * i128::from(self.euro.micros()) + 999_999)
            .div_euclid(1_000_000);
        i64::try_from(micros)
            .map(Money::from_micros)
            .map_err(|_| TelecomError::Unclear("a price beyond all bounds".to_owned()))
    }

    async fn change(
        &self,
        what: &str,
        phone: &Phone,
        country: Country,
    ) -> Result<(), TelecomError> {
        let form = [("country", country.code()), ("msisdn", &phone.as_str()[1..])];
        let done: Done =
            read(self.account.request(Method::POST, &["number", what], &[]).form(&form)).await?;
        match done.code.as_str() {
            "200" => Ok(()),
            // Its other codes are the statuses of HTTP.
            code if code.starts_with('4') => Err(TelecomError::Refused(explanation(
                &format!("{code} {}", done.label),
                MAX_WORDS,
            ))),
            code => Err(TelecomError::Unclear(explanation(
                &format!("{code} {}", done.label),
                MAX_WORDS,
            ))),
        }
    }

    async fn numbers(&self, pattern: Option<&str>) -> Result<Vec<Number>, TelecomError> {
        let mut all = Vec::new();
        for index in 1..=MAX_PAGES {
            let (index, size) = (index.to_string(), PAGE.to_string());
            let mut query = vec![("index", index.as_str()), ("size", size.as_str())];
            query.extend(
                pattern
                    .into_iter()
                    .flat_map(|pattern| [("pattern", pattern), ("search_pattern", "1")]),
            );
            let page: Numbers =
                read(self.account.request(Method::GET, &["account", "numbers"], &query)).await?;
            let is_last = page.numbers.is_empty() || all.len() + page.numbers.len() >= page.count;
            all.extend(page.numbers);
            if is_last {
                return Ok(all);
            }
        }
        Err(TelecomError::Unclear("its list has no end".to_owned()))
    }
}

impl Telecom for Api {
    fn owned(&self) -> BoxFuture<'_, Result<Vec<Phone>, TelecomError>> {
        Box::pin(async move {
            let receives = |number: &Number| {
                number.features.is_empty() || number.features.iter().any(|feature| feature == "SMS")
            };
            self.numbers(None)
                .await?
                .iter()
                .filter(|number| receives(number))
                .map(|number| phone(&number.msisdn))
                .collect()
        })
    }

    fn search(
        &self,
        country: Country,
        limit: u8,
    ) -> BoxFuture<'_, Result<Vec<Offer>, TelecomError>> {
        Box::pin(async move { self.offers(country, &[("size", &limit.to_string())]).await })
    }

    fn offer(
        &self,
        phone: Phone,
        country: Country,
    ) -> BoxFuture<'_, Result<Option<Offer>, TelecomError>> {
        Box::pin(async move {
            let offers = self
                .offers(country, &[("pattern", &phone.as_str()[1..]), ("search_pattern", "1")])
                .await?;
            Ok(offers.into_iter().find(|offer| offer.phone == phone))
        })
    }

    fn buy(&self, phone: Phone, country: Country) -> BoxFuture<'_, Result<(), TelecomError>> {
        Box::pin(async move { self.change("buy", &phone, country).await })
    }

    fn give_back(&self, phone: Phone, country: Country) -> BoxFuture<'_, Result<(), TelecomError>> {
        Box::pin(async move {
            // Vonage refuses to cancel a number that is not ours with a status of many meanings.
            let is_ours = self
                .numbers(Some(&phone.as_str()[1..]))
                .await?
                .iter()
                .any(|number| number.msisdn == phone.as_str()[1..]);
            if is_ours { self.change("cancel", &phone, country).await } else { Ok(()) }
        })
    }
}
