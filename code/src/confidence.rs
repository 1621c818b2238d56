//! How sure a candidate is the code: its score, and its lead over the others, read off a table that
//! was fitted to generated messages.

use super::reason::Reason;
use super::verdict::{ACCEPT, Candidate, LEAD};

/// Points above what is needed, and of a thousand candidates with so many those that are the code.
/// Read off the counts that `examples/reliability.rs` prints for the templates that were held out
/// while words and weights were tuned (`docs/codes.md`).
const TABLE: [(i16, u16); 11] = [
    (-150, 1),
    (-110, 5),
    (-60, 15),
    (-25, 20),
    (-15, 180),
    (-5, 530),
    (5, 860),
    (12, 930),
    (25, 960),
    (35, 992),
    (60, 998),
];

/// Of twenty codes in messages that name nobody, one was sent to the number on behalf of somebody
/// else (`docs/codes.md`).
const UNNAMED: (u16, u16) = (19, 20);

/// For each candidate, of a thousand like it those that are the code.
pub fn per_mille(candidates: &[Candidate]) -> Vec<u16> {
    let sure = |place: usize| {
        let table = at(margin(candidates, place));
        if names_nobody(&candidates[place]) { table * UNNAMED.0 / UNNAMED.1 } else { table }
    };
    (0..candidates.len()).map(sure).collect()
}

/// Whether a service was expected, and nothing names it.
fn names_nobody(candidate: &Candidate) -> bool {
    let says = |reason: Reason| candidate.reasons.contains(&reason);
    let is_expected =
        [Reason::PlatformShape, Reason::OtherShape, Reason::OtherAlphabet].into_iter().any(says);
    is_expected && !says(Reason::BrandInMessage) && !says(Reason::SenderPrefix)
}

/// The points by which a candidate passes the closer of two bars: the score that is needed, and the
/// lead over another code.
pub fn margin(candidates: &[Candidate], place: usize) -> i16 {
    let own = &candidates[place];
    let rival = candidates
        .iter()
        .filter(|candidate| candidate.code != own.code)
        .map(|candidate| candidate.score)
        .max();
    let above = own.score.saturating_sub(ACCEPT);
    rival.map_or(above, |rival| above.min(own.score.saturating_sub(rival).saturating_sub(LEAD)))
}

/// The table between its points, in a straight line.
fn at(margin: i16) -> u16 {
    let Some(above) = TABLE.iter().position(|(points, _)| *points > margin) else {
        return TABLE[TABLE.len() - 1].1;
    };
    let Some(below) = above.checked_sub(1) else { return TABLE[0].1 };
    let ((from, low), (to, high)) = (TABLE[below], TABLE[above]);
    let part = (i32::from(high) - i32::from(low)) * (i32::from(margin) - i32::from(from))
        / (i32::from(to) - i32::from(from));
    u16::try_from(i32::from(low) + part).unwrap_or(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_points_are_never_less_sure() {
        let all: Vec<u16> = (-400..400).map(at).collect();
        assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!((all[0], all[799]), (TABLE[0].1, TABLE[TABLE.len() - 1].1));
    }

    #[test]
    fn a_message_that_names_nobody_is_less_sure_than_one_that_names_the_service() {
        let candidate = |reasons: &[Reason]| Candidate {
            code: "481207".to_owned(),
            score: 120,
            reasons: reasons.to_vec(),
        };
        let sure = |reasons: &[Reason]| per_mille(&[candidate(reasons)])[0];
        let (named, unnamed) = (
            sure(&[Reason::PlatformShape, Reason::BrandInMessage]),
            sure(&[Reason::PlatformShape]),
        );
        assert!(unnamed < named && unnamed > 900, "{unnamed} {named}");
        assert_eq!(sure(&[Reason::UsualLength]), named, "nobody was expected");
    }

    #[test]
    fn a_rival_takes_away_what_is_sure() {
        let candidate =
            |code: &str, score| Candidate { code: code.to_owned(), score, reasons: Vec::new() };
        let alone = per_mille(&[candidate("111111", 100)]);
        let rivalled = per_mille(&[candidate("111111", 100), candidate("222222", 98)]);
        assert!(alone[0] > 900 && rivalled[0] < 500, "{alone:?} {rivalled:?}");
    }
}
