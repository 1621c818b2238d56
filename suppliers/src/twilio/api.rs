//! Numbers at Api: `IncomingPhoneNumbers`, `AvailablePhoneNumbers`, and the prices of a country.

use events::country::Country;
use events::money::Money;
use events::phone::Phone;
use reqwest::Method;
use serde::Deserialize;

use crate::purchasing::{
    Account, MAX_PAGES, Offer, Telecom, TelecomError, dollars, done, phone, read,
};
use actors::store::BoxFuture;

const VERSION: &str = "2010-04-01";
/// Kinds of numbers looked for, the likelier to receive messages first.
const KINDS: [(&str, &str); 2] = [("Mobile", "mobile"), ("Local", "local")];

/// The API.
#[derive(Debug)]
pub struct Api {
    account: Account,
    pricing: Account,
    /// Where messages to a bought number are sent.
    sms_url: Option<String>,
}

#[derive(Deserialize)]
struct Owned {
    incoming_phone_numbers: Vec<OwnedNumber>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct OwnedNumber {
    sid: String,
    phone_number: String,
    #[serde(default)]
    capabilities: Capabilities,
}

/// What a number can; the API writes the names in small letters for owned ones and in capitals for
/// others.
#[derive(Deserialize)]
struct Capabilities {
    #[serde(alias = "SMS", default)]
    sms: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { sms: true }
    }
}

#[derive(Deserialize)]
struct Available {
    available_phone_numbers: Vec<AvailableNumber>,
}

#[derive(Deserialize)]
struct AvailableNumber {
    phone_number: String,
    #[serde(default)]
    capabilities: Capabilities,
}

#[derive(Deserialize)]
struct Prices {
    phone_number_prices: Vec<Price>,
    price_unit: String,
}

#[derive(Deserialize)]
struct Price {
    number_type: String,
    current_price: String,
}

impl Api {
    /// The API at `account`, the prices at `pricing`.
    pub fn new(account: Account, pricing: Account, sms_url: Option<String>) -> Self {
        Self { account, pricing, sms_url }
    }

    fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [VERSION, "Accounts", self.account.user()].iter().chain(rest).copied().collect()
    }

    async fn numbers(&self, only: Option<&Phone>) -> Result<Vec<OwnedNumber>, TelecomError> {
        let mut query = vec![("PageSize", "1000")];
        query.extend(only.map(|phone| ("PhoneNumber", phone.as_str())));
        let mut request =
            self.account.request(Method::GET, &self.path(&["IncomingPhoneNumbers.json"]), &query);
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let page: Owned = read(request).await?;
            all.extend(page.incoming_phone_numbers);
            match page.next_page_uri.filter(|uri| !uri.is_empty()) {
                None => return Ok(all),
                Some(next) => {
                    request = self.account.to(Method::GET, self.account.named(&next)?, &[]);
                }
            }
        }
        Err(TelecomError::Unclear("its list has no end".to_owned()))
    }

    /// Numbers for sale, each with its kind.
    async fn available(
        &self,
        country: Country,
        filter: (&str, &str),
    ) -> Result<Vec<(Phone, &'static str)>, TelecomError> {
        let mut found = Vec::new();
        for (path, kind) in KINDS {
            let file = format!("{path}.json");
            let path = self.path(&["AvailablePhoneNumbers", country.code(), &file]);
            let request =
                self.account.request(Method::GET, &path, &[("SmsEnabled", "true"), filter]);
            let page: Available = match read(request).await {
                Ok(page) => page,
                // A country without numbers of the kind.
                Err(TelecomError::Refused(why)) if why.starts_with("HTTP 404") => continue,
                Err(error) => return Err(error),
            };
            for number in
                page.available_phone_numbers.into_iter().filter(|number| number.capabilities.sms)
            {
                found.push((phone(&number.phone_number)?, kind));
            }
        }
        Ok(found)
    }

    async fn prices(&self, country: Country) -> Result<Vec<(String, Money)>, TelecomError> {
        let prices: Prices = read(self.pricing.request(
            Method::GET,
            &["v1", "PhoneNumbers", "Countries", country.code()],
            &[],
        ))
        .await?;
        if prices.price_unit != "USD" {
            return Err(TelecomError::Unclear("prices in another currency than USD".to_owned()));
        }
        let price = |price: Price| Ok((price.number_type, dollars(&price.current_price)?));
        prices.phone_number_prices.into_iter().map(price).collect()
    }

    async fn offers(
        &self,
        country: Country,
        filter: (&str, &str),
    ) -> Result<Vec<Offer>, TelecomError> {
        let prices = self.prices(country).await?;
        let price = |kind: &str| prices.iter().find(|(of, _)| of == kind).map(|(_, price)| *price);
        let found = self.available(country, filter).await?;
        // A number without a price is not for sale to us: it could cost anything.
        Ok(found
            .into_iter()
            .filter_map(|(phone, kind)| Some(Offer { phone, country, monthly: price(kind)? }))
            .collect())
    }
}

impl Telecom for Api {
    fn owned(&self) -> BoxFuture<'_, Result<Vec<Phone>, TelecomError>> {
        Box::pin(async move {
            self.numbers(None)
                .await?
                .into_iter()
                .filter(|number| number.capabilities.sms)
                .map(|number| phone(&number.phone_number))
                .collect()
        })
    }

    fn search(
        &self,
        country: Country,
        limit: u8,
    ) -> BoxFuture<'_, Result<Vec<Offer>, TelecomError>> {
        Box::pin(async move {
            let mut offers = self.offers(country, ("PageSize", &limit.to_string())).await?;
            offers.truncate(limit.into());
            Ok(offers)
        })
    }

    fn offer(
        &self,
        phone: Phone,
        country: Country,
    ) -> BoxFuture<'_, Result<Option<Offer>, TelecomError>> {
        Box::pin(async move {
            Ok(self
                .offers(country, ("Contains", phone.as_str()))
                .await?
                .into_iter()
                .find(|offer| offer.phone == phone))
        })
    }

    fn buy(&self, phone: Phone, _country: Country) -> BoxFuture<'_, Result<(), TelecomError>> {
        Box::pin(async move {
            let mut form = vec![("PhoneNumber", phone.as_str())];
            if let Some(url) = &self.sms_url {
                form.extend([("SmsUrl", url.as_str()), ("SmsMethod", "POST")]);
            }
            done(
                self.account
                    .request(Method::POST, &self.path(&["IncomingPhoneNumbers.json"]), &[])
                    .form(&form),
            )
            .await
            .map(drop)
        })
    }

    fn give_back(
        &self,
        phone: Phone,
        _country: Country,
    ) -> BoxFuture<'_, Result<(), TelecomError>> {
        Box::pin(async move {
            for number in self
                .numbers(Some(&phone))
                .await?
                .into_iter()
                .filter(|number| number.phone_number == phone.as_str())
            {
                let file = format!("{}.json", number.sid);
                done(self.account.request(
                    Method::DELETE,
                    &self.path(&["IncomingPhoneNumbers", &file]),
                    &[],
                ))
                .await?;
            }
            Ok(())
        })
    }
}
