//! A phone number in E.164, shown in full only on purpose.

use std::fmt;
use std::str::FromStr;

use phonenumber::Type;
use phonenumber::metadata::DATABASE;
use thiserror::Error;

/// A number in E.164: `+` and 7 to 15 digits, the first not zero. `Debug` hides the middle: logs
/// never hold a full number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(Box<str>);

/// What a number that was erased begins with, before its pseudonym.
const ERASED: &str = "<erased:";

/// The text is not an E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an E.164 number: + and 7 to 15 digits, such as +12025550123")]
pub struct ParsePhoneError;

/// Why a number cannot be one that takes messages of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    /// No plan has such a number.
    #[error("no numbering plan has this number: a digit too few, too many or wrong")]
    Unassignable,
    /// The one who is called pays.
    #[error("it is a toll-free number, to which services send no codes")]
    TollFree,
    /// The one who calls pays dearly.
    #[error("it is a premium-rate number, to which services send no codes")]
    PremiumRate,
    /// Both pay.
    #[error("it is a shared-cost number, to which services send no codes")]
    SharedCost,
    /// It reaches no telephone that takes messages.
    #[error("it is a pager or voicemail number, to which services send no codes")]
    NoTelephone,
    /// It follows its owner from country to country, and is of none.
    #[error("it is a personal (follow-me) number, to which services send no codes")]
    FollowMe,
}

/// Kinds of numbers that are unfit, and why.
const UNFIT: [(Type, Unfit); 6] = [
    (Type::PremiumRate, Unfit::PremiumRate),
    (Type::TollFree, Unfit::TollFree),
    (Type::SharedCost, Unfit::SharedCost),
    (Type::Pager, Unfit::NoTelephone),
    (Type::Voicemail, Unfit::NoTelephone),
    (Type::PersonalNumber, Unfit::FollowMe),
];

/// Kinds that people's and companies' telephones have.
const FIT: [Type; 4] = [Type::FixedLine, Type::Mobile, Type::Voip, Type::Uan];

/// Numbers that regulators keep for films and examples, of which plans may know nothing: what each
/// begins with, and how many digits follow.
const RESERVED: [(&str, usize); 20] = [
    // Ofcom
    ("+447700900", 3),
    ("+441632960", 3),
    ("+442079460", 3),
    // ARCEP
    ("+33199000", 3),
    ("+33261910", 3),
    ("+33353010", 3),
    ("+33465710", 3),
    ("+33536490", 3),
    ("+3363998", 4),
    // BNetzA
    ("+4930231250", 2),
    ("+4969900009", 2),
    ("+4940669690", 2),
    ("+4917139200", 2),
    ("+4917628040", 2),
    // PTS
    ("+467017406", 2),
    ("+4684650040", 1),
    // ACMA
    ("+61491570", 3),
    ("+6125550", 4),
    ("+6135550", 4),
    ("+6175550", 4),
];

impl Phone {
    /// The number as dialled, for its owner's eyes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands in the place of a number that was erased: the same for the same number, and
    /// nothing to dial.
    pub fn pseudonym(hash: [u8; 8]) -> Self {
        Self(format!("{ERASED}{:016x}>", u64::from_be_bytes(hash)).into_boxed_str())
    }

    /// Whether it is a pseudonym.
    pub fn is_erased(&self) -> bool {
        self.0.starts_with(ERASED)
    }

    /// A number or a pseudonym, as events have it; callers' numbers are parsed.
    pub fn of_log(text: &str) -> Result<Self, ParsePhoneError> {
        let hash = text.strip_prefix(ERASED).and_then(|rest| rest.strip_suffix('>'));
        match hash.filter(|hash| hash.len() == 16) {
            Some(hash) => u64::from_str_radix(hash, 16)
                .map(|hash| Self::pseudonym(hash.to_be_bytes()))
                .map_err(|_| ParsePhoneError),
            None => text.parse(),
        }
    }

    /// The region whose numbering plan has the number, by its ISO 3166 alpha-2 code; `None` if no
    /// plan has it.
    pub fn region(&self) -> Option<String> {
        let number = phonenumber::parse(None, self.as_str()).ok()?;
        // It drops zeros at the beginning and prefixes of calls within a country: what is left may
        // be another's number.
        let is_whole =
            format!("+{}{}", number.code().value(), number.national().value()) == self.as_str();
        if !is_whole {
            return None;
        }
        number.country().id().map(|id| id.as_ref().to_owned())
    }

