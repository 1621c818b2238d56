//! Sources side by side: each message in its supplier's own format, signed as that supplier
//! signs.

use fakes::formats::{self, Letter, Message, PUBLIC_URL, TWILIO_TOKEN};
use reqwest::blocking::{RequestBuilder, Response};
use ring::hmac;
use serde_json::{Value, json};

use crate::server::{Caller, Server, body, text};

fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Four sources with one American number each.
fn config() -> String {
    let telnyx = formats::telnyx_public_key();
    let number = |source: &str, number: &str| {
        format!("[[suppliers.{source}.numbers]]\nnumber = \"{number}\"\ncountry = \"US\"\n")
    };
    [
        "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false\n".to_owned(),
        format!("[http]\npublic_url = \"{PUBLIC_URL}/\"\n[deposits]\nsimulated = false\n"),
        "[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"\n".to_owned(),
        number("own", "+12025550101"),
        format!("[suppliers.twilio]\nauth_token = \"{TWILIO_TOKEN}\"\n"),
        number("twilio", "+12025550102"),
        format!("[suppliers.telnyx]\npublic_key = \"{telnyx}\"\n"),
        number("telnyx", "+12025550103"),
        "[suppliers.android]\nsigning_key = \"phone-key\"\nsims = { \"phone-1/2\" = \"+12025550104\" }\n".to_owned(),
        number("android", "+12025550104"),
    ]
    .concat()
}

fn post(server: &Server, letter: Letter) -> RequestBuilder {
    letter
        .headers
        .into_iter()
        .fold(server.post(letter.path), |post, (name, value)| post.header(name, value))
        .body(letter.body)
}

fn message<'a>(id: &'a str, to: &'a str, text: &'a str) -> Message<'a> {
    Message { id, to, text, now: now(), received_at: None }
}

fn own(server: &Server, id: &str, to: &str, text: &str) -> RequestBuilder {
    post(server, formats::own(&message(id, to, text)))
}

fn twilio(server: &Server, id: &str, to: &str, text: &str) -> RequestBuilder {
    post(server, formats::twilio(&message(id, to, text)))
}

fn telnyx(server: &Server, id: &str, to: &str, text: &str) -> RequestBuilder {
    post(server, formats::telnyx(&message(id, to, text)))
}

fn android(server: &Server, id: &str, text: &str) -> RequestBuilder {
    post(server, formats::android(&message(id, "", text), "phone-1", 2))
}

fn outcome(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    body(response)["outcome"].clone()
}

