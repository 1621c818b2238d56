//! What speaks for and against each candidate.

use super::bind::Bond;
use super::brand::Owner;
use super::candidate::{Found, Kind};
use super::evidence::Evidence;
use super::instruction;
use super::lexicon::{Class, Hit};
use super::number::Grouping;
use super::reason::Reason;
use super::receipt;
use super::service::{Alphabet, Service};
use super::shape::{is_day, is_masked, is_money_mixed, is_money_opened, is_name, is_postcode};
use super::verdict::{ACCEPT, Candidate};
use super::weights::weight;

/// Letters and spaces between a name that opens a message and its colon.
const MAX_TAG: usize = 20;

/// Words for "code" that mean nothing else.
const ONE_TIME: [&str; 12] = [
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
];

/// Each candidate found, with its score and its reasons, in the order of the text.
pub fn weigh(evidence: &Evidence<'_>, found: Vec<Found>) -> Vec<Candidate> {
    let mut weighed: Vec<(Found, Vec<Reason>)> = found
        .into_iter()
        .map(|found| (evidence.reasons(&found), found))
        .map(|(reasons, found)| (found, reasons))
        .collect();
    // Letters beside a number that is said to be the code are somebody's name.
    let has_number =
        weighed.iter().any(|(found, reasons)| found.kind == Kind::Digits && named_as_code(reasons));
    if has_number {
        weighed
            .iter_mut()
            .filter(|(found, _)| found.kind == Kind::Letters)
            .for_each(|(_, reasons)| reasons.push(Reason::PlainWord));
    }
    // Letters of the last line that the message does not say, where it says a number, are a mark
    // for an app.
    let spoken: Vec<String> = weighed
        .iter()
        .filter(|(found, _)| !found.origin_bound)
        .map(|(found, _)| found.code.clone())
        .collect();
    let is_mark = |found: &Found| {
        found.origin_bound
            && !spoken.contains(&found.code)
            && !found.code.bytes().any(|byte| byte.is_ascii_digit())
    };
    for (_, reasons) in weighed.iter_mut().filter(|(found, _)| has_number && is_mark(found)) {
        reasons.retain(|reason| *reason != Reason::OriginBound);
        reasons.push(Reason::AppHash);
    }
    let score = |reasons: &[Reason]| reasons.iter().map(|reason| weight(*reason)).sum::<i16>();
    // The last line binds a number that the text does not say, and the text says that another is
    // the code: one of the two is spoilt.
    let says_another = weighed.iter().any(|(found, reasons)| {
        !found.origin_bound && found.kind == Kind::Digits && score(reasons) >= ACCEPT
    });
    let is_spoilt = |found: &Found| {
        says_another
            && found.origin_bound
            && found.kind == Kind::Digits
            && !spoken.contains(&found.code)
    };
    for (_, reasons) in weighed.iter_mut().filter(|(found, _)| is_spoilt(found)) {
        reasons
            .iter_mut()
            .filter(|reason| **reason == Reason::OriginBound)
            .for_each(|reason| *reason = Reason::BoundOtherwise);
    }
    spread_tag(&mut weighed);
    let plausible: Vec<String> = weighed
        .iter()
        .filter(|(_, reasons)| score(reasons) > 0)
        .map(|(found, _)| found.code.clone())
        .collect();
    let codes: Vec<String> = weighed.iter().map(|(found, _)| found.code.clone()).collect();
    for (found, reasons) in &mut weighed {
        if plausible.iter().all(|code| *code == found.code) && score(reasons) > 0 {
            reasons.push(Reason::OnlyCandidate);
        }
        if codes.iter().filter(|code| **code == found.code).count() > 1 && score(reasons) > 0 {
            reasons.push(Reason::Repeated);
        }
    }
    weighed.retain(|(_, reasons)| !reasons.contains(&Reason::PlainWord));
    weighed
        .into_iter()
        .map(|(found, reasons)| Candidate { code: found.code, score: score(&reasons), reasons })
        .collect()
}

/// The number of the tag is the sender's wherever it stands, if the message has another that could
/// be the code.
fn spread_tag(weighed: &mut [(Found, Vec<Reason>)]) {
    let tagged = weighed.iter().filter(|(_, reasons)| reasons.contains(&Reason::SendersTag));
    let senders: Vec<String> = tagged.map(|(found, _)| found.code.clone()).collect();
    if !weighed
        .iter()
        .any(|(found, reasons)| !senders.contains(&found.code) && named_as_code(reasons))
    {
        return;
    }
    for (_, reasons) in weighed.iter_mut().filter(|(found, reasons)| {
        senders.contains(&found.code) && !reasons.contains(&Reason::SendersTag)
    }) {
        reasons.push(Reason::SendersTag);
    }
}

