//! Stretches of a text whose numbers mean something else: addresses, phone numbers, dates, amounts, hashes.

use super::normal::Text;
use super::verdict::Reason;

/// A stretch and what its numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Index of its first character.
    pub start: usize,
    /// Index behind its last character.
    pub end: usize,
    /// What a number in it is.
    pub reason: Reason,
}

/// Signs and codes of money, folded.
const CURRENCIES: &[&str] = &[
    "$",
    "€",
    "£",
    "¥",
    "₹",
    "₽",
    "₩",
    "₫",
    "฿",
    "₺",
    "₴",
    "₱",
    "₦",
    "₪",
    "₸",
    "rs",
    "rs.",
    "inr",
    "usd",
    "eur",
    "gbp",
    "rub",
    "rp",
    "rm",
    "zl",
    "kr",
    "czk",
    "huf",
    "php",
    "vnd",
    "thb",
    "jpy",
    "cny",
    "krw",
    "brl",
    "mxn",
    "aud",
    "cad",
    "sek",
    "pln",
    "uah",
    "руб",
    "р.",
    "грн",
    "円",
    "元",
    "원",
    "บาท",
    "đ",
    "dong",
    "dollars",
    "euros",
    "rupees",
    "pesos",
    "%",
    "percent",
    "bucks",
    "cents",
    "pts",
    "sar",
    "aed",
    "egp",
    "ngn",
    "kes",
    "zar",
    "chf",
    "tl",
    "лв",
    "ft",
    "kc",
    "lei",
];

/// Every such stretch, in no particular order.
pub fn find(text: &Text) -> Vec<Region> {
    let mut regions = Vec::new();
    words_of_addresses(text, &mut regions);
    numbers(text, &mut regions);
    regions.extend(app_hash(text));
    regions
}

/// Addresses on the web and of mail: ASCII words with `://`, `www.`, `@` or a dotted name with a letter before the dot.
fn words_of_addresses(text: &Text, regions: &mut Vec<Region>) {
    let mut start = 0;
    while start < text.chars.len() {
        let length = text.chars[start..].iter().take_while(|character| character.is_ascii_graphic()).count();
        let word = &text.chars[start..start + length];
        if is_address(word) {
            regions.push(Region { start, end: start + length, reason: Reason::Url });
        }
        start += length.max(1);
    }
}

fn is_address(word: &[char]) -> bool {
    let contains = |pattern: &str| {
        let pattern: Vec<char> = pattern.chars().collect();
        word.windows(pattern.len()).any(|window| window == pattern.as_slice())
    };
    if contains("://") || contains("www.") {
        return true;
    }
    // A name, a dot and a lower-case top-level label that ends the word or is followed by a path.
    (1..word.len()).any(|dot| {
        let label = word[..dot].iter().rev().take_while(|character| character.is_ascii_alphanumeric() || **character == '-');
        let lettered = label.clone().any(char::is_ascii_alphabetic);
        let top = word[dot + 1..].iter().take_while(|character| character.is_ascii_lowercase()).count();
        let behind = word.get(dot + 1 + top);
        word[dot] == '.'
            && lettered
            && (2..=6).contains(&top)
            && behind.is_none_or(|character| matches!(character, '/' | '?' | '#' | ':' | ',' | '.' | ')' | '!'))
    })
}

