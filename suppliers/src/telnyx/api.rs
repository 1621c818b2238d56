//! Numbers at Api: `phone_numbers`, `available_phone_numbers` and `number_orders`.

use events::country::Country;
use events::phone::Phone;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::purchasing::{
    Account, MAX_PAGES, MAX_WORDS, Offer, Telecom, TelecomError, dollars, done, phone, read,
};
use actors::kernel::foreign::explanation;
use actors::store::BoxFuture;

/// The API.
#[derive(Debug)]
pub struct Api {
    account: Account,
    /// Where messages to a bought number are told.
    messaging_profile: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Owned>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default)]
    total_pages: usize,
}

#[derive(Deserialize)]
struct Owned {
    id: String,
    phone_number: String,
}

#[derive(Deserialize)]
struct Available {
    data: Vec<AvailableNumber>,
}

#[derive(Deserialize)]
struct AvailableNumber {
    phone_number: String,
    cost_information: Cost,
}

#[derive(Deserialize)]
struct Cost {
    monthly_cost: String,
    currency: String,
}

#[derive(Deserialize)]
struct Ordered {
    data: Order,
}

#[derive(Deserialize)]
struct Order {
    status: String,
}

impl Api {
    /// The API at `account`.
    pub fn new(account: Account, messaging_profile: Option<String>) -> Self {
        Self { account, messaging_profile }
    }

    async fn numbers(&self, only: Option<&Phone>) -> Result<Vec<Owned>, TelecomError> {
        let mut all = Vec::new();
        for number in 1..=MAX_PAGES {
            let number_text = number.to_string();
            let mut query = vec![("page[number]", number_text.as_str()), ("page[size]", "250")];
            query.extend(only.map(|phone| ("filter[phone_number]", phone.as_str())));
            let page: Page =
                read(self.account.request(Method::GET, &["v2", "phone_numbers"], &query)).await?;
            all.extend(page.data);
            if number >= page.meta.total_pages {
                return Ok(all);
            }
        }
        Err(TelecomError::Unclear("its list has no end".to_owned()))
    }

    async fn offers(
        &self,
        country: Country,
        more: &[(&str, &str)],
    ) -> Result<Vec<Offer>, TelecomError> {
        let mut query =
            vec![("filter[country_code]", country.code()), ("filter[features][]", "sms")];
        query.extend(more);
        let page: Available =
            read(self.account.request(Method::GET, &["v2", "available_phone_numbers"], &query))
                .await?;
        let offer = |number: AvailableNumber| {
            let Cost { monthly_cost, currency } = number.cost_information;
            if currency != "USD" {
                return Err(TelecomError::Unclear(
                    "prices in another currency than USD".to_owned(),
                ));
            }
            Ok(Offer {
                phone: phone(&number.phone_number)?,
                country,
                monthly: dollars(&monthly_cost)?,
            })
        };
        page.data.into_iter().map(offer).collect()
    }
}

impl Telecom for Api {
    fn owned(&self) -> BoxFuture<'_, Result<Vec<Phone>, TelecomError>> {
        Box::pin(async move {
            self.numbers(None)
                .await?
                .into_iter()
                .map(|number| phone(&number.phone_number))
                .collect()
        })
    }

    fn search(
        &self,
        country: Country,
        limit: u8,
    ) -> BoxFuture<'_, Result<Vec<Offer>, TelecomError>> {
        Box::pin(
            async move { self.offers(country, &[("filter[limit]", &limit.to_string())]).await },
        )
    }

    fn offer(
        &self,
        phone: Phone,
        country: Country,
    ) -> BoxFuture<'_, Result<Option<Offer>, TelecomError>> {
        Box::pin(async move {
            // Its filter is over the digits behind the country's code.
            let national = phone.as_str()[1..]
                .strip_prefix(country.dial_code())
                .unwrap_or_default()
                .to_owned();
            let offers =
                self.offers(country, &[("filter[phone_number][contains]", &national)]).await?;
            Ok(offers.into_iter().find(|offer| offer.phone == phone))
        })
    }

    fn buy(&self, phone: Phone, _country: Country) -> BoxFuture<'_, Result<(), TelecomError>> {
        Box::pin(async move {
            let mut order = json!({ "phone_numbers": [{ "phone_number": phone.as_str() }] });
            if let Some(profile) = &self.messaging_profile {
                order["messaging_profile_id"] = json!(profile);
            }
            let request = self
                .account
                .request(Method::POST, &["v2", "number_orders"], &[])
                .header("content-type", "application/json");
            let ordered: Ordered = read(request.body(order.to_string())).await?;
            match ordered.data.status.as_str() {
                "success" => Ok(()),
                "failure" => Err(TelecomError::Refused("the order failed".to_owned())),
                other => Err(TelecomError::Unclear(format!(
                    "the order is {}",
                    explanation(other, MAX_WORDS)
                ))),
            }
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
                done(self.account.request(
                    Method::DELETE,
                    &["v2", "phone_numbers", &number.id],
                    &[],
                ))
                .await?;
            }
            Ok(())
        })
    }
}
