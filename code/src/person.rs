//! Whether a message names a person: by a greeting or a title before the name, what stands behind
//! it, or a given name with another name.

use super::brand;
use super::lexicon::{self, Class};
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
    let signs = || words.iter().filter(|word| is_sign(word.section)).take(MAX_SIGNS);
    signs().any(|sign| match sign.section {
        Section::Greeting => is_greeted(text, words, sign),
        Section::Title => is_titled(text, words, sign),
        Section::Honorific => is_honoured(text, words, sign),
        Section::Given => is_given(text, words, sign),
        Section::Towards => is_party(text, words, sign),
        Section::Moved
        | Section::Bank
        | Section::Password
        | Section::Reset
        | Section::Recovery
        | Section::Nobody
        | Section::Place
        | Section::Currency => false,
    })
}

const fn is_sign(section: Section) -> bool {
    matches!(
        section,
        Section::Greeting | Section::Title | Section::Honorific | Section::Given | Section::Towards
    )
}

/// A run of letters.
struct Span {
    start: usize,
    end: usize,
}

/// The next run of letters from `place` on, with nothing but blanks or `between` before it.
fn run(text: &Text, place: usize, between: &[char]) -> Option<Span> {
    let start = place
        + text.chars[place..]
            .iter()
            .take_while(|mark| **mark == ' ' || between.contains(mark))
            .count();
    let inner = |index: usize| {
        matches!(text.at(index), Some('\'' | '’' | '-'))
            && text.at(index + 1).is_some_and(char::is_alphabetic)
    };
    let mut end = start;
    while text.at(end).is_some_and(is_letter) || (end > start && inner(end)) {
        end += 1;
    }
    (end > start).then_some(Span { start, end })
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

/// Whether the word stands in the section.
fn is_in(words: &[Word], run: &Span, section: Section) -> bool {
    words.iter().any(|word| {
        word.section == section && word.start == run.start && word.end <= run.end
            || word.section == section && word.start <= run.start && word.end >= run.end
    })
}

/// Whether it may be a name: written with a capital where its script has them, and neither a brand
/// nor a word for whom nobody knows by name.
fn may_be_name(text: &Text, words: &[Word], run: &Span) -> bool {
    let written: String = text.chars[run.start..run.end].iter().collect();
    let first = text.chars[run.start];
    let has_case = has_capitals(first);
    // "Domino's" is somebody's, and nobody.
    let owns = written.ends_with("'s") || written.ends_with("’s");
    (!has_case || first.is_uppercase())
        && !owns
        && written.chars().count() >= 2
        && !is_in(words, run, Section::Nobody)
        && !stranger::is_nobody(&written)
        && !brand::is_brand(&written)
}

fn is_known_given(words: &[Word], run: &Span) -> bool {
    words.iter().any(|word| {
        word.section == Section::Given && word.start == run.start && word.end == run.end
    })
}

/// A greeting, and behind it what may be a name: then a mark or a word that is none for "code".
fn is_greeted(text: &Text, words: &[Word], greeting: &Word) -> bool {
    let opens = text.chars[..greeting.start]
        .iter()
        .rev()
        .find(|mark| **mark != ' ')
        .is_none_or(|mark| !mark.is_alphanumeric() || has_no_case(*mark));
    if !opens {
        return false;
    }
    let unspaced = text.chars[greeting.start..greeting.end]
        .iter()
        .any(|letter| letter.is_alphabetic() && !has_spaces(*letter));
    let Some(first) = run(text, greeting.end, &[',', '،']) else { return false };
    if unspaced {
        return is_unspaced_name(text, words, &first);
    }
    if !has_capitals(text.chars[first.start]) {
        return is_caseless_name(text, words, greeting);
    }
    if is_known_given(words, &first) {
        return true;
    }
    if is_initial(text, &first) {
        return true;
    }
    // "Geachte heer Jansen": behind a greeting a title needs no capital.
    if is_in(words, &first, Section::Title) {
        let named = run(text, first.end, &['.']);
        return named.is_some_and(|name| may_be_name(text, words, &name));
    }
    if !may_be_name(text, words, &first) || is_shouted(text) {
        return false;
    }
    let mut last = first.end;
    for _ in 1..MAX_NAME {
        let Some(next) = run(text, last, &['.']) else { break };
        let written: String = text.chars[next.start..next.end].iter().collect();
        if is_in(words, &next, Section::Nobody) || brand::is_brand(&written) {
            return false;
        }
        if is_in(words, &next, Section::Place) {
            return false;
        }
        if !text.chars[next.start].is_uppercase() {
            break;
        }
        last = next.end;
    }
    let behind = text.chars[last..].iter().find(|mark| **mark != ' ');
    let is_mark = matches!(behind, Some(',' | '!' | ':' | '\n' | '-' | '–' | '—' | ';'));
    is_mark || (behind.is_some() && !is_code_word(text, last))
}

/// A greeting, and right behind it one to three words up to a comma: in a script without capitals
/// nothing else tells a name.
fn is_caseless_name(text: &Text, words: &[Word], greeting: &Word) -> bool {
    let mut last = greeting.end;
    for _ in 0..MAX_NAME {
        let Some(next) = run(text, last, &[]) else { break };
        let says = lexicon::find(text).iter().any(|hit| hit.start == next.start);
        if says || !may_be_name(text, words, &next) {
            return false;
        }
        last = next.end;
        if is_known_given(words, &next) {
            return true;
        }
    }
    last > greeting.end && matches!(text.at(last), Some(',' | '،' | '!'))
}

/// Whether a word for "code" stands right behind: what is before it is whose code it is.
fn is_code_word(text: &Text, place: usize) -> bool {
    let next = run(text, place, &[]);
    next.is_none_or(|next| {
        lexicon::find(text)
            .iter()
            .any(|hit| hit.start == next.start && matches!(hit.class, Class::Key | Class::Verify))
    })
}

const fn has_no_case(letter: char) -> bool {
    !has_spaces(letter)
}

/// Whether the whole message is in capitals: they tell nothing then.
fn is_shouted(text: &Text) -> bool {
    !text.chars.iter().any(|letter| letter.is_lowercase())
        && text.chars.iter().any(|letter| letter.is_uppercase())
}

/// A name in a script without spaces: two to four letters between the greeting and a mark, or
/// between it and an honorific.
fn is_unspaced_name(text: &Text, words: &[Word], run: &Span) -> bool {
    let honorific =
        words.iter().find(|word| word.section == Section::Honorific && word.start > run.start);
    let end = honorific.map_or(run.end, |word| word.start.min(run.end));
    let length = end - run.start;
    let name = Span { start: run.start, end };
    let nobody = words.iter().any(|word| {
        word.section == Section::Nobody && word.start >= name.start && word.start <= name.end
    });
    let is_thai = matches!(text.chars[run.start], '\u{e00}'..='\u{e7f}');
    !nobody && ((2..=MAX_UNSPACED).contains(&length) || (is_thai && length >= 2))
}

/// A title written as one, and a name behind it.
fn is_titled(text: &Text, words: &[Word], title: &Word) -> bool {
    let first = text.chars[title.start];
    let has_case = has_capitals(first);
    let written = &text.chars[title.start..title.end];
    let dotted = text.at(title.end) == Some('.');
    // "MS Office" has no title; "mr" in lower case is none either, but several words may be.
    let is_phrase = written.contains(&' ');
    let capital_first = first.is_uppercase()
        && (dotted
            || written.len() > 2
            || written[1..].iter().all(|letter| !letter.is_uppercase()));
    if has_case && !capital_first && !is_phrase {
        return false;
    }
    let Some(name) = run(text, title.end, &['.']) else { return false };
    if !has_spaces(first) {
        // "นาย": behind a blank or the beginning, and with a name of its own.
        let opens = matches!(text.before(title.start), None | Some(' ' | '\n'));
        return opens && name.end - name.start >= 4 && may_be_name(text, words, &name);
    }
    let named = may_be_name(text, words, &name) || is_initial(text, &name);
    name.start > title.end && named && (!is_shouted(text) || dotted)
}

/// Whether it is a single capital with another word in front of which it stands for a name.
fn is_initial(text: &Text, letter: &Span) -> bool {
    letter.end - letter.start == 1
        && text.chars[letter.start].is_uppercase()
        && run(text, letter.end, &['.'])
            .is_some_and(|next| next.end - next.start >= 3 && text.chars[next.start].is_uppercase())
}

/// To whom something is paid or brought, or from whom it comes: two words with a capital, or an
/// initial and one.
fn is_party(text: &Text, words: &[Word], towards: &Word) -> bool {
    let Some(first) = run(text, towards.end, &[':']) else { return false };
    if first.start == towards.end || is_shouted(text) {
        return false;
    }
    if is_initial(text, &first) {
        let next = run(text, first.end, &['.']);
        return next.is_some_and(|next| may_be_name(text, words, &next));
    }
    let is_about = words.iter().any(|word| matches!(word.section, Section::Moved | Section::Bank))
        || lexicon::find(text)
            .iter()
            .any(|hit| matches!(hit.class, Class::Parcel | Class::Delivery | Class::Courier));
    let is_word = |part: &Span| {
        part.end - part.start >= 2
            && text.chars[part.start].is_uppercase()
            && may_be_name(text, words, part)
            && !is_in(words, part, Section::Place)
            && !is_in(words, part, Section::Currency)
    };
    let is_brand = |first: &Span, second: &Span| {
        brand::is_brand(&text.chars[first.start..second.end].iter().collect::<String>())
    };
    is_about
        && is_word(&first)
        && run(text, first.end, &[])
            .is_some_and(|second| is_word(&second) && !is_brand(&first, &second))
}

/// An honorific, and a name right before it.
fn is_honoured(text: &Text, words: &[Word], honorific: &Word) -> bool {
    // "小野寺 様"
    let spaced = usize::from(text.before(honorific.start) == Some(' '));
    let end = honorific.start - spaced;
    let length = text.chars[..end]
        .iter()
        .rev()
        .take(MAX_UNSPACED + 2)
        .take_while(|letter| letter.is_alphabetic() && !has_spaces(**letter))
        .count();
    let start = end - length;
    let greeted = words
        .iter()
        .filter(|word| word.section == Section::Greeting && word.start >= start)
        .map(|word| word.end)
        .find(|end| *end <= honorific.start);
    let name = Span { start: greeted.unwrap_or(start).min(end), end };
    let before: String = text.chars[honorific.start..honorific.end].iter().collect();
    let is_greeting = matches!(before.as_str(), "您好" | "你好");
    let least = if is_greeting { 2 } else { 1 };
    let nobody = words.iter().any(|word| {
        word.section == Section::Nobody && word.start < name.end && word.end > name.start
    });
    let written: String = text.chars[name.start..name.end].iter().collect();
    !nobody
        && (least..=MAX_UNSPACED).contains(&(name.end - name.start))
        && !brand::is_brand(&written)
}

/// A given name that opens the message before a comma, or has another name behind it.
fn is_given(text: &Text, words: &[Word], given: &Word) -> bool {
    if !text.chars[given.start].is_uppercase() {
        return false;
    }
    let opens = text.chars[..given.start].iter().all(|mark| !mark.is_alphanumeric());
    let follows_comma = text.chars[..given.start].ends_with(&[',', ' ']);
    let is_called = matches!(text.at(given.end), None | Some('.' | ',' | '!' | '?'));
    if (opens && matches!(text.at(given.end), Some(',' | '!'))) || (follows_comma && is_called) {
        return true;
    }
    run(text, given.end, &[]).is_some_and(|next| {
        next.start > given.end
            && next.end - next.start >= 2
            && text.chars[next.start].is_uppercase()
            && may_be_name(text, words, &next)
            && !is_in(words, &next, Section::Place)
            && !is_shouted(text)
            && !is_code_word(text, given.end)
    })
}
