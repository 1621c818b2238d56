//! Texts that people write into the log: reasons, bases, statements.

/// Whether `text` says something, in at most `longest` characters.
pub fn is_said_within(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && is_within(text, longest)
}

/// Whether `text` has at most `longest` characters.
pub fn is_within(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest
}
