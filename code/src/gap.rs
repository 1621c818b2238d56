//! Words between a label and its number.

/// Words between a label and its number that say nothing.
const FILLERS: [&str; 30] = [
    "no",
    "nr",
    "number",
    "num",
    "id",
    "is",
    "der",
    "nummer",
    "numero",
    "a",
    "the",
    "us",
    "at",
    "on",
    "de",
    "номер",
    "号",
    "號",
    "番号",
    "번호",
    "หมายเลข",
    "رقم",
    "شماره",
    "numer",
    "čislo",
    "nomor",
    "so",
    "n",
    "número",
    "it",
];

/// Letters of the words in `between` that say something; `None` if the two places do not belong
/// together.
pub fn letters_between(between: &[char]) -> Option<usize> {
    let ends = between.iter().any(|character| matches!(character, '!' | '?' | '\n' | '。'))
        || (between.len() > 6 && between.contains(&'.'));
    // Another number between belongs to the label; a longer stretch is another matter.
    if between.len() > 18 || ends || between.iter().any(char::is_ascii_digit) {
        return None;
    }
    let words: String = between.iter().collect::<String>().to_lowercase();
    let telling = words
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty() && !FILLERS.contains(word));
    Some(telling.map(|word| word.chars().count()).sum())
}
