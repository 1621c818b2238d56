//! The answer: a code, or why there is none, and what was weighed to get there.

use std::cell::OnceCell;

use super::bind::Words;
use super::brand::{self, Owner};
use super::candidate;
use super::clause;
use super::confidence;
use super::content::Content;
use super::evidence::Evidence;
use super::lexicon::{self, Class};
use super::message::Message;
use super::money;
use super::normal::Text;
use super::reason::Reason;
use super::service::Service;
use super::weigh;

/// Score from which the best candidate is the code: below it, guesses begin.
pub(crate) const ACCEPT: i16 = 50;
/// Lead over another code that the best candidate needs; less, and nobody can say which of the two
/// it is.
pub(crate) const LEAD: i16 = 14;
/// Candidates kept in the event.
const KEPT: usize = 5;

/// What a message was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The answer.
    pub verdict: Verdict,
    /// What was weighed, best first, at most five.
    pub candidates: Vec<Candidate>,
}

impl Extraction {
    /// For each candidate, of a thousand like it those that are the code.
    pub fn confidence(&self) -> Vec<u16> {
        confidence::per_mille(&self.candidates)
    }

    /// For each candidate, the points by which it passes, or misses, what a code needs.
    pub fn margins(&self) -> Vec<i16> {
        (0..self.candidates.len())
            .map(|place| confidence::margin(&self.candidates, place))
            .collect()
    }
}

/// The answer for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This is the code: digits without separators or prefix, letters as sent.
    Code(String),
    /// There may be a code; nothing certain enough to complete an order with.
    Unsure,
    /// Nothing in the message could be a code.
    Nothing,
    /// The message is another sender's (its brand is named, in lower case): it completes no order.
    OtherBrand(String),
}

impl Verdict {
    /// The word callers and operators see.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Code(_) => "code",
            Self::Unsure => "unsure",
            Self::Nothing => "nothing",
            Self::OtherBrand(_) => "other_brand",
        }
    }
}

/// One thing that could be the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The code, were it this one.
    pub code: String,
    /// Sum of the reasons' weights.
    pub score: i16,
    /// What spoke for and against it.
    pub reasons: Vec<Reason>,
}

/// The code in `message`, for an order of `service` (or of nobody in particular).
pub fn extract(message: &Message<'_>, service: Option<Service>) -> Extraction {
    let mut text = Text::new(message.text);
    let mut hits = lexicon::find(&text);
    // "COD 110.000d": a word for "code" with a sum right behind it is cash on delivery.
    hits.retain(|hit| hit.class != Class::Key || !money::follows(&text, hit.end));
    if let Some(service) = service {
        // "LINE: 481207": the service's own name labels no reference.
        hits.retain(|hit| {
            hit.class != Class::Reference || !brand::is_written_name(&text, hit, service)
        });
    }
    text.units = hits.iter().filter(|hit| hit.class == Class::Unit).map(|hit| hit.start).collect();
    let (found, regions) = candidate::find(&text);
    let owner = service.map_or(Owner::Unnamed, |service| {
        brand::owner(message, &text, &hits, &regions, &found, service)
    });
    let clauses = clause::number(&text);
    let words = Words { text: &text, hits: &hits, clauses: &clauses };
    let evidence = Evidence {
        message: *message,
        words,
        regions: &regions,
        content: Content::new(&text, &regions),
        service,
        owner,
        rest: OnceCell::new(),
    };
    let choices = choices(&evidence.words, &found, service);
    let mut candidates = weigh::weigh(&evidence, found);
    // Stable: of equals, the first in the text stays first.
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    let verdict = verdict(&evidence.owner, &candidates, &choices);
    candidates.truncate(KEPT);
    Extraction { verdict, candidates }
}

/// Words that offer one thing or another, in the languages where messages do so. Copulas are none
/// of them.
const OR: [&str; 34] = [
    "or",
    "oder",
    "ou",
    "o",
    "u",
    "of",
    "eller",
    "tai",
    "vagy",
    "lub",
    "albo",
    "nebo",
    "alebo",
    "ali",
    "ili",
    "или",
    "або",
    "или же",
    "veya",
    "ya da",
    "atau",
    "hoặc",
    "หรือ",
    "หรือว่า",
    "या",
    "বা",
    "یا",
    "أو",
    "או",
    "或",
    "或者",
    "または",
    "또는",
    "ან",
];

/// Codes of one shape that a message offers side by side, as in "111222 or 333444": none of them is
/// the one.
fn choices(
    words: &Words<'_>,
    found: &[candidate::Found],
    service: Option<Service>,
) -> Vec<(String, String)> {
    let offered = |(first, second): (&candidate::Found, &candidate::Found)| {
        let between: String = words
            .text
            .chars
            .get(first.end..second.start)?
            .iter()
            .collect::<String>()
            .to_lowercase();
        let between = between.trim_matches(|letter: char| {
            letter.is_whitespace() || [',', '/', '|', '、', '،'].contains(&letter)
        });
        let is_alike = first.kind == second.kind
            && first.code.chars().count() == second.code.chars().count()
            && first.code != second.code;
        (is_alike && OR.contains(&between)).then(|| (first.code.clone(), second.code.clone()))
    };
    let mut choices: Vec<(String, String)> =
        found.iter().zip(found.iter().skip(1)).filter_map(offered).collect();
    choices.extend(listed(words, found));
    // A half that also stands alone is whole.
    let halves = found
        .iter()
        .filter(|half| found.iter().filter(|other| other.code == half.code).count() == 1);
    choices.extend(
        halves.filter_map(|half| {
            whole_of(words, half, service).map(|whole| (whole, half.code.clone()))
        }),
    );
    choices
}

