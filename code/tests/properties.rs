//! What holds for every message.

mod generator;

use proptest::prelude::*;
use sms_code::{Message, Service, Verdict, extract};

fn verdict(text: &str) -> Verdict {
    extract(&Message::new(text), None).verdict
}

/// Whether the code's digits are whole runs of the text's digits, one behind the other.
fn is_whole_runs(text: &str, code: &str) -> bool {
    let runs: Vec<&str> = text
        .split(|character: char| !character.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .collect();
    let wanted: Vec<&str> = code
        .split(|character: char| !character.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .collect();
    let digits = wanted.concat();
    (0..runs.len()).any(|from| (from..=runs.len()).any(|to| runs[from..to].concat() == digits))
        || digits.is_empty()
}

proptest! {
    #[test]
    fn no_run_of_digits_is_ever_cut(text in "(your code is |OTP: |kod |code )?[0-9]{1,9}[-. \
        _/,:]?[0-9]{0,9}[-. _/,:]?[0-9]{0,5}( minutes| EUR| is your code|Don't)?") {
        if let Verdict::Code(code) = verdict(&text) {
            prop_assert!(is_whole_runs(&text, &code), "{code} of {text:?}");
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,200}", sender in "\\PC{0,12}") {
        for service in [None, Service::named("steam"), Service::named("google")] {
            let extraction = extract(&Message::new(&text).sent_by(&sender).sent_to("+12025550123"), service);
            prop_assert!(extraction.candidates.len() <= 5);
            prop_assert_eq!(extraction.confidence().len(), extraction.candidates.len());
        }
    }
}

#[test]
fn another_script_of_digits_gives_the_same_code() {
    for made in generator::messages(false) {
        for zero in ['٠', '۰', '०', '๐', '０'] {
            let script = |digit: char| {
                digit
                    .to_digit(10)
                    .map_or(digit, |value| char::from_u32(u32::from(zero) + value).unwrap())
            };
            let text: String = made.text.chars().map(script).collect();
            assert_eq!(verdict(&text), verdict(&made.text), "{text}");
        }
    }
}

#[test]
fn noise_that_cannot_be_a_code_changes_nothing() {
    for made in generator::messages(false) {
        let plain = verdict(&made.text);
        for noisy in [
            format!("\u{feff}{}", made.text),
            format!("{}\n\n", made.text),
            format!("\u{200e}{} \u{200f}", made.text),
            made.text.replace(' ', "\u{a0}"),
        ] {
            assert_eq!(verdict(&noisy), plain, "{} {:?} {noisy:?}", made.language, made.code);
        }
    }
}

#[test]
fn a_group_is_never_half_a_code_whatever_stands_behind() {
    for made in generator::messages(false) {
        let Some(code) =
            made.code.filter(|code| made.text.contains(&format!("{} {}", &code[..3], &code[3..])))
        else {
            continue;
        };
        for behind in [" 24/11/2026 14:05", " 10:30", " 12,50 EUR", " (5 min)", "\n2026"] {
            let text = format!("{}{behind}", made.text);
            if let Verdict::Code(found) = verdict(&text) {
                assert_eq!(found, code, "{text}");
            }
        }
    }
}
