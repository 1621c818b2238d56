//! Money: whole micro-dollars in an `i64`; no float ever touches a balance.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Micro-dollars in one dollar.
const MICROS: i64 = 1_000_000;

/// An amount in micro-dollars. Arithmetic is checked: an overflow is a bug and says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

/// The text is not an amount of dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseMoneyError {
    /// Not digits with an optional fraction.
    #[error("not an amount in dollars, such as 12.50")]
    Malformed,
    /// More than six decimals, or more than an `i64` of micro-dollars holds.
    #[error("an amount has at most six decimals and 12 whole digits")]
    OutOfRange,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount given in micro-dollars.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// An amount given in cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents * 10_000)
    }

    /// The amount in micro-dollars.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether something is owed or missing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether there is something.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// `self + other`, or `None` past what an `i64` of micro-dollars holds.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// `self` less `basis_points` of it, rounded down to 1/10 000 dollar, as prices are.
    ///
    /// `basis_points` is at most 10 000 and `self` is not negative: prices and discounts are.
    #[must_use]
    pub fn less_basis_points(self, basis_points: u32) -> Self {
        let kept = i64::from(10_000u32.saturating_sub(basis_points));
        // Through i128 so that no list price can overflow on the way.
        let micros = i128::from(self.0) * i128::from(kept) / 10_000;
        let micros =
            i64::try_from(micros).expect("a part of an amount is no larger than the amount");
        Self(micros - micros.rem_euclid(100))
    }
}

impl std::ops::Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect("sums of money stay far below 9 trillion dollars")
    }
}

impl std::ops::Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(
            self.0
                .checked_sub(other.0)
                .expect("differences of money stay far below 9 trillion dollars"),
        )
    }
}

impl std::ops::Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| sum + amount)
    }
}

/// Dollars without trailing zeros: `0.5`, `-12.0001`, `3`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let micros = MICROS.unsigned_abs();
        let fraction = format!("{:06}", magnitude % micros);
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{dot}{fraction}", magnitude / micros)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${self}")
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(ParseMoneyError::Malformed);
        }
        if whole.len() > 12 || fraction.len() > 6 {
            return Err(ParseMoneyError::OutOfRange);
        }
        let micros: i64 =
            format!("{whole}{fraction:0<6}").parse().map_err(|_| ParseMoneyError::OutOfRange)?;
        Ok(Self(sign * micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_rounds_down_to_a_ten_thousandth_of_a_dollar() {
        assert_eq!(Money::from_cents(50).less_basis_points(500).to_string(), "0.475");
        assert_eq!(Money::from_micros(333_300).less_basis_points(1_500).to_string(), "0.2833");
        assert_eq!(Money::from_micros(199).less_basis_points(0).micros(), 100);
    }

    #[test]
    fn text_and_amount_agree() {
        for text in ["0", "0.5", "-12.0001", "3", "999999999999.999999"] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn hostile_amounts_are_refused() {
        for text in [
            "",
            "-",
            ".5",
            "1.",
            "1e3",
            "+1",
            " 1",
            "1,0",
            "0x1",
            "NaN",
            "--1",
            "1.0000001",
            "1000000000000",
            "٣",
        ] {
            assert!(text.parse::<Money>().is_err(), "{text:?}");
        }
    }
}
