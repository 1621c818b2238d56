//! Identifiers: 128 bits, time-ordered, shown as a prefix and 22 base62 characters of fixed width.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters a 128-bit number takes in base62.
pub const WIDTH: usize = 22;

/// The text is not an identifier of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid identifier")]
pub struct ParseIdError;

/// Writes `value` as 22 base62 characters, most significant first, so that text order is number
/// order.
pub fn to_base62(mut value: u128) -> String {
    let mut digits = [b'0'; WIDTH];
    for slot in digits.iter_mut().rev() {
        let digit = usize::try_from(value % 62).expect("a remainder of 62 fits any usize");
        *slot = ALPHABET[digit];
        value /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// Reads exactly 22 base62 characters that fit 128 bits.
pub fn from_base62(text: &str) -> Result<u128, ParseIdError> {
    if text.len() != WIDTH {
        return Err(ParseIdError);
    }
    text.bytes().try_fold(0u128, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return Err(ParseIdError),
        };
        value
            .checked_mul(62)
            .and_then(|value| value.checked_add(u128::from(digit)))
            .ok_or(ParseIdError)
    })
}

/// Packs a time and randomness into one number whose order is the order of time.
pub fn time_ordered(unix_millis: u64, random: u128) -> u128 {
    (u128::from(unix_millis) << 80) | (random & ((1 << 80) - 1))
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl $name {
            /// What every identifier of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The 22 characters without the prefix.
            pub fn digits(self) -> String {
                to_base62(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", Self::PREFIX, to_base62(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(Self::PREFIX).ok_or(ParseIdError).and_then(from_base62).map(Self)
            }
        }
    };
}

identifier!(
    /// One account: its stream is `account-<22 digits>`.
    AccountId, "acc_"
);
identifier!(
    /// One order of one account; the correlation of all its events.
    OrderId, "ord_"
);
identifier!(
    /// One claimed chain output; derived from chain, transaction and output, so that every claim of
    /// it meets.
    DepositId, "dep_"
);
identifier!(
    /// One webhook delivery of one account; derived from its sequence, so that every attempt has
    /// the same.
    DeliveryId, "dlv_"
);
identifier!(
    /// One API key of one account. The key that registration gives has its account's number.
    ApiKeyId, "key_"
);
identifier!(
    /// One invite of the operator's.
    InviteId, "inv_"
);
identifier!(
    /// One leadership of one node over a shared log.
    TermId, "term_"
);
identifier!(
    /// One recorded event; derived from its command, so that a retried append is recognised.
    EventId, "evt_"
);
identifier!(
    /// One command: what a set of events was caused by.
    CommandId, "cmd_"
);

impl CommandId {
    /// The id of the command's `index`-th event: the same at every retry.
    pub fn event(self, index: usize) -> EventId {
        EventId(self.0.wrapping_add(u128::try_from(index).expect("usize is at most 64 bits")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_agree_at_the_edges() {
        for value in [0, 1, 61, 62, u128::MAX, u128::MAX - 1, 1 << 80] {
            assert_eq!(from_base62(&to_base62(value)), Ok(value));
        }
    }

    #[test]
    fn text_order_is_time_order() {
        let early = AccountId(time_ordered(1_000, u128::MAX));
        let late = AccountId(time_ordered(1_001, 0));
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
    }

    #[test]
    fn hostile_text_is_refused() {
        let overflow = "z".repeat(WIDTH);
        for text in [
            "",
            "ord_",
            "acc_0000000000000000000000",
            "ord_00000000000000000000é",
            "ord_000000000000000000000",
            &overflow,
        ] {
            assert_eq!(text.parse::<OrderId>(), Err(ParseIdError), "{text}");
        }
        assert_eq!(format!("ord_{overflow}").parse::<OrderId>(), Err(ParseIdError));
    }
}
