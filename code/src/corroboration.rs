//! What a message says beside its word for "code". Lockers, offers and members have codes, too, and
//! in more ways than any list has words for; whoever sends one to log in with says so, or nothing
//! else.

use super::bind::Bond;
use super::brand::Owner;
use super::candidate::Found;
use super::evidence::Evidence;
use super::lexicon::{Class, Hit};
use super::reason::Reason;

/// Letters that a message may hold beside the words that codes are spoken of with: a pronoun, a
/// greeting.
const MAX_OTHER_LETTERS: usize = 16;
/// The same where a service is expected that the message does not name.
const MAX_UNNAMED_LETTERS: usize = 10;

/// What messages are called beside a word for "code".
const MESSAGES: [&str; 3] = ["sms", "смс", "مسج"];
/// How many letters each of them has.
const MESSAGE_LETTERS: usize = 3;
/// Words for "code" looked at: more is no message but an attack.
const MAX_KEYS: usize = 16;

/// Whether nothing but a word for "code" speaks for the candidate, in a message that says other
/// things as well.
pub fn is_missing(evidence: &Evidence<'_>, found: &Found, bond: Bond) -> bool {
    let speaks =
        [Class::Verify, Class::Secret, Class::Valid].iter().any(|class| evidence.says(*class))
            || evidence.owner == Owner::Expected;
    let is_told = found.origin_bound || found.prefixed || evidence.is_one_time(found);
    if speaks || is_told || is_of_a_message(evidence) {
        return false;
    }
    let most = if evidence.service.is_some() { MAX_UNNAMED_LETTERS } else { MAX_OTHER_LETTERS };
    match bond {
        Bond::Beside | Bond::Near => {
            *evidence.other_letters.get_or_init(|| other_letters(evidence)) > most
        }
        Bond::Said | Bond::NextClause | Bond::Message | Bond::None => false,
    }
}

/// Whether the word for "code" says that it came as a message: "SMS code", "код из СМС".
fn is_of_a_message(evidence: &Evidence<'_>) -> bool {
    let text = evidence.words.text;
    let is_message = |start: usize| {
        let end = start + MESSAGE_LETTERS;
        end <= text.chars.len() && MESSAGES.contains(&text.lower(start..end).as_str())
    };
    let keys = evidence.words.hits.iter().filter(|hit| hit.class == Class::Key).take(MAX_KEYS);
    keys.into_iter().any(|key| {
        let gap = key.start.checked_sub(1).filter(|gap| matches!(text.chars[*gap], ' ' | '-'));
        let before = gap.and_then(|gap| gap.checked_sub(MESSAGE_LETTERS));
        before.is_some_and(is_message) || is_message(key.end + 1)
    })
}

/// Letters of the message that no word of the lists covers, names and addresses aside.
fn other_letters(evidence: &Evidence<'_>) -> usize {
    let text = evidence.words.text;
    let mut other: Vec<bool> =
        text.chars.iter().map(|character| character.is_alphabetic()).collect();
    let tells = |hit: &&Hit| matches!(hit.class, Class::Key | Class::Handle | Class::Unit);
    for hit in evidence.words.hits.iter().filter(tells) {
        other[hit.start..hit.end].fill(false);
    }
    let addresses = evidence
        .regions
        .iter()
        .filter(|region| matches!(region.reason, Reason::Url | Reason::AppHash));
    for region in addresses {
        other[region.start..region.end].fill(false);
    }
    let mut in_name = false;
    let mut letters = 0;
    for (place, character) in text.chars.iter().enumerate() {
        if !character.is_alphabetic() {
            in_name = false;
        } else if !text.before(place).is_some_and(char::is_alphabetic) {
            in_name = character.is_uppercase();
        }
        letters += usize::from(other[place] && !in_name);
    }
    letters
}
