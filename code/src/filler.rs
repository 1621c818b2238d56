//! Words that tell nothing: "your", "is", "dear customer". No reason asks for them; a message that
//! holds no others says nothing but its code.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::lexicon::is_inside_word;
use super::normal::{Text, folded_word};
use super::table;

struct Fillers {
    automaton: AhoCorasick,
    /// Whether each tells that something was sent to somebody.
    sends: Vec<bool>,
}

static FILLERS: LazyLock<Fillers> = LazyLock::new(|| {
    let automaton = AhoCorasick::new(table::fillers().map(|(word, _)| folded_word(word)))
        .expect("some thousand short words make an automaton");
    Fillers { automaton, sends: table::fillers().map(|(_, sends)| sends).collect() }
});

/// Calls `silence` with the start and end of each such word of `text`, and whether it tells that
/// something was sent to somebody.
pub fn each(text: &Text, mut silence: impl FnMut(usize, usize, bool)) {
    let fillers = &*FILLERS;
    for found in fillers.automaton.find_overlapping_iter(&text.folded) {
        let (start, end) = (text.index_of_byte[found.start()], text.index_of_byte[found.end()]);
        let is_whole = |place: usize| {
            !is_inside_word(text, place) && !table::is_inside_spaced_word(text, place)
        };
        if is_whole(start) && is_whole(end) {
            silence(start, end, fillers.sends[found.pattern().as_usize()]);
        }
    }
}
