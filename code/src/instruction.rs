//! Messages without a word for "code" that still tell what their number is for.

use super::bind::Bond;
use super::brand::Owner;
use super::candidate::{Found, Kind};
use super::corroboration;
use super::evidence::Evidence;
use super::lexicon::{Class, Hit};
use super::normal::folded_word;
use super::reason::Reason;

/// Words of a clause that says nothing but what to do with its number, and of what a carrier writes
/// behind it.
const MAX_WORDS: usize = 12;
/// Characters of a clause on either side of its number.
const MAX_CLAUSE: usize = 80;
/// Letters between the number and the word by which something is done with it.
const MAX_GAP: usize = 2;
/// Letters of a message that need no meaning: an article, a pronoun.
const MAX_LETTERS: usize = 4;
/// Words before what a number is for.
const PURPOSES: [&str; 15] = [
    "to",
    "pour",
    "para",
    "zum",
    "zur",
    "um",
    "per",
    "voor",
    "för",
    "for",
    "aby",
    "чтобы",
    "щоб",
    "за",
    "untuk",
];
/// Letters of the longest of them, and one.
const MAX_PURPOSE: usize = 7;
/// Words for logging in, and for verifying that are not those of bookings or members, by their
/// beginning.
const LOGINS: [&str; 24] = [
    "verif",
    "login",
    "log in",
    "log-in",
    "logon",
    "signin",
    "sign in",
    "sign-in",
    "auth",
    "autent",
    "autoryz",
    "weryfik",
    "einlogg",
    "inlog",
    "logowan",
    "prihla",
    "giris",
    "2fa",
    "вход",
    "верифик",
    "авториз",
    "验证",
    "登录",
    "認証",
];
/// Classes that say what else a number may be.
const OTHERWISE: [Class; 8] = [
    Class::Ending,
    Class::Business,
    Class::Parcel,
    Class::Place,
    Class::Ad,
    Class::Reply,
    Class::Text,
    Class::Old,
];

/// What speaks for a number that no word for "code" names.
pub fn reasons(evidence: &Evidence<'_>, found: &Found, bond: Bond) -> impl Iterator<Item = Reason> {
    let unnamed = bond <= Bond::Message
        && found.kind == Kind::Digits
        && (4..=8).contains(&found.code.len())
        && evidence.content.has_no_number_but(found.start, found.end);
    let instruction = unnamed
        && (is_instruction(evidence, found)
            || is_verification(evidence, found)
            || is_login_of_a_name(evidence, found)
            || says_nothing_else(evidence, found));
    let secret = unnamed && !instruction && is_only_secret(evidence, found);
    instruction
        .then_some(Reason::Instruction)
        .into_iter()
        .chain(secret.then_some(Reason::OnlySecret))
}

/// "Register with 481-207": a clause of few words, one of them for registering, and one right
/// beside the number by which it is done.
fn is_instruction(evidence: &Evidence<'_>, found: &Found) -> bool {
    let (text, clauses) = (evidence.words.text, evidence.words.clauses);
    let clause = clauses[found.start];
    let from = (0..found.start)
        .rev()
        .take(MAX_CLAUSE)
        .take_while(|place| clauses[*place] == clause)
        .last()
        .unwrap_or(found.start);
    let to = (found.end..text.chars.len())
        .take(MAX_CLAUSE)
        .take_while(|place| clauses[*place] == clause)
        .last()
        .map_or(found.end, |last| last + 1);
    let words = text.chars[from..to]
        .split(|character| character.is_whitespace())
        .filter(|word| !word.is_empty())
        .count();
    let hits: Vec<&Hit> =
        evidence.words.hits.iter().filter(|hit| from <= hit.start && hit.end <= to).collect();
    let says = |class: Class| hits.iter().any(|hit| hit.class == class);
    // A word for a reference tells it off, other than for the account that is opened or entered.
    let is_account =
        |start: usize| hits.iter().any(|hit| hit.class == Class::Verify && hit.start == start);
    let refers = hits.iter().any(|hit| hit.class == Class::Reference && !is_account(hit.start));
    let with = |gap: Option<usize>| gap.is_some_and(|gap| gap <= MAX_GAP);
    let beside = with(evidence.gap_before(found, Class::With))
        || with(evidence.gap_after(found, Class::With))
        || is_for_a_purpose(evidence, found);
    words <= MAX_WORDS
        && beside
        && says(Class::Verify)
        && !refers
        && !OTHERWISE.iter().any(|class| says(*class))
}

