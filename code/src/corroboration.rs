//! What a message says beside its word for "code". Lockers, offers and members have codes, too, and
//! in more ways than any list has words for; whoever sends one to log in with says so, or nothing
//! else.

use super::bind::{Bond, Words};
use super::brand::Owner;
use super::candidate::Found;
use super::evidence::Evidence;
use super::filler;
use super::lexicon::{Class, Hit};
use super::number::Region;
use super::reason::Reason;
use super::stray;

/// Letters that a message may hold beside the words that codes are spoken of with: a pronoun, a
/// greeting.
const MAX_OTHER_LETTERS: usize = 3;
/// The same where the message has other numbers.
const MAX_COUNTED_LETTERS: usize = 2;
/// Letters of a clause that says that its number is the code: an ending that no list has.
const MAX_SAID_LETTERS: usize = 3;
/// Letters looked at: more than these are too many.
const MAX_LETTERS: usize = 400;
/// Digits looked at: more is no message but an attack.
const MAX_DIGITS: usize = 40;
/// The same where a service is expected that the message does not name.
const MAX_UNNAMED_LETTERS: usize = 3;

/// Characters of a link that are looked at.
const MAX_LINK: usize = 80;
/// Characters of a label before its colon.
const MAX_LABEL: usize = 20;
/// Letters of an article or a preposition that is written together with a name, and one.
const MAX_ARTICLE: usize = 4;

/// Letters of words of verifying beside a name: more are a sentence.
const MAX_TOLD: usize = 40;

/// What messages are called beside a word for "code".
const MESSAGES: [&str; 3] = ["sms", "смс", "مسج"];
/// Words for "code" looked at: more is no message but an attack.
const MAX_KEYS: usize = 16;

/// Whether nothing but a word for "code" speaks for the candidate, in a message that says other
/// things as well.
pub fn is_missing(evidence: &Evidence<'_>, found: &Found, bond: Bond) -> bool {
    let speaks =
        [Class::Verify, Class::Secret, Class::Valid].iter().any(|class| evidence.says(*class))
            || evidence.owner == Owner::Expected
            || is_for_payment(evidence);
    let is_told = found.origin_bound || found.prefixed || evidence.says_one_time(found);
    if speaks || is_told || is_of_a_message(evidence) || is_in_a_link(evidence, found) {
        return false;
    }
    if !matches!(bond, Bond::Beside | Bond::Near | Bond::Said) {
        return false;
    }
    let rest = evidence.rest.get_or_init(|| UncoveredText::of(evidence));
    if bond == Bond::Said {
        // "The code of the shed is 4812": what the clause names between them is what it opens.
        return rest.letters_in_clause(&evidence.words, found) > MAX_SAID_LETTERS;
    }
    let most = if rest.has_other_numbers(found) {
        MAX_COUNTED_LETTERS
    } else if evidence.service.is_some() {
        MAX_UNNAMED_LETTERS
    } else {
        MAX_OTHER_LETTERS
    };
    rest.weight(&evidence.words) > most
}

/// Whether a link carries the code as well: "… code 481207 or tap `https://acme.example/v/481207`".
fn is_in_a_link(evidence: &Evidence<'_>, found: &Found) -> bool {
    let links = evidence.regions.iter().filter(|region| region.reason == Reason::Url);
    let carries = |region: &Region| {
        let link = &evidence.words.text.chars[region.start..region.end];
        let link: String = link.iter().take(MAX_LINK).collect();
        found.end <= region.start && link.contains(&found.code)
    };
    links.take(MAX_KEYS).any(carries)
}

/// What a bank calls a card, an account, an operation or a sum, at the beginning of the word.
const BANKING: [&str; 48] = [
    "card",
    "carta",
    "carte",
    "cartao",
    "cartão",
    "tarjeta",
    "karte",
    "kart",
    "карт",
    "kad",
    "account",
    "acct",
    "a/c",
    "acc",
    "cuenta",
    "conta",
    "compte",
    "conto",
    "konto",
    "konta",
    "operaci",
    "operacj",
    "transac",
    "txn",
    "счет",
    "kwot",
    "amount",
    "amt",
    "betrag",
    "monto",
    "importe",
    "montant",
    "importo",
    "valor",
    "sum",
    "сум",
    "tutar",
    "iznos",
    "virement",
    "transfer",
    "überweis",
    "bonific",
    "przelew",
    "مبلغ",
    "بمبلغ",
    "المبلغ",
    "عملية",
    "لعملية",
];

/// Whether a code is for a card, or for a sum that is named with its currency, in a message that is
/// about nothing to be fetched, opened or won.
pub(super) fn is_for_payment(evidence: &Evidence<'_>) -> bool {
    const OTHERWISE: [Class; 5] =
        [Class::Parcel, Class::Place, Class::Ad, Class::Courier, Class::Delivery];
    let is_payment =
        evidence.says(Class::Ending) || (evidence.says(Class::Payment) && evidence.names_sum());
    let text = evidence.words.text;
    let refers = |hit: &Hit| {
        let word = text.lower(hit.start..hit.end);
        // "الرقم السري", a secret number: the word for "code" has it.
        let is_of_key = |key: &Hit| key.start <= hit.start && hit.start < key.end;
        hit.class == Class::Reference
            && !BANKING.iter().any(|stem| word.starts_with(stem))
            && !evidence
                .words
                .hits
                .iter()
                .filter(|hit| hit.class == Class::Key)
                .take(MAX_KEYS)
                .any(is_of_key)
    };
    is_payment
        && !OTHERWISE.iter().any(|class| evidence.says(*class))
        && !evidence.words.hits.iter().any(refers)
}

