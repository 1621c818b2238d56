//! Runs of digits and what joins them: dates, amounts, phone numbers, and the groups that one code
//! is written in.

use super::money;
use super::normal::Text;
use super::reason::Reason;

/// A stretch whose numbers mean something else than a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Index of its first character.
    pub start: usize,
    /// Index behind its last character.
    pub end: usize,
    /// What a number in it is.
    pub reason: Reason,
}

/// Digits that may be a code: one run, or groups of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    /// Index of the first digit.
    pub start: usize,
    /// Index behind the last digit.
    pub end: usize,
    /// How the groups belong together.
    pub grouping: Grouping,
}

/// How sure it is that groups of digits are one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// One run.
    Single,
    /// Groups alike, as codes are written: `123-456`.
    Even,
    /// Groups that might be two numbers, or an amount: `48 120`, `481.207`.
    Loose,
}

/// A run of ASCII digits that stands in no word of letters.
pub type Group = (usize, usize);

/// Digits of the longest phone number, by its numbering plan.
const MAX_PHONE: usize = 15;

/// Everything numbers are, but those within words of letters and digits.
pub fn read(text: &Text, groups: &[Group], regions: &mut Vec<Region>) -> Vec<Digits> {
    let mut codes = Vec::new();
    let mut rest = groups;
    while !rest.is_empty() {
        let cluster = cluster(text, rest);
        let taken = phone_prefix(text, cluster, regions);
        if taken == 0 {
            atoms(text, trimmed(text, cluster), regions, &mut codes);
            for group in &cluster[trimmed(text, cluster).len()..] {
                regions.push(Region { start: group.0, end: group.1, reason: Reason::Duration });
            }
            rest = &rest[cluster.len()..];
        } else {
            rest = &rest[taken..];
        }
    }
    codes
}

/// The groups from the first on that single joining characters connect.
fn cluster<'a>(text: &Text, groups: &'a [Group]) -> &'a [Group] {
    let joined =
        groups.windows(2).take_while(|pair| joint(text, pair[0], pair[1]).is_some()).count();
    &groups[..=joined]
}

fn joint(text: &Text, left: Group, right: Group) -> Option<char> {
    let between = text.chars.get(left.1..right.0)?;
    match between {
        [one] if matches!(one, '-' | '/' | '.' | ',' | ':' | ' ' | '_' | ')' | '·') => Some(*one),
        [')', ' ' | '-'] => Some(')'),
        [' ', '('] => Some(' '),
        [' ', '-', ' ']
            if (3..=4).contains(&(left.1 - left.0)) && left.1 - left.0 == right.1 - right.0 =>
        {
            Some('-')
        }
        _ => None,
    }
}

/// The cluster without a last short group that a word for a unit follows: `4829 15 minutes`.
fn trimmed<'a>(text: &Text, cluster: &'a [Group]) -> &'a [Group] {
    let [before @ .., previous, last] = cluster else { return cluster };
    let spaced = matches!(joint(text, *previous, *last), Some(' ' | ',' | '.'));
    let long_before = previous.1 - previous.0 >= 4 || !before.is_empty();
    if spaced
        && long_before
        && last.1 - last.0 <= 3
        && text.unit_follows(last.1)
        && !money::stands_beside(text, previous.0, last.1)
    {
        &cluster[..cluster.len() - 1]
    } else {
        cluster
    }
}

/// Groups of a phone number that a plus, a bracket or two zeros open; 0 if none.
fn phone_prefix(text: &Text, cluster: &[Group], regions: &mut Vec<Region>) -> usize {
    let (start, _) = cluster[0];
    let plus = text.before(start) == Some('+')
        || (text.before(start) == Some('(') && start >= 2 && text.at(start - 2) == Some('+'));
    let opened = text.before(start) == Some('(')
        && cluster.get(1).is_some_and(|next| joint(text, cluster[0], *next) == Some(')'));
    if !plus && !opened {
        return 0;
    }
    let mut total = 0;
    let fitting = cluster.iter().take_while(|(from, to)| {
        total += to - from;
        total <= MAX_PHONE
    });
    let count = fitting.count();
    let digits: usize = cluster[..count].iter().map(|(from, to)| to - from).sum();
    if digits < 7 {
        return 0;
    }
    regions.push(Region { start, end: cluster[count - 1].1, reason: Reason::PhoneNumber });
    count
}

