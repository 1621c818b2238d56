//! What the client makes of a source's answers.

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.as_bytes().to_vec() }
}

#[test]
fn a_status_says_whether_something_may_have_been_done() {
    let read = |status, body| answer(status, body).read::<LeaseShape>().map(|lease| lease.number);
    assert_eq!(
        read(200, "{\"number\": \"+12025550123\", \"more\": 1}"),
        Ok("+12025550123".to_owned())
    );
    for (status, body) in [
        (200, ""),
        (200, "[]"),
        (200, "{\"number\": 7}"),
        (200, "{\"number\": \"+1"),
        (302, ""),
        (408, ""),
        (409, "{}"),
        (429, ""),
        (500, "x"),
    ] {
        assert!(matches!(read(status, body), Err(SourceError::Failed(_))), "{status} {body}");
    }
    for status in [400, 401, 403, 405, 413, 415, 422] {
        assert_eq!(
            read(status, "{\"error\": \"no\\nsuch\"}"),
            Err(SourceError::Refused(format!("HTTP {status} no such")))
        );
    }
    assert_eq!(
        (read(404, ""), read(410, "")),
        (Err(SourceError::Unknown), Err(SourceError::Unknown))
    );
    assert!(
        answer(409, "{\"error\": \"no_number\"}").has_no_number()
            && !answer(409, "{\"error\": \"busy\"}").has_no_number()
    );
}

#[test]
fn costs_are_exact_and_never_below_zero() {
    let cost = |text: &str| {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        money(Some(&raw))
    };
    assert_eq!(
        (cost("0.1234"), cost("\"0.12\""), cost("3"), money(None)),
        (
            Ok(Money::from_micros(123_400)),
            Ok(Money::from_cents(12)),
            Ok(Money::from_cents(300)),
            Ok(Money::ZERO)
        )
    );
    for text in [
        "-1",
        "\"-0.01\"",
        "1e3",
        "true",
        "null",
        "{}",
        "\"12 dollars\"",
        "99999999999999",
        "0.12345678",
    ] {
        assert!(matches!(cost(text), Err(SourceError::Failed(_))), "{text}");
    }
}

#[test]
fn an_address_must_be_one() {
    for address in ["", "acme", "ftp://acme.example", "mailto:x@acme.example", "http://"] {
        assert!(HttpSource::new(address, "t").is_err(), "{address}");
    }
    let source = HttpSource::new("https://user@acme.example/v1", "the-token").unwrap();
    assert_eq!(format!("{source:?}"), "HttpSource(acme.example)");
}
