//! What a message says itself: its letters without the hash for an app, its numbers without
//! addresses, phones and dates.

use super::normal::Text;
use super::number::Region;
use super::reason::Reason;

/// Digits from which a number could be a code.
const MIN_RUN: usize = 4;

/// Where a message's own letters and numbers are.
#[derive(Debug)]
pub struct Content {
    /// The first and the last letter or digit.
    ends: Option<(usize, usize)>,
    /// Every run of digits that is as long as a code.
    numbers: Vec<(usize, usize)>,
}

impl Content {
    /// Looks once over the text.
    pub fn new(text: &Text, regions: &[Region]) -> Self {
        let mut own: Vec<bool> =
            text.chars.iter().map(|character| character.is_alphanumeric()).collect();
        silence(&mut own, regions, Reason::AppHash);
        let ends = own.iter().position(|own| *own).zip(own.iter().rposition(|own| *own));
        for reason in [Reason::Url, Reason::PhoneNumber, Reason::Date, Reason::TimeOfDay] {
            silence(&mut own, regions, reason);
        }
        let mut numbers = Vec::new();
        let mut start = 0;
        while start < own.len() {
            let length = (start..own.len())
                .take_while(|place| own[*place] && text.chars[*place].is_ascii_digit())
                .count();
            if length >= MIN_RUN {
                numbers.push((start, start + length));
            }
            start += length.max(1);
        }
        Self { ends, numbers }
    }

    /// Whether nothing is said before `start`.
    pub fn opens_at(&self, start: usize) -> bool {
        self.ends.is_none_or(|(first, _)| first >= start)
    }

    /// Whether nothing is said from `end` on.
    pub fn closes_at(&self, end: usize) -> bool {
        self.ends.is_none_or(|(_, last)| last < end)
    }

    /// Whether no number as long as a code stands outside of `start..end`.
    pub fn has_no_number_but(&self, start: usize, end: usize) -> bool {
        self.numbers.iter().all(|(from, to)| *from >= start && *to <= end)
    }
}

fn silence(own: &mut [bool], regions: &[Region], reason: Reason) {
    for region in regions.iter().filter(|region| region.reason == reason) {
        own[region.start..region.end].fill(false);
    }
}
