//! What the words of a sentence do together: a request put as a question, a denial that `but`
//! makes, a quotation, an errand that is no number.

use std::collections::BTreeSet;

use events::platform::Platform;

use super::dictionary::Kind;
use super::fold::{Text, is_unspaced};
use super::segment::Span;

/// Words of which `but` takes something away: `any country but Russia`.
const WHOLES: &[&str] = &[
    "any",
    "every",
    "all",
    "each",
    "anything",
    "everything",
    "anywhere",
    "everywhere",
    "anyone",
    "whatever",
    "whichever",
    "nothing",
    "none",
    "no",
    "somewhere",
    "anybody",
    "wherever",
];
/// Words between a whole and its `but`, and between `but` and what it takes away.
const REACH: usize = 5;
/// Verbs that a question of English begins with.
const VERBS: &[&str] = &[
    "can", "could", "does", "did", "is", "are", "has", "may", "might", "would", "should", "shall",
    "was", "were", "will", "won", "isn", "doesn", "must",
];
/// Verbs of Germanic languages that stand first where they ask.
const COPULAS: &[&str] = &["ar", "er", "is", "ist", "are", "sind", "zijn", "van", "je", "es", "e"];
/// Words in front of a number that is known already, and what it is called then.
const DETERMINERS: &[&str] =
    &["my", "the", "this", "that", "your", "his", "her", "their", "our", "these", "those"];
const OWNERS: &[&str] =
    &["my", "this", "that", "your", "his", "her", "their", "our", "these", "those"];
/// Of whom somebody says that they need one.
const NEEDS: &[&str] = &["needs", "wants", "requires"];
/// Signs that end a clause.
const CLAUSES: &[char] = &[',', '.', ';', ':', '!', '?', '(', ')', '、', '。', '،', '-'];
const NOUNS: &[&str] = &["number", "num", "code", "sms", "otp", "text", "phone", "message", "pin"];
const ARTICLES: &[&str] = &["the", "a", "an", "from", "in", "those", "that", "this", "ones", "one"];
/// Services that send something else than a number where somebody orders them: a ride, a room,
/// goods, a film.
const SEND_THEMSELVES: &[Platform] = &[Platform::Uber, Platform::Lyft, Platform::Airbnb];
const SELL: &[Platform] =
    &[Platform::Amazon, Platform::Ebay, Platform::Nike, Platform::Netflix, Platform::Spotify];
/// Marks that open a quotation, and those that end it.
const QUOTES: &[(char, char)] =
    &[('"', '"'), ('“', '”'), ('„', '“'), ('«', '»'), ('「', '」'), ('『', '』')];

fn has(spans: &[Span], kind: Kind) -> bool {
    spans.iter().any(|span| span.is(kind))
}

/// Whether it asks for something at all.
pub fn asks(spans: &[Span]) -> bool {
    has(spans, Kind::Want) || has(spans, Kind::Give) || is_polite(spans)
}

/// Whether it is put as a question only out of courtesy: `could you get me a number`, `can I get
/// one, please`.
pub fn is_polite(spans: &[Span]) -> bool {
    let has_thing = has(spans, Kind::Thing);
    let gives_behind =
        |modal: &Span| spans.iter().any(|span| span.start >= modal.end && span.is(Kind::Give));
    let is_requested =
        has_thing && spans.iter().any(|span| span.is(Kind::Modal) && gives_behind(span));
    let is_begged = has_thing && has(spans, Kind::May) && has(spans, Kind::Please);
    has(spans, Kind::Polite) || is_requested || is_begged || is_tagged(spans)
}

/// Whether a request has its courtesy behind it: `get me a number, would you`.
fn is_tagged(spans: &[Span]) -> bool {
    let last = spans.iter().max_by_key(|span| span.end);
    last.is_some_and(|last| last.is(Kind::Modal))
        && has(spans, Kind::Give)
        && has(spans, Kind::Thing)
}

/// Whether it asks something, but for the mark.
pub fn is_asked(text: &Text, spans: &[Span]) -> bool {
    let asks =
        |span: &Span| span.is(Kind::Ask) && (begins(text, span.start) || !is_copula(text, span));
    spans.iter().any(asks)
        || has(spans, Kind::Modal)
        || has(spans, Kind::May)
        || begins_with_its_verb(text, spans)
}

/// Whether a clause begins at a word.
fn begins(text: &Text, place: usize) -> bool {
    place == 0 || text.words[place - 1].gap.contains(['.', '!', '?', ':', ';', ',', '-'])
}

