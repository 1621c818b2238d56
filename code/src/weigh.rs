//! What speaks for and against each candidate, in points.

use super::brand;
use super::candidate::{Found, Kind};
use super::normal::Text;
use super::region::{self, Region};
use super::service::{Alphabet, Service};
use super::verdict::{Candidate, Reason};
use super::words::{self, Class, Hit};

/// Everything found in a message, to weigh candidates by.
struct Evidence<'a> {
    text: &'a Text,
    hits: Vec<Hit>,
    regions: Vec<Region>,
    service: Option<Service>,
    names_service: bool,
}

/// Each candidate found, with its score and its reasons, in the order of the text.
pub fn weigh(text: &Text, found: Vec<Found>, service: Option<Service>) -> Vec<Candidate> {
    let evidence = Evidence {
        text,
        hits: words::find(text),
        regions: region::find(text),
        service,
        names_service: service.is_some_and(|service| brand::names(text, service)),
    };
    let mut weighed: Vec<(Found, Points)> = found
        .into_iter()
        .map(|found| {
            let points = evidence.points(&found);
            (found, points)
        })
        .collect();
    let plausible = weighed.iter().filter(|(_, points)| points.score > 0).count();
    let codes: Vec<String> = weighed.iter().map(|(found, _)| found.code.clone()).collect();
    for (found, points) in &mut weighed {
        points.add_if(plausible == 1 && points.score > 0, Reason::OnlyCandidate, 6);
        let times = codes.iter().filter(|code| **code == found.code).count();
        points.add_if(times > 1, Reason::Repeated, 10);
    }
    weighed.into_iter().map(|(found, points)| Candidate { code: found.code, score: points.score, reasons: points.reasons }).collect()
}

#[derive(Default)]
struct Points {
    score: i16,
    reasons: Vec<Reason>,
}

impl Points {
    fn add_if(&mut self, holds: bool, reason: Reason, points: i16) {
        if holds {
            self.score = self.score.saturating_add(points);
            self.reasons.push(reason);
        }
    }
}

