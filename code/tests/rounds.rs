//! Rounds of messages after the formats of real services, each written before the lists were
//! changed for it: no other code, none where there is none, and nearly every one exactly.

use sms_code::{Message, Service, Verdict, extract};

/// `platform | code or - | message`; a round's heading says how it was read at first.
const ROUNDS: &str = include_str!("rounds.txt");

struct Line {
    platform: &'static str,
    code: Option<&'static str>,
    text: String,
}

fn lines() -> impl Iterator<Item = Line> {
    ROUNDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let parts: Vec<&str> = line.splitn(3, " | ").collect();
        let [platform, code, text] = parts.as_slice() else { panic!("{line}") };
        let code = Some(*code).filter(|code| *code != "-");
        Line { platform, code, text: text.replace("\\n", "\n") }
    })
}

fn found(text: &str, service: Option<Service>) -> Option<String> {
    match extract(&Message::new(text), service).verdict {
        Verdict::Code(code) => Some(code),
        _ => None,
    }
}

#[test]
fn a_message_gives_its_code_or_none_and_never_another() {
    let (mut all, mut missed, mut wrong) = (0, Vec::new(), Vec::new());
    for Line { platform, code, text } in lines() {
        let Some(code) = code else { continue };
        all += 1;
        match found(&text, Service::named(platform)) {
            Some(found) if found == code => {}
            Some(found) => wrong.push(format!("{found} for {code}: {text:?}")),
            None => missed.push(format!("{code}: {text:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(missed.len() * 100 <= all * 4, "{} of {all}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn a_message_without_a_code_gives_none_whoever_asks() {
    let mut claimed = Vec::new();
    for Line { text, .. } in lines().filter(|line| line.code.is_none()) {
        for service in ["-", "google", "whatsapp", "steam"] {
            if let Some(found) = found(&text, Service::named(service)) {
                claimed.push(format!("{service} {found}: {text:?}"));
            }
        }
    }
    assert!(claimed.is_empty(), "{}:\n{}", claimed.len(), claimed.join("\n"));
}