fn named_as_code(reasons: &[Reason]) -> bool {
    reasons.iter().any(|reason| {
        matches!(reason, Reason::SaidToBe | Reason::BesideKeyWord | Reason::NearKeyWord)
    }) && !reasons.iter().any(|reason| weight(*reason) <= -50)
}

impl Evidence<'_> {
    fn reasons(&self, found: &Found) -> Vec<Reason> {
        let mut reasons = Vec::with_capacity(8);
        if found.origin_bound {
            reasons.push(Reason::OriginBound);
        }
        if found.prefixed {
            reasons.push(Reason::SenderPrefix);
        }
        let bond = self.bond(found);
        self.shape(found, bond, &mut reasons);
        self.words_around(found, bond, &mut reasons);
        self.place(found, &mut reasons);
        if !found.origin_bound {
            self.other_meanings(found, bond, &mut reasons);
        }
        reasons
    }

    fn bond(&self, found: &Found) -> Bond {
        if found.glued { Bond::Beside } else { self.words.bond(found, self.keys()) }
    }

    /// The words that name a code here: "purchase code" does where a card is named, "booking code"
    /// where the service itself is.
    pub(super) fn keys(&self) -> &'static [Class] {
        if self.says(Class::Ending) || self.owner == Owner::Expected {
            &[Class::Key, Class::Soft]
        } else {
            &[Class::Key]
        }
    }

    fn shape(&self, found: &Found, bond: Bond, reasons: &mut Vec<Reason>) {
        let length = found.code.len();
        let lower = found.code.bytes().any(|byte| byte.is_ascii_lowercase());
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
            Grouping::Even => reasons.push(Reason::Grouped),
            Grouping::Loose => reasons.push(Reason::LooseGroups),
        }
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
        let said = bond == Bond::Said;
        let named = is_name(&found.code) || (lower && found.grouping == Grouping::Single);
        // `Maybank2u: TAC …`: a name and its colon open the message.
        let tag = named && self.is_tag(found);
        if found.kind == Kind::Mixed
            && named
            && !of_capitals
            && (!said || tag)
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

    /// Whether the word for "code" right beside it means nothing but a code to log in or to pay
    /// with: "OTP 481207".
    fn is_one_time(&self, found: &Found) -> bool {
        let text = self.words.text;
        let is_word = |hit: &Hit| {
            let word: String = text.chars[hit.start..hit.end]
                .iter()
                .flat_map(|letter| letter.to_lowercase())
                .collect();
            hit.class == Class::Key && ONE_TIME.contains(&word.as_str())
        };
        let beside = |hit: &Hit| {
            (hit.end <= found.start && found.start - hit.end <= 3)
                || (hit.start >= found.end && hit.start - found.end <= 3)
        };
        self.words.hits.iter().any(|hit| beside(hit) && is_word(hit))
    }

    fn words_around(&self, found: &Found, bond: Bond, reasons: &mut Vec<Reason>) {
        match bond {
            Bond::Said => reasons.push(Reason::SaidToBe),
            Bond::Beside => reasons.push(Reason::BesideKeyWord),
            Bond::Near => reasons.push(Reason::NearKeyWord),
            Bond::NextClause => reasons.push(Reason::KeyWordNextSentence),
            Bond::Message => reasons.push(Reason::KeyWordInMessage),
            Bond::None => {}
        }
        // An order has a code of its own, for the courier or the counter, unless the message is
        // about logging in or keeping it secret. So has a payment by card, for the bank.
        let about_code =
            [Class::Verify, Class::Secret, Class::Ending].iter().any(|class| self.says(*class))
                || self.owner == Owner::Expected
                || self.is_one_time(found);
        let in_clause =
            |hit: &Hit| self.words.clauses[hit.start] == self.words.clauses[found.start];
        let ordered = self.words.hits.iter().any(|hit| {
            hit.class == Class::Business
                && (bond <= Bond::Message || (!about_code && in_clause(hit)))
        });
        if ordered {
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
        if self.says(Class::Secret) || self.says(Class::Valid) {
            reasons.push(Reason::KeepSecret);
        }
        if self.owner == Owner::Expected {
            reasons.push(Reason::BrandInMessage);
        }
        reasons.extend(instruction::reasons(self, found, bond));
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

    fn place(&self, found: &Found, reasons: &mut Vec<Reason>) {
        let chars = &self.words.text.chars;
        let opens = self.content.opens_at(found.start);
        let closes = self.content.closes_at(found.end);
        if opens && closes {
            let length = found.code.len();
            let whole = match found.kind {
                Kind::Digits => (4..=7).contains(&length) || found.grouping == Grouping::Even,
                Kind::Mixed => {
                    length >= 5
                        && !found.code.bytes().any(|byte| byte.is_ascii_lowercase())
                        && (length >= 6 || self.service.is_some())
                }
                Kind::Letters => false,
            };
            if whole {
                reasons.push(Reason::WholeMessage);
            }
            return;
        }
        let blank = |mut side: Box<dyn Iterator<Item = &char> + '_>| {
            side.find(|character| **character != ' ').is_none_or(|character| *character == '\n')
        };
        if blank(Box::new(chars[..found.start].iter().rev()))
            && blank(Box::new(chars[found.end..].iter()))
        {
            reasons.push(Reason::OwnLine);
        }
        let words = chars
            .split(|character| character.is_whitespace())
            .filter(|word| word.iter().any(|character| character.is_alphanumeric()))
            .take(6)
            .count();
        if (opens || closes) && words <= 5 && found.kind == Kind::Digits {
            reasons.push(Reason::ShortMessage);
        }
    }

    fn other_meanings(&self, found: &Found, bond: Bond, reasons: &mut Vec<Reason>) {
        for region in self.regions {
            if region.start < found.end
                && found.start < region.end
                && !reasons.contains(&region.reason)
            {
                reasons.push(region.reason);
            }
        }
        let said = bond == Bond::Said;
        let by_means = self.gap_before(found, Class::With) == Some(0);
        let labelled = |class| {
            self.gap_before(found, class).is_some_and(|gap| gap <= 3)
                && !self.is_key_between(found, class)
        };
        if labelled(Class::Account) || (!by_means && labelled(Class::Reference)) {
            reasons.push(if said { Reason::LabelledReference } else { Reason::Reference });
        }
        if self.is_payment() {
            reasons.push(Reason::SpeaksOfMoney);
        }
        if receipt::is_receipt(self, found) && !reasons.contains(&Reason::Reference) {
            reasons.push(Reason::Reference);
        }
        if self.gap_before(found, Class::Ending).is_some_and(|gap| gap <= 4) {
            reasons.push(Reason::CardEnding);
        }
        if self.is_other_kind(found, bond)
            || self.is_for_courier()
            || (!said && is_postcode(self.words.text, found))
        {
            reasons.push(Reason::OtherKindOfCode);
        }
        // `481207#` is dialled, on a telephone or at a door.
        let dialled = self.words.text.at(found.end) == Some('#') && found.kind == Kind::Digits;
        if dialled && !reasons.contains(&Reason::OtherKindOfCode) {
            reasons.push(Reason::OtherKindOfCode);
        }
        if self.is_reply_to(found) {
            reasons.push(Reason::ReplyTo);
        }
        let digits = found.kind == Kind::Digits;
        if digits
            && found.grouping == Grouping::Single
            && found.code.len() <= 5
            && self.words.text.unit_follows(found.end)
        {
            reasons.push(Reason::Duration);
        }
        let year = digits
            && found.code.len() == 4
            && (found.code.starts_with("19") || found.code.starts_with("20"));
        if year && !said && self.gap_before(found, Class::Handle) != Some(0) {
            reasons.push(Reason::Year);
        }
        if digits
            && found.grouping == Grouping::Single
            && is_day(&found.code)
            && !self.words.verb_says(found)
        {
            reasons.push(Reason::Date);
        }
        if self.is_old(found) {
            reasons.push(Reason::OldCode);
        }
        let recipient: String = self
            .message
            .recipient
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        if found.code.len() >= 7 && recipient.ends_with(&found.code) {
            reasons.push(Reason::OwnNumber);
        }
        if self.is_in_tag(found) {
            reasons.push(Reason::SendersTag);
        }
        // `RM482.91`: the rest of the amount stands behind its point.
        let cents = matches!((self.words.text.at(found.end), self.words.text.at(found.end + 1)), (Some('.' | ','), Some(digit)) if digit.is_ascii_digit());
        if found.kind == Kind::Mixed
            && found.grouping == Grouping::Single
            && ((!said && is_money_mixed(&found.code)) || (cents && is_money_opened(&found.code)))
        {
            reasons.push(Reason::Amount);
        }
        let masked = matches!(self.words.text.before(found.start), Some('*' | '•'))
            != matches!(self.words.text.at(found.end), Some('*' | '•'));
        if found.kind == Kind::Mixed && !said && (masked || is_masked(&found.code)) {
            reasons.push(Reason::CardEnding);
        }
    }
}