impl Evidence<'_> {
    fn points(&self, found: &Found) -> Points {
        let mut points = Points::default();
        points.add_if(found.origin_bound, Reason::OriginBound, 200);
        points.add_if(found.prefixed, Reason::SenderPrefix, 25);
        self.shape(found, &mut points);
        self.words_around(found, &mut points);
        self.place(found, &mut points);
        self.other_meanings(found, &mut points);
        points
    }

    fn shape(&self, found: &Found, points: &mut Points) {
        let length = found.code.len();
        let digits = match length {
            6 => 20,
            4 => 14,
            5 => 16,
            7 | 8 => 12,
            3 => 2,
            _ => -6,
        };
        points.add_if(found.kind == Kind::Digits, Reason::UsualLength, digits);
        let lower = found.code.bytes().any(|byte| byte.is_ascii_lowercase());
        // `Shop24` is a name: a word with a capital, and then its number.
        let mixed = if is_name(&found.code) {
            -16
        } else if lower {
            2
        } else {
            8
        };
        points.add_if(found.kind == Kind::Mixed, Reason::LettersAndDigits, mixed);
        points.add_if(found.kind == Kind::Letters, Reason::LettersOnly, -5);
        let Some(service) = self.service else { return };
        let alphabet_fits = match service.alphabet() {
            Alphabet::Digits => found.kind == Kind::Digits,
            Alphabet::CapitalsAndDigits => !lower,
        };
        if alphabet_fits && service.lengths().first() == Some(&length) {
            points.add_if(true, Reason::PlatformShape, if found.kind == Kind::Digits { 6 } else { 14 });
        } else {
            points.add_if(!(alphabet_fits && service.lengths().contains(&length)), Reason::OtherShape, -4);
        }
    }

    fn words_around(&self, found: &Found, points: &mut Points) {
        match self.nearest_key_word(found) {
            Some(Nearness::Beside) => points.add_if(true, Reason::BesideKeyWord, 30),
            Some(Nearness::Near) => points.add_if(true, Reason::NearKeyWord, 20),
            Some(Nearness::Sentence) => points.add_if(true, Reason::NearKeyWord, 14),
            Some(Nearness::Message) => points.add_if(true, Reason::KeyWordInMessage, 10),
            None => points.add_if(self.says(Class::Business), Reason::BusinessMessage, -22),
        }
        points.add_if(self.says(Class::Verify), Reason::VerifyWordInMessage, 8);
        points.add_if(self.names_service, Reason::BrandInMessage, 6);
    }

    fn place(&self, found: &Found, points: &mut Points) {
        let chars = &self.text.chars;
        let quiet = |character: &char| !character.is_alphanumeric();
        let opens = chars[..found.start].iter().all(quiet);
        let closes = chars[found.end..].iter().all(quiet);
        let blank_to_line = |mut characters: Box<dyn Iterator<Item = &char> + '_>| {
            characters.find(|character| **character != ' ').is_none_or(|character| *character == '\n')
        };
        let own_line = blank_to_line(Box::new(chars[..found.start].iter().rev())) && blank_to_line(Box::new(chars[found.end..].iter()));
        let words =
            chars.split(|character| character.is_whitespace()).filter(|word| word.iter().any(|character| character.is_alphanumeric())).count();
        if opens && closes {
            points.add_if(true, Reason::WholeMessage, if found.kind == Kind::Letters { 20 } else { 30 });
        } else {
            points.add_if(own_line, Reason::OwnLine, 10);
            points.add_if((opens || closes) && words <= 5 && found.kind == Kind::Digits, Reason::ShortMessage, 8);
        }
    }

    fn other_meanings(&self, found: &Found, points: &mut Points) {
        if found.origin_bound {
            return;
        }
        for region in &self.regions {
            if region.start < found.end && found.start < region.end {
                points.add_if(!points.reasons.contains(&region.reason), region.reason, region_weight(region.reason));
            }
        }
        let digits_only = found.kind == Kind::Digits;
        let gap_before = |class| self.gap_before(found, class);
        points.add_if(gap_before(Class::Reference).is_some_and(|gap| gap <= 3), Reason::Reference, -35);
        points.add_if(gap_before(Class::Ending).is_some_and(|gap| gap <= 4), Reason::CardEnding, -60);
        points.add_if(gap_before(Class::OtherKind).is_some_and(|gap| gap <= 5), Reason::OtherKindOfCode, -60);
        let is_offer = self.says(Class::Offer) && !self.says(Class::Verify);
        points.add_if(is_offer && found.kind != Kind::Letters, Reason::OtherKindOfCode, -40);
        points.add_if(gap_before(Class::ReplyTo).is_some_and(|gap| gap <= 3), Reason::ReplyTo, -40);
        let gap_after = |class| self.hits.iter().filter(|hit| hit.class == class && hit.start >= found.end).map(|hit| hit.start - found.end).min();
        let short = digits_only && found.code.len() <= 4;
        points.add_if(short && gap_after(Class::Unit).is_some_and(|gap| gap <= 1), Reason::Duration, -50);
        points.add_if(short && gap_after(Class::HourMark).is_some_and(|gap| gap <= 1), Reason::TimeOfDay, -40);
        let year = digits_only && found.code.len() == 4 && (found.code.starts_with("19") || found.code.starts_with("20"));
        points.add_if(year, Reason::Year, -10);
    }

    fn says(&self, class: Class) -> bool {
        self.hits.iter().any(|hit| hit.class == class)
    }

    /// Whether a hit for "code" is really one for another kind of code ("promo code").
    fn is_other_kind(&self, key: &Hit) -> bool {
        self.hits.iter().any(|hit| hit.class == Class::OtherKind && hit.start <= key.start && key.end <= hit.end)
    }

    /// Characters between the closest word of `class` before the candidate and the candidate, not counting fillers such as "no." and "#".
    fn gap_before(&self, found: &Found, class: Class) -> Option<usize> {
        let end = self.hits.iter().filter(|hit| hit.class == class && hit.end <= found.start).map(|hit| hit.end).max()?;
        let between = &self.text.chars[end..found.start];
        // Linear in all only because a filler is short: whatever is longer is no filler.
        if between.len() > 16 || between.iter().any(|character| matches!(character, '.' | '!' | '?' | '\n') && between.len() > 6) {
            return None;
        }
        let words: String = between.iter().collect::<String>().to_lowercase();
        let rest: usize = words
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| {
                !word.is_empty()
                    && ![
                        "no",
                        "nr",
                        "number",
                        "num",
                        "id",
                        "is",
                        "der",
                        "nummer",
                        "is",
                        "a",
                        "the",
                        "us",
                        "at",
                        "on",
                        "номер",
                        "号",
                        "番号",
                        "번호",
                        "รหัส",
                    ]
                    .contains(word)
            })
            .map(|word| word.chars().count())
            .sum();
        Some(rest)
    }

    fn nearest_key_word(&self, found: &Found) -> Option<Nearness> {
        let keys = self.hits.iter().filter(|hit| hit.class == Class::Key && !self.is_other_kind(hit));
        keys.map(|hit| {
            let (from, to, is_before) =
                if hit.end <= found.start { (hit.end, found.start, true) } else { (found.end.min(hit.start), hit.start, false) };
            let between = &self.text.chars[from..to.max(from)];
            nearness(between, is_before)
        })
        .max()
    }
}

