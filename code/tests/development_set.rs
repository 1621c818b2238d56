//! The development set of `../shared`, where it stands beside the project: an extra check, and it
//! says when it did not run.

use sms_code::{Message, Service, Verdict, extract};

#[test]
fn the_shared_development_set_is_read_without_a_wrong_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/otp_dev.jsonl");
    let Ok(lines) = std::fs::read_to_string(path) else {
        println!(
            "NOT RUN: {path} is not there; the project's own messages are tested in messages.rs"
        );
        return;
    };
    let (mut total, mut exact, mut wrong) = (0, 0, Vec::new());
    for line in lines.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = message["text"].as_str().unwrap();
        let expected = message["code"].as_str();
        let platform = message["platform"].as_str().and_then(Service::named);
        let extraction = extract(&Message::new(text), platform);
        let found =
            if let Verdict::Code(code) = &extraction.verdict { Some(code.as_str()) } else { None };
        total += 1;
        if found == expected {
            exact += 1;
        } else {
            println!(
                "expected {expected:?}, found {found:?} in {text:?}\n  {:?}",
                extraction.candidates
            );
            if found.is_some() {
                wrong.push(text.to_owned());
            }
        }
    }
    println!("{exact} of {total} exact, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(exact * 100 >= total * 97);
}
