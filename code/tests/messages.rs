//! Messages in seventy languages, with codes and without: what extraction must find, and what it
//! must leave alone.

use sms_code::{Message, Service, Verdict, extract};

const MESSAGES: &str = include_str!("messages.txt");

#[test]
fn every_message_gives_its_code_or_none() {
    let (mut total, mut misses) = (0, Vec::new());
    for line in MESSAGES.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.splitn(3, " | ");
        let (platform, code, text) = (
            fields.next().unwrap(),
            fields.next().unwrap(),
            fields.next().unwrap().replace("\\n", "\n"),
        );
        let extraction = extract(&Message::new(&text), Service::named(platform));
        let found = if let Verdict::Code(code) = &extraction.verdict { code.as_str() } else { "-" };
        total += 1;
        if found != code {
            misses.push(format!(
                "expected {code}, found {found} ({:?}) in {text:?}\n    {:?}",
                extraction.verdict, extraction.candidates
            ));
        }
    }
    assert!(misses.is_empty(), "{} of {total}:\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn extraction_is_linear_in_the_text() {
    // Counted in candidates, not in time: whatever the text, no more than five are kept and the
    // work before them is bounded.
    for text in [
        "1 ".repeat(100_000),
        "code ".repeat(50_000),
        "123456 ".repeat(50_000),
        "@a.b #".repeat(50_000),
        "(".repeat(200_000),
    ] {
        assert!(extract(&Message::new(&text), None).candidates.len() <= 5);
    }
}