/// How close a key word is, the closest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Message,
    Sentence,
    Near,
    Beside,
}

fn nearness(between: &[char], key_is_before: bool) -> Nearness {
    // Longer stretches are another sentence's, or as good as one.
    if between.len() > 90 {
        return Nearness::Message;
    }
    // A colon leads on; a full stop behind the key word ends what it says, unless it only ends an abbreviation or leads a line.
    let trimmed: &[char] = between.trim_ascii_like();
    let breaks = trimmed.iter().filter(|character| matches!(character, '.' | '!' | '?' | '。' | '！' | '؟' | '।')).count();
    let another_number = trimmed.iter().filter(|character| character.is_ascii_digit()).count() >= 4;
    if breaks > 0 || another_number {
        return Nearness::Message;
    }
    let words = trimmed.split(|character| !character.is_alphanumeric()).filter(|word| !word.is_empty()).count();
    let letters = trimmed.iter().filter(|character| character.is_alphanumeric()).count();
    match (letters, words) {
        (0..=4, 0..=1) => Nearness::Beside,
        (0..=12, 0..=2) if key_is_before && trimmed.last() == Some(&':') => Nearness::Beside,
        (0..=26, _) => Nearness::Near,
        _ => Nearness::Sentence,
    }
}

/// Slices of characters without the white space around them.
trait TrimAsciiLike {
    fn trim_ascii_like(&self) -> &Self;
}

impl TrimAsciiLike for [char] {
    fn trim_ascii_like(&self) -> &Self {
        let start = self.iter().position(|character| !character.is_whitespace()).unwrap_or(self.len());
        let end = self.iter().rposition(|character| !character.is_whitespace()).map_or(start, |index| index + 1);
        &self[start..end]
    }
}

fn region_weight(reason: Reason) -> i16 {
    match reason {
        Reason::Url => -30,
        Reason::AppHash => -100,
        Reason::Date | Reason::TimeOfDay | Reason::Amount | Reason::CardEnding => -60,
        Reason::PhoneNumber => -80,
        Reason::OriginBound
        | Reason::SenderPrefix
        | Reason::UsualLength
        | Reason::PlatformShape
        | Reason::OtherShape
        | Reason::BesideKeyWord
        | Reason::NearKeyWord
        | Reason::KeyWordInMessage
        | Reason::VerifyWordInMessage
        | Reason::BrandInMessage
        | Reason::Repeated
        | Reason::WholeMessage
        | Reason::ShortMessage
        | Reason::OwnLine
        | Reason::OnlyCandidate
        | Reason::LettersOnly
        | Reason::LettersAndDigits
        | Reason::Year
        | Reason::Duration
        | Reason::ReplyTo
        | Reason::Reference
        | Reason::OtherKindOfCode
        | Reason::BusinessMessage => 0,
    }
}

/// A capital, at least two small letters, and then only digits.
fn is_name(code: &str) -> bool {
    let mut chars = code.chars();
    let starts = chars.next().is_some_and(|first| first.is_ascii_uppercase());
    let rest = chars.as_str();
    let small = rest.bytes().take_while(u8::is_ascii_lowercase).count();
    starts && small >= 2 && rest.len() > small && rest[small..].bytes().all(|byte| byte.is_ascii_digit())
}