#[test]
fn four_sources_serve_orders_each_in_its_own_format() {
    let server = Server::start(&config());
    let callers: Vec<_> = (0..4).map(|_| server.funded("50")).collect();
    let orders: Vec<_> = callers.iter().map(Caller::google).collect();
    let phones: Vec<_> = orders.iter().map(|order| text(&order["phone"])).collect();
    assert_eq!(
        phones,
        ["+12025550101", "+12025550102", "+12025550103", "+12025550104"],
        "an order may ask three of four, and asks those that have a number"
    );
    assert_eq!(
        server.funded("50").post("/api/v1/order", &json!({ "platform": "google" })).status(),
        503
    );
    let admin = std::fs::read_to_string(server.data().join("admin.addr")).unwrap();
    let metrics = crate::server::client()
        .get(format!("http://{admin}/metrics"))
        .send()
        .unwrap()
        .text()
        .unwrap();
    assert!(
        metrics.contains(r#"supplier_numbers{supplier="telnyx",state="leased"} 1"#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"supplier_numbers{supplier="telnyx",state="free"} 0"#), "{metrics}");

    assert_eq!(
        outcome(own(&server, "m1", &phones[0], "G-100001 is your Google code").send().unwrap()),
        "taken"
    );
    let answered =
        twilio(&server, "SM1", &phones[1], "G-100002 is your Google code").send().unwrap();
    assert_eq!(
        (answered.status().as_u16(), answered.headers()["content-type"].to_str().unwrap()),
        (200, "text/xml")
    );
    assert_eq!(answered.text().unwrap(), "<Response></Response>");
    assert_eq!(
        outcome(telnyx(&server, "m1", &phones[2], "G-100003 is your Google code").send().unwrap()),
        "taken"
    );
    assert_eq!(
        outcome(android(&server, "m1", "G-100004 is your Google code").send().unwrap()),
        "taken"
    );
    for (number, (caller, order)) in callers.iter().zip(&orders).enumerate() {
        assert_eq!(caller.ended(&text(&order["order_id"]))["code"], format!("10000{}", number + 1));
    }
    repeated_messages_are_one(&server, &callers[3], &orders[3], &phones[2]);
}

/// What two suppliers bring again is the message that was there.
fn repeated_messages_are_one(server: &Server, caller: &Caller, order: &Value, telnyx_number: &str) {
    assert_eq!(
        outcome(
            telnyx(server, "m1", telnyx_number, "G-100003 is your Google code").send().unwrap()
        ),
        "repeated"
    );
    assert_eq!(
        outcome(android(server, "m1", "G-100004 is your Google code").send().unwrap()),
        "repeated"
    );
    let again = outcome(android(server, "m2", "G-100004 is your Google code").send().unwrap());
    assert_eq!(
        again, "repeated",
        "a phone's message ids do not tell: the same text within minutes is one message"
    );
    let shown = body(caller.get(&text(&order["check_status"])));
    assert_eq!(
        (
            shown["messages"].as_array().unwrap().len(),
            shown["messages"][0]["repeated_at"].as_array().unwrap().len()
        ),
        (1, 1)
    );
    caller.finish(&text(&order["order_id"]));
    assert_eq!(
        outcome(android(server, "m3", "G-100004 is your Google code").send().unwrap()),
        "order_ended"
    );
}

#[test]
fn a_message_brought_again_is_not_the_next_orders() {
    // As if it came after the number's rest.
    let server = Server::start(&(config() + "[suppliers.rest_seconds]\ntwilio = 0\n"));
    let callers: Vec<_> = (0..5).map(|_| server.funded("50")).collect();
    // The first three take the numbers before Twilio's; the fourth has it, gets its code, and the
    // next one has it then.
    let held: Vec<_> = callers.iter().take(4).map(Caller::google).collect();
    let of_twilio = held.iter().position(|order| order["phone"] == "+12025550102").unwrap();
    assert_eq!(
        twilio(&server, "SM1", "+12025550102", "G-100002 is your Google code")
            .send()
            .unwrap()
            .status(),
        200
    );
    assert_eq!(callers[of_twilio].ended(&text(&held[of_twilio]["order_id"]))["code"], "100002");
    callers[of_twilio].finish(&text(&held[of_twilio]["order_id"]));
    let keys: Vec<_> = callers.iter().map(|caller| caller.key.clone()).collect();
    let next = callers[4].order(&json!({ "platform": "discord" }));
    assert_eq!(next["phone"], "+12025550102");
    // Its first answer was lost on the way.
    assert_eq!(
        twilio(&server, "SM1", "+12025550102", "G-100002 is your Google code")
            .send()
            .unwrap()
            .status(),
        200
    );
    let seen = body(callers[4].get(&format!("/api/v1/order/{}", text(&next["order_id"]))));
    assert_eq!(
        (&seen["messages"], &seen["status"]),
        (&json!([]), &json!("active")),
        "another's text is not shown"
    );
    // After a restart nothing is remembered, and the log is asked.
    let server = server.kill_and_restart();
    assert_eq!(
        twilio(&server, "SM1", "+12025550102", "G-100002 is your Google code")
            .send()
            .unwrap()
            .status(),
        200
    );
    let open = body(server.get("/api/v1/orders?limit=1").bearer_auth(&keys[4]).send().unwrap());
    let id = text(&open["orders"][0]["order_id"]);
    let seen =
        body(server.get(&format!("/api/v1/order/{id}")).bearer_auth(&keys[4]).send().unwrap());
    assert_eq!((&seen["messages"], &seen["status"]), (&json!([]), &json!("active")));
    // What is its own it gets, once.
    assert_eq!(
        twilio(&server, "SM2", "+12025550102", "Your Discord verification code is 482913")
            .send()
            .unwrap()
            .status(),
        200
    );
    let ended = body(
        server.get(&format!("/api/v1/order/{id}?wait=20")).bearer_auth(&keys[4]).send().unwrap(),
    );
    assert_eq!(ended["code"], "482913");
}

#[test]
fn a_number_whose_source_does_not_say_when_rests_between_two_orders() {
    let number = "[[suppliers.twilio.numbers]]\nnumber = \"+12025550102\"\ncountry = \"US\"\n";
    let server = Server::start(&format!(
        "[suppliers.simulator]\nenabled = false\n[http]\npublic_url = \"{PUBLIC_URL}\"\n[deposits]\nsimulated = false\n[suppliers.twilio]\nauth_token = \"{TWILIO_TOKEN}\"\n{number}"
    ));
    let (first, next) = (server.funded("50"), server.funded("50"));
    let order = text(&first.google()["order_id"]);
    assert_eq!(first.post(&format!("/api/v1/order/{order}/cancel"), &json!({})).status(), 200);
    assert_eq!(
        next.post("/api/v1/order", &json!({ "platform": "google" })).status(),
        503,
        "what comes now could be the first order's"
    );
    assert_eq!(
        twilio(&server, "SM1", "+12025550102", "G-100002 is your Google code")
            .send()
            .unwrap()
            .status(),
        200
    );
    let key = next.key.clone();
    let server = server.kill_and_restart();
    let again = server
        .post("/api/v1/order")
        .bearer_auth(&key)
        .json(&json!({ "platform": "discord" }))
        .send()
        .unwrap();
    assert_eq!(again.status(), 503, "it rests on");
    let listed = String::from_utf8(server.cli(&["numbers", "list"]).stdout).unwrap();
    assert!(
        listed.contains("+12025550102")
            && listed.contains("cooling")
            && listed.contains("rests until 20"),
        "{listed}"
    );
}

#[test]
fn no_supplier_delivers_to_the_numbers_of_another() {
    let server = Server::start(&config());
    let caller = server.funded("50");
    let order = caller.google();
    assert_eq!(
        outcome(
            telnyx(&server, "m1", &text(&order["phone"]), "G-666666 is your Google code")
                .send()
                .unwrap()
        ),
        "unknown_number"
    );
    let unchanged = body(caller.get(&format!("/api/v1/order/{}", text(&order["order_id"]))));
    assert_eq!(
        (unchanged["status"].as_str(), unchanged["messages"].as_array().map(Vec::len)),
        (Some("active"), Some(0))
    );
}

#[test]
fn a_signature_of_one_request_is_none_of_another() {
    let server = Server::start(&config());
    let requests = [
        own(&server, "m1", "+12025550101", "code 1"),
        twilio(&server, "SM1", "+12025550102", "code 1"),
        telnyx(&server, "m1", "+12025550103", "code 1"),
        android(&server, "m1", "code 1"),
    ];
    for request in requests {
        let mut forged = request.build().unwrap();
        let body = String::from_utf8(forged.body().unwrap().as_bytes().unwrap().to_vec()).unwrap();
        *forged.body_mut() = Some(body.replace('1', "2").into());
        let path = forged.url().path().to_owned();
        assert_eq!(crate::server::client().execute(forged).unwrap().status(), 401, "{path}");
        assert_eq!(server.post(&path).body(body).send().unwrap().status(), 401, "{path}");
    }
}

/// A part of a message from Vonage, signed with its HMAC over the fields.
fn vonage(server: &Server, part: u8, text: &str) -> RequestBuilder {
    let (at, part, id) = ((now() / 1_000).to_string(), part.to_string(), format!("0A{part}"));
    let fields = [
        ("concat", "true"),
        ("concat-part", part.as_str()),
        ("concat-ref", "77"),
        ("concat-total", "2"),
        ("messageId", id.as_str()),
        ("msisdn", "Google"),
        ("text", text),
        ("timestamp", at.as_str()),
        ("to", "12025550105"),
    ];
    let signed = fields.iter().fold(String::new(), |signed, (name, value)| {
        signed + "&" + name + "=" + &value.replace(['&', '='], "_")
    });
    let signature =
        hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"vonage secret"), signed.as_bytes())
            .as_ref());
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .append_pair("sig", &signature)
        .finish();
    server
        .post("/inbound/v1/vonage")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
}

