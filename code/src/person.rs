//! Whether a message names a person: by a greeting or a title before the name, what stands behind
//! it, or a given name with another name.

use super::brand;
use super::lexicon::{self, Class, Hit};
use super::normal::Text;
use super::sensitive::{Section, Word, has_spaces};
use super::stranger;

/// Words of a name.
const MAX_NAME: usize = 3;
/// Characters of a name in a script without spaces.
const MAX_UNSPACED: usize = 4;
/// Signs of a name looked at: more is no message but an attack.
const MAX_SIGNS: usize = 32;

/// Whether the message addresses or names a person.
pub fn is_named(text: &Text, words: &[Word]) -> bool {
    let mut signs = words
        .iter()
        .filter_map(|word| Some((word, check_of(word.section)?)))
        .take(MAX_SIGNS)
        .peekable();
    if signs.peek().is_none() {
        return false;
    }
    let (hits, is_shouted) = (lexicon::find(text), is_shouted(text));
    let message = NameSearch { text, words, hits, is_shouted };
    signs.any(|(sign, check)| check(&message, sign))
}

/// Whether a sign of its kind stands beside a name.
type Check<'a> = fn(&NameSearch<'a>, &Word) -> bool;

/// What tells whether a word of the section stands beside a name; `None` of one that is no sign.
const fn check_of<'a>(section: Section) -> Option<Check<'a>> {
    match section {
        Section::Greeting => Some(NameSearch::is_greeted),
        Section::Title => Some(NameSearch::is_titled),
        Section::Honorific => Some(NameSearch::is_honoured),
        Section::Given => Some(NameSearch::is_given),
        Section::Towards => Some(NameSearch::is_party),
        Section::Moved
        | Section::Bank
        | Section::Password
        | Section::Reset
        | Section::Recovery
        | Section::Nobody
        | Section::Place
        | Section::Currency => None,
    }
}

/// A message, and what was found in it.
struct NameSearch<'a> {
    text: &'a Text,
    words: &'a [Word],
    /// The words for codes, parcels and the like.
    hits: Vec<Hit>,
    /// Whether all of it is in capitals: they tell nothing then.
    is_shouted: bool,
}

/// A run of letters.
struct Span {
    start: usize,
    end: usize,
}