/// Splits a cluster at its spaces, reads what each part is, and what the parts are together.
fn atoms(text: &Text, cluster: &[Group], regions: &mut Vec<Region>, codes: &mut Vec<Digits>) {
    if cluster.is_empty() {
        return;
    }
    let lengths: Vec<usize> = cluster.iter().map(|(from, to)| to - from).collect();
    let total: usize = lengths.iter().sum();
    let joints: Vec<char> =
        cluster.windows(2).filter_map(|pair| joint(text, pair[0], pair[1])).collect();
    let (start, end) = (cluster[0].0, cluster[cluster.len() - 1].1);
    let plain = joints.iter().all(|joint| matches!(joint, ' ' | '-' | ')'));
    let spaced = joints.contains(&' ');
    if plain
        && cluster.len() >= 3
        && total >= 9
        && lengths.iter().all(|length| *length <= 5)
        && spaced
    {
        regions.push(Region {
            start,
            end,
            reason: if total <= MAX_PHONE { Reason::PhoneNumber } else { Reason::PartOfLonger },
        });
        return;
    }
    // Numbers with nothing but spaces between them belong together; a date or an amount among them
    // stands for itself.
    let mut from = 0;
    let mut alone: Vec<Group> = Vec::new();
    for place in 0..cluster.len() {
        if joints.get(place).is_some_and(|joint| *joint != ' ') {
            continue;
        }
        if from == place {
            alone.push(cluster[place]);
        } else {
            spaced_run(text, &std::mem::take(&mut alone), regions, codes);
            atom(text, &cluster[from..=place], regions, codes);
        }
        from = place + 1;
    }
    spaced_run(text, &alone, regions, codes);
}

/// Runs of digits with one space between each two.
fn spaced_run(text: &Text, groups: &[Group], regions: &mut Vec<Region>, codes: &mut Vec<Digits>) {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return };
    let lengths: Vec<usize> = groups.iter().map(|(from, to)| to - from).collect();
    let grouping = if groups.len() > 1 { spaced_code(&lengths) } else { None };
    if grouping.is_some() && money::stands_beside(text, first.0, last.1) {
        regions.push(Region { start: first.0, end: last.1, reason: Reason::Amount });
    } else if let Some(grouping) = grouping {
        codes.push(Digits { start: first.0, end: last.1, grouping });
    } else if groups.len() >= 3 && lengths.iter().all(|length| *length <= 4) {
        regions.push(Region { start: first.0, end: last.1, reason: Reason::PartOfLonger });
    } else {
        for group in groups {
            atom(text, std::slice::from_ref(group), regions, codes);
        }
    }
}

fn spaced_code(lengths: &[usize]) -> Option<Grouping> {
    match lengths {
        [3, 3] | [4, 4] | [2, 2, 2] | [2, 2, 2, 2] => Some(Grouping::Even),
        [2 | 3, 2..=5] | [4 | 5, 2 | 3] if (5..=8).contains(&(lengths[0] + lengths[1])) => {
            Some(Grouping::Loose)
        }
        ones if (4..=8).contains(&ones.len()) && ones.iter().all(|length| *length == 1) => {
            Some(Grouping::Even)
        }
        _ => None,
    }
}

/// Groups without a space between them.
fn atom(text: &Text, groups: &[Group], regions: &mut Vec<Region>, codes: &mut Vec<Digits>) {
    let (start, end) = (groups[0].0, groups[groups.len() - 1].1);
    if groups.len() == 1 {
        match beside(text, start, end) {
            Some(reason) => regions.push(Region { start, end, reason }),
            None => codes.push(Digits { start, end, grouping: Grouping::Single }),
        }
        return;
    }
    match meaning(text, groups) {
        Meaning::Is(reason) => regions.push(Region { start, end, reason }),
        Meaning::Code(grouping) => codes.push(Digits { start, end, grouping }),
        Meaning::Apart => {
            for group in groups {
                atom(text, std::slice::from_ref(group), regions, codes);
            }
        }
    }
}