#[test]
fn parts_that_come_apart_survive_a_kill_between_them() {
    let config = "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false\n[deposits]\nsimulated = false\n\
        [suppliers.vonage]\nsignature_secret = \"vonage secret\"\n[[suppliers.vonage.numbers]]\nnumber = \"+12025550105\"\ncountry = \"US\"\n";
    let server = Server::start(config);
    let caller = server.funded("50");
    let key = caller.key.clone();
    let order = text(&caller.google()["order_id"]);
    assert_eq!(outcome(vonage(&server, 2, "is 482913 & thanks").send().unwrap()), "part");
    assert_eq!(outcome(vonage(&server, 2, "is 482913 & thanks").send().unwrap()), "part");
    let server = server.kill_and_restart();
    assert_eq!(outcome(vonage(&server, 1, "Your Google code ").send().unwrap()), "taken");
    let ended = body(
        server.get(&format!("/api/v1/order/{order}?wait=30")).bearer_auth(key).send().unwrap(),
    );
    assert_eq!(
        (ended["code"].as_str(), ended["sms"].as_str()),
        (Some("482913"), Some("Your Google code is 482913 & thanks"))
    );
    let mut forged = vonage(&server, 1, "Your Google code ").build().unwrap();
    *forged.body_mut() = Some("text=x&sig=00".into());
    assert_eq!(crate::server::client().execute(forged).unwrap().status(), 401);
}
