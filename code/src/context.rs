//! What the words around a candidate say for it, and what its message is about.

use super::bind::Bond;
use super::brand::Owner;
use super::candidate::{Found, Kind};
use super::corroboration;
use super::evidence::Evidence;
use super::instruction;
use super::lexicon::{Class, Hit};
use super::reason::Reason;

/// Words for "code" that mean nothing else.
const ONE_TIME: [&str; 16] = [
    "otp",
    "otps",
    "totp",
    "tac",
    "tan",
    "mtan",
    "smstan",
    "pushtan",
    "отп",
    "ओटीपी",
    "ওটিপি",
    "one time pin",
    "رمز پویا",
    "رمز دوم",
    "رمز دوم پویا",
    "او ٹی پی",
];

impl Evidence<'_> {
    /// Whether the word for "code" right beside it means nothing but a code to log in or to pay
    /// with: "OTP 481207".
    pub(super) fn is_one_time(&self, found: &Found) -> bool {
        let text = self.words.text;
        let is_word = |hit: &Hit| {
            hit.class == Class::Key && ONE_TIME.contains(&text.lower(hit.start..hit.end).as_str())
        };
        let beside = |hit: &Hit| {
            (hit.end <= found.start && found.start - hit.end <= 3)
                || (hit.start >= found.end && hit.start - found.end <= 3)
        };
        self.words.hits.iter().any(|hit| beside(hit) && is_word(hit))
    }

    /// Whether its clause speaks of a code to log in or to pay with: "481207 is your Acme OTP".
    pub(super) fn says_one_time(&self, found: &Found) -> bool {
        let (text, clauses) = (self.words.text, self.words.clauses);
        self.words.hits.iter().any(|hit| {
            hit.class == Class::Key
                && clauses[hit.start] == clauses[found.start]
                && ONE_TIME.contains(&text.lower(hit.start..hit.end).as_str())
        })
    }

    pub(super) fn words_around(&self, found: &Found, bond: Bond, reasons: &mut Vec<Reason>) {
        match bond {
            Bond::Said => reasons.push(Reason::SaidToBe),
            Bond::Beside => reasons.push(Reason::BesideKeyWord),
            Bond::Near => reasons.push(Reason::NearKeyWord),
            Bond::NextClause => reasons.push(Reason::KeyWordNextSentence),
            Bond::Message => reasons.push(Reason::KeyWordInMessage),
            Bond::None => {}
        }
        if self.is_about_an_order(found, bond) {
            reasons.push(Reason::BusinessMessage);
        }
        if self.says(Class::Verify) {
            reasons.push(Reason::VerifyWordInMessage);
        }
        let beside = |class| {
            self.gap_before(found, class).is_some_and(|gap| gap <= 4)
                || self.gap_after(found, class).is_some_and(|gap| gap <= 3)
        };
        // Beside a word for verifying alone it may be a number of people, or of anything that is
        // registered.
        if beside(Class::Handle)
            || (beside(Class::Verify) && (bond > Bond::None || beside(Class::With)))
        {
            reasons.push(Reason::AskedToEnter);
        }
        // "Never share your code. Report 481207": what is kept secret is not what the sentence
        // calls something else.
        let is_called_otherwise = bond == Bond::None && self.says(Class::Key);
        if (self.says(Class::Secret) || self.says(Class::Valid)) && !is_called_otherwise {
            reasons.push(Reason::KeepSecret);
        }
        if self.owner == Owner::Expected {
            reasons.push(Reason::BrandInMessage);
        }
        reasons.extend(instruction::reasons(self, found, bond));
        if corroboration::is_missing(self, found, bond) {
            reasons.push(Reason::Uncorroborated);
        }
        self.offers(found, reasons);
    }

    /// Whether an order or a payment is spoken of, and the candidate may be its number.
    fn is_about_an_order(&self, found: &Found, bond: Bond) -> bool {
        // An order has a code of its own, for the courier or the counter, unless the message is
        // about logging in or keeping it secret. So has a payment by card, for the bank.
        let about_code =
            [Class::Verify, Class::Secret, Class::Ending].iter().any(|class| self.says(*class))
                || self.owner == Owner::Expected
                || self.is_one_time(found)
                || corroboration::is_for_payment(self);
        let in_clause =
            |hit: &Hit| self.words.clauses[hit.start] == self.words.clauses[found.start];
        // "To confirm your payment" is what the code is for.
        let is_purpose = |hit: &Hit| {
            let covers = |verify: &Hit| {
                verify.class == Class::Verify && verify.start < hit.start && hit.end <= verify.end
            };
            self.words.hits.iter().any(covers)
        };
        self.words.hits.iter().any(|hit| {
            hit.class == Class::Business
                && !is_purpose(hit)
                && (bond <= Bond::Message || (!about_code && in_clause(hit)))
        })
    }

    /// What else a message may be about: an offer, a parcel, a door.
    fn offers(&self, found: &Found, reasons: &mut Vec<Reason>) {
        let in_clause =
            |hit: &Hit| self.words.clauses[hit.start] == self.words.clauses[found.start];
        if self.is_verified() {
            // "Use code SAVE100 at checkout. Never share your OTP": words with a number are the
            // offer's, whatever else is to be kept secret.
            let verifies =
                self.words.hits.iter().any(|hit| hit.class == Class::Verify && in_clause(hit));
            if found.kind != Kind::Digits
                && self.says(Class::Ad)
                && !verifies
                && self.owner != Owner::Expected
            {
                reasons.push(Reason::Advertisement);
            }
            // "The access code of the building": a door is named beside a code that nothing keeps
            // secret.
            let opens =
                self.words.hits.iter().any(|hit| hit.class == Class::Place && in_clause(hit));
            let is_told = self.says(Class::Secret)
                || self.says(Class::Valid)
                || self.owner == Owner::Expected
                || self.is_one_time(found);
            if opens && !is_told {
                reasons.push(Reason::OpensPlace);
            }
            return;
        }
        let percent = self
            .words
            .text
            .chars
            .windows(2)
            .any(|pair| matches!(pair, ['%', digit] | [digit, '%'] if digit.is_ascii_digit()));
        for (holds, reason) in [
            (percent || self.says(Class::Ad), Reason::Advertisement),
            (self.says(Class::Parcel), Reason::ToBeFetched),
            (self.says(Class::Place), Reason::OpensPlace),
        ] {
            if holds {
                reasons.push(reason);
            }
        }
    }
}
