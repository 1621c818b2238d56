//! What letters and digits look like when they are no code.

use super::candidate::Found;
use super::money;
use super::normal::Text;

/// The states that a postcode of the USA follows.
const STATES: &str = "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO \
    MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC";

/// `Shop24`, `WIN88`, `X7661`: a word, or one letter, and then only digits.
pub fn is_name(code: &str) -> bool {
    let head = code.bytes().take_while(u8::is_ascii_alphabetic).count();
    let tail = code[head..].bytes().take_while(u8::is_ascii_digit).count();
    let digits_only = head + tail == code.len();
    let small = code.bytes().take(head).filter(u8::is_ascii_lowercase).count();
    digits_only && ((small >= 2 && head > small) || (head >= 3 && tail <= 2) || head == 1)
}

/// `25PM`, `1230am`: the end of a time of day.
pub fn is_hour(code: &str) -> bool {
    let head = code.bytes().take_while(u8::is_ascii_digit).count();
    (1..=4).contains(&head)
        && ["am", "pm", "hrs", "uhr"].contains(&code[head..].to_ascii_lowercase().as_str())
}

/// `X1234`, `xx1234`: a mask and the end of a card's number.
pub fn is_masked(code: &str) -> bool {
    let head = code.bytes().take_while(|byte| matches!(byte, b'x' | b'X')).count();
    head >= 1 && code.len() - head <= 4 && code[head..].bytes().all(|byte| byte.is_ascii_digit())
}

/// `500USD`, `Rs500`: money without its space.
pub fn is_money_mixed(code: &str) -> bool {
    let head = code.bytes().take_while(u8::is_ascii_digit).count();
    let tail = code.bytes().rev().take_while(u8::is_ascii_digit).count();
    (head > 0
        && code[head..].len() >= 3
        && money::is_money(&code[head..])
        && code[head..].bytes().all(|byte| byte.is_ascii_alphabetic()))
        || (tail > 0 && code.len() - tail >= 3 && money::is_money(&code[..code.len() - tail]))
}

/// `RM482`: digits behind a word for money.
pub fn is_money_opened(code: &str) -> bool {
    let head = code.bytes().take_while(u8::is_ascii_alphabetic).count();
    head > 0
        && code[head..].bytes().all(|byte| byte.is_ascii_digit())
        && money::is_money(&code[..head])
}

/// `20261124`, `24112026`: a day of these years without separators.
pub fn is_day(code: &str) -> bool {
    let value =
        |from: usize, to: usize| code.get(from..to).and_then(|part| part.parse::<u32>().ok());
    let is_year = |year: Option<u32>| year.is_some_and(|year| (2015..2040).contains(&year));
    let is_month = |month: Option<u32>| month.is_some_and(|month| (1..=12).contains(&month));
    let is_day = |day: Option<u32>| day.is_some_and(|day| (1..=31).contains(&day));
    let year_first = is_year(value(0, 4)) && is_month(value(4, 6)) && is_day(value(6, 8));
    let year_last = is_day(value(0, 2)) && is_month(value(2, 4)) && is_year(value(4, 8));
    code.len() == 8 && (year_first || year_last)
}

/// `Mountain View, CA 94043`: five digits behind a comma and a state.
pub fn is_postcode(text: &Text, found: &Found) -> bool {
    let Some(lead) = found.start.checked_sub(5).map(|from| &text.chars[from..found.start]) else {
        return false;
    };
    let [',', ' ', first, second, ' '] = lead else { return false };
    let state: String = [first, second].into_iter().collect();
    found.code.len() == 5
        && found.code.bytes().all(|byte| byte.is_ascii_digit())
        && STATES.split(' ').any(|known| known == state)
}

/// Small letters of a word that somebody chose: chance makes no more of them beside each other.
const MIN_WORD: usize = 5;

/// Whether it is a word with a number, as people's own passwords are: `Fluffy1968`.
pub fn is_worded(code: &str) -> bool {
    let letters = code.trim_end_matches(|character: char| character.is_ascii_digit());
    letters.len() < code.len()
        && letters.chars().all(|character| character.is_ascii_alphabetic())
        && letters.chars().filter(char::is_ascii_lowercase).count() >= MIN_WORD
}
