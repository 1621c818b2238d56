//! Every word that is known, in one table: what it means, in which language, and names that take
//! endings.

use std::collections::HashMap;
use std::sync::LazyLock;

use events::platform::Platform;

use super::fold::{comparable, fold, is_unspaced, tokens};

/// What a word does in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Asks for something: need, want, get, give, order.
    Want,
    /// Asks for something to be given, and so asks politely behind a [`Kind::Modal`]: get, give,
    /// order, buy.
    Give,
    /// Asks politely, in the form of a question.
    Polite,
    /// Asks what the other one can or would do: polite before a [`Kind::Give`], a question
    /// otherwise.
    Modal,
    /// Asks what one may do oneself: polite beside a please, a question otherwise.
    May,
    /// Please, in any place.
    Please,
    /// What is sold: number, code, SMS, account.
    Thing,
    /// A message: what is sent with an app, and no number by itself.
    Message,
    /// Runs an app or sends something with it, and asks for something beside a [`Kind::Thing`]
    /// only: open, send.
    Run,
    /// Says nothing by itself.
    Filler,
    /// Stands before a place.
    BeforePlace,
    /// A denial that denies no order: `no rush`.
    Benign,
    /// Makes a question of yes or no.
    Ask,
    /// Makes another question.
    Question,
    /// Asks what it costs, or how to pay.
    Price,
    /// Asks what became of an order.
    Status,
    /// Ends an order, or asks for money back.
    Cancel,
    /// Denies.
    Negated,
    /// Tells what was.
    Past,
    /// Speaks of something else.
    Other,
    /// More than one.
    Quantity,
}

impl Kind {
    /// Whether it speaks against an order, or for another one.
    pub const fn is_against(self) -> bool {
        matches!(
            self,
            Self::Question
                | Self::Price
                | Self::Status
                | Self::Cancel
                | Self::Negated
                | Self::Past
                | Self::Other
                | Self::Quantity
        )
    }

    const NAMES: [(&'static str, Self); 21] = [
        ("want", Self::Want),
        ("give", Self::Give),
        ("polite", Self::Polite),
        ("modal", Self::Modal),
        ("may", Self::May),
        ("please", Self::Please),
        ("message", Self::Message),
        ("run", Self::Run),
        ("thing", Self::Thing),
        ("filler", Self::Filler),
        ("place", Self::BeforePlace),
        ("benign", Self::Benign),
        ("ask", Self::Ask),
        ("question", Self::Question),
        ("price", Self::Price),
        ("status", Self::Status),
        ("cancel", Self::Cancel),
        ("negated", Self::Negated),
        ("past", Self::Past),
        ("other", Self::Other),
        ("quantity", Self::Quantity),
    ];
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// A platform's name.
    Platform(Platform),
    /// The name of a service that is not supported.
    Brand,
    /// A place, by its country's place in [`Dictionary::countries`].
    Place(u16),
    /// A word of a language, by its place in [`Dictionary::languages`].
    Word(u8, Kind),
}

/// All words.
#[derive(Debug, Default)]
pub struct Dictionary {
    /// ISO codes, and CLDR's numbers of continents.
    pub countries: Vec<String>,
    /// ISO 639 codes.
    pub languages: Vec<String>,
    /// Meanings of words without accents.
    phrases: HashMap<Box<str>, Vec<Meaning>>,
    /// Meanings that only the accents tell from other words.
    exact: HashMap<Box<str>, Vec<Meaning>>,
    /// Beginnings of words.
    stems: HashMap<Box<str>, Vec<Meaning>>,
}

/// Tokens of the longest phrase that is looked for.
pub const LONGEST: usize = 12;
/// Letters that may follow a stem.
const LONGEST_ENDING: usize = 7;

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(Dictionary::read);

macro_rules! words {
    ($($language:literal),+ $(,)?) => {
        &[$(($language, include_str!(concat!("../words/", $language, ".txt")))),+]
    };
}

const WORDS: &[(&str, &str)] = words![
    "en", "es", "fr", "de", "pt", "it", "nl", "sv", "da", "no", "fi", "pl", "cs", "hu", "ro", "bg",
    "el", "ru", "uk", "sr", "tr", "az", "kk", "ar", "he", "fa", "ur", "hi", "bn", "ta", "te", "mr",
    "th", "vi", "id", "tl", "zh", "ja", "ko", "ka", "sw", "lt", "lv", "et", "sq", "hy", "uz", "gu",
    "pa", "kn", "ml", "ne", "am", "af", "ca", "gl", "eu", "is", "be", "ha", "si", "mn", "ky", "km",
    "my", "yo", "zu", "cy", "ga", "eo", "so", "ht",
];

/// Languages whose words stand in the list of one that is written alike.
const SISTERS: &[(&str, &str)] = &[("hr", "sr"), ("sl", "sr"), ("sk", "cs"), ("ms", "id")];

impl Dictionary {
    /// The one dictionary, read at first use.
    pub fn get() -> &'static Self {
        &DICTIONARY
    }

