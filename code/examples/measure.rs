//! How well messages are read: one JSON object a line (`text`, `code`, optional `platform` and
//! `sender`), and what was not found as it says.
//!
//! `cargo run --release -p sms-code --example measure -- FILE [PLATFORM]`

use std::error::Error;

use sms_code::{Message, Service, Verdict, extract};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let lines = std::fs::read_to_string(arguments.next().ok_or("name a file")?)?;
    let platform = arguments.next();
    let (mut total, mut exact, mut wrong, mut missed, mut claimed) = (0, 0, 0, 0, 0);
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let text = line["text"].as_str().ok_or("no text")?;
        let service = platform.as_deref().or(line["platform"].as_str()).and_then(Service::named);
        let extraction =
            extract(&Message { sender: line["sender"].as_str(), ..Message::new(text) }, service);
        let found =
            if let Verdict::Code(code) = &extraction.verdict { Some(code.as_str()) } else { None };
        total += 1;
        match (line["code"].as_str(), found) {
            (expected, found) if expected == found => exact += 1,
            (None, Some(_)) => claimed += 1,
            (Some(_), Some(_)) => wrong += 1,
            (_, None) => missed += 1,
        }
        if line["code"].as_str() != found {
            println!(
                "{} expected, {} found ({}): {text:?}",
                line["code"],
                found.unwrap_or("nothing"),
                extraction.verdict.name()
            );
            for candidate in &extraction.candidates {
                let reasons: Vec<&str> =
                    candidate.reasons.iter().map(|reason| reason.name()).collect();
                println!("    {} {} {}", candidate.score, candidate.code, reasons.join(" "));
            }
        }
    }
    println!(
        "{total} messages: {exact} as they say, {wrong} wrong codes, {missed} missed, {claimed} \
         claimed where there is none"
    );
    Ok(())
}