    /// Whether somebody's telephone may have the number and take messages with it, or why not.
    /// Ranges kept for films and examples pass.
    pub fn fit(&self) -> Result<(), Unfit> {
        if RESERVED.iter().any(|(prefix, digits)| {
            self.0.len() == prefix.len() + digits && self.0.starts_with(prefix)
        }) {
            return Ok(());
        }
        let code = phonenumber::parse(None, self.as_str())
            .map_err(|_| Unfit::Unassignable)?
            .code()
            .value();
        // As it is written: parsing drops zeros that belong to some numbers, and prefixes that
        // would make another's number of this one.
        let national = self.0.strip_prefix(&format!("+{code}")).ok_or(Unfit::Unassignable)?;
        let plans = DATABASE.by_code(&code).unwrap_or_default();
        let is_of = |kind: Type| {
            plans.iter().any(|plan| {
                plan.descriptors().general().is_match(national)
                    && plan
                        .descriptors()
                        .get(kind)
                        .is_some_and(|numbers| numbers.is_match(national))
            })
        };
        for (kind, why) in UNFIT {
            if is_of(kind) {
                return Err(why);
            }
        }
        if FIT.into_iter().any(is_of) { Ok(()) } else { Err(Unfit::Unassignable) }
    }

    /// The number with its middle hidden, for logs.
    pub fn masked(&self) -> String {
        if self.is_erased() {
            return self.0.to_string();
        }
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
    fn a_pseudonym_is_read_from_the_log_and_taken_from_nobody() {
        let pseudonym = Phone::pseudonym([0, 1, 2, 3, 4, 5, 6, 0xff]);
        assert_eq!(pseudonym.as_str(), "<erased:00010203040506ff>");
        assert_eq!(pseudonym.masked(), pseudonym.as_str());
        assert_eq!(Phone::of_log(pseudonym.as_str()), Ok(pseudonym.clone()));
        assert!(pseudonym.is_erased() && pseudonym.region().is_none() && pseudonym.fit().is_err());
        assert!(pseudonym.as_str().parse::<Phone>().is_err());
        assert!(!Phone::of_log("+12025550123").unwrap().is_erased());
        for text in ["<erased:>", "<erased:00010203040506f>", "<erased:00010203040506fg>", ""] {
            assert!(Phone::of_log(text).is_err(), "{text}");
        }
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
            let number = number.parse::<Phone>().unwrap();
            let _ = (number.region(), number.fit());
        });
    }

    #[test]
    fn a_number_that_nobody_s_telephone_can_have_is_unfit() {
        let fit = |text: &str| text.parse::<Phone>().unwrap().fit();
        for good in [
            "+12025550123",
            "+12125550199",
            "+12024561111",
            "+14165550123",
            "+447700900123",
            "+442079460123",
            "+447911123456",
            "+79161234567",
            "+390612345678",
            "+393331234567",
            "+4915123456789",
            "+4917139200123",
            "+33639981234",
            "+46701740605",
            "+61491570156",
            "+919812345678",
            "+6281234567890",
            "+639171234567",
            "+5511987654321",
            "+31612345678",
            "+48512345678",
            "+34612345678",
            "+525512345678",
            "+821012345678",
            "+819012345678",
            "+8613812345678",
            "+66812345678",
            "+84912345678",
            "+60123456789",
            "+380501234567",
        ] {
            assert_eq!(fit(good), Ok(()), "{good}");
        }
        for unassignable in [
            "+1202555012",
            "+120255501234",
            "+10005550123",
            "+76001234567",
            "+7916123456",
            "+44770090012",
            "+999123456789",
            "+70000000007",
        ] {
            assert_eq!(fit(unassignable), Err(Unfit::Unassignable), "{unassignable}");
        }
        for (phone, why) in [
            ("+15005550006", Unfit::FollowMe),
            ("+447012345678", Unfit::FollowMe),
            ("+18005550123", Unfit::TollFree),
            ("+448081570000", Unfit::TollFree),
            ("+78001234567", Unfit::TollFree),
            ("+19005550123", Unfit::PremiumRate),
            ("+449012345678", Unfit::PremiumRate),
            ("+4918012345678", Unfit::SharedCost),
        ] {
            assert_eq!(fit(phone), Err(why), "{phone}");
        }
    }

    #[test]
    fn hostile_numbers_are_refused() {
        for text in [
            "",
            "+",
            "12025550123",
            "+0123456789",
            "+123456",
            "+1234567890123456",
            "+1202555012a",
            "+１２０２５５５０１２３",
            "+1\n2025550123",
        ] {
            assert!(text.parse::<Phone>().is_err(), "{text:?}");
        }
    }
}
