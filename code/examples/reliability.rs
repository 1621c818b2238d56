//! Draws how far the confidence can be believed: candidates of the held-out templates by what was
//! said of them, and how many were the code.
//!
//! `cargo run --release -p sms-code --example reliability > docs/codes-reliability.svg`; the counts
//! go to standard error.

#[path = "../tests/generator/mod.rs"]
mod generator;

use sms_code::{Message, extract};

/// Bars of the picture, in thousandths.
const BARS: [(u16, u16); 8] =
    [(0, 20), (20, 100), (100, 300), (300, 600), (600, 850), (850, 950), (950, 990), (990, 1001)];

fn main() {
    for (name, held_out) in [("tuned", false), ("held out", true)] {
        let mut margins: Vec<(i16, bool)> =
            candidates(held_out).into_iter().map(|(margin, _, right)| (margin, right)).collect();
        margins.sort_unstable();
        for step in margins.chunk_by(|left, right| left.0.div_euclid(10) == right.0.div_euclid(10))
        {
            let right = step.iter().filter(|(_, right)| *right).count();
            eprintln!(
                "{name}: margin {} .. : {right} of {} are the code",
                step[0].0.div_euclid(10) * 10,
                step.len()
            );
        }
    }
    let languages: std::collections::BTreeSet<String> =
        [false, true].into_iter().flat_map(generator::messages).map(|made| made.language).collect();
    eprintln!("{} languages", languages.len());
    println!("{}", picture(&candidates(true)));
}

/// Margin, confidence, and whether it is the code, of every candidate.
fn candidates(held_out: bool) -> Vec<(i16, u16, bool)> {
    let mut all = Vec::new();
    for made in generator::messages(held_out) {
        let extraction = extract(&Message::new(&made.text), None);
        let (margins, confidence) = (extraction.margins(), extraction.confidence());
        for (place, candidate) in extraction.candidates.iter().enumerate() {
            all.push((
                margins[place],
                confidence[place],
                made.code.as_ref() == Some(&candidate.code),
            ));
        }
    }
    all
}

fn picture(candidates: &[(i16, u16, bool)]) -> String {
    let mut parts = vec![String::from(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 420" font-family="sans-serif" font-size="11"><rect width="460" height="420" fill="#fff"/><path d="M50 20V370H400" fill="none" stroke="#333"/><path d="M50 370L400 20" stroke="#bbb" stroke-dasharray="4"/><text x="150" y="408">confidence that was said</text><text x="14" y="240" transform="rotate(-90 14 240)">were the code</text>"##,
    )];
    for (low, high) in BARS {
        let bin: Vec<_> = candidates
            .iter()
            .filter(|(_, confidence, _)| (low..high).contains(confidence))
            .collect();
        if bin.is_empty() {
            continue;
        }
        let said = bin.iter().map(|(_, confidence, _)| usize::from(*confidence)).sum::<usize>()
            / bin.len();
        let right = 1_000 * bin.iter().filter(|(_, _, right)| *right).count() / bin.len();
        let (x, y) = (50 + said * 350 / 1_000, 370 - right * 350 / 1_000);
        let (aside, below, count) = (x + 8, y + 4, bin.len());
        parts.push(format!(r##"<circle cx="{x}" cy="{y}" r="5" fill="#1769aa"/><text x="{aside}" y="{below}">{count}</text>"##));
    }
    parts.push("</svg>".to_owned());
    parts.concat()
}