/// "481207 to confirm your number": what it is for stands right behind it, and a name at most
/// before it.
fn is_for_a_purpose(evidence: &Evidence<'_>, found: &Found) -> bool {
    let behind = evidence.words.text.chars[found.end..].iter().skip_while(|letter| **letter == ' ');
    let word: String = behind
        .take(MAX_PURPOSE)
        .take_while(|letter| letter.is_alphabetic())
        .flat_map(|letter| letter.to_lowercase())
        .collect();
    evidence.words.opens(found) && PURPOSES.contains(&word.as_str())
}

/// "Confirm your number at Acme: 481207", "481207 verifies your phone for Acme": the expected
/// service speaks of verifying, and of this number.
fn is_verification(evidence: &Evidence<'_>, found: &Found) -> bool {
    let clause = evidence.words.clauses[found.start];
    let verifies = evidence
        .words
        .hits
        .iter()
        .any(|hit| hit.class == Class::Verify && evidence.words.clauses[hit.start] == clause);
    let placed = evidence.words.is_said(found) || evidence.words.opens(found);
    let elsewise =
        [Class::Reference, Class::Other, Class::Receipt].iter().any(|class| evidence.says(*class));
    let otherwise = OTHERWISE.iter().any(|class| evidence.says(*class));
    evidence.owner == Owner::Expected && verifies && placed && !elsewise && !otherwise
}

/// "Acme login: 481207", "481207 - Acme verify": a name, a word for logging in, and nothing else,
/// where no service is expected.
fn is_login_of_a_name(evidence: &Evidence<'_>, found: &Found) -> bool {
    let text = evidence.words.text;
    let logs_in = |hit: &Hit| {
        let word = text.lower(hit.start..hit.end);
        hit.class == Class::Verify && LOGINS.iter().any(|stem| word.starts_with(stem))
    };
    let placed = evidence.words.is_said(found) || evidence.words.opens(found);
    let elsewise = [Class::Reference, Class::Other, Class::Receipt, Class::Filed]
        .iter()
        .any(|class| evidence.says(*class));
    let otherwise = OTHERWISE.iter().any(|class| evidence.says(*class));
    evidence.service.is_none()
        && placed
        && !elsewise
        && !otherwise
        && evidence.words.hits.iter().any(logs_in)
        && corroboration::says_but_names(evidence)
}

/// "[Acme] 481207 (valid 3 mins)": the expected service's name, and beside it only words that codes
/// are spoken of with.
fn says_nothing_else(evidence: &Evidence<'_>, found: &Found) -> bool {
    let Some(service) = evidence.service.filter(|_| evidence.owner == Owner::Expected) else {
        return false;
    };
    let text = evidence.words.text;
    if text.chars.len() > MAX_CLAUSE {
        return false;
    }
    let mut silent: Vec<bool> =
        text.chars.iter().map(|character| !character.is_alphabetic()).collect();
    silent[found.start..found.end].fill(true);
    let tells = |class: Class| {
        matches!(
            class,
            Class::Key
                | Class::Verify
                | Class::Handle
                | Class::Secret
                | Class::Valid
                | Class::Unit
                | Class::With
        )
    };
    evidence
        .words
        .hits
        .iter()
        .filter(|hit| tells(hit.class))
        .for_each(|hit| silent[hit.start..hit.end].fill(true));
    for word in service.words() {
        let word = folded_word(word);
        for (from, _) in text.folded.match_indices(&word) {
            let (start, end) = (text.index_of_byte[from], text.index_of_byte[from + word.len()]);
            silent[start..end].fill(true);
        }
    }
    let otherwise =
        OTHERWISE.iter().any(|class| evidence.says(*class)) || evidence.says(Class::Reference);
    !otherwise && silent.iter().filter(|silent| !**silent).count() <= MAX_LETTERS
}

/// The number that opens a message, has a line of its own, or is what its words for verifying lead
/// to, in a message that is about keeping something secret.
fn is_only_secret(evidence: &Evidence<'_>, found: &Found) -> bool {
    let chars = &evidence.words.text.chars;
    let opens = evidence.content.opens_at(found.start);
    let alone = [
        chars[..found.start].iter().rev().find(|character| **character != ' '),
        chars[found.end..].iter().find(|character| **character != ' '),
    ];
    let own_line =
        alone.iter().all(|neighbour| neighbour.is_none_or(|character| *character == '\n'));
    let said = evidence.says(Class::Verify) && evidence.words.is_said(found);
    let elsewise = [Class::Reference, Class::Business, Class::Parcel, Class::Ad]
        .iter()
        .any(|class| evidence.says(*class));
    let told =
        evidence.says(Class::Verify) && evidence.says(Class::Secret) && evidence.words.opens(found);
    (opens || own_line || said || told)
        && (evidence.says(Class::Secret) || evidence.says(Class::Valid))
        && !elsewise
}
