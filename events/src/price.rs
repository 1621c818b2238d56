//! List prices and what an order costs: list price x (1 - tier discount), frozen when the order is
//! placed.

use std::collections::BTreeMap;

use crate::country::Country;
use crate::money::Money;
use crate::platform::Platform;
use crate::tier::Tier;

/// List prices: the built-in table, and what the operator has set instead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    overrides: BTreeMap<(Platform, Option<Country>), Money>,
}

impl Catalogue {
    /// Sets a platform's list price, for one country or (with `None`) for all without a price of
    /// their own.
    pub fn set(&mut self, platform: Platform, country: Option<Country>, price: Money) {
        self.overrides.insert((platform, country), price);
    }

    /// The list price of a number for `platform` in `country`.
    pub fn list_price(&self, platform: Platform, country: Country) -> Money {
        let set = self
            .overrides
            .get(&(platform, Some(country)))
            .or_else(|| self.overrides.get(&(platform, None)));
        set.copied().unwrap_or_else(|| built_in(platform, country))
    }
}

fn built_in(platform: Platform, country: Country) -> Money {
    let hundredths = platform.us_price_cents() * i64::from(country.price_percent());
    // A cent times a percent is 1/10 000 dollar: 100 micro-dollars.
    Money::from_micros(hundredths * 100)
}

/// What an order costs at `tier`: the list price less the discount, rounded down to 1/10 000
/// dollar.
pub fn quote(list_price: Money, tier: Tier) -> Money {
    list_price.less_basis_points(tier.discount_basis_points())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_in_the_us_costs_half_a_dollar() {
        let catalogue = Catalogue::default();
        assert_eq!(catalogue.list_price(Platform::Google, Country::Us), Money::from_cents(50));
        assert_eq!(quote(Money::from_cents(50), Tier::Standard), Money::from_cents(50));
        assert_eq!(quote(Money::from_cents(50), Tier::Vip).to_string(), "0.425");
    }

    #[test]
    fn the_closest_override_wins() {
        let mut catalogue = Catalogue::default();
        catalogue.set(Platform::Google, None, Money::from_cents(10));
        catalogue.set(Platform::Google, Some(Country::De), Money::from_cents(20));
        assert_eq!(catalogue.list_price(Platform::Google, Country::Us), Money::from_cents(10));
        assert_eq!(catalogue.list_price(Platform::Google, Country::De), Money::from_cents(20));
    }

    #[test]
    fn every_platform_has_a_price_in_every_country() {
        for platform in Platform::ALL {
            for country in Country::ALL {
                assert!(Catalogue::default().list_price(platform, country).is_positive());
            }
        }
    }
}
