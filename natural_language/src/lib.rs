//! Natural language -> what to order, or why not: deterministic, offline, and never a guess.
//!
//! A sentence orders if it names one supported platform and at most one supported country, and says
//! that a number is wanted (`need`, `get`, `number`, `code`, in its language) or nothing else at
//! all. What is no order is told by its [`Reason`]:
//!
//! | reason | such as |
//! |---|---|
//! | `question` | Does Telegram work with German numbers? |
//! | `price` | How much is a Google number? |
//! | `status` | Where is my code? I ordered one yesterday. |
//! | `cancel` | Cancel it; give me my money back. |
//! | `negated` | not from India; anything but Germany; I don't want one |
//! | `quantity` | five numbers, a couple, several |
//! | `ambiguous` | two platforms or countries, complaints, thanks, quotations, conditions, markup |
//! | `unsupported_country`, `unknown_place` | from Vienna; from a place that is not known |
//! | `unsupported_platform` | a number for Signal; no platform at all |
//!
//! Holds: words of 72 languages, and what a sentence says with them. Never holds: an order, a
//! price, a word of HTTP. Leans on: `events`' nouns. Proved by: `tests/`.

mod decide;
mod dictionary;
mod fold;
mod glued;
mod iso;
mod number;
mod pairs;
mod place;
mod platform;
mod reading;
mod request;
mod segment;
mod spelling;

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

/// Why a sentence is not taken as an order, and what it names all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Why.
    pub reason: Reason,
    /// The platforms it names.
    pub platforms: Vec<Platform>,
    /// The countries it names, by ISO code, or by dial code or CLDR's number where it has none
    /// here.
    pub countries: Vec<String>,
    /// How many it asks for, if it says so in digits.
    pub quantity: Option<u32>,
}

/// Why a sentence is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It asks a question.
    Question,
    /// It asks what a number costs, or how to pay.
    Price,
    /// It asks what became of an order, or tells of one.
    Status,
    /// It ends an order, or asks for money back.
    Cancel,
    /// It denies something.
    Negated,
    /// It asks for more than one.
    Quantity,
    /// It may mean several things, or none.
    Ambiguous,
    /// It names a country that is known and not supported.
    UnsupportedCountry,
    /// It names a place that is not known.
    UnknownPlace,
    /// It names no supported platform.
    UnsupportedPlatform,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Question,
        Self::Price,
        Self::Status,
        Self::Cancel,
        Self::Negated,
        Self::Quantity,
        Self::Ambiguous,
        Self::UnsupportedCountry,
        Self::UnknownPlace,
        Self::UnsupportedPlatform,
    ];

    /// The word callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Price => "price",
            Self::Status => "status",
            Self::Cancel => "cancel",
            Self::Negated => "negated",
            Self::Quantity => "quantity",
            Self::Ambiguous => "ambiguous",
            Self::UnsupportedCountry => "unsupported_country",
            Self::UnknownPlace => "unknown_place",
            Self::UnsupportedPlatform => "unsupported_platform",
        }
    }
}

/// How a sentence is read, for people who mend the word lists.
pub fn explain(query: &str) -> String {
    reading::Reading::of(query).explain()
}

/// Reads a sentence.
pub fn understand(query: &str) -> Result<Understood, NotUnderstood> {
    reading::Reading::of(query).decide()
}