enum Meaning {
    Is(Reason),
    Code(Grouping),
    /// A joining character that only lacks its space: `199035,10 minutes`.
    Apart,
}

fn meaning(text: &Text, groups: &[Group]) -> Meaning {
    let lengths: Vec<usize> = groups.iter().map(|(from, to)| to - from).collect();
    let total: usize = lengths.iter().sum();
    let joints: Vec<char> =
        groups.windows(2).filter_map(|pair| joint(text, pair[0], pair[1])).collect();
    let uniform = joints.iter().all(|joint| *joint == joints[0]);
    let is_date = uniform && is_date(text, groups, &lengths, joints[0]);
    if is_date {
        return Meaning::Is(Reason::Date);
    }
    if !uniform {
        // A date and its time, or an amount such as 5,000.00; whatever else it is, it is no code.
        let colon = joints.contains(&':');
        return Meaning::Is(if colon { Reason::TimeOfDay } else { Reason::Amount });
    }
    if is_service_line(text, groups, &lengths) {
        return Meaning::Is(Reason::PhoneNumber);
    }
    match joints[0] {
        ':' if lengths.iter().all(|length| *length <= 2) => Meaning::Is(Reason::TimeOfDay),
        ':' => Meaning::Apart,
        '/' => match lengths.as_slice() {
            [3, 3] | [4, 4] => Meaning::Code(Grouping::Loose),
            _ => Meaning::Is(Reason::Date),
        },
        ',' | '.' => amount(text, groups, &lengths, joints[0]),
        '-' if total >= 9 => Meaning::Is(Reason::PhoneNumber),
        '-' | '_' | '·' => match lengths.as_slice() {
            [3, 3] | [4, 4] | [2, 2, 2] | [2, 2, 2, 2] => Meaning::Code(Grouping::Even),
            [2..=5, 2..=5] if (5..=8).contains(&total) => Meaning::Code(Grouping::Even),
            ones if (4..=8).contains(&ones.len()) && total == ones.len() => {
                Meaning::Code(Grouping::Even)
            }
            _ => Meaning::Is(Reason::PartOfLonger),
        },
        _ => Meaning::Is(Reason::PhoneNumber),
    }
}

/// `1588-1234`: a number for the whole of Korea, in a text in its script.
fn is_service_line(text: &Text, groups: &[Group], lengths: &[usize]) -> bool {
    let first: String = text.chars[groups[0].0..groups[0].1].iter().collect();
    let known = ["15", "16", "18"].iter().any(|prefix| first.starts_with(prefix));
    *lengths == [4, 4]
        && known
        && text.chars.iter().any(|character| ('가'..='힣').contains(character))
}

fn is_date(text: &Text, groups: &[Group], lengths: &[usize], joint: char) -> bool {
    let value = |index: usize| {
        groups
            .get(index)
            .and_then(|(from, to)| {
                text.chars[*from..*to].iter().collect::<String>().parse::<u32>().ok()
            })
            .unwrap_or(u32::MAX)
    };
    if !matches!(joint, '/' | '.' | '-') {
        return false;
    }
    if let [4, 4] = lengths {
        return joint == '-'
            && (1990..2100).contains(&value(0))
            && (1990..2100).contains(&value(1));
    }
    if lengths.len() != 3 {
        return false;
    }
    let (a, b, c) = (value(0), value(1), value(2));
    let year_first = lengths[0] == 4 && (1..=12).contains(&b) && (1..=31).contains(&c);
    let year_last = lengths[0] <= 2
        && lengths[1] <= 2
        && matches!(lengths[2], 2 | 4)
        && (1..=31).contains(&a)
        && (1..=31).contains(&b)
        && a.min(b) <= 12;
    // A dash between pairs of digits may be a code's, unless they are a day of these years.
    let recent = |year: u32| (20..40).contains(&year);
    let iso = lengths == [2, 2, 2] && recent(a) && (1..=12).contains(&b) && (1..=31).contains(&c);
    let pairs = iso || (recent(c) && (1..=31).contains(&a) && (1..=12).contains(&b));
    year_first || (year_last && (joint != '-' || lengths[2] == 4 || pairs)) || (joint == '-' && iso)
}

