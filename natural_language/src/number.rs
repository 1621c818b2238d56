//! Digits in a sentence: how many, a dial code, a measure, or something else.

use super::fold::Word;
use super::place;

/// What digits are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// They are none.
    None,
    /// One number, a measure (`6 digit`), or read elsewhere.
    Said,
    /// A dial code with its zeros.
    Place(String),
    /// So many, or a bare dial code.
    Count(u32),
    /// A telephone number, a code, a year.
    Other,
}

/// What is measured and not ordered.
const MEASURES: &str = "min mins minute minutes sec secs second seconds h hour hours day days \
    digit digits step factor minuten minuti minutos минут минуты \
    мин хв хвилин dakika minut minuty 分 分钟 分鐘 분 दिन मिनट دقائق دقيقة menit phut phút นาที stellig \
    stelligen 位 桁 자리 stunden tage tag \
    stunde";

/// What is counted by a number of its own, and not ordered: `Step 3`.
const STEPS: &str = "step stage task phase part item goal schritt aufgabe etape tache paso etapa \
    passo tarefa tappa stap steg шаг этап крок krok adim langkah buoc ステップ 단계 步骤";

/// What the digits at a place are.
pub fn of(words: &[Word], place: usize, follows_plus: bool) -> Number {
    let word = &words[place].folded;
    let Some(digits) = digits(word) else { return multiple(word) };
    let next = words.get(place + 1).map(|next| next.folded.as_str());
    if follows_plus
        || words[..place].iter().rev().take(4).any(|before| before.gap.contains('+'))
            && is_run(words, place)
    {
        return Number::Said;
    }
    if next.is_some_and(|next| MEASURES.split(' ').any(|known| known == next))
        || digits.trim_start_matches('0') == "1" && digits.len() < 3
    {
        return Number::Said;
    }
    let before = place.checked_sub(1).map(|before| words[before].folded.as_str());
    let is_step = before.is_some_and(|before| STEPS.split(' ').any(|known| known == before));
    let is_mark = place == 0 && words[place].gap.starts_with(['.', ')']);
    if digits.len() < 3 && (is_step || is_mark) {
        return Number::Said;
    }
    if let Some(code) = digits.strip_prefix("00").filter(|code| !code.is_empty()) {
        return place::country_of_digits(code).map_or(Number::Other, Number::Place);
    }
    match digits.parse() {
        Ok(count) if digits.len() <= 3 => Number::Count(count),
        _ => Number::Other,
    }
}

/// Whether only digits stand between here and the plus.
fn is_run(words: &[Word], place: usize) -> bool {
    let plus = words[..place].iter().rposition(|before| before.gap.contains('+')).unwrap_or(place);
    words[plus + 1..=place].iter().all(|word| digits(&word.folded).is_some())
}

/// A bare dial code of two digits or more.
pub fn is_dial_code(count: u32) -> bool {
    count >= 10 && place::is_dial_code(&count.to_string())
}

/// Whether a figure stands for a word of the same sound: `number 4 telegram`. Behind the number,
/// with none behind it.
pub fn is_preposition(words: &[Word], place: usize) -> bool {
    let goes_on = |word: &Word| {
        !["number", "numbers", "code", "codes", "sims", "accounts", "x", "times"]
            .contains(&word.folded.as_str())
    };
    ["4", "2"].contains(&words[place].folded.as_str())
        && place + 1 < words.len()
        && words[place + 1..].iter().all(goes_on)
}

/// Digits of any script, as ASCII.
fn digits(word: &str) -> Option<String> {
    word.chars().map(digit).collect()
}

fn digit(character: char) -> Option<char> {
    const ZEROS: [u32; 6] = [0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50];
    let code = u32::from(character);
    ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&code))
        .and_then(|zero| char::from_digit(code - zero, 10))
}

/// `5x` and `x5`.
fn multiple(word: &str) -> Number {
    let rest = word
        .strip_suffix(['x', 'х'])
        .or_else(|| word.strip_prefix(['x', 'х']))
        .filter(|rest| !rest.is_empty());
    match rest.and_then(digits).and_then(|digits| digits.parse().ok()) {
        Some(1) => Number::Said,
        Some(count) => Number::Count(count),
        None => Number::None,
    }
}
