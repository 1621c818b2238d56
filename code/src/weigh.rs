//! What speaks for and against each candidate.

use super::bind::Bond;
use super::brand::Owner;
use super::candidate::{Found, Kind};
use super::evidence::Evidence;
use super::lexicon::Class;
use super::number::Grouping;
use super::reason::Reason;
use super::verdict::{ACCEPT, Candidate};
use super::weights::weight;

/// A candidate and its reasons.
type Weighed = (Found, Vec<Reason>);

/// Each candidate found, with its score and its reasons, in the order of the text.
pub fn weigh(evidence: &Evidence<'_>, found: Vec<Found>) -> Vec<Candidate> {
    let mut weighed: Vec<Weighed> = found
        .into_iter()
        .map(|found| (evidence.reasons(&found), found))
        .map(|(reasons, found)| (found, reasons))
        .collect();
    without_names(&mut weighed);
    without_spoilt(&mut weighed);
    spread_tag(&mut weighed);
    compare(&mut weighed);
    weighed.retain(|(_, reasons)| !reasons.contains(&Reason::PlainWord));
    weighed
        .into_iter()
        .map(|(found, reasons)| Candidate { code: found.code, score: score(&reasons), reasons })
        .collect()
}

fn score(reasons: &[Reason]) -> i16 {
    reasons.iter().map(|reason| weight(*reason)).sum()
}

/// Letters beside a number that is said to be the code are somebody's name, or a mark for an app.
fn without_names(weighed: &mut [Weighed]) {
    let has_number =
        weighed.iter().any(|(found, reasons)| found.kind == Kind::Digits && named_as_code(reasons));
    if !has_number {
        return;
    }
    weighed
        .iter_mut()
        .filter(|(found, _)| found.kind == Kind::Letters)
        .for_each(|(_, reasons)| reasons.push(Reason::PlainWord));
    // Letters of the last line that the message does not say, where it says a number.
    let spoken = spoken(weighed);
    let is_mark = |found: &Found| {
        found.origin_bound
            && !spoken.contains(&found.code)
            && !found.code.bytes().any(|byte| byte.is_ascii_digit())
    };
    for (_, reasons) in weighed.iter_mut().filter(|(found, _)| is_mark(found)) {
        reasons.retain(|reason| *reason != Reason::OriginBound);
        reasons.push(Reason::AppHash);
    }
}

/// What the message says outside of its last line.
fn spoken(weighed: &[Weighed]) -> Vec<String> {
    weighed
        .iter()
        .filter(|(found, _)| !found.origin_bound)
        .map(|(found, _)| found.code.clone())
        .collect()
}

/// The last line binds a number that the text does not say, and the text says that another is the
/// code: one of the two is spoilt.
fn without_spoilt(weighed: &mut [Weighed]) {
    let says_another = weighed.iter().any(|(found, reasons)| {
        !found.origin_bound && found.kind == Kind::Digits && score(reasons) >= ACCEPT
    });
    let spoken = spoken(weighed);
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
}

/// What speaks for a candidate beside the others: it is the only one, or stands there twice.
fn compare(weighed: &mut [Weighed]) {
    let plausible: Vec<String> = weighed
        .iter()
        .filter(|(_, reasons)| score(reasons) > 0)
        .map(|(found, _)| found.code.clone())
        .collect();
    let codes: Vec<String> = weighed.iter().map(|(found, _)| found.code.clone()).collect();
    for (found, reasons) in weighed {
        if plausible.iter().all(|code| *code == found.code) && score(reasons) > 0 {
            reasons.push(Reason::OnlyCandidate);
        }
        if codes.iter().filter(|code| **code == found.code).count() > 1 && score(reasons) > 0 {
            reasons.push(Reason::Repeated);
        }
    }
}

/// The number of the tag is the sender's wherever it stands, if the message has another that could
/// be the code.
fn spread_tag(weighed: &mut [Weighed]) {
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
}
