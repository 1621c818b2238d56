//! A phone number in E.164, shown in full only on purpose.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A number in E.164: `+` and 7 to 15 digits, the first not zero. `Debug` hides the middle: logs never hold a full number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(Box<str>);

/// The text is not an E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an E.164 number: + and 7 to 15 digits, such as +12025550123")]
pub struct ParsePhoneError;

impl Phone {
    /// The number as dialled, for its owner's eyes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region whose numbering plan has the number, by its ISO 3166 alpha-2 code; `None` if no plan has it.
    pub fn region(&self) -> Option<String> {
        let number = phonenumber::parse(None, self.as_str()).ok()?;
        // It drops zeros at the beginning and prefixes of calls within a country: what is left may be another's number.
        let is_whole = format!("+{}{}", number.code().value(), number.national().value()) == self.as_str();
        if !is_whole {
            return None;
        }
        number.country().id().map(|id| id.as_ref().to_owned())
    }

    /// The number with its middle hidden, for logs.
    pub fn masked(&self) -> String {
        let shown = self.0.len().min(4);
        format!("{}***{}", &self.0[..shown], &self.0[self.0.len() - 2..])
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl FromStr for Phone {
    type Err = ParsePhoneError;

    /// Accepts the separators people write (space, dash, dot, brackets) between the digits.
    fn from_str(text: &str) -> Result<Self, ParsePhoneError> {
        let rest = text.strip_prefix('+').ok_or(ParsePhoneError)?;
        let mut digits = String::with_capacity(16);
        digits.push('+');
        for character in rest.chars() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '-' | '.' | '(' | ')' => {}
                _ => return Err(ParsePhoneError),
            }
        }
        let count = digits.len() - 1;
        if !(7..=15).contains(&count) || digits.starts_with("+0") {
            return Err(ParsePhoneError);
        }
        Ok(Self(digits.into_boxed_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_dropped_and_the_rest_is_kept() {
        assert_eq!("+1 (202) 555-01.23".parse::<Phone>().unwrap().as_str(), "+12025550123");
    }

    #[test]
    fn debug_hides_the_middle() {
        assert_eq!(format!("{:?}", "+12025550123".parse::<Phone>().unwrap()), "+120***23");
    }

    #[test]
    fn every_number_has_a_region_or_none() {
        for (number, region) in [
            ("+14165550123", Some("CA")),
            ("+77012345678", Some("KZ")),
            ("+999123456789", None),
            ("+10000000", None),
            ("+70000000007", None),
            ("+390669812345", None),
        ] {
            assert_eq!(number.parse::<Phone>().unwrap().region().as_deref(), region, "{number}");
        }
        proptest::proptest!(|(number in "\\+[1-9][0-9]{6,14}")| {
            number.parse::<Phone>().unwrap().region();
        });
    }

    #[test]
    fn hostile_numbers_are_refused() {
        for text in
            ["", "+", "12025550123", "+0123456789", "+123456", "+1234567890123456", "+1202555012a", "+１２０２５５５０１２３", "+1\n2025550123"]
        {
            assert!(text.parse::<Phone>().is_err(), "{text:?}");
        }
    }
}
