//! The 33 platforms: names, aliases, list prices and what their codes look like.

use std::fmt;
use std::str::FromStr;

use sms_code::Service;
use thiserror::Error;

/// What a platform's codes are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFormat {
    /// Digits only.
    Numeric,
    /// Latin letters and digits.
    Alphanumeric,
}

impl CodeFormat {
    /// The word callers see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Alphanumeric => "alphanumeric",
        }
    }
}

/// What to expect of a platform's messages: told to callers, and evidence in extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeHints {
    /// What the code is made of.
    pub format: CodeFormat,
    /// The usual length, in characters without separators.
    pub length: u8,
    /// Other lengths that the platform has been seen to send.
    pub other_lengths: &'static [u8],
    /// How long a message usually takes, in seconds.
    pub usual_delivery_seconds: u8,
}

macro_rules! platforms {
    ($(
        $variant:ident $slug:literal $name:literal $cents:literal
        $format:ident $length:literal $others:expr, $delivery:literal;
    )+) => {
        /// A supported platform.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Platform {
            $(#[doc = $name] $variant),+
        }

        impl Platform {
            /// Every supported platform, in the guide's order.
            pub const ALL: [Self; 33] = [$(Self::$variant),+];

            /// The name in paths, bodies and events.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),+ }
            }

            /// The name for people, as the guide writes it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Built-in list price of a US number, in cents.
            pub const fn us_price_cents(self) -> i64 {
                match self { $(Self::$variant => $cents),+ }
            }

            /// What reads the platform's messages.
            pub fn service(self) -> Service {
                let service = Service::named(self.slug());
                service.expect("a test says that every platform is a service whose codes are read")
            }

            /// What the platform's codes look like.
            pub const fn hints(self) -> CodeHints {
                match self {
                    $(Self::$variant => CodeHints {
                        format: CodeFormat::$format,
                        length: $length,
                        other_lengths: $others,
                        usual_delivery_seconds: $delivery,
                    }),+
                }
            }
        }
    };
}

platforms! {
    Google "google" "Google" 50 Numeric 6 &[], 8;
    WhatsApp "whatsapp" "WhatsApp" 60 Numeric 6 &[], 10;
    Instagram "instagram" "Instagram" 35 Numeric 6 &[], 10;
    Telegram "telegram" "Telegram" 70 Numeric 5 &[6], 8;
    Facebook "facebook" "Facebook" 40 Numeric 5 &[6, 8], 10;
    Twitter "twitter" "Twitter/X" 35 Numeric 6 &[8], 10;
    Discord "discord" "Discord" 25 Numeric 6 &[], 8;
    TikTok "tiktok" "TikTok" 30 Numeric 6 &[4], 9;
    Snapchat "snapchat" "Snapchat" 35 Numeric 6 &[], 9;
    Uber "uber" "Uber" 30 Numeric 4 &[6], 8;
    Amazon "amazon" "Amazon" 35 Numeric 6 &[], 9;
    Microsoft "microsoft" "Microsoft" 30 Numeric 6 &[4, 7], 9;
    Yahoo "yahoo" "Yahoo" 30 Numeric 6 &[5, 7, 8], 9;
    LinkedIn "linkedin" "LinkedIn" 30 Numeric 6 &[], 9;
    PayPal "paypal" "PayPal" 50 Numeric 6 &[4], 8;
    Coinbase "coinbase" "Coinbase" 55 Numeric 7 &[6], 8;
    Binance "binance" "Binance" 55 Numeric 6 &[], 8;
    OpenAi "openai" "OpenAI" 45 Numeric 6 &[], 8;
    Netflix "netflix" "Netflix" 30 Numeric 6 &[4], 9;
    Spotify "spotify" "Spotify" 25 Numeric 6 &[], 9;
    Tinder "tinder" "Tinder" 40 Numeric 6 &[], 9;
    Steam "steam" "Steam" 30 Alphanumeric 5 &[6], 9;
    Viber "viber" "Viber" 30 Numeric 6 &[4], 9;
    WeChat "wechat" "WeChat" 60 Numeric 6 &[4], 10;
    Line "line" "Line" 35 Numeric 6 &[4], 9;
    Reddit "reddit" "Reddit" 25 Numeric 6 &[], 9;
    Airbnb "airbnb" "Airbnb" 30 Numeric 6 &[4], 9;
    Ebay "ebay" "eBay" 30 Numeric 6 &[4], 9;
    Lyft "lyft" "Lyft" 30 Numeric 6 &[4, 5], 8;
    Nike "nike" "Nike" 25 Numeric 6 &[], 9;
    ProtonMail "protonmail" "ProtonMail" 30 Numeric 6 &[], 9;
    Revolut "revolut" "Revolut" 50 Numeric 6 &[], 8;
    Wise "wise" "Wise" 50 Numeric 6 &[], 8;
}

/// The text names no supported platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a supported platform")]
pub struct UnknownPlatform;

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    /// Case does not matter; `x` and `twitter/x` are aliases of `twitter`.
    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        let is_alias = ["x", "twitter/x"].iter().any(|alias| text.eq_ignore_ascii_case(alias));
        let slug = if is_alias { "twitter" } else { text };
        Self::ALL
            .into_iter()
            .find(|platform| platform.slug().eq_ignore_ascii_case(slug))
            .ok_or(UnknownPlatform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_read_in_any_case_and_x_is_twitter() {
        for text in ["X", "twitter/x", "Twitter/X", "TWITTER"] {
            assert_eq!(text.parse(), Ok(Platform::Twitter), "{text}");
        }
        for platform in Platform::ALL {
            assert_eq!(platform.slug().parse(), Ok(platform));
            assert_eq!(platform.slug().to_uppercase().parse(), Ok(platform));
        }
    }

    #[test]
    fn every_platform_is_a_service_whose_codes_are_read_as_callers_are_told() {
        assert_eq!(Service::all().count(), Platform::ALL.len());
        for platform in Platform::ALL {
            let (hints, service) = (platform.hints(), platform.service());
            let told: Vec<usize> = [hints.length]
                .iter()
                .chain(hints.other_lengths)
                .map(|length| usize::from(*length))
                .collect();
            assert_eq!((service.lengths(), service.name()), (told.as_slice(), platform.name()));
            assert_eq!(
                service.alphabet() == sms_code::Alphabet::Digits,
                hints.format == CodeFormat::Numeric,
                "{platform}"
            );
        }
    }

    #[test]
    fn other_names_are_refused() {
        for text in ["", "goog", "google ", "Proton", "ｇｏｏｇｌｅ"] {
            assert_eq!(text.parse::<Platform>(), Err(UnknownPlatform), "{text:?}");
        }
    }
}
