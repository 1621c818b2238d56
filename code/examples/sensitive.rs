//! What of a file of labelled messages is told right: `cargo run -p sms-code --example sensitive --
//! FILE`. A line is the kinds (`-` for none), ` | ` and the text.

use sms_code::{Sensitive, sensitive};

fn main() {
    let file = std::env::args().nth(1).unwrap_or_else(|| "code/tests/sensitive.txt".to_owned());
    let messages = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let lines = messages.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let told: Vec<(&str, String, Vec<Sensitive>)> = lines
        .filter_map(|line| line.split_once(" | "))
        .map(|(kinds, text)| (kinds, text.replace("\\n", "\n")))
        .map(|(kinds, text)| (kinds, text.clone(), sensitive(&text)))
        .collect();
    for kind in Sensitive::ALL {
        let is = |kinds: &str| kinds.split(',').any(|named| named.trim() == kind.name());
        let of = |labelled: bool| told.iter().filter(move |(kinds, ..)| is(kinds) == labelled);
        let found = of(true).filter(|(.., told)| told.contains(&kind)).count();
        let wrong = of(false).filter(|(.., told)| told.contains(&kind)).count();
        println!(
            "{}: {found} of {}, {wrong} of {} others",
            kind.name(),
            of(true).count(),
            of(false).count()
        );
        for (_, text, _) in of(true).filter(|(.., told)| !told.contains(&kind)) {
            println!("  missed {text:?}");
        }
        for (kinds, text, _) in of(false).filter(|(.., told)| told.contains(&kind)) {
            println!("  taken ({kinds}) {text:?}");
        }
    }
}
