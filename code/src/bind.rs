//! How closely the words for "code" and a candidate belong together.

use super::candidate::Found;
use super::copula::{ELSEWHERE, IS, IS_ENDINGS};
use super::lexicon::{Class, Hit};
use super::normal::Text;

/// How close a word for "code" is, the closest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// No such word.
    None,
    /// Somewhere in the message.
    Message,
    /// In the sentence before, or in the one behind.
    NextClause,
    /// In the same clause.
    Near,
    /// Right beside it.
    Beside,
    /// The clause says that the code is this one.
    Said,
}

/// Characters between a word for "code" and its code: longer stretches are as good as another
/// sentence.
const REACH: usize = 110;
/// Characters of a clause that may stand before a code that opens it: a name and its colon.
const OPENING: usize = 40;

/// Marks between a word for "code" and its own number, and digits of that number.
const OWN_GAP: usize = 3;
const MIN_OWN: usize = 3;
/// Capitals that are a code of their own in another script: fewer are `SMS`, `OTP`.
const MIN_CAPITALS: usize = 5;
/// Letters of a word that calls a number something, also in scripts that need few.
const MIN_CALLED: usize = 2;

/// Clauses and words of a message, for binding candidates to them.
pub struct Words<'a> {
    /// The text.
    pub text: &'a Text,
    /// The words found, in the order of their starts.
    pub hits: &'a [Hit],
    /// The clause of each character.
    pub clauses: &'a [usize],
}

