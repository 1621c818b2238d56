//! Platforms in a sentence: names, aliases, typos; and brand words that are common words, which
//! need company.

use events::platform::Platform;
use strsim::osa_distance;

use super::fold::{Text, Word};

/// Brand words that are common words, too.
const COMMON: &[(&str, Platform)] = &[
    ("wa", Platform::WhatsApp),
    ("x", Platform::Twitter),
    ("line", Platform::Line),
    ("wise", Platform::Wise),
    ("steam", Platform::Steam),
    ("snap", Platform::Snapchat),
];

/// Words one letter from a platform's name, or nearly, that mean what they say.
const NOT_TYPOS: &[&str] = &[
    "discard",
    "discords",
    "tender",
    "tinker",
    "tinier",
    "viper",
    "fiber",
    "telegraph",
    "telegrams",
    "amazing",
    "amazed",
    "stream",
    "google's",
    "giggle",
    "goggles",
    "twister",
    "reedit",
    "reddish",
    "microbit",
    "revolt",
    "revolve",
    "yahoos",
    "winder",
    "binary",
    "balance",
    "finance",
    "rented",
    "liner",
    "netflix's",
    "twitch",
    "paypass",
    "payroll",
    "airbus",
    "signal",
    "spotted",
    "uberall",
    "überall",
    "zuber",
    "amazonas",
];

/// Words that make a common word beside them a platform's name.
const COMPANY_AFTER: &[&str] = &[
    "account",
    "accounts",
    "app",
    "verification",
    "verify",
    "code",
    "otp",
    "sms",
    "number",
    "numbers",
    "guard",
    "login",
    "signup",
    "registration",
    "messenger",
    "konto",
    "nummer",
    "cuenta",
    "compte",
    "conta",
    "hesabi",
    "akun",
    "nomor",
    "numara",
    "numarasi",
    "kod",
    "numer",
    "numero",
    "código",
    "codigo",
    "please",
    "pls",
    "uk",
    "us",
    "usa",
    "verifizierung",
    "verificacion",
    "verificacao",
    "verifica",
    "verifikasi",
    "dogrulama",
];
const COMPANY_BEFORE: &[&str] = &[
    "for",
    "on",
    "fur",
    "para",
    "pour",
    "per",
    "dla",
    "icin",
    "voor",
    "untuk",
    "для",
    "на",
    "my",
    "a",
    "an",
    "via",
    "cho",
    "numero",
    "number",
    "code",
    "di",
    "de",
    "da",
    "platform",
    "akun",
    "konto",
    "app",
    "registrieren",
    "bei",
    "sur",
    "su",
    "auf",
    "w",
    "na",
    "het",
];

/// Words of forms that a platform stands behind.
const FIELDS: &[&str] = &["service", "platform", "app", "site", "name", "website", "for"];

/// The platform whose name is a slip away from a word that is no other one.
pub fn misspelt(word: &str) -> Option<Platform> {
    if NOT_TYPOS.contains(&word) { None } else { closest(word) }
}

fn closest(word: &str) -> Option<Platform> {
    let letters = word.chars().count();
    if letters < 5 || !word.is_ascii() {
        return None;
    }
    let distance = |platform: &Platform| osa_distance(word, platform.slug());
    let (best, platform) = Platform::ALL
        .iter()
        .filter(|platform| platform.slug().len() >= 5)
        .map(|platform| (distance(platform), *platform))
        .min()?;
    let allowed = if platform.slug().len() >= 8 { 2 } else { 1 };
    // The first letter is rarely the wrong one, and other words are a first letter away.
    let same_start = word.chars().next() == platform.slug().chars().next();
    (best <= allowed && same_start && platform != Platform::Steam).then_some(platform)
}