/// Whether the message says nothing beside names, words of verifying and of keeping secret, and
/// one number: at least one name.
pub(super) fn says_but_names(evidence: &Evidence<'_>) -> bool {
    let rest = evidence.rest.get_or_init(|| UncoveredText::of(evidence));
    let tells = |place: usize| {
        evidence.words.hits.iter().any(|hit| {
            matches!(hit.class, Class::Verify | Class::Secret | Class::Valid | Class::With)
                && (hit.start..hit.end).contains(&place)
        })
    };
    rest.has_name && rest.letters.len() < MAX_TOLD && rest.letters.iter().all(|place| tells(*place))
}

/// Stretches that tell nothing of what the message is about: it may say when it was sent, and where
/// to read on.
const fn is_silent(reason: Reason) -> bool {
    matches!(reason, Reason::Url | Reason::AppHash | Reason::Date | Reason::TimeOfDay)
}

/// What a message says beside its codes and the words that they are spoken of with.
#[derive(Debug)]
pub struct UncoveredText {
    /// Where its first letters are that no word explains.
    letters: Vec<usize>,
    /// Where its first digits are, addresses and times aside.
    digits: Vec<usize>,
    /// Whether it names somebody, and no service is expected.
    has_name: bool,
}

impl UncoveredText {
    fn of(evidence: &Evidence<'_>) -> Self {
        let chars = &evidence.words.text.chars;
        let mut silent = vec![false; chars.len()];
        let addresses = evidence.regions.iter().filter(|region| is_silent(region.reason));
        for region in addresses {
            silent[region.start..region.end].fill(true);
        }
        let is_digit = |place: &usize| chars[*place].is_ascii_digit() && !silent[*place];
        let digits = (0..chars.len()).filter(is_digit).take(MAX_DIGITS).collect();
        let has_name = evidence.service.is_none() && {
            let unsent = vec![false; chars.len()];
            let is_told = |start: usize| {
                evidence.words.hits.iter().any(|hit| (hit.start..hit.end).contains(&start))
            };
            names(evidence, &unsent).any(|(start, _)| !is_told(start))
        };
        Self { letters: other_letters(evidence, silent), digits, has_name }
    }

    /// Those of its letters that stand in the candidate's clause.
    fn letters_in_clause(&self, words: &Words<'_>, found: &Found) -> usize {
        let clauses = words.clauses[found.start]..=words.clauses[found.end - 1];
        let refers = |hit: &&Hit| matches!(hit.class, Class::Reference | Class::Business);
        let named: Vec<&Hit> = words.hits.iter().filter(refers).take(MAX_KEYS).collect();
        let is_named = |place: usize| named.iter().any(|hit| (hit.start..hit.end).contains(&place));
        let is_here = |place: &&usize| {
            !is_named(**place)
                && clauses.contains(&words.clauses[**place])
                && !(found.start..found.end).contains(*place)
        };
        self.letters.iter().filter(is_here).map(|place| weight(words.text.chars[*place])).sum()
    }

    /// All of its letters.
    fn weight(&self, words: &Words<'_>) -> usize {
        self.letters.iter().map(|place| weight(words.text.chars[*place])).sum()
    }

    /// Whether it counts or names anything but the candidate: "Locker 56, code 481207, 3 days".
    fn has_other_numbers(&self, found: &Found) -> bool {
        self.digits.iter().any(|place| *place < found.start || found.end <= *place)
    }
}

