//! Natural language -> what to order, or why not: deterministic, offline, and never a guess.
//!
//! Holds: names, and what a sentence says of them. Never holds: an order, a price, a word of HTTP.
//! Leans on: `events`' nouns. Proved by: `tests.rs` here, over `utterances.txt`.

mod country;
mod fold;
mod intent;
mod lexicon;
mod platform;
#[cfg(test)]
mod tests;

use events::country::Country;
use events::platform::Platform;

/// Longest sentence that is read.
pub const MAX_QUERY: usize = 1_000;

/// What a sentence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Understood {
    /// For which platform.
    pub platform: Platform,
    /// In which country.
    pub country: Country,
    /// Whether the sentence names it.
    pub country_named: bool,
}

/// Why a sentence is not taken as an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotUnderstood {
    /// It asks for something else: a price, a status, an end, or the contrary.
    NotAnOrder,
    /// It names no supported platform.
    NoPlatform,
    /// It names several, and one number serves one.
    SeveralPlatforms(Vec<Platform>),
    /// It names a country that is known and not supported.
    UnsupportedCountry(String),
    /// It names several countries.
    SeveralCountries(Vec<String>),
}

/// Reads a sentence.
pub fn understand(query: &str) -> Result<Understood, NotUnderstood> {
    let text = fold::Text::of(query);
    if intent::asks_for_something_else(&text) {
        return Err(NotUnderstood::NotAnOrder);
    }
    let platforms = platform::named(&text);
    let platform = match platforms.as_slice() {
        [] => return Err(NotUnderstood::NoPlatform),
        [platform] => *platform,
        _ => return Err(NotUnderstood::SeveralPlatforms(platforms)),
    };
    let countries = country::named(&text);
    match countries.as_slice() {
        [] => Ok(Understood { platform, country: Country::DEFAULT, country_named: false }),
        [code] => match code.parse() {
            Ok(country) => Ok(Understood { platform, country, country_named: true }),
            Err(_) => Err(NotUnderstood::UnsupportedCountry(code.clone())),
        },
        _ => Err(NotUnderstood::SeveralCountries(countries)),
    }
}
