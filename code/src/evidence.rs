//! Everything found in a message, and what of it several kinds of reasons ask.

use std::cell::OnceCell;

use super::bind::{Bond, Words};
use super::brand::Owner;
use super::candidate::Found;
use super::content::Content;
use super::corroboration::{UncoveredText, is_dense};
use super::gap::letters_between;
use super::lexicon::{Class, Hit};
use super::message::Message;
use super::money;
use super::number::Region;
use super::reason::Reason;
use super::service::Service;

/// Amounts looked at: more is no message but an attack.
const MAX_SUMS: usize = 8;
/// Characters between a word for "code" and the one for verifying that tells what it is for.
const MAX_APART: usize = 20;
/// Characters of the groups before the last one of a number to call, and digits that make one.
const MAX_GROUPS: usize = 14;
const MIN_PREFIX: usize = 3;

/// Words for access, by their beginning: an offer, a survey gives access as well.
const ACCESS: [&str; 10] = [
    "access",
    "acces",
    "accès",
    "acceso",
    "acesso",
    "zugang",
    "toegang",
    "dostęp",
    "přístup",
    "доступ",
];

/// Everything found in a message, to weigh candidates by.
pub struct Evidence<'a> {
    /// The message.
    pub message: Message<'a>,
    /// Its words and clauses.
    pub words: Words<'a>,
    /// Stretches whose numbers mean something else.
    pub regions: &'a [Region],
    /// Where its own letters and numbers are.
    pub content: Content,
    /// The service it is expected from.
    pub service: Option<Service>,
    /// Whose message it is.
    pub owner: Owner,
    /// What it says beside all that; looked at once, and only where it decides.
    pub rest: OnceCell<UncoveredText>,
}