/// Whether it is a Chinese, Japanese or Korean letter.
pub(super) const fn is_dense(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// Of Chinese, Japanese and Korean letters two are a word.
fn weight(letter: char) -> usize {
    if is_dense(letter) { 2 } else { 1 }
}

/// Whether the word for "code" says that it came as a message: "SMS code", "код из СМС".
fn is_of_a_message(evidence: &Evidence<'_>) -> bool {
    let chars = &evidence.words.text.chars;
    let is_message = |letters: &[char]| {
        let word: String = letters.iter().flat_map(|letter| letter.to_lowercase()).collect();
        MESSAGES.contains(&word.as_str())
    };
    let keys = evidence.words.hits.iter().filter(|hit| hit.class == Class::Key).take(MAX_KEYS);
    keys.into_iter().any(|key| {
        let before = key.start.checked_sub(1).filter(|end| matches!(chars[*end], ' ' | '-'));
        let before = before.and_then(|end| Some(&chars[end.checked_sub(3)?..end]));
        let behind = chars.get(key.end + 1..key.end + 4);
        before.is_some_and(is_message) || behind.is_some_and(is_message)
    })
}

/// Letters of the message that no word of the lists covers, addresses aside, and names, unless a
/// service is expected: they are another's.
fn other_letters(evidence: &Evidence<'_>, mut silent: Vec<bool>) -> Vec<usize> {
    let tells = |hit: &&Hit| matches!(hit.class, Class::Key | Class::Handle | Class::Unit);
    for hit in evidence.words.hits.iter().filter(tells) {
        silent[hit.start..hit.end].fill(true);
    }
    let (mut fillers, mut sent) = (vec![false; silent.len()], vec![false; silent.len()]);
    filler::each(evidence.words.text, |start, end, sends| {
        fillers[start..end].fill(true);
        sent[start] |= sends;
    });
    if evidence.service.is_none() {
        names(evidence, &sent).for_each(|(start, end)| silent[start..end].fill(true));
    }
    silent.iter_mut().zip(fillers).for_each(|(silent, filler)| *silent |= filler);
    let chars = evidence.words.text.chars.iter().zip(&silent).enumerate();
    chars
        .filter(|(_, (character, silent))| character.is_alphabetic() && !**silent)
        .map(|(place, _)| place)
        .take(MAX_LETTERS)
        .collect()
}

/// Names: a label in a script without capitals, and what [`capitals`] tells.
fn names<'a>(
    evidence: &'a Evidence<'_>,
    sent: &'a [bool],
) -> impl Iterator<Item = (usize, usize)> + 'a {
    label(evidence).into_iter().chain(capitals(evidence, sent))
}

/// The label that opens a message before its colon, in a script without capitals (`كريم: …`), if no
/// word of the lists is in it.
fn label(evidence: &Evidence<'_>) -> Option<(usize, usize)> {
    let text = evidence.words.text;
    let end = text.chars.iter().take(MAX_LABEL).position(|character| *character == ':')?;
    let has_case = |letter: &char| letter.is_uppercase() || letter.is_lowercase();
    let cased = text.chars[..end].iter().filter(|letter| has_case(letter)).count();
    let letters = text.chars[..end].iter().filter(|letter| letter.is_alphabetic()).count();
    let is_told = evidence.words.hits.iter().any(|hit| hit.start < end);
    (2 * cased < letters && !is_told).then_some((0, end))
}

/// Latin words in a text of another script ("για το efood"), and words with a capital, or with one
/// behind an article that is written together with them ("yeAcme"). Those that open the message
/// only before its colon, a word for "code" that a mark follows, one for verifying or one for
/// "sent" (`Acme: …`, `Acme code: …`, `Acme sent you …`), since every sentence opens with one.
fn capitals<'a>(
    evidence: &'a Evidence<'_>,
    sent: &'a [bool],
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let chars = &evidence.words.text.chars;
    let is_key = move |place: usize| {
        evidence.words.hits.iter().any(|hit| hit.class == Class::Key && hit.start == place)
    };
    // "Acme code: …", "Acme kodu …" beside "Pool code 4812": a name only where the word for "code"
    // leads to its number by a mark.
    let is_labelling = move |place: usize| {
        let keys = evidence.words.hits.iter();
        let keys = keys.filter(|hit| hit.class == Class::Key && hit.start == place);
        keys.map(|hit| hit.end).max().is_some_and(|end| {
            let mut behind = chars[end..].iter().skip_while(|next| **next == ' ');
            behind.next().is_some_and(|next| !next.is_ascii_digit())
        })
    };
    let is_verify = move |place: usize| {
        evidence.words.hits.iter().any(|hit| hit.class == Class::Verify && hit.start == place)
    };
    let leads = move |end: usize| {
        let gap = chars[end..].iter().take(2).take_while(|character| **character == ' ').count();
        chars.get(end + gap).is_some_and(|next| {
            matches!(next, ':' | '-' | '.' | ']' | '\n' | '\'')
                || next.is_uppercase()
                || is_labelling(end + gap)
                || is_verify(end + gap)
                || (gap == 1 && sent[end + gap])
        })
    };
    let foreign = stray::is_foreign(evidence.words.text);
    let mut place = 0;
    let mut is_opening = true;
    std::iter::from_fn(move || {
        while place < chars.len() {
            let start = place;
            if !chars[start].is_alphabetic() {
                is_opening &= matches!(chars[start], ' ' | '[' | '<' | '#' | '(');
                place += 1;
                continue;
            }
            // Without spaces a name ends where the script does: "あなたのAcmeコード".
            let same_script = |letter: &&char| {
                letter.is_alphabetic()
                    && (!foreign || stray::is_latin(**letter) == stray::is_latin(chars[start]))
            };
            let length = chars[start..].iter().take_while(same_script).count();
            place = start + length;
            let is_joined =
                chars[start..place].iter().take(MAX_ARTICLE).any(|letter| letter.is_uppercase());
            let is_foreign = foreign && stray::is_latin(chars[start]);
            let is_name = (is_joined || is_foreign)
                && !is_key(start)
                && (!is_opening || is_foreign || leads(place));
            is_opening &= is_name;
            if is_name {
                return Some((start, place));
            }
        }
        None
    })
}
