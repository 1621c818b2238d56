//! `POST /verify`: the code in one call, or an order that lives on.

use std::io::Read;

use serde_json::json;

use crate::server::{QUICK, SILENT, Server, body, text};

#[test]
fn the_code_comes_in_one_call() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let reply = caller.post(
        "/api/v1/verify",
        &json!({ "platform": "google", "country": "US", "timeout_seconds": 120 }),
    );
    assert_eq!(reply.status(), 200);
    let reply = body(reply);
    assert_eq!(
        (reply["status"].as_str(), reply["price"].as_f64(), reply["delivery_seconds"].as_u64()),
        (Some("ok"), Some(0.5), Some(0))
    );
    assert!(
        text(&reply["phone"]).starts_with("+1")
            && text(&reply["code"]).len() == 6
            && text(&reply["sms"]).contains(&text(&reply["code"]))
    );
    let order = body(caller.get(&text(&reply["check_status"])));
    assert_eq!((order["status"].as_str(), &order["code"]), (Some("completed"), &reply["code"]));
}

#[test]
fn at_the_timeout_the_order_lives_on_unless_it_is_to_be_cancelled() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let reply =
        body(caller.post("/api/v1/verify", &json!({ "platform": "google", "timeout_seconds": 1 })));
    assert_eq!(
        (reply["status"].as_str(), reply["code"].is_null(), reply["can_cancel"].as_bool()),
        (Some("timeout"), true, Some(true))
    );
    assert!(text(&reply["phone"]).starts_with('+') && reply["expires_in"].as_u64().unwrap() > 290);
    assert!(text(&reply["stream"]).ends_with("/stream"));
    let order = text(&reply["order_id"]);
    assert_eq!(body(caller.get(&format!("/api/v1/order/{order}")))["status"], "active");
    caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));

    let reply = body(caller.post(
        "/api/v1/verify",
        &json!({ "platform": "google", "timeout_seconds": 1, "on_timeout": "cancel" }),
    ));
    assert_eq!(
        (reply["status"].as_str(), reply["refunded"].as_f64()),
        (Some("timeout"), Some(0.5))
    );
    assert_eq!(caller.balance(), (10.0, 0.0));
}

#[test]
fn a_caller_that_hangs_up_cancels_nothing_and_resumes_under_its_key() {
    let server = Server::start(&QUICK.replace("[0.05, 0.1]", "[1.0, 1.0]"));
    let caller = server.funded("10");
    let wanted = r#"{"platform":"google","idempotency_key":"resume"}"#;
    let head = format!(
        "POST /api/v1/verify HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{wanted}",
        caller.key,
        wanted.len()
    );
    let hung_up = server.raw(head.as_bytes());
    while body(caller.get("/api/v1/account"))["active_order"].is_null() {}
    drop(hung_up);
    let reply = caller.post("/api/v1/verify", &serde_json::from_str(wanted).unwrap());
    assert_eq!(reply.headers()["idempotency-replayed"], "true");
    let reply = body(reply);
    assert_eq!(
        (reply["status"].as_str(), reply["delivery_seconds"].as_u64()),
        (Some("ok"), Some(1))
    );
    assert_eq!(body(caller.get("/api/v1/account"))["stats"]["total_orders"], 1);
}

#[test]
fn what_ends_without_a_code_says_so_and_costs_nothing() {
    let server = Server::start(&format!("{SILENT}[orders]\nlifetime_seconds = 1\n"));
    let caller = server.funded("10");
    let refused =
        caller.post("/api/v1/verify", &json!({ "platform": "google", "timeout_seconds": 30 }));
    assert_eq!(refused.status(), 503);
    let refused = body(refused);
    assert_eq!(
        (refused["error_code"].as_str(), refused["order"]["status"].as_str()),
        (Some("PROVIDER_UNAVAILABLE"), Some("expired"))
    );
    assert_eq!(caller.balance(), (10.0, 0.0));
}

#[test]
fn hostile_timeouts_are_refused() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    for timeout in
        [json!(0), json!(301), json!(-1), json!(1.5), json!(1e300), json!("1"), json!(u64::MAX)]
    {
        let refused = caller
            .post("/api/v1/verify", &json!({ "platform": "google", "timeout_seconds": timeout }));
        assert_eq!(refused.status(), 400, "{timeout}");
    }
    assert_eq!(
        caller
            .post("/api/v1/verify", &json!({ "platform": "google", "on_timeout": "wait" }))
            .status(),
        400
    );
    assert_eq!(caller.balance(), (10.0, 0.0));
}

#[test]
fn a_drain_answers_who_waits_and_the_order_goes_on() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let wanted = r#"{"platform":"google"}"#;
    let head = format!(
        "POST /api/v1/verify HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{wanted}",
        caller.key,
        wanted.len()
    );
    let mut waiting = server.raw(head.as_bytes());
    while body(caller.get("/api/v1/account"))["active_order"].is_null() {}
    let key = caller.key.clone();
    let (_, data) = server.terminate();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"status\":\"timeout\""), "{answer}");
    let server = Server::restart(data);
    let account = body(server.get("/api/v1/account").bearer_auth(key).send().unwrap());
    assert!(account["active_order"].is_string());
}

#[test]
fn a_retried_call_that_gives_up_says_what_came_back() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let wanted =
        r#"{"platform":"google","timeout_seconds":1,"on_timeout":"cancel","idempotency_key":"k"}"#;
    let head = format!(
        "POST /api/v1/verify HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{wanted}",
        caller.key,
        wanted.len()
    );
    let hung_up = server.raw(head.as_bytes());
    while body(caller.get("/api/v1/account"))["active_order"].is_null() {}
    drop(hung_up);
    // The retry arrives while the order is active, and cancels it.
    let reply = body(caller.post("/api/v1/verify", &serde_json::from_str(wanted).unwrap()));
    assert_eq!(
        (reply["status"].as_str(), reply["refunded"].as_f64(), reply["can_cancel"].as_bool()),
        (Some("timeout"), Some(0.5), Some(false))
    );
}