impl Words<'_> {
    /// The bond of the closest word of `wanted`.
    pub fn bond(&self, found: &Found, wanted: &[Class]) -> Bond {
        let is_wanted = |hit: &&Hit| wanted.contains(&hit.class);
        let clause = self.clauses[found.start];
        let last = self.clauses[found.end.saturating_sub(1)];
        let before = self
            .hits
            .iter()
            .filter(is_wanted)
            .filter(|hit| hit.end <= found.start && self.clauses[hit.end - 1] == clause)
            .max_by_key(|hit| hit.end);
        let after = self
            .hits
            .iter()
            .filter(is_wanted)
            .find(|hit| hit.start >= found.end && self.clauses[hit.start] == last);
        let before = before.map_or(Bond::None, |hit| self.before(hit.end, found));
        let after = after.map_or(Bond::None, |hit| self.after(hit, found));
        let closest = before.max(after);
        if closest > Bond::Message {
            return closest;
        }
        // "Your code expired" speaks of no code that stands outside of it.
        let gone = |hit: &Hit| {
            let old = |old: &Hit| {
                let covers = old.start <= hit.start && hit.end <= old.end;
                old.class == Class::Old
                    && (covers || old.start >= hit.end)
                    && self.clauses[old.start] == self.clauses[hit.start]
            };
            self.hits.iter().any(old)
        };
        let next = |hit: &Hit| {
            let behind = self.clauses[hit.end - 1] + 1 == clause
                && self.opens(found)
                && !self.numbers(hit.end, found.start);
            let ahead = self.clauses[hit.start] == last + 1
                && self.opens(found)
                && !self.numbers(found.end, hit.start);
            (behind || ahead) && !gone(hit)
        };
        if self.hits.iter().filter(is_wanted).any(next) {
            return Bond::NextClause;
        }
        let named = !self.is_called_otherwise(found)
            && self.hits.iter().any(|hit| wanted.contains(&hit.class) && !gone(hit));
        if named { Bond::Message } else { Bond::None }
    }

    /// Whether its own sentence calls it something, and speaks of no code: "Your password was
    /// changed. Ticket 481207".
    fn is_called_otherwise(&self, found: &Found) -> bool {
        let clause = self.clauses[found.start];
        let speaks = |hit: &Hit| {
            let tells = matches!(
                hit.class,
                Class::Key
                    | Class::Soft
                    | Class::Verify
                    | Class::Handle
                    | Class::With
                    | Class::Secret
                    | Class::Valid
            );
            tells && self.clauses[hit.start] == clause
        };
        let before =
            (0..found.start).rev().take(REACH).take_while(|place| self.clauses[*place] == clause);
        let called =
            before.filter(|place| self.text.chars[*place].is_alphabetic()).count() >= MIN_CALLED;
        called && !self.hits.iter().any(speaks)
    }

    fn before(&self, from: usize, found: &Found) -> Bond {
        let gap = &self.text.chars[from..found.start];
        let numbers = self.numbers(from, found.start);
        if gap.len() <= REACH && self.is_said(found) {
            return if numbers && !self.verb_says(found) { Bond::Near } else { Bond::Said };
        }
        closeness(gap, numbers)
    }

    fn after(&self, hit: &Hit, found: &Found) -> Bond {
        let to = hit.start;
        let gap = &self.text.chars[found.end.min(to)..to];
        let numbers = self.numbers(found.end, to);
        // "(8231) code 481207": the word has a number of its own right behind it, and the one
        // before is no closer than another sentence's.
        if self.has_own_number(hit.end) {
            return closeness(gap, numbers).min(Bond::NextClause);
        }
        if self.opens(found) && !numbers && gap.len() <= REACH {
            return Bond::Said;
        }
        closeness(gap, numbers)
    }

    /// Whether a number as long as a code stands right behind a word that ends at `end`.
    fn has_own_number(&self, end: usize) -> bool {
        let mut rest = self.text.chars[end..].iter();
        let marks = rest
            .clone()
            .take(OWN_GAP)
            .take_while(|character| {
                matches!(character, ' ' | ':' | '=' | '[' | '(' | '*' | '-' | '\n')
            })
            .count();
        let digits =
            rest.clone().skip(marks).take_while(|character| character.is_ascii_digit()).count();
        // `校验码RPMKD`: capitals in a text of another script are its code as well.
        let is_foreign = self.text.before(end).is_some_and(|letter| !letter.is_ascii());
        let capitals = rest
            .by_ref()
            .skip(marks)
            .take_while(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
            .count();
        let is_of_capitals = is_foreign
            && capitals >= MIN_CAPITALS
            && !self.text.at(end + marks + capitals).is_some_and(|next| next.is_ascii_lowercase());
        is_of_capitals || (digits >= MIN_OWN && !self.text.unit_follows(end + marks + digits))
    }

    /// Whether a copula, a colon or an arrow stands right before the candidate.
    pub fn is_said(&self, found: &Found) -> bool {
        let lead = self.lead(found);
        // `<#>` marks a message for an app, and points to nothing.
        let marks = lead.ends_with('>') && lead.trim_end_matches('>').ends_with('#');
        let points = lead
            .chars()
            .next_back()
            .is_some_and(|mark| matches!(mark, ':' | '=' | '>' | '→' | '՝' | '»' | '፡' | '៖'));
        self.verb_says(found) || (points && !marks)
    }

    /// The same with words that are nothing else in any language: what letters need, which may be
    /// the next word of a sentence.
    pub fn is_said_plainly(&self, found: &Found) -> bool {
        let lead = self.lead(found);
        let word = lead.rsplit(|character: char| character.is_whitespace()).next().unwrap_or("");
        ["is", "es", "est", "ist", "lautet", "adalah", "jest", "ar", "este", "является", "είναι"]
            .contains(&word)
    }

    /// Whether it is a word that says "is".
    pub fn verb_says(&self, found: &Found) -> bool {
        let lead = self.lead(found);
        let lead = lead.trim_end_matches([':', ' ']);
        let word = lead
            .rsplit(|character: char| {
                character.is_whitespace() || matches!(character, ',' | '(' | ')')
            })
            .next()
            .unwrap_or("");
        let spoken = ELSEWHERE.iter().find(|(is, _)| *is == word);
        if spoken.is_some_and(|(_, stems)| !self.has_stem(found, stems)) {
            return false;
        }
        IS.contains(&word) || IS_ENDINGS.iter().any(|ending| lead.ends_with(ending))
    }

    /// Whether one of `stems` stands before the candidate in its clause.
    fn has_stem(&self, found: &Found, stems: &[&str]) -> bool {
        let clause = self.clauses[found.start];
        let start = (0..found.start)
            .rev()
            .take(REACH)
            .take_while(|place| self.clauses[*place] == clause)
            .last()
            .unwrap_or(found.start);
        let before: String = self.text.chars[start..found.start]
            .iter()
            .filter_map(|character| super::normal::folded_char(*character))
            .collect();
        stems.iter().any(|stem| before.contains(stem))
    }

    /// The folded text before the candidate, without quotes and brackets that open it.
    fn lead(&self, found: &Found) -> String {
        let opening = |character: &&char| {
            matches!(
                **character,
                ' ' | '\n'
                    | '"'
                    | '\''
                    | '“'
                    | '„'
                    | '«'
                    | '‘'
                    | '('
                    | '['
                    | '<'
                    | '{'
                    | '*'
                    | '#'
                    | '「'
                    | '【'
                    | '『'
                    | '`'
                    | '_'
                    | '~'
                    | '-'
                    | '–'
            )
        };
        let chars = self.text.chars[..found.start].iter().rev().skip_while(opening).take(14);
        chars
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .filter_map(|character| super::normal::folded_char(*character))
            .collect()
    }

    /// Whether nothing but a name or a greeting and its mark stand before the candidate in its
    /// clause.
    pub fn opens(&self, found: &Found) -> bool {
        let clause = self.clauses[found.start];
        let head = self.text.chars[..found.start].iter().rev().take(OPENING).enumerate();
        let start =
            head.take_while(|(back, _)| self.clauses[found.start - 1 - back] == clause).count();
        let opening = &self.text.chars[found.start - start..found.start];
        let mark = opening
            .iter()
            .rev()
            .find(|character| !matches!(character, ' ' | '\n' | '"' | '“' | '«' | '(' | '*'));
        match mark {
            Some(']' | '】' | '>' | ')' | '#' | '》') => true,
            None | Some(':' | ',' | '、' | '-' | '|') => start < OPENING,
            Some(_) => false,
        }
    }

    fn numbers(&self, from: usize, to: usize) -> bool {
        let gap = &self.text.chars[from.min(to)..to];
        gap.len() <= REACH
            && gap.split(|character| !character.is_ascii_digit()).any(|run| run.len() >= 3)
    }
}

fn closeness(gap: &[char], numbers: bool) -> Bond {
    if numbers || gap.len() > REACH {
        return Bond::Message;
    }
    let words =
        gap.split(|character| !character.is_alphanumeric()).filter(|word| !word.is_empty()).count();
    let letters = gap.iter().filter(|character| character.is_alphanumeric()).count();
    if words <= 1 && letters <= 10 { Bond::Beside } else { Bond::Near }
}