    fn read() -> Self {
        let mut all = Self::default();
        for (file, takes_endings) in [
            (include_str!("../data/platforms.txt"), true),
            (include_str!("../data/brands.txt"), false),
        ] {
            for line in lines(file) {
                let (meaning, names) = match line.split_once('\t') {
                    Some((slug, names)) => (
                        Meaning::Platform(slug.parse().expect("platforms.txt names platforms")),
                        names,
                    ),
                    None => (Meaning::Brand, line),
                };
                for name in names.split('|') {
                    all.add(name, meaning);
                    if takes_endings {
                        all.add_stem_of(name, meaning);
                    }
                }
            }
        }
        all.read_places();
        for (language, text) in WORDS {
            let language = all.language(language);
            for line in text.lines() {
                let (name, words) =
                    line.split_once(": ").expect("a line of words is `kind: word|word`");
                let (_, kind) = Kind::NAMES
                    .iter()
                    .find(|(known, _)| *known == name)
                    .expect("kinds of words are known");
                words.split('|').for_each(|word| all.add_word(word, language, *kind));
            }
        }
        for line in lines(include_str!("../data/function_words.txt")) {
            let Some((language, words)) = line.split_once('\t') else { continue };
            let language = all.language(
                SISTERS
                    .iter()
                    .find(|(sister, _)| *sister == language)
                    .map_or(language, |(_, written)| written),
            );
            words.split('|').for_each(|word| all.add_function_word(word, language));
        }
        all
    }

    fn read_places(&mut self) {
        // A name of an earlier file is not another country's in a later one; within a file it may
        // be two countries'.
        let files = [
            include_str!("../data/aliases.txt"),
            include_str!("../data/stems.txt"),
            include_str!("../data/countries.txt"),
            include_str!("../data/others.txt"),
            include_str!("../data/demonyms.txt"),
            include_str!("../data/cities.txt"),
        ];
        let mut earlier: HashMap<Box<str>, u16> = HashMap::new();
        for file in files {
            let mut own = Vec::new();
            for line in lines(file) {
                let Some((code, names)) = line.split_once('\t') else { continue };
                let place =
                    self.countries.iter().position(|known| known == code).unwrap_or_else(|| {
                        self.countries.push(code.to_owned());
                        self.countries.len() - 1
                    });
                let place = u16::try_from(place).expect("countries are few");
                for name in names.split('|').filter(|name| !name.is_empty()) {
                    let key = key(&fold(&comparable(name)));
                    if earlier.get(&key).is_none_or(|known| *known == place) {
                        self.add(name, Meaning::Place(place));
                    }
                    own.push((key, place));
                }
            }
            for (key, place) in own {
                earlier.entry(key).or_insert(place);
            }
        }
    }

    fn language(&mut self, name: &str) -> u8 {
        let place = self.languages.iter().position(|known| known == name).unwrap_or_else(|| {
            self.languages.push(name.to_owned());
            self.languages.len() - 1
        });
        u8::try_from(place).expect("languages are few")
    }

    /// A name: `=` in front: with its accents only; `*` at its end: whatever follows.
    fn add(&mut self, name: &str, meaning: Meaning) {
        let (name, is_marked) = name.strip_prefix('=').map_or((name, false), |name| (name, true));
        // Without accents a short name is another word: Vietnamese Mỹ is English my.
        let lower = comparable(name);
        let is_short = !matches!(meaning, Meaning::Word(..))
            && lower.chars().count() < 5
            && fold(&lower).is_ascii()
            && !lower.is_ascii();
        let is_exact = is_marked || is_short;
        if is_exact {
            push(&mut self.exact, key(&comparable(name)), meaning);
        } else if let Some(stem) = name.strip_suffix('*') {
            push(&mut self.stems, key(&fold(&comparable(stem))), meaning);
            push(&mut self.phrases, key(&fold(&comparable(stem))), meaning);
        } else {
            push(&mut self.phrases, key(&fold(&comparable(name))), meaning);
        }
    }

