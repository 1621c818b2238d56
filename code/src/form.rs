//! How a candidate is written: its length, its letters, and where they stand.

use super::bind::Bond;
use super::brand::Owner;
use super::candidate::{Found, Kind};
use super::evidence::Evidence;
use super::lexicon::Class;
use super::number::Grouping;
use super::reason::Reason;
use super::service::{Alphabet, Service};
use super::shape::{is_name, is_worded};

/// Letters and spaces between a name that opens a message and its colon.
const MAX_TAG: usize = 20;

impl Evidence<'_> {
    pub(super) fn shape(&self, found: &Found, bond: Bond, reasons: &mut Vec<Reason>) {
        let length = found.code.len();
        let of_capitals = self.is_of_capitals(found);
        reasons.push(match (found.kind, length) {
            (Kind::Mixed | Kind::Letters, _) if of_capitals => Reason::UsualLength,
            (Kind::Digits, 6) => Reason::UsualLength,
            (Kind::Digits, 4 | 5 | 7 | 8) => Reason::PlausibleLength,
            (Kind::Digits, _) => Reason::OddLength,
            (Kind::Mixed, _) => Reason::LettersAndDigits,
            (Kind::Letters, _) => Reason::LettersOnly,
        });
        match found.grouping {
            Grouping::Single => {}
            // "The safe is 44-10-55": of pairs, and no word for "code".
            Grouping::Even if bond == Bond::None && found.end - found.start > length + 1 => {}
            Grouping::Even => reasons.push(Reason::Grouped),
            Grouping::Loose => reasons.push(Reason::LooseGroups),
        }
        self.fits(found, reasons);
        self.as_word(found, bond, of_capitals, reasons);
    }

    /// Whether it is as the codes of the expected service are.
    fn fits(&self, found: &Found, reasons: &mut Vec<Reason>) {
        let length = found.code.len();
        let lower = found.code.bytes().any(|byte| byte.is_ascii_lowercase());
        let fits = |service: Service| {
            let alphabet = match service.alphabet() {
                Alphabet::Digits => found.kind == Kind::Digits,
                Alphabet::CapitalsAndDigits => !lower,
            };
            alphabet && service.lengths().contains(&length)
        };
        match self.service {
            Some(service) if fits(service) => reasons.push(Reason::PlatformShape),
            Some(service)
                if service.alphabet() == Alphabet::Digits && found.kind != Kind::Digits =>
            {
                reasons.push(Reason::OtherAlphabet);
            }
            Some(_) => reasons.push(Reason::OtherShape),
            None => {}
        }
        let odd = found.kind == Kind::Digits && !(4..=8).contains(&length);
        if odd && self.service.is_some_and(|service| !service.lengths().contains(&length)) {
            reasons.push(Reason::OtherLength);
        }
    }

    /// Whether letters in it are a name, or a word of the sentence.
    fn as_word(&self, found: &Found, bond: Bond, of_capitals: bool, reasons: &mut Vec<Reason>) {
        let lower = found.code.bytes().any(|byte| byte.is_ascii_lowercase());
        let said = bond == Bond::Said;
        let named = is_name(&found.code) || (lower && found.grouping == Grouping::Single);
        // `Maybank2u: TAC …`: a name and its colon open the message.
        let tag = named && self.is_tag(found);
        if found.kind == Kind::Mixed
            && named
            && !of_capitals
            && (!said || tag || is_worded(&found.code))
            && !self.is_whole(found)
        {
            reasons.push(Reason::NameLike);
        }
        // Letters alone are a word, unless the message says that they are the code.
        let tied = of_capitals
            && (bond >= Bond::NextClause || self.is_handled(found))
            && self.stands_out(found);
        if found.kind == Kind::Letters && !tied && !(said && self.is_written_apart(found)) {
            reasons.push(Reason::PlainWord);
        }
    }

    /// Whether it is as the codes of the service are, if those have letters, in a message that
    /// names the service.
    fn is_of_capitals(&self, found: &Found) -> bool {
        let fits = |service: Service| {
            service.alphabet() == Alphabet::CapitalsAndDigits
                && service.lengths().contains(&found.code.len())
                && !service.words().contains(&found.code.to_ascii_lowercase().as_str())
        };
        let capitals =
            found.code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        capitals
            && found.grouping == Grouping::Single
            && self.owner == Owner::Expected
            && self.service.is_some_and(fits)
    }

    /// Whether a word for what is done with a code stands right beside it.
    fn is_handled(&self, found: &Found) -> bool {
        self.gap_before(found, Class::Handle).is_some_and(|gap| gap <= 4)
            || self.gap_after(found, Class::Handle).is_some_and(|gap| gap <= 3)
    }

    /// Whether capitals are no word of the text: small letters or another script around them, and
    /// no capitals right beside.
    fn stands_out(&self, found: &Found) -> bool {
        let chars = &self.words.text.chars;
        let small = chars.iter().filter(|character| character.is_lowercase()).count();
        let capitals = chars.iter().filter(|character| character.is_ascii_uppercase()).count();
        let foreign = chars
            .iter()
            .filter(|character| character.is_alphabetic() && !character.is_ascii())
            .count();
        let beside = |mut side: Box<dyn Iterator<Item = &char> + '_>| {
            let first = side.next() == Some(&' ');
            first && side.take(2).filter(|letter| letter.is_ascii_uppercase()).count() == 2
        };
        small + foreign > capitals
            && !beside(Box::new(chars[..found.start].iter().rev()))
            && !beside(Box::new(chars[found.end..].iter()))
    }

    /// Whether it opens the message, and after it, or after it and a word or two (`HDFC Bank:`),
    /// comes a colon.
    fn is_tag(&self, found: &Found) -> bool {
        let behind = &self.words.text.chars[found.end..];
        let colon =
            behind.iter().take(MAX_TAG).position(|character| matches!(character, ':' | '：'));
        let words = |length: usize| {
            behind[..length].iter().all(|character| character.is_alphabetic() || *character == ' ')
        };
        self.content.opens_at(found.start) && colon.is_some_and(words)
    }

    fn is_whole(&self, found: &Found) -> bool {
        let chars = &self.words.text.chars;
        !chars[..found.start]
            .iter()
            .chain(&chars[found.end..])
            .any(|character| character.is_alphanumeric())
    }

    /// Whether letters stand apart from the words around them: capitals among small letters, or the
    /// end of a line behind a colon.
    fn is_written_apart(&self, found: &Found) -> bool {
        let chars = &self.words.text.chars;
        let ends_line = chars[found.end..]
            .iter()
            .find(|character| !matches!(character, ' ' | '.'))
            .is_none_or(|character| *character == '\n');
        let upper = found.code.bytes().all(|byte| byte.is_ascii_uppercase());
        let small = chars.iter().filter(|character| character.is_lowercase()).count();
        let before = chars[..found.start].iter().rev().find(|character| **character != ' ');
        let colon = matches!(before, Some(':' | '：'));
        // `GEICO: Your code …`: a name and its mark.
        let names = chars[found.end..]
            .iter()
            .find(|character| **character != ' ')
            .is_some_and(|mark| matches!(mark, ':' | '：' | ']' | '】' | '\''));
        if (names && !colon) || self.is_tag(found) {
            return false;
        }
        let opens = self.words.opens(found);
        let next_is_capitals = chars[found.end..]
            .iter()
            .skip_while(|character| **character == ' ')
            .take(2)
            .filter(|character| character.is_uppercase())
            .count()
            == 2;
        (upper
            && small >= 3
            && !next_is_capitals
            && (colon || opens || self.words.is_said_plainly(found)))
            || (colon && ends_line)
    }
}