/// Whether a span is a verb that asks only where a clause begins with it: `är det`, but `det är`.
fn is_copula(text: &Text, span: &Span) -> bool {
    span.end == span.start + 1 && COPULAS.contains(&text.words[span.start].folded.as_str())
}

/// Whether a word that is not known stands beside what asks, with nothing but fillers between: it
/// may deny it or be what is wanted, like `inutile de me donner`, `I want to recover`. An adjective
/// behind an article is neither, nor is who needs something.
pub fn is_beside_unknown(text: &Text, spans: &[Span], unknown_words: &[usize]) -> bool {
    let span_at = |place: usize| spans.iter().find(|span| span.start <= place && place < span.end);
    let word = |place: usize| text.words[place].folded.as_str();
    let asks = |span: &Span| span.is(Kind::Want) || span.is(Kind::Give);
    let is_skipped = |place: usize| {
        span_at(place).is_some_and(|span| {
            span.is(Kind::Filler) && !span.is_platform() && !span.is_place() && !asks(span)
        })
    };
    // In a script without spaces a letter that no word covers is rarely one.
    let spaced = |unknown: &&usize| !word(**unknown).chars().all(is_unspaced);
    unknown_words.iter().filter(spaced).any(|unknown| {
        let is_cut = |place: usize| text.words[place].gap.contains(CLAUSES);
        let after = (*unknown + 1..text.words.len())
            .take_while(|place| !is_cut(*place - 1))
            .find(|place| !is_skipped(*place));
        let before = (0..*unknown)
            .rev()
            .take_while(|place| !is_cut(*place))
            .find(|place| !is_skipped(*place));
        // `the onboarding flow`: what stands before the noun is of it.
        let determined = (0..*unknown)
            .rev()
            .find(|place| {
                !unknown_words.contains(place) && !span_at(*place).is_some_and(Span::is_platform)
            })
            .is_some_and(|place| DETERMINERS.contains(&word(place)));
        let is_subject = |place: usize| NEEDS.contains(&word(place)) || determined;
        let is_adjective = *unknown > 0 && ["a", "an", "one", "some"].contains(&word(*unknown - 1))
            || word(*unknown).ends_with("ly");
        let denies = after.is_some_and(|place| {
            span_at(place).is_some_and(asks)
                && !is_subject(place)
                && !word(*unknown).ends_with("ly")
        });
        let is_wanted =
            before.is_some_and(|place| span_at(place).is_some_and(asks)) && !is_adjective;
        denies || is_wanted
    })
}

/// Whether somebody speaks of a number that there is already: `call the number on google`, `my
/// telegram number`.
pub fn speaks_of_one(text: &Text, spans: &[Span]) -> bool {
    let is_noun = |place: usize| {
        text.words.get(place).is_some_and(|word| NOUNS.contains(&word.folded.as_str()))
    };
    let behind = |place: usize| {
        spans
            .iter()
            .find(|span| span.start == place && span.is_platform())
            .map_or(place, |span| span.end)
    };
    let is_determined = |place: usize| {
        DETERMINERS.contains(&text.words[place].folded.as_str())
            && (is_noun(place + 1) || is_noun(behind(place + 1)))
    };
    (0..text.words.len()).any(is_determined)
}

/// Whether it is somebody's number that is spoken of, whatever is wanted with it: `I need to know
/// my WhatsApp number`.
pub fn speaks_of_ones_own(text: &Text, spans: &[Span]) -> bool {
    let is_noun = |place: usize| {
        text.words
            .get(place)
            .is_some_and(|word| ["number", "numbers", "num"].contains(&word.folded.as_str()))
    };
    let behind = |place: usize| {
        spans
            .iter()
            .find(|span| span.start == place && span.is_platform())
            .map_or(place, |span| span.end)
    };
    // `that WhatsApp order`: of an order that is to be made its platform is not said so.
    let is_order = |place: usize| {
        behind(place) > place
            && text
                .words
                .get(behind(place))
                .is_some_and(|word| ["order", "purchase"].contains(&word.folded.as_str()))
    };
    let is_owned = |place: usize| {
        OWNERS.contains(&text.words[place].folded.as_str())
            && (is_noun(place + 1) || is_noun(behind(place + 1)) || is_order(place + 1))
    };
    (0..text.words.len()).any(is_owned)
}

