//! Numbers for the simulator: from ranges reserved for fiction where there are any, and elsewhere
//! numbers that no plan can assign.

use events::country::Country;
use events::phone::Phone;

/// Where a country's simulated numbers come from.
enum Range {
    /// `+1 <area> 555 01xx`, in each of these areas.
    AreaCodes(Vec<u32>),
    /// A prefix and a count of free digits.
    Prefix(&'static str, u32),
}

/// Simulated numbers of one country.
pub struct Numbers {
    range: Range,
}

impl Numbers {
    /// The country's.
    pub fn of(country: Country) -> Self {
        let range = match country {
            Country::Us | Country::Ca => Range::AreaCodes(
                (200..1_000).filter(|area| is_geographic(*area) && is_of(country, *area)).collect(),
            ),
            // Ofcom, ARCEP, BNetzA, PTS and ACMA keep these for drama.
            Country::Gb => Range::Prefix("+447700900", 3),
            Country::Fr => Range::Prefix("+3363998", 4),
            Country::De => Range::Prefix("+4917139200", 2),
            Country::Se => Range::Prefix("+467017406", 2),
            Country::Au => Range::Prefix("+61491570", 3),
            // No number of these plans starts with 00 behind the country code, so none of these can
            // be anybody's.
            Country::Ru => Range::Prefix("+700", 8),
            Country::Ua => Range::Prefix("+38000", 7),
            Country::In => Range::Prefix("+9100", 8),
            Country::Id => Range::Prefix("+6200", 8),
            Country::Ph => Range::Prefix("+6300", 8),
            Country::Br => Range::Prefix("+5500", 8),
            Country::Nl => Range::Prefix("+3100", 7),
            Country::Pl => Range::Prefix("+4800", 7),
            Country::Es => Range::Prefix("+3400", 7),
            Country::It => Range::Prefix("+3900", 8),
            Country::Mx => Range::Prefix("+5200", 8),
            Country::Kr => Range::Prefix("+8200", 8),
            Country::Jp => Range::Prefix("+8100", 8),
            Country::Cn => Range::Prefix("+8600", 8),
            Country::Th => Range::Prefix("+6600", 7),
            Country::Vn => Range::Prefix("+8400", 7),
            Country::My => Range::Prefix("+6000", 7),
        };
        Self { range }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match &self.range {
            Range::AreaCodes(areas) => areas.len() as u64 * 100,
            Range::Prefix(_, digits) => 10u64.pow(*digits),
        }
    }

    /// The `index`-th of them, counting around.
    pub fn nth(&self, index: u64) -> Phone {
        let index = index % self.count();
        let text = match &self.range {
            Range::AreaCodes(areas) => {
                let area = areas[usize::try_from(index / 100).expect("an index below the count")];
                area_number(area, index % 100)
            }
            Range::Prefix(prefix, digits) => {
                format!("{prefix}{index:0width$}", width = *digits as usize)
            }
        };
        text.parse().expect("every range makes E.164 numbers")
    }
}

/// Whether an area is the country's: others of the same dial code have theirs among them.
fn is_of(country: Country, area: u32) -> bool {
    area_number(area, 0).parse().is_ok_and(|phone| Country::of(&phone) == Some(country))
}

fn area_number(area: u32, index: u64) -> String {
    format!("+1{area}55501{index:02}")
}

/// Area codes are NXX with N from 2 and a middle digit below 9; those with two equal last digits
/// are services.
fn is_geographic(area: u32) -> bool {
    let (middle, last) = (area / 10 % 10, area % 10);
    middle != 9 && middle != last
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_country_has_distinct_numbers_of_its_own() {
        let mut seen = HashSet::new();
        for country in Country::ALL {
            let numbers = Numbers::of(country);
            for index in 0..numbers.count().min(2_000) {
                let phone = numbers.nth(index);
                assert!(country.has(&phone), "{country}: {}", phone.as_str());
                assert!(seen.insert(phone.clone()), "{country}: {} twice", phone.as_str());
            }
            assert_eq!(numbers.nth(0), numbers.nth(numbers.count()));
        }
    }

    #[test]
    fn the_united_states_have_numbers_for_tens_of_thousands_of_open_orders() {
        assert!(Numbers::of(Country::Us).count() >= 50_000);
    }
}