/// Phone numbers, dates, times and amounts: runs of digits with what joins and surrounds them.
fn numbers(text: &Text, regions: &mut Vec<Region>) {
    let mut start = 0;
    while start < text.chars.len() {
        if !text.chars[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let groups = groups_from(text, start);
        let end = groups.last().map_or(start + 1, |group| group.1);
        if let Some(reason) = meaning(text, &groups) {
            regions.push(Region { start, end, reason });
        } else {
            for (from, to) in &groups {
                if let Some(reason) = surroundings(text, *from, *to) {
                    regions.push(Region { start: *from, end: *to, reason });
                }
            }
        }
        start = end;
    }
}

/// Runs of digits from `start` on that single joining characters connect.
fn groups_from(text: &Text, start: usize) -> Vec<(usize, usize)> {
    let run = |from: usize| from + text.chars[from..].iter().take_while(|character| character.is_ascii_digit()).count();
    let mut groups = vec![(start, run(start))];
    loop {
        let (_, end) = *groups.last().expect("it starts with one group");
        let skip = match (text.at(end), text.at(end + 1)) {
            (Some('-' | '/' | '.' | ',' | ':' | ' '), Some(digit)) if digit.is_ascii_digit() => 1,
            (Some(')'), Some(digit)) if digit.is_ascii_digit() => 1,
            (Some(')'), Some(' ' | '-')) if text.at(end + 2).is_some_and(|character| character.is_ascii_digit()) => 2,
            (Some(' '), Some('(')) if text.at(end + 2).is_some_and(|character| character.is_ascii_digit()) => 2,
            _ => return groups,
        };
        groups.push((end + skip, run(end + skip)));
    }
}

/// What the groups are together.
fn meaning(text: &Text, groups: &[(usize, usize)]) -> Option<Reason> {
    let (start, end) = (groups.first()?.0, groups.last()?.1);
    let lengths: Vec<usize> = groups.iter().map(|(from, to)| to - from).collect();
    let total: usize = lengths.iter().sum();
    let joints: Vec<char> = groups.windows(2).filter_map(|pair| text.at(pair[0].1)).collect();
    let all_joints = |wanted: &[char]| !joints.is_empty() && joints.iter().all(|joint| wanted.contains(joint));
    let phone_joints = all_joints(&['-', ' ', '.', ')']);
    let value = |index: usize| {
        groups.get(index).and_then(|(from, to)| text.chars[*from..*to].iter().collect::<String>().parse::<u32>().ok()).unwrap_or(u32::MAX)
    };
    let opened = text.before(start) == Some('(') && joints.first() == Some(&')');
    let plus = text.before(start) == Some('+') || (text.before(start) == Some('(') && start >= 2 && text.at(start - 2) == Some('+'));
    let phone_groups = lengths.iter().all(|length| *length <= 5);
    if ((plus || opened) && total >= 7)
        || (phone_joints && lengths.len() >= 3 && phone_groups && (9..=15).contains(&total) && lengths.iter().any(|length| *length >= 3))
    {
        return Some(Reason::PhoneNumber);
    }
    // Two groups of a phone number's length: 800-5551234.
    if all_joints(&['-']) && (10..=15).contains(&total) || (lengths.len() == 1 && total >= 11) {
        return Some(Reason::PhoneNumber);
    }
    if lengths.len() == 3 && all_joints(&['/', '.', '-']) {
        let (a, b, c) = (value(0), value(1), value(2));
        let year_first = lengths[0] == 4 && (1..=12).contains(&b) && (1..=31).contains(&c);
        let year_last =
            lengths[0] <= 2 && lengths[1] <= 2 && matches!(lengths[2], 2 | 4) && (1..=31).contains(&a) && (1..=31).contains(&b) && a.min(b) <= 12;
        // A dash between pairs of digits may be a code's; only a date's numbers make a date.
        if year_first || (year_last && (joints[0] != '-' || lengths[2] == 4)) {
            return Some(Reason::Date);
        }
    }
    if all_joints(&['/']) {
        return Some(Reason::Date);
    }
    if all_joints(&[':']) && lengths.iter().all(|length| *length <= 2) {
        return Some(Reason::TimeOfDay);
    }
    let thousands = all_joints(&[',', '.']) && lengths[0] <= 3 && lengths[1..].iter().all(|length| *length == 3);
    let last_is_fraction = lengths.len() >= 2 && lengths.last().is_some_and(|length| *length <= 2) && matches!(joints.last(), Some(',' | '.'));
    // `199035,10 minutes`: a comma without its space, not a decimal.
    let decimal = last_is_fraction
        && lengths.len() == 2
        && lengths[0] <= 7
        && !unit_follows(text, end)
        && (joints.last() == Some(&'.') || is_money_beside(text, start, end));
    // `5,000.00`: groups of three, then a fraction behind another sign.
    let whole = lengths.len().saturating_sub(1);
    let both =
        last_is_fraction && whole >= 2 && lengths[0] <= 3 && lengths[1..whole].iter().all(|length| *length == 3) && joints.first() != joints.last();
    (thousands || decimal || both).then_some(Reason::Amount)
}

fn unit_follows(text: &Text, end: usize) -> bool {
    text.chars[end..].iter().find(|character| **character != ' ').is_some_and(|character| character.is_alphabetic())
}

/// What stands right beside one run of digits.
fn surroundings(text: &Text, start: usize, end: usize) -> Option<Reason> {
    let is_letter = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphabetic());
    // In the middle of a word of letters and digits (FX8RP) nothing around it is a sign of its own.
    if is_letter(text.before(start)) && is_letter(text.at(end)) {
        return None;
    }
    if is_money_beside(text, start, end) {
        return Some(Reason::Amount);
    }
    let masked = text.chars[..start].iter().rev().take_while(|character| matches!(character, '*' | '•' | '…' | '·')).count();
    let crossed = text.chars[..start].iter().rev().take_while(|character| matches!(character, 'x' | 'X')).count();
    let dotted = text.chars[..start].iter().rev().take_while(|character| **character == '.').count();
    let open_quote = text.at(end) == Some('*')
        || (masked >= 1 && text.chars[..start - masked].last().is_none_or(|character| *character == ' ') && text.at(end) == Some('*'));
    // A mask is nothing but crosses: XX1234, not W9XX9.
    let masks = crossed >= 2 && !text.before(start - crossed).is_some_and(|character| character.is_ascii_alphanumeric());
    if (masked >= 1 && !open_quote) || masks || dotted >= 2 {
        return Some(Reason::CardEnding);
    }
    matches!(text.at(end), Some('/')).then_some(Reason::Date)
}