/// Three codes of one shape and more with a comma between each and the next are a list of spare ones.
fn listed(words: &Words<'_>, found: &[candidate::Found]) -> Option<(String, String)> {
    let is_next = |first: &candidate::Found, second: &candidate::Found| {
        let between = words.text.chars.get(first.end..second.start);
        first.code.len() == second.code.len()
            && first.code != second.code
            && between.is_some_and(|between| {
                between.iter().any(|mark| matches!(mark, ',' | '、'))
                    && between.iter().all(|mark| matches!(mark, ',' | '、' | ' ' | '\n'))
            })
    };
    found.windows(3).find_map(|triple| match triple {
        [first, second, third] if is_next(first, second) && is_next(second, third) => {
            Some((first.code.clone(), second.code.clone()))
        }
        _ => None,
    })
}

/// What the digits are a half of, if as many letters stand on one side, as in `ABCD-1234`,
/// `1234-ABCD` or "your code is ABCD 1234".
fn whole_of(
    words: &Words<'_>,
    digits: &candidate::Found,
    service: Option<Service>,
) -> Option<String> {
    let length = digits.end - digits.start;
    if digits.kind != candidate::Kind::Digits || !(3..=5).contains(&length) {
        return None;
    }
    let before = digits
        .start
        .checked_sub(length + 1)
        .and_then(|start| half(words, start, digits.start - 1, service));
    let first = before.filter(|_| is_joined(words, digits.start - 1, digits.start - 1 - length));
    let behind = || {
        half(words, digits.end + 1, digits.end + 1 + length, service)
            .filter(|_| matches!(words.text.at(digits.end), Some('-' | '_')))
    };
    first
        .map(|first| format!("{first}{}", digits.code))
        .or_else(|| behind().map(|second| format!("{}{second}", digits.code)))
}

/// The letters between two places, if they stand alone, are all large or all small, and neither a
/// word of the lists nor the service's name.
fn half(words: &Words<'_>, start: usize, end: usize, service: Option<Service>) -> Option<String> {
    let text = words.text;
    let letters: String = text.chars.get(start..end)?.iter().collect();
    let alike = letters.bytes().all(|byte| byte.is_ascii_uppercase())
        || letters.bytes().all(|byte| byte.is_ascii_lowercase());
    let goes_on = |neighbour: Option<char>| {
        neighbour.is_some_and(|next| {
            next == '-' || next.is_ascii_digit() || lexicon::is_spaced_letter(next)
        })
    };
    let other_side = |place: usize| text.at(place).is_some_and(|next| next.is_ascii_digit());
    let first = other_side(end + 1) && !goes_on(text.before(start));
    let second = start >= 2 && other_side(start - 2) && !goes_on(text.at(end));
    let speaks = words.hits.iter().any(|hit| hit.start < end && start < hit.end);
    let names =
        service.is_some_and(|service| service.words().contains(&letters.to_lowercase().as_str()));
    (alike && (first || second) && !speaks && !names).then_some(letters)
}

/// Whether the mark at `joint` joins the letters that begin at `start` to the digits behind it: a
/// space only where the letters are said to be the code.
fn is_joined(words: &Words<'_>, joint: usize, start: usize) -> bool {
    let text = words.text;
    let capitals = text.chars[start..joint].iter().all(char::is_ascii_uppercase);
    match text.chars[joint] {
        '-' | '_' => true,
        '/' | '.' => capitals,
        ' ' => {
            capitals
                && words.is_said(&candidate::Found::new(
                    text,
                    start,
                    joint,
                    candidate::Kind::Letters,
                ))
        }
        _ => false,
    }
}

fn verdict(owner: &Owner, candidates: &[Candidate], choices: &[(String, String)]) -> Verdict {
    if let Owner::Other(name) = owner {
        return Verdict::OtherBrand(name.clone());
    }
    let Some(best) = candidates.first() else { return Verdict::Nothing };
    let rival = candidates.iter().find(|candidate| candidate.code != best.code);
    let is_choice =
        choices.iter().any(|(first, second)| *first == best.code || *second == best.code);
    let spoilt =
        candidates.iter().any(|candidate| candidate.reasons.contains(&Reason::BoundOtherwise));
    let clear = !is_choice && !spoilt && rival.is_none_or(|rival| best.score - rival.score >= LEAD);
    if best.score >= ACCEPT && clear {
        Verdict::Code(best.code.clone())
    } else if candidates.iter().any(|candidate| candidate.score > 0) {
        Verdict::Unsure
    } else {
        Verdict::Nothing
    }
}
