//! The operator's own numbers and the inbound webhook of their messages: signed, durable, once.

use std::time::Duration;

use events::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::server::{Server, body, text};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub fn config(numbers: &[(&str, &str)]) -> String {
    let head = format!(
        "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false\n[suppliers.own]\nsends_times = true\ninbound_secret = \"{SECRET}\"\n"
    );
    let number = |(number, country): &(&str, &str)| {
        format!("[[suppliers.own.numbers]]\nnumber = \"{number}\"\ncountry = \"{country}\"\n")
    };
    numbers.iter().fold(head, |text, own| text + &number(own))
}

/// What our own format is signed with.
pub fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

pub fn deliver(server: &Server, message: &Value) -> reqwest::blocking::Response {
    let body = message.to_string();
    let signature = signature(SECRET, &body);
    server
        .post("/inbound/v1/own")
        .header("x-webhook-signature", signature)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .unwrap()
}

pub fn sms(id: &str, to: &str, text: &str) -> Value {
    json!({ "id": id, "to": to, "from": "Sender", "text": text })
}

#[test]
fn real_messages_in_several_languages_reach_poll_and_stream() {
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let caller = server.funded("50");
    let messages = [
        ("google", "G-482913 is your Google verification code.", "482913"),
        ("whatsapp", "Tu código de WhatsApp es 482-913. No lo compartas con nadie", "482913"),
        ("telegram", "Telegram: код 48291. Никому его не давайте!", "48291"),
        ("tiktok", "【TikTok】验证码4829，5分钟内有效", "4829"),
        ("line", "LINE認証番号：４８２９１３", "482913"),
        ("amazon", "رمز التحقق من Amazon هو ٤٨٢٩١٣", "482913"),
        ("steam", "Your Steam verification code is 7F3K9", "7F3K9"),
    ];
    for (number, (platform, text_of, code)) in messages.into_iter().enumerate() {
        let order = text(&caller.order(&json!({ "platform": platform }))["order_id"]);
        std::thread::scope(|scope| {
            let waiting =
                scope.spawn(|| body(caller.get(&format!("/api/v1/order/{order}?wait=30"))));
            let stream = scope
                .spawn(|| caller.get(&format!("/api/v1/order/{order}/stream")).text().unwrap());
            let accepted = deliver(&server, &sms(&format!("m{number}"), "+12025550123", text_of));
            assert_eq!(body(accepted)["outcome"], "taken");
            assert_eq!(waiting.join().unwrap()["code"], code, "{text_of}");
            assert!(stream.join().unwrap().contains(&format!("\"code\":\"{code}\"")), "{text_of}");
        });
        caller.finish(&order);
    }
}

#[test]
fn the_longest_messages_are_taken_and_longer_bodies_are_not() {
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let caller = server.funded("50");
    let order = text(&caller.google()["order_id"]);
    // 255 parts of 67 letters, two bytes each.
    let longest = format!("Google code 482913 {}", "ж".repeat(255 * 67));
    assert_eq!(body(deliver(&server, &sms("m1", "+12025550123", &longest)))["outcome"], "taken");
    assert_eq!(body(caller.get(&format!("/api/v1/order/{order}?wait=30")))["code"], "482913");
    assert_eq!(deliver(&server, &sms("m2", "+12025550123", &"x".repeat(65 * 1024))).status(), 413);
}

#[test]
fn a_repeated_message_is_acknowledged_and_nothing_happens() {
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let caller = server.funded("50");
    let order = text(&caller.google()["order_id"]);
    let message = sms("m1", "+12025550123", "Google code 482913");
    let outcomes: Vec<Value> =
        (0..3).map(|_| body(deliver(&server, &message))["outcome"].clone()).collect();
    assert_eq!(outcomes, ["taken", "repeated", "repeated"]);
    assert_eq!(caller.ended(&order)["messages"].as_array().unwrap().len(), 1);
    caller.finish(&order);
    assert_eq!(
        body(deliver(&server, &sms("m2", "+12025550123", "Google code 111111")))["outcome"],
        "order_ended"
    );
}