fn is_money_beside(text: &Text, start: usize, end: usize) -> bool {
    let is_currency = |word: &str| !word.is_empty() && CURRENCIES.contains(&word);
    let before = text.chars[..start].iter().rev().skip_while(|character| **character == ' ');
    let word_before: String = before
        .take_while(|character| !character.is_whitespace() && !character.is_ascii_digit() && !matches!(character, ':' | '(' | ','))
        .take(9)
        .collect();
    let word_before: String = word_before.chars().rev().flat_map(char::to_lowercase).collect();
    // A sign of money clings to its number even behind other letters (US$, R$).
    let sign_before = word_before
        .chars()
        .last()
        .is_some_and(|sign| matches!(sign, '$' | '€' | '£' | '¥' | '₹' | '₽' | '₩' | '₫' | '฿' | '₺' | '₴' | '₱' | '₦' | '₪'));
    let after = text.chars[end..].iter().skip_while(|character| **character == ' ');
    let word_after: String = after
        .take_while(|character| !character.is_whitespace() && !character.is_ascii_digit() && !matches!(character, '.' | ',' | '!' | ')' | ';'))
        .take(9)
        .collect();
    let word_after = word_after.to_lowercase();
    let sign_after = word_after.chars().next().is_some_and(|sign| matches!(sign, '%' | '€' | '₽' | '₫' | '฿' | '₺' | '₴' | '元' | '円' | '원'));
    sign_before || sign_after || is_currency(&word_before) || is_currency(&word_after)
}

/// The 11-character hash by which an app finds its own message: the last word, in base64.
fn app_hash(text: &Text) -> Option<Region> {
    let end = text.chars.iter().rposition(|character| !character.is_whitespace())? + 1;
    let start = text.chars[..end].iter().rposition(|character| character.is_whitespace())? + 1;
    let word = &text.chars[start..end];
    let base64 = word.iter().all(|character| character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '='));
    let lower = word.iter().any(char::is_ascii_lowercase);
    let other = word.iter().any(|character| !character.is_ascii_lowercase());
    (word.len() == 11 && base64 && lower && other).then_some(Region { start, end, reason: Reason::AppHash })
}
