//! Whether a sentence asks for something other than a new number. Ordering then would spend money that nobody wanted to spend.

use std::sync::LazyLock;

use super::fold::Text;
use super::lexicon::Lexicon;

static OTHER_WISHES: LazyLock<Lexicon> = LazyLock::new(|| {
    let names: Vec<&str> = include_str!("intents.txt").lines().filter(|line| !line.starts_with('#')).collect();
    Lexicon::of(&[&format!("other\t{}", names.join("|"))], None)
});

/// Whether it asks for a price, a status, an end, an explanation, or for nothing.
pub fn asks_for_something_else(text: &Text) -> bool {
    !OTHER_WISHES.find(&text.lower, &text.folded).is_empty()
}
