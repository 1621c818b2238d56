//! Texts that people write into the log: reasons, bases, notes, statements.

/// Longest reason that is taken of an operator, in characters.
pub const LONGEST_REASON: usize = 1_000;

/// Whether `text` says something, in at most `longest` characters that can all be seen.
pub fn is_said_within(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && is_within(text, longest) && is_shown(text)
}

/// Whether `text` has at most `longest` characters.
pub fn is_within(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest
}

/// Whether `text` is one line that shows as what it is: nothing in it moves a terminal's cursor,
/// ends a line, or turns the direction of reading. The joiners that Persian and Hindi are written
/// with stay.
pub fn is_shown(text: &str) -> bool {
    !text.contains(is_hidden)
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_said_when_all_of_it_can_be_seen() {
        for said in ["board of 12 May", "Prüfung läuft", "चालू है", "не надо", "می\u{200c}خواهم"]
        {
            assert!(is_said_within(said, 40), "{said}");
        }
        for hidden in [
            "a\u{1b}[2Jb",
            "a\nb",
            "a\tb",
            "a\0",
            "\u{202e}abc",
            "a\u{2066}b",
            "\u{61c}a",
            "a\u{ad}",
            "a\u{85}b",
            "\u{200b}",
            "tag\u{e0041}",
        ] {
            assert!(!is_said_within(hidden, 40), "{hidden:?}");
        }
        assert!(!is_said_within(" ", 40) && !is_said_within("abc", 2) && !is_said_within("", 2));
    }
}
