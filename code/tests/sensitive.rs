//! What is held back, on messages with labels: `sensitive.txt` beside this file.
//!
//! A line is the kinds (`-` for none), a `|`, and the text; `\n` is a line break.

use sms_code::{Sensitive, sensitive};

const MESSAGES: &str = include_str!("sensitive.txt");
/// Of the messages of a kind, so many are found, in a thousand.
const FOUND_PER_MILLE: usize = 970;
/// Of ordinary messages, so many are taken for sensitive at most, in a thousand.
const WRONG_PER_MILLE: usize = 20;

fn labelled() -> impl Iterator<Item = (Vec<Sensitive>, String)> {
    let lines = MESSAGES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let (kinds, text) = line.split_once(" | ").unwrap_or_else(|| panic!("{line}"));
        let kinds = kinds.split(',').filter(|kind| *kind != "-").map(|kind| {
            let known = Sensitive::ALL.into_iter().find(|known| known.name() == kind);
            known.unwrap_or_else(|| panic!("{line}"))
        });
        (kinds.collect(), text.replace("\\n", "\n"))
    })
}

#[test]
fn each_kind_is_found_and_ordinary_messages_pass() {
    let messages: Vec<_> = labelled().collect();
    let mut wrong = Vec::new();
    for kind in Sensitive::ALL {
        let (mut labelled, mut found, mut ordinary, mut taken) = (0, 0, 0, 0);
        for (kinds, text) in &messages {
            let is_told = sensitive(text).contains(&kind);
            if kinds.contains(&kind) {
                labelled += 1;
                found += usize::from(is_told);
            } else if kinds.is_empty() {
                ordinary += 1;
                taken += usize::from(is_told);
            } else {
                continue;
            }
            if is_told != kinds.contains(&kind) {
                wrong.push(format!("{}: {text}", kind.name()));
            }
        }
        println!("{}: {found} of {labelled}; {taken} of {ordinary} ordinary", kind.name());
        assert!(found * 1_000 >= labelled * FOUND_PER_MILLE, "{wrong:#?}");
        assert!(taken * 1_000 <= ordinary * WRONG_PER_MILLE, "{wrong:#?}");
    }
    println!("{wrong:#?}");
}

#[test]
fn nothing_and_very_much_are_read() {
    assert_eq!(sensitive(""), []);
    for part in ["Hi ", "password reset ", "Maria ", "$5 payment ", "様", "1.", "尊敬的", "\u{301}"]
    {
        let _ = sensitive(&part.repeat(20_000));
    }
}
