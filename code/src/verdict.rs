//! The answer: a code, or why there is none, and what was weighed to get there.

use super::brand;
use super::candidate;
use super::message::Message;
use super::normal::Text;
use super::service::Service;
use super::weigh;

/// Score from which the best candidate is the code. Calibrated on messages in 70 languages: below it, guesses begin.
const ACCEPT: i16 = 30;
/// Lead over another code that the best candidate needs; less, and nobody can say which of the two it is.
const LEAD: i16 = 10;
/// Candidates kept in the event.
const KEPT: usize = 5;

/// What a message was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The answer.
    pub verdict: Verdict,
    /// What was weighed, best first, at most five.
    pub candidates: Vec<Candidate>,
}

/// The answer for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This is the code: digits without separators or prefix, letters as sent.
    Code(String),
    /// There may be a code; nothing certain enough to complete an order with.
    Unsure,
    /// Nothing in the message could be a code.
    Nothing,
    /// The message is another sender's (its brand is named, in lower case): it completes no order.
    OtherBrand(String),
}

impl Verdict {
    /// The word callers and operators see.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Code(_) => "code",
            Self::Unsure => "unsure",
            Self::Nothing => "nothing",
            Self::OtherBrand(_) => "other_brand",
        }
    }
}

/// One thing that could be the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The code, were it this one.
    pub code: String,
    /// Sum of the reasons' weights.
    pub score: i16,
    /// What spoke for and against it.
    pub reasons: Vec<Reason>,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $number:literal $name:literal;)+) => {
        /// Something that speaks for or against a candidate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $variant),+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The number it is recorded under, for ever.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number),+ }
            }

            /// The word for people.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

reasons! {
    /// On the last line as `@host #code`.
    OriginBound 1 "origin_bound";
    /// After a sender's prefix such as `G-`.
    SenderPrefix 2 "sender_prefix";
    /// As long as codes usually are.
    UsualLength 3 "usual_length";
    /// As long, and of the same characters, as the platform's codes are.
    PlatformShape 4 "platform_shape";
    /// Not as the platform's codes are.
    OtherShape 5 "other_shape";
    /// Right beside a word for "code".
    BesideKeyWord 6 "beside_key_word";
    /// In the same sentence as a word for "code".
    NearKeyWord 7 "near_key_word";
    /// A word for "code" stands somewhere.
    KeyWordInMessage 8 "key_word_in_message";
    /// A word for "verify" stands somewhere.
    VerifyWordInMessage 9 "verify_word_in_message";
    /// The platform's brand stands somewhere.
    BrandInMessage 10 "brand_in_message";
    /// It stands in the message twice.
    Repeated 11 "repeated";
    /// It is the whole message.
    WholeMessage 12 "whole_message";
    /// It opens or closes a very short message.
    ShortMessage 13 "short_message";
    /// It has a line of its own.
    OwnLine 14 "own_line";
    /// Nothing else in the message could be a code.
    OnlyCandidate 15 "only_candidate";
    /// Letters without a digit.
    LettersOnly 16 "letters_only";
    /// Letters and digits.
    LettersAndDigits 17 "letters_and_digits";
    /// Part of a date.
    Date 18 "date";
    /// Part of a time of day.
    TimeOfDay 19 "time_of_day";
    /// A recent or coming year.
    Year 20 "year";
    /// An amount of money, a decimal or a percentage.
    Amount 21 "amount";
    /// Part of a phone number.
    PhoneNumber 22 "phone_number";
    /// The end of a card or account number.
    CardEnding 23 "card_ending";
    /// A duration, such as the minutes of validity.
    Duration 24 "duration";
    /// Part of an address on the web.
    Url 25 "url";
    /// A number to reply to.
    ReplyTo 26 "reply_to";
    /// The app hash of a `<#>` message.
    AppHash 27 "app_hash";
    /// An order, invoice, tracking or account number.
    Reference 28 "reference";
    /// A promotion's, postal or error code.
    OtherKindOfCode 29 "other_kind_of_code";
    /// The message is about orders, payments or offers and has no word for "code".
    BusinessMessage 30 "business_message";
}

/// The code in `message`, for an order of `service` (or of nobody in particular).
pub fn extract(message: &Message<'_>, service: Option<Service>) -> Extraction {
    let text = Text::new(message.text);
    let found = candidate::find(&text, service);
    let mut candidates = weigh::weigh(&text, found, service);
    // Stable: of equals, the first in the text stays first.
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    let verdict = verdict(&text, &candidates, service);
    candidates.truncate(KEPT);
    Extraction { verdict, candidates }
}

fn verdict(text: &Text, candidates: &[Candidate], service: Option<Service>) -> Verdict {
    if let Some(other) = service.and_then(|service| brand::other_sender(text, service)) {
        return Verdict::OtherBrand(other);
    }
    let Some(best) = candidates.first() else { return Verdict::Nothing };
    let rival = candidates.iter().find(|candidate| candidate.code != best.code);
    let clear = rival.is_none_or(|rival| best.score - rival.score >= LEAD);
    if best.score >= ACCEPT && clear {
        Verdict::Code(best.code.clone())
    } else if candidates.iter().any(|candidate| candidate.score > 0) {
        Verdict::Unsure
    } else {
        Verdict::Nothing
    }
}