fn amount(text: &Text, groups: &[Group], lengths: &[usize], joint: char) -> Meaning {
    let (start, end) = (groups[0].0, groups[groups.len() - 1].1);
    let money = money::stands_beside(text, start, end);
    if money {
        return Meaning::Is(Reason::Amount);
    }
    match lengths {
        [3, 3] if joint == '.' => Meaning::Code(Grouping::Loose),
        // `481207.10 minutes`, `199035,10分钟`: a mark without its space.
        [4..=8, 1 | 2] if text.unit_follows(end) || joint == ',' => Meaning::Apart,
        [4..=12, _] if joint == ',' => Meaning::Apart,
        [..] if joint == '.' && lengths.len() == 2 && lengths[0] >= 4 && lengths[1] >= 3 => {
            Meaning::Apart
        }
        _ => Meaning::Is(Reason::Amount),
    }
}

/// What stands right beside one run of digits, or what the run itself says.
fn beside(text: &Text, start: usize, end: usize) -> Option<Reason> {
    if money::stands_beside(text, start, end) {
        return Some(Reason::Amount);
    }
    if end - start >= 10 {
        return Some(Reason::PhoneNumber);
    }
    let chars = &text.chars;
    let run = |characters: &mut dyn Iterator<Item = &char>, marks: &[char]| {
        characters.take_while(|character| marks.contains(character)).count()
    };
    let masks = ['*', '•', '…', '·', '×', '∗', '●'];
    let (before, after) =
        (run(&mut chars[..start].iter().rev(), &masks), run(&mut chars[end..].iter(), &masks));
    let dots = run(&mut chars[..start].iter().rev(), &['.']);
    // `*481207*` is set in bold, even where words are not spaced; more marks, or digits beyond
    // them, are a mask.
    let digit = |place: Option<usize>| {
        place.and_then(|place| text.at(place)).is_some_and(|character| character.is_ascii_digit())
    };
    let bold = before == after
        && before <= 2
        && !digit(start.checked_sub(before + 1))
        && !digit(Some(end + after));
    let quoted = before == after;
    let digit_before_mask =
        start.checked_sub(before + 1).is_some_and(|place| chars[place].is_alphanumeric());
    let digit_after_mask = text.at(end + after).is_some_and(char::is_alphanumeric);
    let masked = (before > 0 && (!quoted || digit_before_mask)) || (after > 0 && digit_after_mask);
    // `张*-7576`: the mask of a name, and what the number of a card or a telephone ends in.
    let behind_mask = text.before(start) == Some('-')
        && start.checked_sub(2).is_some_and(|place| masks.contains(&chars[place]));
    // `ES** 7741`: a mask of an account, and a space.
    let apart = text.before(start) == Some(' ')
        && start >= 3
        && chars[start - 3..start - 1].iter().all(|mark| *mark == '*');
    if (masked && !bold) || dots >= 2 || behind_mask || apart || is_masked_before(text, start) {
        return Some(Reason::CardEnding);
    }
    if matches!(text.before(start), Some('№'))
        || (text.before(start) == Some(' ') && start >= 2 && text.at(start - 2) == Some('№'))
    {
        return Some(Reason::Reference);
    }
    matches!((text.at(end), text.at(end + 1)), (Some('/'), Some(next)) if next.is_alphanumeric())
        .then_some(Reason::Date)
}

/// Whether groups of a mask stand before the digits: `XXXX XXXX 4829`.
fn is_masked_before(text: &Text, start: usize) -> bool {
    let before = || text.chars[..start].iter().rev().skip_while(|character| **character == ' ');
    let mask = before().take_while(|character| matches!(character, 'x' | 'X')).count();
    let word = before().take_while(|character| character.is_alphanumeric()).count();
    text.before(start) == Some(' ') && mask >= 3 && mask == word
}