impl NameSearch<'_> {
    /// The next run of letters from `place` on, with nothing but blanks or `between` before it.
    fn run(&self, place: usize, between: &[char]) -> Option<Span> {
        let start = place
            + self.text.chars[place..]
                .iter()
                .take_while(|mark| **mark == ' ' || between.contains(mark))
                .count();
        let inner = |index: usize| {
            matches!(self.text.at(index), Some('\'' | '’' | '-'))
                && self.text.at(index + 1).is_some_and(char::is_alphabetic)
        };
        let mut end = start;
        while self.text.at(end).is_some_and(is_letter) || (end > start && inner(end)) {
            end += 1;
        }
        (end > start).then_some(Span { start, end })
    }

    /// Whether the word stands in the section.
    fn is_in(&self, run: &Span, section: Section) -> bool {
        self.words.iter().any(|word| {
            word.section == section && word.start == run.start && word.end <= run.end
                || word.section == section && word.start <= run.start && word.end >= run.end
        })
    }

    /// Whether it may be a name: written with a capital where its script has them, and neither a brand
    /// nor a word for whom nobody knows by name.
    fn may_be_name(&self, run: &Span) -> bool {
        let written: String = self.text.chars[run.start..run.end].iter().collect();
        let first = self.text.chars[run.start];
        let has_case = has_capitals(first);
        // "Domino's" is somebody's, and nobody.
        let owns = written.ends_with("'s") || written.ends_with("’s");
        (!has_case || first.is_uppercase())
            && !owns
            && written.chars().count() >= 2
            && !self.is_in(run, Section::Nobody)
            && !stranger::is_nobody(&written)
            && !brand::is_brand(&written)
    }

    fn is_known_given(&self, run: &Span) -> bool {
        self.words.iter().any(|word| {
            word.section == Section::Given && word.start == run.start && word.end == run.end
        })
    }

    /// A greeting, and behind it what may be a name: then a mark or a word that is none for "code".
    fn is_greeted(&self, greeting: &Word) -> bool {
        let opens = self.text.chars[..greeting.start]
            .iter()
            .rev()
            .find(|mark| **mark != ' ')
            .is_none_or(|mark| !mark.is_alphanumeric() || !has_spaces(*mark));
        if !opens {
            return false;
        }
        let unspaced = self.text.chars[greeting.start..greeting.end]
            .iter()
            .any(|letter| letter.is_alphabetic() && !has_spaces(*letter));
        let Some(first) = self.run(greeting.end, &[',', '،']) else { return false };
        if unspaced {
            return self.is_unspaced_name(&first);
        }
        if !has_capitals(self.text.chars[first.start]) {
            return self.is_caseless_name(greeting);
        }
        if self.is_known_given(&first) {
            return true;
        }
        if self.is_initial(&first) {
            return true;
        }
        // "Geachte heer Jansen": behind a greeting a title needs no capital.
        if self.is_in(&first, Section::Title) {
            let named = self.run(first.end, &['.']);
            return named.is_some_and(|name| self.may_be_name(&name));
        }
        if !self.may_be_name(&first) || self.is_shouted {
            return false;
        }
        let mut last = first.end;
        for _ in 1..MAX_NAME {
            let Some(next) = self.run(last, &['.']) else { break };
            let written: String = self.text.chars[next.start..next.end].iter().collect();
            if self.is_in(&next, Section::Nobody) || brand::is_brand(&written) {
                return false;
            }
            if self.is_in(&next, Section::Place) {
                return false;
            }
            if !self.text.chars[next.start].is_uppercase() {
                break;
            }
            last = next.end;
        }
        let behind = self.text.chars[last..].iter().find(|mark| **mark != ' ');
        let is_mark = matches!(behind, Some(',' | '!' | ':' | '\n' | '-' | '–' | '—' | ';'));
        is_mark || (behind.is_some() && !self.is_code_word(last))
    }

    /// A greeting, and right behind it one to three words up to a comma: in a script without capitals
    /// nothing else tells a name.
    fn is_caseless_name(&self, greeting: &Word) -> bool {
        let mut last = greeting.end;
        for _ in 0..MAX_NAME {
            let Some(next) = self.run(last, &[]) else { break };
            let says = self.hits.iter().any(|hit| hit.start == next.start);
            if says || !self.may_be_name(&next) {
                return false;
            }
            last = next.end;
            if self.is_known_given(&next) {
                return true;
            }
        }
        last > greeting.end && matches!(self.text.at(last), Some(',' | '،' | '!'))
    }

    /// Whether a word for "code" stands right behind: what is before it is whose code it is.
    fn is_code_word(&self, place: usize) -> bool {
        let next = self.run(place, &[]);
        next.is_none_or(|next| {
            self.hits.iter().any(|hit| {
                hit.start == next.start && matches!(hit.class, Class::Key | Class::Verify)
            })
        })
    }

    /// A name in a script without spaces: two to four letters between the greeting and a mark, or
    /// between it and an honorific.
    fn is_unspaced_name(&self, run: &Span) -> bool {
        let honorific = self
            .words
            .iter()
            .find(|word| word.section == Section::Honorific && word.start > run.start);
        let end = honorific.map_or(run.end, |word| word.start.min(run.end));
        let length = end - run.start;
        let name = Span { start: run.start, end };
        let nobody = self.words.iter().any(|word| {
            word.section == Section::Nobody && word.start >= name.start && word.start <= name.end
        });
        let is_thai = matches!(self.text.chars[run.start], '\u{e00}'..='\u{e7f}');
        !nobody && ((2..=MAX_UNSPACED).contains(&length) || (is_thai && length >= 2))
    }

    /// A title written as one, and a name behind it.
    fn is_titled(&self, title: &Word) -> bool {
        let first = self.text.chars[title.start];
        let has_case = has_capitals(first);
        let written = &self.text.chars[title.start..title.end];
        let dotted = self.text.at(title.end) == Some('.');
        // "MS Office" has no title; "mr" in lower case is none either, but several words may be.
        let is_phrase = written.contains(&' ');
        let capital_first = first.is_uppercase()
            && (dotted
                || written.len() > 2
                || written[1..].iter().all(|letter| !letter.is_uppercase()));
        if has_case && !capital_first && !is_phrase {
            return false;
        }
        let Some(name) = self.run(title.end, &['.']) else { return false };
        if !has_spaces(first) {
            // "นาย": behind a blank or the beginning, and with a name of its own.
            let opens = matches!(self.text.before(title.start), None | Some(' ' | '\n'));
            return opens && name.end - name.start >= 4 && self.may_be_name(&name);
        }
        let named = self.may_be_name(&name) || self.is_initial(&name);
        name.start > title.end && named && (!self.is_shouted || dotted)
    }

    /// Whether it is a single capital with another word in front of which it stands for a name.
    fn is_initial(&self, letter: &Span) -> bool {
        letter.end - letter.start == 1
            && self.text.chars[letter.start].is_uppercase()
            && self.run(letter.end, &['.']).is_some_and(|next| {
                next.end - next.start >= 3 && self.text.chars[next.start].is_uppercase()
            })
    }

    /// To whom something is paid or brought, or from whom it comes: two words with a capital, or an
    /// initial and one.
    fn is_party(&self, towards: &Word) -> bool {
        let Some(first) = self.run(towards.end, &[':']) else { return false };
        if first.start == towards.end || self.is_shouted {
            return false;
        }
        if self.is_initial(&first) {
            let next = self.run(first.end, &['.']);
            return next.is_some_and(|next| self.may_be_name(&next));
        }
        let is_about =
            self.words.iter().any(|word| matches!(word.section, Section::Moved | Section::Bank))
                || self.hits.iter().any(|hit| {
                    matches!(hit.class, Class::Parcel | Class::Delivery | Class::Courier)
                });
        let is_word = |part: &Span| {
            part.end - part.start >= 2
                && self.text.chars[part.start].is_uppercase()
                && self.may_be_name(part)
                && !self.is_in(part, Section::Place)
                && !self.is_in(part, Section::Currency)
        };
        let is_brand = |first: &Span, second: &Span| {
            brand::is_brand(&self.text.chars[first.start..second.end].iter().collect::<String>())
        };
        is_about
            && is_word(&first)
            && self
                .run(first.end, &[])
                .is_some_and(|second| is_word(&second) && !is_brand(&first, &second))
    }

    /// An honorific, and a name right before it.
    fn is_honoured(&self, honorific: &Word) -> bool {
        // "小野寺 様"
        let spaced = usize::from(self.text.before(honorific.start) == Some(' '));
        let end = honorific.start - spaced;
        let length = self.text.chars[..end]
            .iter()
            .rev()
            .take(MAX_UNSPACED + 2)
            .take_while(|letter| letter.is_alphabetic() && !has_spaces(**letter))
            .count();
        let start = end - length;
        let greeted = self
            .words
            .iter()
            .filter(|word| word.section == Section::Greeting && word.start >= start)
            .map(|word| word.end)
            .find(|end| *end <= honorific.start);
        let name = Span { start: greeted.unwrap_or(start).min(end), end };
        let before: String = self.text.chars[honorific.start..honorific.end].iter().collect();
        let is_greeting = matches!(before.as_str(), "您好" | "你好");
        let least = if is_greeting { 2 } else { 1 };
        let nobody = self.words.iter().any(|word| {
            word.section == Section::Nobody && word.start < name.end && word.end > name.start
        });
        let written: String = self.text.chars[name.start..name.end].iter().collect();
        !nobody
            && (least..=MAX_UNSPACED).contains(&(name.end - name.start))
            && !brand::is_brand(&written)
    }

    /// A given name that opens the message before a comma, or has another name behind it.
    fn is_given(&self, given: &Word) -> bool {
        if !self.text.chars[given.start].is_uppercase() {
            return false;
        }
        let opens = self.text.chars[..given.start].iter().all(|mark| !mark.is_alphanumeric());
        let follows_comma = self.text.chars[..given.start].ends_with(&[',', ' ']);
        let is_called = matches!(self.text.at(given.end), None | Some('.' | ',' | '!' | '?'));
        if (opens && matches!(self.text.at(given.end), Some(',' | '!')))
            || (follows_comma && is_called)
        {
            return true;
        }
        self.run(given.end, &[]).is_some_and(|next| {
            next.start > given.end
                && next.end - next.start >= 2
                && self.text.chars[next.start].is_uppercase()
                && self.may_be_name(&next)
                && !self.is_in(&next, Section::Place)
                && !self.is_shouted
                && !self.is_code_word(given.end)
        })
    }
}

/// Whether names are written with a capital in the letter's script: Georgian has capitals for
/// headings only.
fn has_capitals(letter: char) -> bool {
    (letter.is_lowercase() || letter.is_uppercase()) && !matches!(letter, '\u{10a0}'..='\u{10ff}')
}

/// Letters, and the signs that Indian scripts hang on them.
fn is_letter(letter: char) -> bool {
    letter.is_alphabetic() || matches!(letter, '\u{900}'..='\u{dff}' | '\u{200c}' | '\u{200d}')
}

fn is_shouted(text: &Text) -> bool {
    !text.chars.iter().any(|letter| letter.is_lowercase())
        && text.chars.iter().any(|letter| letter.is_uppercase())
}
