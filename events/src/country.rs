//! The 24 countries, by ISO 3166 alpha-2 code.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::phone::Phone;

macro_rules! countries {
    ($($variant:ident $code:literal $name:literal $dial:literal $percent:literal),+ $(,)?) => {
        /// A supported country.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Country {
            $(#[doc = $name] $variant),+
        }

        impl Country {
            /// Every supported country, in the guide's order.
            pub const ALL: [Self; 24] = [$(Self::$variant),+];

            /// ISO 3166 alpha-2 code, upper-case.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The English name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The country's dial code, without `+`.
            pub const fn dial_code(self) -> &'static str {
                match self { $(Self::$variant => $dial),+ }
            }

            /// What numbers of this country cost in the built-in catalogue, in percent of the US
            /// price.
            pub const fn price_percent(self) -> u32 {
                match self { $(Self::$variant => $percent),+ }
            }
        }
    };
}

countries! {
    Us "US" "United States" "1" 100,
    Ru "RU" "Russia" "7" 60,
    Ua "UA" "Ukraine" "380" 70,
    Gb "GB" "United Kingdom" "44" 90,
    De "DE" "Germany" "49" 130,
    Fr "FR" "France" "33" 120,
    In "IN" "India" "91" 50,
    Id "ID" "Indonesia" "62" 50,
    Ph "PH" "Philippines" "63" 60,
    Br "BR" "Brazil" "55" 70,
    Ca "CA" "Canada" "1" 100,
    Nl "NL" "Netherlands" "31" 110,
    Pl "PL" "Poland" "48" 80,
    Es "ES" "Spain" "34" 110,
    It "IT" "Italy" "39" 120,
    Se "SE" "Sweden" "46" 110,
    Mx "MX" "Mexico" "52" 70,
    Au "AU" "Australia" "61" 140,
    Kr "KR" "South Korea" "82" 150,
    Jp "JP" "Japan" "81" 150,
    Cn "CN" "China" "86" 120,
    Th "TH" "Thailand" "66" 70,
    Vn "VN" "Vietnam" "84" 60,
    My "MY" "Malaysia" "60" 70,
}

/// The text names no supported country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a supported country")]
pub struct UnsupportedCountry;

impl Country {
    /// The guide: "Default country is US if not specified."
    pub const DEFAULT: Self = Self::Us;

    /// The country that a number is of, if it is one of these. Countries share dial codes: the plan
    /// of each says whose a number is, and where no plan has it (ranges kept for fiction, or newer
    /// than the plans), its first digits do.
    pub fn of(phone: &Phone) -> Option<Self> {
        match phone.region() {
            Some(region) => region.parse().ok(),
            None => Self::by_first_digits(phone),
        }
    }

    /// Whether a number is of this country.
    pub fn has(self, phone: &Phone) -> bool {
        let is_shared = || {
            matches!(self, Self::Us | Self::Ca)
                && SHARED_AREAS.iter().any(|area| phone.as_str().starts_with(area))
        };
        Self::of(phone) == Some(self) || is_shared()
    }

    fn by_first_digits(phone: &Phone) -> Option<Self> {
        let digits = &phone.as_str()[1..];
        if digits.starts_with(VATICAN) {
            return None;
        }
        let of_canada = digits
            .strip_prefix('1')
            .and_then(|rest| rest.get(..3))
            .is_some_and(|area| CANADIAN_AREAS.contains(&area));
        let fits = |country: &Self| {
            digits.starts_with(country.dial_code())
                && (country.dial_code() != "1" || (*country == Self::Ca) == of_canada)
        };
        Self::ALL.into_iter().find(fits)
    }
}

/// Of Italy's numbers, which begin with a zero, those that are another's.
const VATICAN: &str = "3906698";

/// Areas without a place, which the United States and Canada have together.
const SHARED_AREAS: [&str; 7] = ["+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888"];

/// Canada's area codes of the North American Numbering Plan; every other one of `+1` that we serve
/// is the United States'.
const CANADIAN_AREAS: [&str; 61] = [
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367",
    "368", "382", "387", "403", "416", "418", "428", "431", "437", "438", "450", "460", "468",
    "474", "506", "514", "519", "548", "557", "568", "579", "581", "584", "587", "600", "604",
    "613", "622", "639", "647", "672", "683", "705", "709", "742", "753", "778", "780", "782",
    "807", "819", "825", "867", "873", "879", "902", "905", "942",
];

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Country {
    type Err = UnsupportedCountry;

    /// Case does not matter; `UK` is an alias of `GB`.
    fn from_str(text: &str) -> Result<Self, UnsupportedCountry> {
        let code = if text.eq_ignore_ascii_case("UK") { "GB" } else { text };
        Self::ALL
            .into_iter()
            .find(|country| country.code().eq_ignore_ascii_case(code))
            .ok_or(UnsupportedCountry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_any_case_and_uk_is_gb() {
        assert_eq!("us".parse(), Ok(Country::Us));
        assert_eq!("UK".parse(), Ok(Country::Gb));
        assert_eq!("uk".parse::<Country>().unwrap().code(), "GB");
        for country in Country::ALL {
            assert_eq!(country.code().parse(), Ok(country));
        }
    }

    #[test]
    fn a_numbers_digits_say_where_it_is_from() {
        for (phone, country) in [
            ("+12025550123", Some(Country::Us)),
            ("+14165550123", Some(Country::Ca)),
            ("+447700900123", Some(Country::Gb)),
            ("+380501234567", Some(Country::Ua)),
            ("+41791234567", None),
            // Others of the same dial codes: the Bahamas, Jamaica, the Dominican Republic, Puerto
            // Rico; Kazakhstan; Jersey, Guernsey, Man.
            ("+12423591234", None),
            ("+18765551234", None),
            ("+18095551234", None),
            ("+17875551234", None),
            ("+77012345678", None),
            ("+77272345678", None),
            ("+447797712345", None),
            ("+441534720123", None),
            ("+447781123456", None),
            ("+447624123456", None),
            ("+390669812345", None),
            ("+390612345678", Some(Country::It)),
            ("+79161234567", Some(Country::Ru)),
            ("+14165550123", Some(Country::Ca)),
            ("+442071234567", Some(Country::Gb)),
            // Kept for fiction.
            ("+12025550199", Some(Country::Us)),
            ("+61491570156", Some(Country::Au)),
            ("+33639981234", Some(Country::Fr)),
            ("+4917139200123", Some(Country::De)),
            ("+46701740605", Some(Country::Se)),
            ("+70012345678", Some(Country::Ru)),
        ] {
            assert_eq!(Country::of(&phone.parse().unwrap()), country, "{phone}");
        }
    }

    #[test]
    fn a_number_is_of_one_country_unless_two_have_its_area_together() {
        let phone = |text: &str| text.parse::<Phone>().unwrap();
        for area in SHARED_AREAS {
            let phone = phone(&format!("{area}5550123"));
            assert!(
                Country::Us.has(&phone) && Country::Ca.has(&phone) && !Country::Gb.has(&phone),
                "{area}"
            );
        }
        assert!(
            Country::Ca.has(&phone("+14165550123")) && !Country::Us.has(&phone("+14165550123"))
        );
        assert!(!Country::Us.has(&phone("+12423591234")));
    }

    #[test]
    fn other_countries_are_refused() {
        for text in ["", "U", "USA", "CH", "U S", "ＵＳ"] {
            assert_eq!(text.parse::<Country>(), Err(UnsupportedCountry), "{text:?}");
        }
    }
}