    fn add_word(&mut self, word: &str, language: u8, kind: Kind) {
        // Without its marks a short Vietnamese word is another one.
        let is_vietnamese = self.languages[usize::from(language)] == "vi";
        let lower = comparable(word);
        if is_vietnamese
            && fold(&lower) != lower
            && lower.chars().count() <= 4
            && !word.starts_with('=')
        {
            push(&mut self.exact, key(&lower), Meaning::Word(language, kind));
        } else {
            self.add(word, Meaning::Word(language, kind));
        }
    }

    /// A function word is one only where its language has no other use for it.
    fn add_function_word(&mut self, word: &str, language: u8) {
        let lower = comparable(word);
        let folded = key(&fold(&lower));
        let is_known = self.phrases.get(&*folded).is_some_and(|known| {
            known.iter().any(|meaning| matches!(meaning, Meaning::Word(of, _) if *of == language))
        });
        if !is_known && !self.exact.contains_key(&*key(&lower)) {
            self.add_word(word, language, Kind::Filler);
        }
    }

    /// Platforms' names take endings where they are long enough: `googlenummer`, `Telegramda`,
    /// `ватсапа`.
    fn add_stem_of(&mut self, name: &str, meaning: Meaning) {
        let folded = fold(&comparable(name));
        let letters = folded.chars().count();
        let is_single = tokens(&folded).len() == 1 && !folded.chars().any(is_unspaced);
        if is_single && letters >= if folded.is_ascii() { 5 } else { 4 } {
            push(&mut self.stems, folded.clone().into(), meaning);
            // Where a sign kills a letter's vowel, an ending takes its place.
            let without = folded.trim_end_matches([
                '\u{94d}', '\u{9cd}', '\u{bcd}', '\u{c02}', '\u{c4d}', '\u{c82}', '\u{ccd}',
                '\u{d02}', '\u{d4d}',
            ]);
            if without != folded {
                push(&mut self.stems, without.into(), meaning);
            }
        }
    }

    /// What a phrase means: by its own letters, or without accents.
    pub fn phrase(&self, lower: &str, folded: &str) -> Vec<Meaning> {
        let exact = self.exact.get(lower).into_iter().flatten();
        exact.chain(self.phrases.get(folded).into_iter().flatten()).copied().collect()
    }

    /// What a single word means by its beginning; the longest known beginning counts.
    pub fn beginning(&self, folded: &str) -> Vec<Meaning> {
        let ends: Vec<usize> = folded
            .char_indices()
            .map(|(at, _)| at)
            .skip(3)
            .chain(std::iter::once(folded.len()))
            .collect();
        let least = ends.len().saturating_sub(LONGEST_ENDING + 1);
        ends[least.min(ends.len())..]
            .iter()
            .rev()
            .find_map(|end| self.stems.get(&folded[..*end]))
            .cloned()
            .unwrap_or_default()
    }

    /// Every single word that is known, with its meanings: for misspelt ones.
    pub fn words(&self) -> impl Iterator<Item = (&str, &[Meaning])> {
        self.phrases.iter().map(|(key, meanings)| (&**key, meanings.as_slice()))
    }
}

fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn push(table: &mut HashMap<Box<str>, Vec<Meaning>>, key: Box<str>, meaning: Meaning) {
    let known = table.entry(key).or_default();
    if !known.contains(&meaning) {
        known.push(meaning);
    }
}

/// A name as phrases are looked up: its tokens, with a space between those of scripts that write
/// one.
fn key(text: &str) -> Box<str> {
    let mut key = String::new();
    for token in tokens(text) {
        join(&mut key, &token);
    }
    key.into()
}

/// Appends a token to a phrase.
pub fn join(phrase: &mut String, token: &str) {
    let is_apart = phrase
        .chars()
        .next_back()
        .is_some_and(|last| !is_unspaced(last) || !token.starts_with(is_unspaced));
    if is_apart {
        phrase.push(' ');
    }
    phrase.push_str(token);
}