impl Evidence<'_> {
    /// Whether a word of `class` stands anywhere.
    pub fn says(&self, class: Class) -> bool {
        self.words.hits.iter().any(|hit| hit.class == class)
    }

    /// Whether a word for "code" stands right beside one for "verify", or the message asks to keep
    /// the code secret.
    pub fn is_verified(&self) -> bool {
        let keys = self.words.hits.iter().filter(|hit| hit.class == Class::Key);
        let clause = |hit: &Hit| self.words.clauses[hit.start];
        // "Access code" in an offer or a survey verifies nothing by itself.
        let is_access = |verify: &Hit| {
            let word = self.words.text.lower(verify.start..verify.end);
            ACCESS.iter().any(|stem| word.starts_with(stem))
        };
        let beside = |key: &Hit, verify: &Hit| {
            let is_apart = verify.end <= key.start || key.end <= verify.start;
            ((is_apart && !is_access(verify)) || !self.says(Class::Ad))
                && clause(key) == clause(verify)
                && verify.start < key.end + MAX_APART
                && key.start < verify.end + MAX_APART
        };
        (self.says(Class::Secret) && !self.is_another_s_delivery())
            || keys.take(16).any(|key| {
                self.words.hits.iter().any(|hit| hit.class == Class::Verify && beside(key, hit))
            })
    }

    /// Whether it names a sum, and nobody: who pays with a code has it from a bank.
    pub(super) fn is_payment(&self) -> bool {
        self.service.is_some() && self.owner == Owner::Unnamed && self.names_sum()
    }

    /// Whether it names a sum with its currency.
    pub(super) fn names_sum(&self) -> bool {
        let sums = self.regions.iter().filter(|region| region.reason == Reason::Amount);
        let is_money =
            |region: &Region| money::stands_beside(self.words.text, region.start, region.end);
        sums.take(MAX_SUMS).any(is_money)
    }

    /// Whether somebody at the door is to be told the code: then it is no secret, or a secret of
    /// theirs.
    pub(super) fn is_for_courier(&self) -> bool {
        let told = self.says(Class::Courier);
        (told && !self.says(Class::Secret))
            || ((told || self.says(Class::Delivery)) && self.is_another_s_delivery())
    }

    /// Whether something comes to the door, in a message that does not name the service that it is
    /// expected from.
    pub(super) fn is_another_s_delivery(&self) -> bool {
        self.service.is_some()
            && self.owner != Owner::Expected
            && [Class::Courier, Class::Delivery, Class::Parcel]
                .iter()
                .any(|class| self.says(*class))
    }

    pub(super) fn is_other_kind(&self, found: &Found, bond: Bond) -> bool {
        let wanted: &[Class] = if self.keys().contains(&Class::Soft) {
            &[Class::Other]
        } else {
            &[Class::Other, Class::Soft]
        };
        let other = self.words.bond(found, wanted);
        if other == Bond::None {
            return false;
        }
        // Which of the two words the candidate belongs to: the closer one, and of equals the last
        // before it.
        let last = |classes: &[Class]| {
            self.words
                .hits
                .iter()
                .filter(|hit| classes.contains(&hit.class) && hit.end <= found.start)
                .map(|hit| hit.end)
                .max()
        };
        other > bond || (other == bond && last(wanted) >= last(self.keys()))
    }

    pub(super) fn is_reply_to(&self, found: &Found) -> bool {
        let text = self.words.text;
        // "Your customer care PIN is 481207": the word for "code" has the number.
        let is_called = |start: usize| {
            self.gap_before_place(start, Class::Reply).is_some_and(|gap| gap <= 3)
                && !self.is_key_between(found, Class::Reply)
        };
        // "Call 0800 481207": the groups before it belong to the number.
        if is_called(found.start) || is_called(first_group(&text.chars, found.start)) {
            return true;
        }
        let clause = self.words.clauses[found.start];
        // "Your SMS code to …" is no request: the word for "code" comes before.
        let mut before_here = self
            .words
            .hits
            .iter()
            .filter(|hit| hit.end <= found.start && self.words.clauses[hit.start] == clause);
        let asked = before_here
            .find(|hit| matches!(hit.class, Class::Text | Class::Key))
            .is_some_and(|hit| hit.class == Class::Text);
        let before: String = text.chars[..found.start]
            .iter()
            .rev()
            .take(4)
            .flat_map(|character| character.to_lowercase())
            .collect();
        // Turkish: the number takes the ending of "to" behind an apostrophe.
        let ending = matches!(text.at(found.end), Some('\'' | '’'))
            && matches!(text.at(found.end + 1), Some('a' | 'e' | 'y'));
        let sends = self.gap_after(found, Class::Reply).is_some_and(|gap| gap <= 4);
        // "a payment … to 560027": whom it goes to.
        let paid = self.words.hits.iter().any(|hit| {
            hit.class == Class::Business
                && hit.end <= found.start
                && self.words.clauses[hit.start] == clause
        });
        ((asked || paid) && before == " ot ") || (ending && sends)
    }

    /// Whether the clause speaks of an older code: before the candidate, or right behind it.
    pub(super) fn is_old(&self, found: &Found) -> bool {
        let clause = self.words.clauses[found.start];
        // "481207 (previous codes no longer work)": other codes are old.
        let is_of_others = |old: &Hit| {
            old.start >= found.end
                && self.words.hits.iter().any(|hit| {
                    hit.class == Class::Key && (hit.start == old.end + 1 || hit.start == old.end)
                })
        };
        self.words
            .hits
            .iter()
            .filter(|hit| hit.class == Class::Old && self.words.clauses[hit.start] == clause)
            .filter(|hit| !is_of_others(hit))
            .any(|hit| {
                let (from, to) = if hit.end <= found.start {
                    (hit.end, found.start)
                } else {
                    (found.end, hit.start.max(found.end))
                };
                let gap = &self.words.text.chars[from.min(to)..to];
                // Of Chinese, Japanese and Korean letters eight are a sentence.
                let dense = gap.iter().filter(|letter| is_dense(**letter)).count();
                gap.len() + 2 * dense <= 24 && !gap.iter().any(char::is_ascii_digit)
            })
    }

    /// Whether it stands in a tag before the text (`【95555】`), with another number behind it.
    pub(super) fn is_in_tag(&self, found: &Found) -> bool {
        let chars = &self.words.text.chars;
        let open = matches!(self.words.text.before(found.start), Some('【' | '[' | '《'));
        let close = matches!(self.words.text.at(found.end), Some('】' | ']' | '》'));
        let opens = chars[..found.start.saturating_sub(1)]
            .iter()
            .all(|character| character.is_whitespace());
        open && close && opens && !self.content.has_no_number_but(found.start, found.end)
    }

    /// Letters between the closest word of `class` before the candidate and the candidate, not
    /// counting fillers such as "no.".
    pub fn gap_before(&self, found: &Found, class: Class) -> Option<usize> {
        self.gap_before_place(found.start, class)
    }

    fn gap_before_place(&self, place: usize, class: Class) -> Option<usize> {
        let end = self
            .words
            .hits
            .iter()
            .filter(|hit| hit.class == class && hit.end <= place)
            .map(|hit| hit.end)
            .max()?;
        letters_between(&self.words.text.chars[end..place])
    }

    /// Whether a word for "code", or one for typing it, stands between the closest word of `class`
    /// and the candidate: "request: OTP 481207" labels no request, "account: use 481207" no account.
    pub(super) fn is_key_between(&self, found: &Found, class: Class) -> bool {
        let label = self
            .words
            .hits
            .iter()
            .filter(|hit| hit.class == class && hit.end <= found.start)
            .map(|hit| hit.end)
            .max();
        label.is_some_and(|label| {
            self.words.hits.iter().any(|hit| {
                matches!(hit.class, Class::Key | Class::Handle)
                    && hit.start >= label
                    && hit.end <= found.start
            })
        })
    }

    /// The same behind the candidate.
    pub fn gap_after(&self, found: &Found, class: Class) -> Option<usize> {
        let start = self
            .words
            .hits
            .iter()
            .filter(|hit| hit.class == class && hit.start >= found.end)
            .map(|hit| hit.start)
            .min()?;
        letters_between(&self.words.text.chars[found.end..start])
    }
}

/// Where the groups of digits begin that end before `start`, with a space or a dash between them.
fn first_group(chars: &[char], start: usize) -> usize {
    let groups = chars[..start]
        .iter()
        .rev()
        .take(MAX_GROUPS)
        .take_while(|character| character.is_ascii_digit() || matches!(character, ' ' | '-' | '+'))
        .count();
    let begin = start - groups;
    let digits = chars[begin..start].iter().filter(|character| character.is_ascii_digit()).count();
    if digits >= MIN_PREFIX { begin } else { start }
}
