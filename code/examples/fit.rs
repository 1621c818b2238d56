//! Would weights that are fitted read better than those set by hand? A logistic regression over the
//! reasons, fitted to the templates that words and weights were tuned with, and compared with the
//! weights of `src/weights.rs` on those that were held out.
//!
//! `cargo run --release -p sms-code --example fit`

#![expect(clippy::cast_precision_loss, reason = "counts of some thousand candidates")]

#[expect(dead_code, reason = "what language a message is in tells nothing here")]
#[path = "../tests/generator/mod.rs"]
mod generator;

use sms_code::{Message, Reason, Service, Verdict, extract};

/// Rounds over all candidates, the size of a step, and how strongly weights are drawn to nothing.
const ROUNDS: usize = 400;
const STEP: f64 = 0.5;
const DECAY: f64 = 1e-4;
/// A wrong code counts as twenty unsure ones (`docs/codes.md`).
const SURE: f64 = 0.95;

/// A message's candidates: the reasons of each, and whether it is the code; and what the weights
/// set by hand make of it.
struct Read {
    code: Option<String>,
    candidates: Vec<(Vec<usize>, String)>,
    by_hand: Option<String>,
}

fn read(held_out: bool) -> Vec<Read> {
    let place =
        |reason: &Reason| Reason::ALL.iter().position(|known| known == reason).unwrap_or_default();
    let services = [None, Service::named("google"), Service::named("steam")];
    let mut all = Vec::new();
    for made in generator::messages(held_out) {
        // With a code each message is asked for as nobody's in particular; without one as a
        // service's, too.
        for service in services.into_iter().take(if made.code.is_some() { 1 } else { 3 }) {
            let extraction = extract(&Message::new(&made.text), service);
            let by_hand = if let Verdict::Code(code) = &extraction.verdict {
                Some(code.clone())
            } else {
                None
            };
            if matches!(extraction.verdict, Verdict::OtherBrand(_)) {
                continue;
            }
            let candidates = extraction
                .candidates
                .into_iter()
                .map(|it| (it.reasons.iter().map(place).collect(), it.code))
                .collect();
            all.push(Read { code: made.code.clone(), candidates, by_hand });
        }
    }
    all
}

fn sure(weights: &[f64], bias: f64, reasons: &[usize]) -> f64 {
    1.0 / (1.0 + (-(bias + reasons.iter().map(|place| weights[*place]).sum::<f64>())).exp())
}

fn fit(messages: &[Read]) -> (Vec<f64>, f64) {
    let (mut weights, mut bias) = (vec![0.0; Reason::ALL.len()], 0.0);
    let total = messages.iter().map(|read| read.candidates.len()).sum::<usize>() as f64;
    for _ in 0..ROUNDS {
        let (mut slope, mut lift) = (vec![0.0; weights.len()], 0.0);
        for (reasons, code, right) in messages.iter().flat_map(|read| {
            read.candidates.iter().map(move |(reasons, code)| (reasons, code, &read.code))
        }) {
            let error =
                f64::from(u8::from(right.as_ref() == Some(code))) - sure(&weights, bias, reasons);
            for place in reasons {
                slope[*place] += error;
            }
            lift += error;
        }
        for (weight, slope) in weights.iter_mut().zip(slope) {
            *weight += STEP * (slope / total.sqrt() - DECAY * *weight);
        }
        bias += STEP * lift / total.sqrt();
    }
    (weights, bias)
}

/// Exact, wrong, missed and claimed where there is none.
fn counted(messages: &[Read], found: impl Fn(&Read) -> Option<String>) -> [usize; 4] {
    let mut counts = [0; 4];
    for read in messages {
        let place = match (&read.code, found(read)) {
            (code, found) if *code == found => 0,
            (Some(_), Some(_)) => 1,
            (Some(_), None) => 2,
            (None, _) => 3,
        };
        counts[place] += 1;
    }
    counts
}

fn main() {
    let (tuned, held_out) = (read(false), read(true));
    let (weights, bias) = fit(&tuned);
    let fitted = |read: &Read| {
        let best = read
            .candidates
            .iter()
            .map(|(reasons, code)| (sure(&weights, bias, reasons), code))
            .max_by(|left, right| left.0.total_cmp(&right.0))?;
        (best.0 >= SURE).then(|| best.1.clone())
    };
    for (name, messages) in [("tuned", &tuned), ("held out", &held_out)] {
        let by_hand = counted(messages, |read| read.by_hand.clone());
        println!(
            "{name}, {} messages: exact, wrong, missed, claimed by hand {by_hand:?}, fitted {:?}",
            messages.len(),
            counted(messages, fitted)
        );
    }
    for (reason, weight) in Reason::ALL.iter().zip(&weights) {
        println!("{:+6.2} fitted, {:+4} by hand: {}", weight, reason.points(), reason.name());
    }
}