#[test]
fn a_message_from_before_its_number_was_assigned_is_kept_aside_and_a_slow_clock_reported() {
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let caller = server.funded("50");
    let order = text(&caller.google()["order_id"]);
    let mut message = sms("m1", "+12025550123", "G-482913 is your Google verification code");
    let placed: Timestamp = body(caller.get(&format!("/api/v1/order/{order}")))["created_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    message["received_at"] = json!(placed.minus(Duration::from_secs(10)).to_string());
    assert_eq!(body(deliver(&server, &message))["outcome"], "not_assigned");
    assert_eq!(body(caller.get(&format!("/api/v1/order/{order}")))["messages"], json!([]));
    let log = server.log_when(|log| log.contains("is the source's clock slow?"));
    assert!(
        log.contains("is the source's clock slow?")
            && !log.contains("+12025550123")
            && !log.contains("482913"),
        "{log}"
    );
}

#[test]
fn messages_without_a_clear_code_are_shown_with_their_candidates() {
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let caller = server.funded("50");
    let order = text(&caller.google()["order_id"]);
    deliver(&server, &sms("m1", "+12025550123", "Google: 482913 or 777111"));
    deliver(&server, &sms("m2", "+12025550123", "Your Discord verification code is 555666"));
    let shown = body(caller.get(&format!("/api/v1/order/{order}")));
    assert_eq!((shown["status"].as_str(), shown["code"].is_null()), (Some("active"), true));
    assert_eq!(
        (shown["messages"][0]["verdict"].as_str(), shown["messages"][1]["verdict"].as_str()),
        (Some("unsure"), Some("other_brand"))
    );
    assert_eq!(shown["messages"][0]["candidates"].as_array().unwrap().len(), 2);
    deliver(&server, &sms("m3", "+12025550123", "G-482913 is your Google verification code"));
    assert_eq!(caller.ended(&order)["code"], "482913");
}

#[test]
fn what_is_not_signed_or_not_understood_is_refused() {
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let message = sms("m1", "+12025550123", "hello");
    let unsigned = server.post("/inbound/v1/own").json(&message).send().unwrap();
    assert_eq!(
        (unsigned.status().as_u16(), body(unsigned)["error_code"].as_str().unwrap()),
        (401, "INVALID_API_KEY")
    );
    assert_eq!(server.post("/inbound/v1/nobody").json(&message).send().unwrap().status(), 404);
    for wrong in [
        json!({}),
        json!([]),
        sms("", "+12025550123", "x"),
        sms("m", "12025550123", "x"),
        json!({ "id": "m", "to": "+12025550123", "from": "x", "text": "x", "received_at": "noon" }),
    ] {
        assert_eq!(deliver(&server, &wrong).status(), 400, "{wrong}");
    }
    assert_eq!(deliver(&server, &sms("m", "+12025550123", &"x".repeat(70_000))).status(), 413);
    assert_eq!(
        body(deliver(&server, &sms("m9", "+12025550199", "hello")))["outcome"],
        "unknown_number"
    );
}

#[test]
fn no_order_is_served_by_a_number_of_another_country_or_already_in_use() {
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let (first, second) = (server.funded("50"), server.funded("50"));
    assert_eq!(
        first.post("/api/v1/order", &json!({ "platform": "google", "country": "DE" })).status(),
        503
    );
    first.google();
    assert_eq!(second.post("/api/v1/order", &json!({ "platform": "google" })).status(), 503);
    assert_eq!(second.balance(), (50.0, 0.0));
}

#[test]
fn a_cancel_that_loses_to_the_code_shows_the_code() {
    use std::io::{Read, Write};
    let server = Server::start(&config(&[("+12025550123", "US")]));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    // The call is admitted while the order is active; the code comes before its body does.
    let head = format!(
        "POST /api/v1/order/{order}/cancel HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{",
        caller.key
    );
    let mut cancel = server.raw(head.as_bytes());
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(
        body(deliver(&server, &sms("m1", "+12025550123", "Google code 482913")))["outcome"],
        "taken"
    );
    cancel.write_all(b"}").unwrap();
    let mut answer = String::new();
    cancel.read_to_string(&mut answer).unwrap();
    let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(
        (&answer["order"]["status"], &answer["order"]["code"]),
        (&json!("completed"), &json!("482913")),
        "{answer}"
    );
}