/// Whether a platform is asked about: `can telegram see my number`.
fn begins_with_its_verb(text: &Text, spans: &[Span]) -> bool {
    // With its accents: Vietnamese `cần` is no `can`.
    let is_verb = |place: usize| VERBS.contains(&text.words[place].lower.as_str());
    // A phrase that is known says more than its first word: `will need`, `may I have`.
    let is_alone = !spans.iter().any(|span| span.start == 0 && span.end > 1);
    let opens = text.words.len() > 2 && is_verb(0) && is_alone && text.words[1].folded != "be";
    opens
        || spans.iter().any(|span| {
            span.start > 0
                && (span.is_platform() || span.is(Kind::Thing))
                && is_verb(span.start - 1)
                && begins(text, span.start - 1)
        })
}

/// Whether `but` takes a place or a platform out of a whole: `any number but an American one`.
/// Beside no whole it only goes on: `a number, but British`.
pub fn is_excepted(text: &Text, spans: &[Span]) -> bool {
    let is_but = |place: &usize| text.words[*place].folded == "but";
    (0..text.words.len()).filter(is_but).any(|but| {
        let is_of_whole = text.words[but.saturating_sub(REACH)..but]
            .iter()
            .any(|word| WHOLES.contains(&word.folded.as_str()));
        let taken = (but + 1..text.words.len())
            .find(|place| !ARTICLES.contains(&text.words[*place].folded.as_str()));
        let is_name = |place: usize| {
            spans.iter().any(|span| {
                span.start <= place && place < span.end && (span.is_place() || span.is_platform())
            })
        };
        // A place that no span covers is a code, or a name that is not known.
        let is_free =
            |place: usize| !spans.iter().any(|span| span.start <= place && place < span.end);
        is_of_whole && taken.is_some_and(|place| is_name(place) || is_free(place))
    })
}

/// Whether what asks stands between quotation marks, and somebody says something about it outside
/// of them.
pub fn is_quoted(text: &Text, spans: &[Span]) -> bool {
    let inside = quoted(text);
    let asks = |span: &Span| span.is(Kind::Want) || span.is(Kind::Give) || span.is(Kind::Polite);
    let asks_inside = spans.iter().any(|span| inside.contains(&span.start) && asks(span));
    let is_said = |place: usize| {
        !spans.iter().any(|span| {
            span.start <= place
                && place < span.end
                && (span.is(Kind::Filler) || span.is(Kind::Please))
        })
    };
    asks_inside && (0..text.words.len()).any(|place| !inside.contains(&place) && is_said(place))
}

/// Words between quotation marks.
fn quoted(text: &Text) -> BTreeSet<usize> {
    let mut inside = BTreeSet::new();
    let mut awaited: Option<char> = None;
    let marks = |awaited: &mut Option<char>, gap: &str| {
        for character in gap.chars() {
            *awaited = match *awaited {
                Some(end) if end == character => None,
                Some(end) => Some(end),
                None => QUOTES.iter().find(|(start, _)| *start == character).map(|(_, end)| *end),
            };
        }
    };
    let lead = text.written.find(super::fold::is_word).unwrap_or(0);
    marks(&mut awaited, &text.written[..lead]);
    for (place, word) in text.words.iter().enumerate() {
        if awaited.is_some() {
            inside.insert(place);
        }
        marks(&mut awaited, &word.gap);
    }
    inside
}

/// Whether somebody wants to be let into an account, and says nothing of a number: `log in to
/// my Facebook account`.
pub fn logs_in(text: &Text, spans: &[Span]) -> bool {
    let begins = |words: &[&str]| {
        text.words.len() > words.len()
            && words.iter().zip(&text.words).all(|(known, word)| *known == word.folded)
    };
    let verbs: [&[&str]; 6] = [
        &["login", "to"],
        &["log", "in", "to"],
        &["log", "into"],
        &["sign", "in", "to"],
        &["sign", "into"],
        &["log", "me", "in"],
    ];
    !asks(spans) && verbs.into_iter().any(begins)
}

/// Whether the service itself is wanted and no number: `get me an uber`, `order from amazon`, `open
/// youtube`.
pub fn is_errand(text: &Text, spans: &[Span], platform: Platform, names_place: bool) -> bool {
    if has(spans, Kind::Thing) {
        return false;
    }
    let is_ordered = asks(spans);
    let is_source = spans.iter().any(|span| {
        span.is_platform()
            && span.start > 0
            && ["from", "on", "off", "at"].contains(&text.words[span.start - 1].folded.as_str())
    });
    let is_sold = SELL.contains(&platform) && (!names_place || is_source);
    has(spans, Kind::Run)
        || has(spans, Kind::Message)
        || (is_ordered && (SEND_THEMSELVES.contains(&platform) || is_sold))
}