/// Brand words that are common words, by the word's place, where their company says which they are.
/// In a sentence of another language they are no words but the brand.
pub fn common(
    text: &Text,
    is_english: bool,
    is_name: impl Fn(usize) -> bool,
) -> Vec<(usize, Platform)> {
    let mut found = Vec::new();
    for (place, word) in text.words.iter().enumerate() {
        let Some((name, platform)) = COMMON.iter().find(|(name, _)| word.folded == *name) else {
            continue;
        };
        let before = place
            .checked_sub(1)
            .and_then(|before| text.words.get(before))
            .filter(|before| before.gap.trim().is_empty());
        let after = text.words.get(place + 1);
        let is_multiplied = *name == "x"
            && after.is_some_and(|after| ["favor", "fa", "fav"].contains(&&*after.folded));
        // Among letters of another script it is the brand: `LINEとインスタ`.
        let is_foreign = before.is_some_and(|word| !word.folded.is_ascii())
            || after.is_some_and(|word| !word.folded.is_ascii());
        // A form names it: `service="steam"`.
        let is_field = place > 0
            && FIELDS.contains(&text.words[place - 1].folded.as_str())
            && text.words[place - 1].gap.contains([':', '=']);
        // An item of a list, written as a name: `Poland, Steam`.
        let is_item = place > 0
            && *name != "x"
            && text.words[place - 1].gap.contains([',', ';', ':', '-'])
            && word.written.chars().next().is_some_and(char::is_uppercase)
            && !text.is_shouted
            && (after.is_none() || word.gap.contains([',', ';', '.']));
        let fits = !is_english
            || is_field
            || is_item
            || is_foreign
            || is_platform(name, word, before, after.filter(|_| word.gap.trim().is_empty()), text)
            || is_listed(text, place, &is_name);
        if !is_multiplied && !is_denied(name, before, after) && fits {
            found.push((place, *platform));
        }
    }
    found
}

/// Whether it stands in a list with a platform's name: `steam and discord`.
fn is_listed(text: &Text, place: usize, is_name: impl Fn(usize) -> bool) -> bool {
    let joins = |joint: usize| {
        text.words.get(joint).is_some_and(|word| ["and", "or"].contains(&word.folded.as_str()))
    };
    joins(place + 1) && is_name(place + 2) || place >= 2 && joins(place - 1) && is_name(place - 2)
}

fn is_platform(
    name: &str,
    word: &Word,
    before: Option<&Word>,
    after: Option<&Word>,
    text: &Text,
) -> bool {
    if name == "wa" {
        return true;
    }
    let before = before.map(|before| before.folded.as_str());
    let after_word = after.map(|after| after.folded.as_str());
    let is_name_like =
        word.written.chars().next().is_some_and(char::is_uppercase) && !text.is_shouted;
    let is_short = text.words.len() <= 3;
    // A place behind it, in a sentence that says little else.
    let has_place =
        text.words.len() <= 4 && after_word.is_some_and(|after| ["in", "from"].contains(&after));
    let after_fits = has_place || after_word.is_some_and(|after| COMPANY_AFTER.contains(&after));
    // `a line for my phone` is none; `a line number` is.
    if name == "line"
        && !is_name_like
        && !after_fits
        && before.is_some_and(|before| ["a", "my", "any"].contains(&before))
    {
        return false;
    }
    let before_fits = before.is_some_and(|before| COMPANY_BEFORE.contains(&before));
    // At the end of `... for line`, or before a name: `wise account`; alone, or nearly: `steam uk`.
    let ends = after.is_none();
    after_fits
        || (before_fits && (ends || after_fits || is_name_like))
        || is_short && (ends || before.is_none())
        || (is_name_like && name != "x" && before.is_some())
}

/// A phone line, a price-wise, a steam engine, an x-ray: the word itself.
fn is_denied(name: &str, before: Option<&Word>, after: Option<&Word>) -> bool {
    let (denied_before, denied_after) = match name {
        "line" => (
            &[
                "phone",
                "land",
                "new",
                "second",
                "the",
                "telephone",
                "voip",
                "this",
                "that",
                "hot",
                "help",
                "fixed",
                "business",
            ][..],
            &["of", "up", "dance", "manager"][..],
        ),
        "wise" => (
            &["be", "is", "very", "so", "the", "are", "was", "price", "clock"][..],
            &["man", "choice", "words", "guy", "to", "idea"][..],
        ),
        "steam" => (
            &["of", "hot", "the", "full", "more"][..],
            &["engine", "room", "iron", "cleaner", "train", "bath", "boat", "power", "machine"][..],
        ),
        "x" => (
            &["2", "3", "4", "5", "generation", "mac", "os", "iphone", "by"][..],
            &["ray", "rays", "factor", "men", "mas", "box", "y"][..],
        ),
        "snap" => (&["a", "oh", "cold"][..], &["decision", "judgment", "peas"][..]),
        _ => (&[][..], &[][..]),
    };
    before.is_some_and(|word| denied_before.contains(&word.folded.as_str()))
        || after.is_some_and(|word| denied_after.contains(&word.folded.as_str()))
}
